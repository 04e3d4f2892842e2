//! What was learned, as bytes: a reader is kept so that it need not be learned again, and never must be.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Reader;
use super::calibrate::Calibration;
use super::dark::Lit;
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
        let facts = self.model.facts.iter().map(|fact| FactHead {
            name: fact.name.clone(),
            answers: fact.answers.clone(),
            column: fact.column,
            scale: fact.calibration.scale,
            shifts: fact.calibration.shifts.clone(),
        });
        let hashes = self.vocabulary.hashes();
        let head = Head { facts: facts.collect(), grams: hashes.len(), width: self.model.width };
        let mut bytes = serde_json::to_vec(&head).unwrap_or_default();
        bytes.push(b'\n');
        hashes.iter().for_each(|hash| bytes.extend(hash.to_le_bytes()));
        let Model { weights, colleague, customer, .. } = &self.model;
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
        let facts = facts.into_iter().map(|fact| FactModel {
            name: fact.name,
            answers: fact.answers,
            column: fact.column,
            calibration: Calibration { scale: fact.scale, shifts: fact.shifts },
        });
        let (facts, dense) = (facts.collect(), Vec::new());
        let model = Model { facts, width, weights, colleague, customer, dense };
        let vocabulary = Vocabulary::kept(&hashes, tells);
        Some(Reader { lit: Lit::by(examples), vocabulary, model, examples: examples.to_vec(), meaning: None })
    }
}
