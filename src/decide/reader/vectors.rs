//! Texts as vectors: the n-grams they have of those that the examples have.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::{ngrams, text};

/// N-grams that stand in at least two examples, each with its place and how much it tells.
#[derive(Debug, Clone, Default)]
pub(super) struct Vocabulary {
    places: HashMap<u64, u32, BuildHasherDefault<AsIs>>,
    /// How much an n-gram tells, by its place: the rarer, the more.
    pub tells: Vec<f32>,
    /// From this place on they are runs of characters; before it, words.
    pub pieces: u32,
}

/// A text: the places of its n-grams, ascending, and how long the vectors of its words and of its runs of characters are.
#[derive(Debug, Clone, Default)]
pub(super) struct Sparse {
    pub places: Vec<u32>,
    /// By which the weight of a word is divided, so that long texts weigh as much as short ones.
    pub words: f32,
    /// The same for a run of characters: both say half.
    pub pieces: f32,
}

/// The n-grams of a text, sorted and without repeats.
fn grams(says: &str) -> Vec<u64> {
    let mut grams: Vec<u64> = text::sentences(says).into_iter().flat_map(ngrams::of_sentence).collect();
    grams.sort_unstable();
    grams.dedup();
    grams
}

impl Vocabulary {
    /// Of these texts, with the vector of each.
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> (Vocabulary, Vec<Sparse>) {
        let read: Vec<Vec<u64>> = texts.map(grams).collect();
        let mut counts: HashMap<u64, u32, BuildHasherDefault<AsIs>> = HashMap::default();
        read.iter().flatten().for_each(|gram| *counts.entry(*gram).or_default() += 1);
        let mut kept: Vec<(u64, u32)> = counts.into_iter().filter(|&(_, count)| count > 1).collect();
        kept.sort_unstable();
        let texts = f64::from(u32::try_from(read.len()).unwrap_or(u32::MAX));
        let tells = kept.iter().map(|&(_, count)| tells(texts, count)).collect();
        let hashes: Vec<u64> = kept.iter().map(|&(gram, _)| gram).collect();
        let vocabulary = Vocabulary::kept(&hashes, tells);
        let vectors = read.iter().map(|grams| vocabulary.vector(grams.iter().copied())).collect();
        (vocabulary, vectors)
    }

    /// These n-grams as a vector, as far as they are known.
    fn vector(&self, grams: impl Iterator<Item = u64>) -> Sparse {
        self.measured(grams.filter_map(|gram| self.places.get(&gram).copied()).collect())
    }

    /// A sentence by itself.
    pub(super) fn sentence(&self, sentence: &str) -> Sparse {
        self.vector(ngrams::of_sentence(sentence).into_iter())
    }

    /// Several vectors as one.
    pub(super) fn together<'a>(&self, parts: impl Iterator<Item = &'a Sparse>) -> Sparse {
        self.measured(parts.flat_map(|part| part.places.iter().copied()).collect())
    }

    fn measured(&self, mut places: Vec<u32>) -> Sparse {
        places.sort_unstable();
        places.dedup();
        let (words, pieces) = places.split_at(places.partition_point(|&place| place < self.pieces));
        let (words, pieces) = (self.length(words), self.length(pieces));
        Sparse { places, words, pieces }
    }

    /// How many of the n-grams by which a language shows are known, and how many there are.
    pub(super) fn known(&self, sentence: &str) -> (usize, usize) {
        let telling = ngrams::telling(sentence);
        (telling.iter().filter(|gram| self.places.contains_key(gram)).count(), telling.len())
    }

    fn length(&self, places: &[u32]) -> f32 {
        let squares: f32 = places.iter().map(|&place| self.weight(place).powi(2)).sum();
        if squares > 0.0 { squares.sqrt() } else { 1.0 }
    }

    /// How much the n-gram at a place tells.
    pub(super) fn weight(&self, place: u32) -> f32 {
        usize::try_from(place).ok().and_then(|place| self.tells.get(place)).copied().unwrap_or(0.0)
    }

    /// The n-grams by place.
    pub(super) fn hashes(&self) -> Vec<u64> {
        let mut listed: Vec<(u32, u64)> = self.places.iter().map(|(&gram, &place)| (place, gram)).collect();
        listed.sort_unstable();
        listed.into_iter().map(|(_, gram)| gram).collect()
    }

    /// Of these n-grams, ascending, which tell so much.
    pub(super) fn kept(hashes: &[u64], tells: Vec<f32>) -> Vocabulary {
        let words = hashes.partition_point(|&gram| !ngrams::is_piece(gram));
        let pieces = u32::try_from(words).unwrap_or(u32::MAX);
        Vocabulary { places: hashes.iter().copied().zip(0..).collect(), tells, pieces }
    }

    /// How much the n-gram at a place counts in a vector: the squares of all come to 1.
    pub(super) fn value(&self, vector: &Sparse, place: u32) -> f64 {
        let length = if place < self.pieces { vector.words } else { vector.pieces };
        f64::from(self.weight(place)) / f64::from(length) * std::f64::consts::FRAC_1_SQRT_2
    }
}

/// The usual weight of a word by how few texts have it, in steps that every machine agrees on.
#[expect(clippy::cast_possible_truncation, reason = "four digits are enough")]
fn tells(texts: f64, count: u32) -> f32 {
    (((texts / f64::from(count)).ln() + 1.0) * 1024.0).round() as f32 / 1024.0
}

/// N-grams are hashes already.
#[derive(Debug, Clone, Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.0 = (self.0 << 8) ^ u64::from(byte));
    }

    fn write_u64(&mut self, value: u64) {
        // The low and the high bits both choose a bucket.
        self.0 = value ^ (value >> 32);
    }
}
