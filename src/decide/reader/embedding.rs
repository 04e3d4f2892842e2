//! Embeddings: vectors that a server made of texts. They are handed in as data, and learned from beside the n-grams.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::Array2;

use super::calibrate::f64_of;
use super::example::Example;
use super::learn::{self, LeftOut, Model};
use super::text;
use super::{Reader, vectors::Sparse};

/// Embeddings of texts, as one model made them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Embeddings {
    /// The model's name, as decisions have it.
    pub model: String,
    /// By text, each of length 1.
    vectors: BTreeMap<String, Vec<f32>>,
}

/// The longest piece of a text that is embedded as one, bytes: models read some 300 words, and a long piece takes them longer than
/// two of half its length.
const PIECE: usize = 800;

/// The longest text that is embedded at all, bytes; nobody but a log writes more.
const LONGEST: usize = 16_000;

impl Embeddings {
    /// These vectors, of texts that [`parts`] named.
    pub fn of(model: &str, vectors: impl IntoIterator<Item = (String, Vec<f32>)>) -> Embeddings {
        let vectors = vectors.into_iter().map(|(text, vector)| (text, unit(vector, &[]))).collect();
        Embeddings { model: model.to_owned(), vectors }
    }

    /// Every text with its vector.
    pub(super) fn vectors(&self) -> impl Iterator<Item = (&String, &Vec<f32>)> {
        self.vectors.iter()
    }

    /// Whether a text can be read by these.
    pub fn has_all_of(&self, words: &str) -> bool {
        let parts = parts(words);
        !parts.is_empty() && parts.iter().all(|part| self.vectors.contains_key(part))
    }

    /// The mean of some texts' vectors; none where one has no vector.
    fn mean<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Option<Vec<f32>> {
        let mut sum: Vec<f32> = Vec::new();
        for text in texts {
            let vector = self.vectors.get(text)?;
            sum.resize(vector.len(), 0.0);
            sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value);
        }
        (!sum.is_empty()).then(|| unit(sum, &[]))
    }

    /// The vector of a whole text.
    fn whole(&self, words: &str) -> Option<Vec<f32>> {
        let pieces = pieces(words);
        self.mean(pieces.iter().map(String::as_str))
    }
}

/// What of a text is to be embedded: its pieces and its sentences; nothing of one that is too long.
pub fn parts(words: &str) -> BTreeSet<String> {
    if words.len() > LONGEST {
        return BTreeSet::new();
    }
    let mut parts: BTreeSet<String> = pieces(words).into_iter().collect();
    parts.extend(text::sentences(words).into_iter().map(|sentence| cut(sentence).to_owned()));
    parts
}

/// What of an example is to be embedded: its pieces.
pub fn of_example(example: &Example) -> BTreeSet<String> {
    pieces(&example.says).into_iter().collect()
}

/// Sentences in a row, as many as fit in one piece.
fn pieces(words: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for sentence in text::sentences(words) {
        let sentence = cut(sentence);
        match pieces.last_mut().filter(|piece| piece.len() + sentence.len() < PIECE) {
            Some(piece) => {
                piece.push(' ');
                piece.push_str(sentence);
            }
            None => pieces.push(sentence.to_owned()),
        }
    }
    pieces
}

/// A sentence, as far as it fits in one piece.
fn cut(sentence: &str) -> &str {
    sentence.get(..sentence.floor_char_boundary(PIECE)).unwrap_or(sentence)
}

/// A vector as seen from a centre, of length 1; one of zeros stays as it is.
fn unit(mut vector: Vec<f32>, centre: &[f32]) -> Vec<f32> {
    vector.iter_mut().zip(centre).for_each(|(value, middle)| *value -= middle);
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    vector
}

/// What was learned from a model's embeddings of the examples.
#[derive(Debug, Clone)]
pub(super) struct Meaning {
    /// The model's name.
    pub name: String,
    /// The mean of the examples' vectors: all texts have much in common, which says nothing.
    pub centre: Vec<f32>,
    /// The examples' vectors, as seen from the centre.
    pub examples: Vec<Vec<f32>>,
    /// The scores, of n-grams and embeddings together.
    pub model: Model,
}

/// One text's vectors, as seen from the centre.
pub(super) struct Seen {
    pub whole: Vec<f32>,
    pub alone: Vec<Vec<f32>>,
    /// Of so many sentences in a row.
    pub rows: Vec<Vec<f32>>,
}

/// How like its nearest example a text must be to be read: by measurement texts in languages that no example is in are more,
/// from 0.27 on, and what is no language is less, or is read and says nothing.
const LEAST: f32 = 0.2;

impl Meaning {
    /// Learns from the examples' embeddings, beside the vectors of their n-grams; with what each would have been read as
    /// had it been left out. None where an example has none, or they are not of one length.
    pub(super) fn learn(reader: &Reader, sparse: &[Sparse], embeddings: &Embeddings) -> Option<(Meaning, LeftOut)> {
        let raw = wholes(&reader.examples, embeddings)?;
        let length = raw.first()?.len();
        let count = f64_of(raw.len());
        let mut centre = vec![0.0_f64; length];
        for vector in &raw {
            centre.iter_mut().zip(vector).for_each(|(sum, value)| *sum += f64::from(*value) / count);
        }
        let centre: Vec<f32> = centre.into_iter().map(learn::stepped).collect();
        let examples: Vec<Vec<f32>> = raw.into_iter().map(|vector| unit(vector, &centre)).collect();
        let dense = Array2::from_shape_fn((examples.len(), length), |(row, column)| {
            examples.get(row).and_then(|vector| vector.get(column)).map_or(0.0, |value| f64::from(*value))
        });
        let (model, left_out) = learn::model(&reader.examples, &reader.vocabulary, sparse, Some(&dense));
        Some((Meaning { name: embeddings.model.clone(), centre, examples, model }, left_out))
    }

    /// What was learned before from the same embeddings of the same examples.
    pub(super) fn kept(
        examples: &[Example],
        embeddings: &Embeddings,
        centre: Vec<f32>,
        model: Model,
    ) -> Option<Meaning> {
        let raw = wholes(examples, embeddings)?;
        let examples: Vec<Vec<f32>> = raw.into_iter().map(|vector| unit(vector, &centre)).collect();
        (examples.first()?.len() == centre.len()).then(|| Meaning {
            name: embeddings.model.clone(),
            centre,
            examples,
            model,
        })
    }

    /// A text's vectors, whose sentences these are; none where it is not embedded whole, or by another model.
    pub(super) fn seen(&self, words: &str, sentences: &[&str], row: usize, given: &Embeddings) -> Option<Seen> {
        if given.model != self.name {
            return None;
        }
        let from_centre = |vector: Vec<f32>| (vector.len() == self.centre.len()).then(|| unit(vector, &self.centre));
        let cut: Vec<&str> = sentences.iter().map(|sentence| cut(sentence)).collect();
        let of = |texts: &[&str]| from_centre(given.mean(texts.iter().copied())?);
        Some(Seen {
            whole: from_centre(given.whole(words)?)?,
            alone: cut.chunks(1).map(of).collect::<Option<Vec<_>>>()?,
            rows: cut.windows(row).map(of).collect::<Option<Vec<_>>>()?,
        })
    }

    /// Whether a text is like no example.
    pub(super) fn is_dark(&self, whole: &[f32]) -> bool {
        !self.examples.iter().any(|example| dot(example, whole) >= LEAST)
    }
}

/// The examples' vectors; none where one has none, or they are not of one length.
fn wholes(examples: &[Example], embeddings: &Embeddings) -> Option<Vec<Vec<f32>>> {
    let vectors = examples.iter().map(|example| embeddings.whole(&example.says)).collect::<Option<Vec<Vec<f32>>>>()?;
    let length = vectors.first()?.len();
    vectors.iter().all(|vector| vector.len() == length).then_some(vectors)
}

/// How alike two vectors are, from -1 to 1.
fn dot(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}
