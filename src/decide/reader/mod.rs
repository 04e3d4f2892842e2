//! How words are read: labelled examples go in when a policy is loaded, and for each text come out its answers, how sure each
//! is, and the sentence that carries it.
//!
//! A text is a vector: which n-grams it has ([`vectors`], [`ngrams`]), and beside them its embedding where a server's are handed
//! in ([`embedding`]). For each fact there is a linear model over vectors ([`learn`], [`algebra`]), one of whose answers is that the text says
//! nothing. Scores become probabilities by what each example would have been scored had it been left out ([`calibrate`]), so
//! that 0.9 means nine in ten. What is like no example is not read but in the dark ([`dark`]).
//!
//! All of it is the same on every machine: sums run in a fixed order, and what is learned is rounded before it is used.

mod algebra;
mod calibrate;
mod dark;
pub mod embedding;
pub mod example;
mod kept;
mod learn;
pub mod measure;
mod ngrams;
pub mod read;
mod text;
mod vectors;

use std::sync::{Arc, Mutex, PoisonError};

use dark::Lit;
use embedding::{Embeddings, Meaning};
use example::Example;
use learn::{LeftOut, Model};
use vectors::{Sparse, Vocabulary};

/// A reader of words, learned from examples.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    vocabulary: Arc<Vocabulary>,
    model: Arc<Model>,
    lit: Lit,
    /// What it learned from: what was read is explained by the nearest.
    examples: Arc<Vec<Example>>,
    /// What it learned from a server's embeddings besides; none where it has n-grams alone.
    meaning: Option<Arc<Meaning>>,
}

/// How many readers a process remembers: the one in force, a candidate's, and the one before.
const MOST_SHARED: usize = 3;

impl Reader {
    /// The reader that learned from these examples: one for all policies of this process that have them, which `kept` may
    /// give without learning.
    pub fn shared(examples: &[Example], kept: impl FnOnce(&[Example]) -> Option<Reader>) -> Arc<Reader> {
        static LEARNED: Mutex<Vec<Arc<Reader>>> = Mutex::new(Vec::new());
        let mut learned = LEARNED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = learned.iter().find(|reader| reader.learned_from(examples)) {
            return same.clone();
        }
        let reader = Arc::new(kept(examples).unwrap_or_else(|| Reader::learn(examples)));
        if learned.len() >= MOST_SHARED {
            learned.remove(0);
        }
        learned.push(reader.clone());
        reader
    }

    fn learned_from(&self, examples: &[Example]) -> bool {
        *self.examples == examples
    }

    /// Learns from examples.
    pub fn learn(examples: &[Example]) -> Reader {
        let (reader, ..) = Reader::learned(examples);
        reader
    }

    /// The same, with the examples' vectors, and what each would have been read as had it been left out.
    fn learned(examples: &[Example]) -> (Reader, Vec<Sparse>, LeftOut) {
        let (vocabulary, vectors) = Vocabulary::of(examples.iter().map(|example| example.says.as_str()));
        let (model, left_out) = learn::model(examples, &vocabulary, &vectors, None);
        let (vocabulary, model, examples) = (Arc::new(vocabulary), Arc::new(model), Arc::new(examples.to_vec()));
        let reader = Reader { vocabulary, model, lit: Lit::by(&examples), examples, meaning: None };
        (reader, vectors, left_out)
    }

    /// What it learned from.
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// The same reader that also learned from embeddings of its examples; none where not all are there.
    pub fn with(&self, embeddings: &Embeddings) -> Option<Reader> {
        let sparse = self.sparse();
        let (meaning, _) = Meaning::learn(self, &sparse, embeddings)?;
        Some(Reader { meaning: Some(Arc::new(meaning)), ..self.clone() })
    }

    /// Its examples' vectors.
    fn sparse(&self) -> Vec<Sparse> {
        let text = |example: &Example| {
            let sentences = text::sentences(&example.says);
            let parts: Vec<Sparse> = sentences.iter().map(|sentence| self.vocabulary.sentence(sentence)).collect();
            self.vocabulary.together(parts.iter())
        };
        self.examples.iter().map(text).collect()
    }
}
