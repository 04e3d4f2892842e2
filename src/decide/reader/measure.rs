//! How well a reader reads its own examples, each left out in turn.

use std::collections::BTreeMap;

use super::Reader;
use super::calibrate::f64_of;
use super::embedding::{Embeddings, Meaning};
use super::example::Example;
use super::learn::SILENCE;
use super::read::BUILT_IN;
use super::vectors::Sparse;

/// What a reader makes of its examples.
#[derive(Debug, Clone)]
pub struct Measured {
    /// By fact and language, in that order.
    pub rows: Vec<Row>,
    /// Answers that are taken for each other, the most frequent first.
    pub confused: Vec<Confusion>,
    /// Examples that contradict each other.
    pub contradictions: Vec<Contradiction>,
    /// Which vectors they were read by, as decisions name them.
    pub read_by: String,
}

/// One fact in one language.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The fact.
    pub fact: String,
    /// The language.
    pub language: String,
    /// How many examples there are.
    pub examples: usize,
    /// How many of them give an answer.
    pub answered: usize,
    /// For each threshold, how many answers are read at it or above, and how many of those are right.
    pub at: Vec<Spoken>,
    /// How many of those with an answer are read rightly where the likeliest answer is taken, silence aside.
    pub likeliest: usize,
}

/// What is said at one threshold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spoken {
    /// Texts of which something is said.
    pub said: usize,
    /// Of these, how many rightly.
    pub right: usize,
}

/// One answer that is read where another is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    /// The fact.
    pub fact: String,
    /// What is right; none where the text says nothing.
    pub right: Option<String>,
    /// What is read; none where nothing is.
    pub read: Option<String>,
    /// How often.
    pub times: usize,
}

/// Two examples that say nearly the same and are labelled differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// The fact.
    pub fact: String,
    /// The first text, and its answer; none where it says nothing.
    pub first: (String, Option<String>),
    /// The second.
    pub second: (String, Option<String>),
}

/// From how alike on two examples should have the same labels: all but a word or two.
const ALIKE: f64 = 0.9;

/// Reads each example as if it had not been learned from, by embeddings where all have them, and holds what comes out
/// against its labels.
pub fn examples(examples: &[Example], given: Option<&Embeddings>, thresholds: &[f64]) -> Measured {
    let (reader, vectors, left_out) = Reader::learned(examples);
    let learned = given.and_then(|given| Meaning::learn(&reader, &vectors, given));
    let (model, left_out) = match &learned {
        Some((meaning, left_out)) => (&meaning.model, left_out),
        None => (&*reader.model, &left_out),
    };
    let mut rows: BTreeMap<(String, String), Row> = BTreeMap::new();
    let mut confused: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    for (fact, told) in model.facts.iter().zip(left_out) {
        for (example, shares) in examples.iter().zip(told) {
            let right = example.answers.get(&fact.name).map_or(SILENCE, String::as_str);
            let best = |from: usize| {
                let shares = shares.iter().zip(&fact.answers).skip(from);
                shares.max_by(|one, other| one.0.total_cmp(other.0)).map_or((0.0, SILENCE), |(s, a)| (*s, a.as_str()))
            };
            let key = (fact.name.clone(), example.language.clone());
            let row = rows.entry(key).or_insert_with(|| Row {
                fact: fact.name.clone(),
                language: example.language.clone(),
                examples: 0,
                answered: 0,
                at: vec![Spoken::default(); thresholds.len()],
                likeliest: 0,
            });
            let (sure, said) = best(1);
            row.examples += 1;
            row.answered += usize::from(right != SILENCE);
            row.likeliest += usize::from(said == right);
            for (spoken, _) in row.at.iter_mut().zip(thresholds).filter(|&(_, &threshold)| sure >= threshold) {
                spoken.said += 1;
                spoken.right += usize::from(said == right);
            }
            let (_, read) = best(0);
            if read != right {
                *confused.entry((fact.name.clone(), right.to_owned(), read.to_owned())).or_default() += 1;
            }
        }
    }
    let named = |answer: String| (answer != SILENCE).then_some(answer);
    let mut confused: Vec<Confusion> = confused
        .into_iter()
        .map(|((fact, right, read), times)| Confusion { fact, right: named(right), read: named(read), times })
        .collect();
    confused.sort_by_key(|confusion| std::cmp::Reverse(confusion.times));
    let read_by = learned.as_ref().map_or(BUILT_IN, |(meaning, _)| meaning.name.as_str()).to_owned();
    Measured { rows: rows.into_values().collect(), confused, contradictions: reader.contradictions(&vectors), read_by }
}

impl Row {
    /// All languages' rows of one fact that `of` chooses, added up.
    pub fn sum<'a>(rows: impl Iterator<Item = &'a Row>, language: &str) -> Option<Row> {
        let mut rows = rows.cloned();
        let first = Row { language: language.to_owned(), ..rows.next()? };
        Some(rows.fold(first, |mut sum, row| {
            sum.examples += row.examples;
            sum.answered += row.answered;
            sum.likeliest += row.likeliest;
            for (own, more) in sum.at.iter_mut().zip(&row.at) {
                own.said += more.said;
                own.right += more.right;
            }
            sum
        }))
    }
}

impl Spoken {
    /// The share that is right; none where nothing is said.
    pub fn precision(self) -> Option<f64> {
        (self.said > 0).then(|| f64_of(self.right) / f64_of(self.said))
    }
}

impl Reader {
    /// Pairs of examples that are nearly the same text with other labels.
    fn contradictions(&self, vectors: &[Sparse]) -> Vec<Contradiction> {
        let mut found = Vec::new();
        for (index, (one, own)) in self.examples.iter().zip(vectors).enumerate() {
            // Nothing shorter than three words says enough to contradict.
            let others = self.examples.iter().zip(vectors).skip(index + 1);
            for (other, theirs) in others.filter(|(other, _)| other.by == one.by) {
                let lengths = (own.places.len(), theirs.places.len());
                let near = lengths.0.min(lengths.1) * 10 >= lengths.0.max(lengths.1) * 8 && lengths.0 > 8;
                if !near || self.alike(own, theirs) < ALIKE {
                    continue;
                }
                let facts = one.answers.keys().chain(other.answers.keys()).collect::<std::collections::BTreeSet<_>>();
                found.extend(facts.into_iter().filter(|fact| one.answers.get(*fact) != other.answers.get(*fact)).map(
                    |fact| Contradiction {
                        fact: fact.clone(),
                        first: (one.says.clone(), one.answers.get(fact).cloned()),
                        second: (other.says.clone(), other.answers.get(fact).cloned()),
                    },
                ));
            }
        }
        found
    }
}
