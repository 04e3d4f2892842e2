//! What was learned, as bytes: a reader is kept so that it need not be learned again, and never must be.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use std::sync::Arc;

use super::Reader;
use super::calibrate::Calibration;
use super::dark::Lit;
use super::embedding::{Embeddings, Meaning};
use super::example::Example;
use super::learn::{FactModel, Model};
use super::vectors::Vocabulary;

/// Goes up with every change of how a reader learns or is kept.
const VERSION: u32 = 1;

/// What stands before the numbers.
#[derive(Serialize, Deserialize)]
struct Head {
    facts: Vec<FactHead>,
    grams: usize,
    width: usize,
}

#[derive(Serialize, Deserialize)]
struct FactHead {
    name: String,
    answers: Vec<String>,
    column: usize,
    scale: f64,
    shifts: Vec<f64>,
}

impl Reader {
    /// What a reader of these examples is kept by, in hex: it differs where anything that it learns from does.
    pub fn key(examples: &[Example]) -> String {
        let mut hasher = Sha256::new();
        hasher.update(VERSION.to_le_bytes());
        examples.iter().for_each(|example| hasher.update(format!("{example:?}\n")));
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The reader as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let hashes = self.vocabulary.hashes();
        let mut bytes = head(&self.model, hashes.len());
        hashes.iter().for_each(|hash| bytes.extend(hash.to_le_bytes()));
        let Model { weights, colleague, customer, .. } = &*self.model;
        for number in self.vocabulary.tells.iter().chain(weights).chain(colleague).chain(customer) {
            bytes.extend(number.to_le_bytes());
        }
        bytes
    }

    /// The reader of these examples from its bytes; none where they are not whole.
    pub fn from_bytes(bytes: &[u8], examples: &[Example]) -> Option<Reader> {
        let end = bytes.iter().position(|&byte| byte == b'\n')?;
        let Head { facts, grams, width } = serde_json::from_slice(bytes.get(..end)?).ok()?;
        let rest = bytes.get(end + 1..)?;
        let (hashes, numbers) = rest.split_at_checked(grams.checked_mul(8)?)?;
        let (hashes, _) = hashes.as_chunks::<8>();
        let hashes: Vec<u64> = hashes.iter().map(|hash| u64::from_le_bytes(*hash)).collect();
        let (numbers, rest) = numbers.as_chunks::<4>();
        let weights = grams.checked_mul(width)?;
        if !rest.is_empty() || numbers.len() != grams.checked_add(weights)?.checked_add(width.checked_mul(2)?)? {
            return None;
        }
        let mut numbers = numbers.iter().map(|number| f32::from_le_bytes(*number));
        let mut next = |count: usize| numbers.by_ref().take(count).collect::<Vec<f32>>();
        let (tells, weights, colleague, customer) = (next(grams), next(weights), next(width), next(width));
        let (facts, dense) = (models(facts), Vec::new());
        let model = Model { facts, width, weights, colleague, customer, dense };
        let (vocabulary, model) = (Arc::new(Vocabulary::kept(&hashes, tells)), Arc::new(model));
        let (lit, examples) = (Lit::by(examples), Arc::new(examples.to_vec()));
        Some(Reader { lit, vocabulary, model, examples, meaning: None })
    }

    /// What a reader of these examples that also learned from these embeddings is kept by, in hex.
    pub fn key_with(examples: &[Example], embeddings: &Embeddings) -> String {
        let mut hasher = Sha256::new();
        hasher.update(Reader::key(examples));
        hasher.update(&embeddings.model);
        for (text, vector) in embeddings.vectors() {
            hasher.update(text);
            vector.iter().for_each(|number| hasher.update(number.to_le_bytes()));
        }
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What it learned from embeddings, as bytes; none where it did not.
    pub fn meaning_to_bytes(&self) -> Option<Vec<u8>> {
        let meaning = self.meaning.as_ref()?;
        let Model { weights, colleague, customer, dense, .. } = &meaning.model;
        let mut bytes = head(&meaning.model, self.vocabulary.tells.len());
        for number in weights.iter().chain(colleague).chain(customer).chain(dense).chain(&meaning.centre) {
            bytes.extend(number.to_le_bytes());
        }
        Some(bytes)
    }

    /// The same reader with what it learned from these embeddings of its examples; none where the bytes are not whole.
    pub fn with_bytes(&self, bytes: &[u8], embeddings: &Embeddings) -> Option<Reader> {
        let end = bytes.iter().position(|&byte| byte == b'\n')?;
        let Head { facts, grams, width } = serde_json::from_slice(bytes.get(..end)?).ok()?;
        let (numbers, rest) = bytes.get(end + 1..)?.as_chunks::<4>();
        let before = grams.checked_mul(width)?.checked_add(width.checked_mul(2)?)?;
        // For each number of an embedding there are its weights, and its middle.
        let length = numbers.len().checked_sub(before)?.checked_div(width.checked_add(1)?)?;
        let whole = before.checked_add(length.checked_mul(width + 1)?)?;
        if !rest.is_empty() || numbers.len() != whole || grams != self.vocabulary.tells.len() {
            return None;
        }
        let mut numbers = numbers.iter().map(|number| f32::from_le_bytes(*number));
        let mut next = |count: usize| numbers.by_ref().take(count).collect::<Vec<f32>>();
        let (weights, colleague, customer) = (next(grams * width), next(width), next(width));
        let (dense, centre) = (next(length * width), next(length));
        let model = Model { facts: models(facts), width, weights, colleague, customer, dense };
        let meaning = Meaning::kept(&self.examples, embeddings, centre, model)?;
        Some(Reader { meaning: Some(Arc::new(meaning)), ..self.clone() })
    }
}

/// What stands before a model's numbers.
fn head(model: &Model, grams: usize) -> Vec<u8> {
    let facts = model.facts.iter().map(|fact| FactHead {
        name: fact.name.clone(),
        answers: fact.answers.clone(),
        column: fact.column,
        scale: fact.calibration.scale,
        shifts: fact.calibration.shifts.clone(),
    });
    let head = Head { facts: facts.collect(), grams, width: model.width };
    let mut bytes = serde_json::to_vec(&head).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn models(facts: Vec<FactHead>) -> Vec<FactModel> {
    let model = |fact: FactHead| FactModel {
        name: fact.name,
        answers: fact.answers,
        column: fact.column,
        calibration: Calibration { scale: fact.scale, shifts: fact.shifts },
    };
    facts.into_iter().map(model).collect()
}
