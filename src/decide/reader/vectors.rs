//! Texts as vectors: the n-grams they have of those that the examples have, and where a server gives them, its embeddings.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::example::By;
use super::{ngrams, text};

/// N-grams that stand in at least two examples, each with its place and how much it tells.
#[derive(Debug, Clone, Default)]
pub(super) struct Vocabulary {
    places: HashMap<u64, u32, BuildHasherDefault<AsIs>>,
    /// How much an n-gram tells, by its place: the rarer, the more.
    pub tells: Vec<f32>,
}

/// A text: the places of its n-grams, ascending, and the length of their vector.
#[derive(Debug, Clone, Default)]
pub(super) struct Sparse {
    pub places: Vec<u32>,
    /// By which each n-gram's weight is divided, so that long texts weigh as much as short ones.
    pub length: f32,
}

/// Who speaks is an n-gram like any other.
const COLLEAGUE: u64 = 0x5eed_c011_ea60_0e01;

/// The n-grams of a text, sorted and without repeats.
fn grams(says: &str, by: By) -> Vec<u64> {
    let mut grams: Vec<u64> = text::sentences(says).into_iter().flat_map(ngrams::of_sentence).collect();
    if by == By::Colleague {
        grams.push(COLLEAGUE);
    }
    grams.sort_unstable();
    grams.dedup();
    grams
}

impl Vocabulary {
    /// Of these texts.
    pub(super) fn of<'a>(texts: impl Iterator<Item = (&'a str, By)>) -> (Vocabulary, Vec<Sparse>) {
        let read: Vec<Vec<u64>> = texts.map(|(says, by)| grams(says, by)).collect();
        let mut counts: HashMap<u64, u32, BuildHasherDefault<AsIs>> = HashMap::default();
        read.iter().flatten().for_each(|gram| *counts.entry(*gram).or_default() += 1);
        let mut kept: Vec<(u64, u32)> = counts.into_iter().filter(|&(_, count)| count > 1).collect();
        kept.sort_unstable();
        let texts = f64::from(u32::try_from(read.len()).unwrap_or(u32::MAX));
        let tells = kept.iter().map(|&(_, count)| tells(texts, count)).collect();
        let places = kept.iter().zip(0..).map(|(&(gram, _), place)| (gram, place)).collect();
        let vocabulary = Vocabulary { places, tells };
        let vectors = read.iter().map(|grams| vocabulary.vector(grams.iter().copied())).collect();
        (vocabulary, vectors)
    }

    /// The places of these n-grams, as far as they are known, ascending.
    fn vector(&self, grams: impl Iterator<Item = u64>) -> Sparse {
        let mut places: Vec<u32> = grams.filter_map(|gram| self.places.get(&gram).copied()).collect();
        places.sort_unstable();
        places.dedup();
        let length = self.length(&places);
        Sparse { places, length }
    }

    /// A sentence by itself.
    pub(super) fn sentence(&self, sentence: &str, by: By) -> Sparse {
        let who = (by == By::Colleague).then_some(COLLEAGUE);
        self.vector(ngrams::of_sentence(sentence).into_iter().chain(who))
    }

    /// Several vectors as one.
    pub(super) fn together<'a>(&self, parts: impl Iterator<Item = &'a Sparse>) -> Sparse {
        let mut places: Vec<u32> = parts.flat_map(|part| part.places.iter().copied()).collect();
        places.sort_unstable();
        places.dedup();
        let length = self.length(&places);
        Sparse { places, length }
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

    /// As it was kept.
    pub(super) fn kept(hashes: &[u64], tells: Vec<f32>) -> Vocabulary {
        Vocabulary { places: hashes.iter().copied().zip(0..).collect(), tells }
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
