//! How words are read: labelled examples go in when a policy is loaded, and for each text come out its answers, how sure each
//! is, and the sentence that carries it.
//!
//! A text is a vector: which n-grams it has ([`vectors`], [`ngrams`]), and where a server is configured its embedding as well.
//! For each fact there is a linear model over vectors ([`learn`], [`algebra`]), one of whose answers is that the text says
//! nothing. Scores become probabilities by what each example would have been scored had it been left out ([`calibrate`]), so
//! that 0.9 means nine in ten. What is like no example is not read but in the dark ([`dark`]).
//!
//! All of it is the same on every machine: sums run in a fixed order, and what is learned is rounded before it is used.

mod algebra;
mod calibrate;
mod dark;
pub mod example;
mod learn;
mod ngrams;
pub mod read;
mod text;
mod vectors;

use dark::Lit;
use example::Example;
use learn::{LeftOut, Model};
use vectors::{Sparse, Vocabulary};

/// A reader of words, learned from examples.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    vocabulary: Vocabulary,
    model: Model,
    lit: Lit,
    /// The examples, and the vector of each: what was read is explained by the nearest.
    examples: Vec<(Example, Sparse)>,
}

impl Reader {
    /// Learns from examples.
    pub fn learn(examples: &[Example]) -> Reader {
        Reader::learned(examples).0
    }

    /// The same, with what each example would have been read as had it been left out.
    fn learned(examples: &[Example]) -> (Reader, LeftOut) {
        let (vocabulary, vectors) =
            Vocabulary::of(examples.iter().map(|example| (example.says.as_str(), example.by)));
        let (model, left_out) = learn::model(examples, &vocabulary, &vectors, None);
        let lit = Lit::by(examples, &vocabulary);
        let examples = examples.iter().cloned().zip(vectors).collect();
        (Reader { vocabulary, model, lit, examples }, left_out)
    }
}
