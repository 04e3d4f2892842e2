//! Learning: examples go in, linear models come out.

use std::collections::BTreeMap;

use ndarray::Array2;
use ndarray::linalg::general_mat_mul;

use super::algebra::{self, Fit};
use super::calibrate::Calibration;
use super::example::{By, Example};
use super::vectors::{Sparse, Vocabulary};

/// What one fact's answers are scored by.
#[derive(Debug, Clone)]
pub(super) struct FactModel {
    /// The fact.
    pub name: String,
    /// What can be said of it; the first, [`SILENCE`], is nothing.
    pub answers: Vec<String>,
    /// Which of a vector's scores are this fact's: from here on, one an answer.
    pub column: usize,
    /// How scores become probabilities.
    pub calibration: Calibration,
}

/// The answer of a text that says nothing of a fact.
pub(super) const SILENCE: &str = "-";

/// Linear models of all facts.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    pub facts: Vec<FactModel>,
    /// How many scores a vector gets.
    pub width: usize,
    /// What an n-gram adds to each score, `width` numbers a place.
    pub weights: Vec<f32>,
    /// What it adds that a colleague writes, and that the customer does.
    pub colleague: Vec<f32>,
    pub customer: Vec<f32>,
    /// What each number of an embedding adds to each score, `width` numbers each; none where n-grams alone are learned from.
    pub dense: Vec<f32>,
}

/// What examples said by models that never saw them: by fact, each example's probabilities.
pub(super) type LeftOut = Vec<Vec<Vec<f64>>>;

/// How much the ridge holds weights down; by measurement, and flat about this.
const RIDGE: f64 = 0.4;

/// The same where embeddings are learned from too.
const RIDGE_WITH_EMBEDDINGS: f64 = 1.0;

/// How much an embedding counts beside the n-grams; by measurement.
const EMBEDDING: f64 = 1.0;

/// How much it counts who writes; by measurement, and flat about this.
const SPEAKER: f64 = 0.3;

/// Fits a model of every fact to these examples, whose vectors these are, and their embeddings where there are any, a row each.
pub(super) fn model(
    examples: &[Example],
    vocabulary: &Vocabulary,
    vectors: &[Sparse],
    dense: Option<&Array2<f64>>,
) -> (Model, LeftOut) {
    let mut facts = facts(examples);
    let width = facts.iter().map(|fact| fact.answers.len()).sum();
    let answer = |example: &Example, fact: &FactModel| {
        let given = example.answers.get(&fact.name).map_or(SILENCE, String::as_str);
        fact.answers.iter().position(|answer| answer == given).unwrap_or(0)
    };
    let mut targets = Array2::from_elem((examples.len(), width), -1.0);
    for (row, example) in examples.iter().enumerate() {
        for fact in &facts {
            if let Some(right) = targets.get_mut((row, fact.column + answer(example, fact))) {
                *right = 1.0;
            }
        }
    }
    let mut gram = gram(examples, vocabulary, vectors);
    if let Some(dense) = dense {
        general_mat_mul(EMBEDDING, dense, &dense.t(), 1.0, &mut gram);
    }
    let ridge = if dense.is_some() { RIDGE_WITH_EMBEDDINGS } else { RIDGE };
    let Fit { weights, left_out } = algebra::fit(gram, &targets, ridge);
    let mut told = Vec::new();
    for fact in &mut facts {
        let columns = fact.column..fact.column + fact.answers.len();
        let scores = |row: usize| columns.clone().map(move |column| (row, column)).map(|at| left_out.get(at).copied());
        let rows: Vec<(Vec<f64>, usize)> = examples
            .iter()
            .enumerate()
            .map(|(row, example)| (scores(row).flatten().collect(), answer(example, fact)))
            .collect();
        fact.calibration = Calibration::fit(&rows, fact.answers.len());
        told.push(rows.iter().map(|(scores, _)| fact.calibration.probabilities(scores.iter().copied())).collect());
    }
    let model = Model {
        weights: per_place(vocabulary, vectors, &weights),
        colleague: per_speaker(examples, By::Colleague, &weights),
        customer: per_speaker(examples, By::Customer, &weights),
        dense: dense.map(|dense| per_number(dense, &weights)).unwrap_or_default(),
        facts,
        width,
    };
    (model, told)
}

/// The facts that examples speak of, each with its answers; an answer with one example cannot be learned.
fn facts(examples: &[Example]) -> Vec<FactModel> {
    let mut counts: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for (fact, answer) in examples.iter().flat_map(|example| &example.answers) {
        *counts.entry(fact).or_default().entry(answer).or_default() += 1;
    }
    let mut column = 0;
    let mut facts = Vec::new();
    for (name, answers) in counts {
        let known = answers.into_iter().filter(|&(_, count)| count > 1).map(|(answer, _)| answer.to_owned());
        let answers: Vec<String> = std::iter::once(SILENCE.to_owned()).chain(known).collect();
        if answers.len() > 1 {
            let calibration = Calibration { scale: 1.0, shifts: vec![0.0; answers.len()] };
            let fact = FactModel { name: name.to_owned(), column, calibration, answers };
            column += fact.answers.len();
            facts.push(fact);
        }
    }
    facts
}

/// How many n-grams are common enough to be multiplied as a matrix.
const COMMON: usize = 512;

/// How alike the examples are, each with each.
fn gram(examples: &[Example], vocabulary: &Vocabulary, vectors: &[Sparse]) -> Array2<f64> {
    let mut holders: Vec<Vec<(usize, f64)>> = vec![Vec::new(); vocabulary.tells.len()];
    for (row, vector) in vectors.iter().enumerate() {
        for &place in &vector.places {
            if let Some(held) = usize::try_from(place).ok().and_then(|place| holders.get_mut(place)) {
                held.push((row, vocabulary.value(vector, place)));
            }
        }
    }
    holders.sort_by_key(|held| std::cmp::Reverse(held.len())); // Stable, so the same on every machine.
    let mut common = Array2::zeros((vectors.len(), COMMON.min(holders.len())));
    for (column, held) in holders.iter().take(COMMON).enumerate() {
        for &(row, value) in held {
            if let Some(cell) = common.get_mut((row, column)) {
                *cell = value;
            }
        }
    }
    let mut gram = algebra::product(common.view(), common.t());
    for held in holders.iter().skip(COMMON) {
        for &(row, value) in held {
            let mut line = gram.row_mut(row);
            let Some(line) = line.as_slice_mut() else { continue };
            for &(column, other) in held {
                if let Some(cell) = line.get_mut(column) {
                    *cell += value * other;
                }
            }
        }
    }
    for (mut line, one) in gram.rows_mut().into_iter().zip(examples) {
        let same = line.iter_mut().zip(examples).filter(|(_, other)| other.by == one.by);
        same.for_each(|(cell, _)| *cell += SPEAKER);
    }
    gram
}

/// The examples' weights brought over to their n-grams.
fn per_place(vocabulary: &Vocabulary, vectors: &[Sparse], weights: &Array2<f64>) -> Vec<f32> {
    let width = weights.ncols();
    let mut summed = vec![0.0_f64; vocabulary.tells.len() * width];
    for (vector, weights) in vectors.iter().zip(weights.rows()) {
        let Some(weights) = weights.as_slice() else { continue };
        for &place in &vector.places {
            let value = vocabulary.value(vector, place);
            let from = usize::try_from(place).unwrap_or(usize::MAX).saturating_mul(width);
            if let Some(cells) = summed.get_mut(from..from.saturating_add(width)) {
                cells.iter_mut().zip(weights).for_each(|(cell, weight)| *cell += value * weight);
            }
        }
    }
    // In the text that is read it counts as much again.
    for (place, cells) in (0..).zip(summed.chunks_mut(width.max(1))) {
        let tells = f64::from(vocabulary.weight(place)) * std::f64::consts::FRAC_1_SQRT_2;
        cells.iter_mut().for_each(|cell| *cell *= tells);
    }
    summed.into_iter().map(stepped).collect()
}

/// The examples' weights brought over to the numbers of their embeddings.
fn per_number(vectors: &Array2<f64>, weights: &Array2<f64>) -> Vec<f32> {
    algebra::product(vectors.t(), weights.view()).into_iter().map(|weight| stepped(EMBEDDING * weight)).collect()
}

/// The examples' weights brought over to who wrote them.
fn per_speaker(examples: &[Example], by: By, weights: &Array2<f64>) -> Vec<f32> {
    let mut summed = vec![0.0; weights.ncols()];
    for (_, weights) in examples.iter().zip(weights.rows()).filter(|(example, _)| example.by == by) {
        summed.iter_mut().zip(weights).for_each(|(cell, weight)| *cell += SPEAKER * weight);
    }
    summed.into_iter().map(stepped).collect()
}

/// A weight in steps of 2⁻²⁰: machines that round in another place agree.
#[expect(clippy::cast_possible_truncation, reason = "the steps are coarser than what is cut off")]
pub(super) fn stepped(weight: f64) -> f32 {
    const STEPS: f64 = 1_048_576.0;
    ((weight * STEPS).round() / STEPS) as f32
}
