//! The built-in vectors: which words, pairs of words and runs of characters stand in a text.
//!
//! Runs of characters find a word in its other forms and with a slip of the pen, and they alone carry Japanese, Chinese and
//! Korean, which set no blanks between words or grow their endings onto them. Nothing here knows a language.

use super::text::{Word, normal, words};

/// The n-grams of one sentence, each by its hash, sorted and without repeats: first those of words, then the runs of characters
/// within them, see [`is_piece`].
pub(super) fn of_sentence(sentence: &str) -> Vec<u64> {
    let text = normal(sentence);
    let words = words(&text);
    let mut grams = Vec::with_capacity(text.len() * 4);
    let mut run: Vec<u64> = Vec::with_capacity(words.len());
    let mut characters: Vec<char> = Vec::new();
    for word in &words {
        characters.clear();
        match *word {
            Word::Mark(mark) => run.push(whole(mark, &mut grams)),
            Word::Spaced(word) => {
                run.push(whole(word, &mut grams));
                if word.chars().nth(2).is_some() {
                    characters.extend(std::iter::once('_').chain(word.chars()).chain(['_']));
                    pieces(&characters, &[3, 4, 5], Shape::Piece, &mut grams);
                }
            }
            Word::Korean(word) => {
                run.push(whole(word, &mut grams));
                characters.extend(std::iter::once('_').chain(word.chars()));
                pieces(&characters, &[1, 2, 3], Shape::KoreanWord, &mut grams);
                pieces(&characters, &[1, 2], Shape::KoreanPiece, &mut grams);
            }
            Word::Unspaced(word) => {
                characters.extend(word.chars());
                pieces(&characters, &[1, 2, 3], Shape::UnspacedWord, &mut grams);
                pieces(&characters, &[1, 2], Shape::UnspacedPiece, &mut grams);
                // A long run is many words: as a neighbour it says nothing.
                run.push(if characters.len() <= 4 { hash(Shape::Word, word.chars()) } else { 0 });
            }
        }
    }
    for (first, second) in run.iter().zip(run.iter().skip(1)) {
        grams.push(pair(Shape::Pair, *first, *second));
    }
    for (first, third) in run.iter().zip(run.iter().skip(2)) {
        grams.push(pair(Shape::PairAcross, *first, *third));
    }
    grams.sort_unstable();
    grams.dedup();
    grams
}

/// Whether a hash is that of a run of characters within a word, and not of words.
pub(super) fn is_piece(gram: u64) -> bool {
    gram & PIECE != 0
}

const PIECE: u64 = 1 << 63;

/// The n-grams by which a language shows: whole words, and pairs of characters where words are not set apart; with repeats.
pub(super) fn telling(sentence: &str) -> Vec<u64> {
    let text = normal(sentence);
    let mut grams = Vec::new();
    for word in words(&text) {
        match word {
            Word::Spaced(word) if word.chars().nth(1).is_some() && !word.contains('0') => {
                grams.push(hash(Shape::Word, word.chars()));
            }
            Word::Korean(word) => pieces(&word.chars().collect::<Vec<_>>(), &[2], Shape::KoreanWord, &mut grams),
            Word::Unspaced(word) => pieces(&word.chars().collect::<Vec<_>>(), &[2], Shape::UnspacedWord, &mut grams),
            Word::Spaced(_) | Word::Mark(_) => {}
        }
    }
    grams
}

/// What sort of n-gram a hash stands for.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Word = 1,
    Pair = 2,
    PairAcross = 3,
    Piece = 4,
    KoreanPiece = 5,
    UnspacedPiece = 6,
    KoreanWord = 7,
    UnspacedWord = 8,
}

/// Adds a whole word and gives its hash.
fn whole(word: &str, grams: &mut Vec<u64>) -> u64 {
    let hash = hash(Shape::Word, word.chars());
    grams.push(hash);
    hash
}

/// Adds every run of so many characters.
fn pieces(characters: &[char], lengths: &[usize], shape: Shape, grams: &mut Vec<u64>) {
    for &length in lengths {
        grams.extend(characters.windows(length).map(|run| hash(shape, run.iter().copied())));
    }
}

/// FNV-1a over characters, by shape; the same on every machine.
fn hash(shape: Shape, characters: impl Iterator<Item = char>) -> u64 {
    let start = mix(OFFSET, shape as u64);
    let mixed = characters.fold(start, |hash, character| mix(hash, u64::from(u32::from(character))));
    match shape {
        Shape::Piece | Shape::KoreanPiece | Shape::UnspacedPiece => mixed | PIECE,
        Shape::Word | Shape::Pair | Shape::PairAcross | Shape::KoreanWord | Shape::UnspacedWord => mixed & !PIECE,
    }
}

fn pair(shape: Shape, first: u64, second: u64) -> u64 {
    mix(mix(mix(OFFSET, shape as u64), first), second.rotate_left(17)) & !PIECE
}

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

fn mix(hash: u64, next: u64) -> u64 {
    let mixed = (hash ^ next).wrapping_mul(0x0000_0100_0000_01b3);
    mixed ^ (mixed >> 29)
}
