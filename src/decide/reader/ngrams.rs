//! The built-in vectors: which words, pairs of words and runs of characters stand in a text.
//!
//! Runs of characters find a word in its other forms and with a slip of the pen, and they alone carry Japanese, Chinese and
//! Korean, which set no blanks between words or grow their endings onto them. Nothing here knows a language.

use super::text::{Word, normal, words};

/// The n-grams of one sentence, each by its hash, sorted and without repeats.
pub(super) fn of_sentence(sentence: &str) -> Vec<u64> {
    let text = normal(sentence);
    let words = words(&text);
    let mut grams = Vec::with_capacity(text.len() * 3);
    let mut run: Vec<u64> = Vec::with_capacity(words.len());
    for word in &words {
        match *word {
            Word::Mark(mark) => run.push(whole(mark, &mut grams)),
            Word::Spaced(word) => {
                run.push(whole(word, &mut grams));
                if word.chars().nth(2).is_some() {
                    let edged: Vec<char> = std::iter::once('_').chain(word.chars()).chain(['_']).collect();
                    pieces(&edged, &[3, 4], Shape::Piece, &mut grams);
                }
            }
            Word::Korean(word) => {
                run.push(whole(word, &mut grams));
                let edged: Vec<char> = std::iter::once('_').chain(word.chars()).collect();
                pieces(&edged, &[1, 2], Shape::KoreanPiece, &mut grams);
            }
            Word::Unspaced(word) => {
                let characters: Vec<char> = word.chars().collect();
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

/// The n-grams by which a language shows: whole words, and pairs of characters where words are not set apart; with repeats.
pub(super) fn telling(sentence: &str) -> Vec<u64> {
    let text = normal(sentence);
    let mut grams = Vec::new();
    for word in words(&text) {
        match word {
            Word::Spaced(word) if word.chars().nth(1).is_some() && !word.contains('0') => {
                grams.push(hash(Shape::Word, word.chars()));
            }
            Word::Korean(word) => pieces(&word.chars().collect::<Vec<_>>(), &[2], Shape::KoreanPiece, &mut grams),
            Word::Unspaced(word) => pieces(&word.chars().collect::<Vec<_>>(), &[2], Shape::UnspacedPiece, &mut grams),
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
    characters.fold(start, |hash, character| mix(hash, u64::from(u32::from(character))))
}

fn pair(shape: Shape, first: u64, second: u64) -> u64 {
    mix(mix(mix(OFFSET, shape as u64), first), second.rotate_left(17))
}

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

fn mix(hash: u64, next: u64) -> u64 {
    let mixed = (hash ^ next).wrapping_mul(0x0000_0100_0000_01b3);
    mixed ^ (mixed >> 29)
}
