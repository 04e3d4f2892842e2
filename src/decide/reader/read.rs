//! Reading: the words of a ticket go in, what they say comes out.

use chrono::{DateTime, Utc};

use super::Reader;
use super::example::By;
use super::text;
use super::vectors::Sparse;
use crate::decide::facts::said::{Said, Speaker, Understanding, Words};

/// One comment's own words.
#[derive(Debug, Clone)]
pub struct Text {
    /// The words, without what is quoted and signed.
    pub words: String,
    /// Who wrote them.
    pub by: Speaker,
    /// When.
    pub at: DateTime<Utc>,
}

/// What the reader makes of one text, by fact.
#[derive(Debug, Clone)]
pub struct Answer<'a> {
    /// The fact.
    pub fact: &'a str,
    /// The answer.
    pub answer: &'a str,
    /// How sure it is, from 0 to 1.
    pub confidence: f64,
    /// The sentence that carries it.
    pub quote: &'a str,
}

/// How many sentences in a row are read together.
const ROW: usize = 3;

/// Less than this is not worth telling.
const FLOOR: f64 = 0.05;

/// From here on a later text clearly says so.
const CLEARLY: f64 = 0.8;

/// Whether whoever said this clearly says otherwise later, and no longer this: "it works now, thanks".
fn is_over(earlier: &Said, said: &[Said]) -> bool {
    let later = || said.iter().filter(|it| it.fact == earlier.fact && it.by == earlier.by && it.at > earlier.at);
    let clearly = later().any(|it| it.answer != earlier.answer && it.confidence >= CLEARLY);
    clearly && !later().any(|it| it.answer == earlier.answer && it.confidence > 1.0 - CLEARLY)
}

impl Reader {
    /// Reads the words on a ticket, which are in the order in which they were written.
    pub fn read(&self, texts: &[Text]) -> Words {
        let mut said = Vec::new();
        let mut understood = Understanding::Nothing;
        for Text { words, by, at } in texts {
            let speaker = match by {
                Speaker::Customer => By::Customer,
                Speaker::Colleague { .. } => By::Colleague,
            };
            if let Some(why) = self.lit.dark(words, &self.vocabulary) {
                understood = Understanding::Dark { why };
                continue;
            }
            let answers = self.text(words, speaker);
            if !matches!(understood, Understanding::Dark { .. }) && (!answers.is_empty() || words.len() > 60) {
                understood = Understanding::Read;
            }
            said.extend(answers.into_iter().map(|Answer { fact, answer, confidence, quote }| Said {
                fact: fact.to_owned(),
                answer: answer.to_owned(),
                confidence,
                quote: quote.to_owned(),
                by: by.clone(),
                at: *at,
            }));
        }
        let over: Vec<bool> = said.iter().map(|earlier| is_over(earlier, &said)).collect();
        let mut over = over.into_iter();
        said.retain(|_| over.next() != Some(true));
        Words { said, understood }
    }

    /// Every answer that a text may give.
    ///
    /// A fact may stand in one sentence of two pages. So half of how sure an answer is comes of the whole text, half of the
    /// few sentences in a row that say it most clearly.
    pub fn text<'a>(&'a self, words: &'a str, by: By) -> Vec<Answer<'a>> {
        let sentences = text::sentences(words);
        let vectors: Vec<Sparse> = sentences.iter().map(|sentence| self.vocabulary.sentence(sentence)).collect();
        let scores = |vector: &Sparse| self.scores(vector, by);
        let whole = scores(&self.vocabulary.together(vectors.iter()));
        let alone: Vec<Vec<f32>> = vectors.iter().map(scores).collect();
        let rows: Vec<Vec<f32>> = match vectors.len() {
            0..=ROW => Vec::new(),
            _ => vectors.windows(ROW).map(|row| scores(&self.vocabulary.together(row.iter()))).collect(),
        };
        let mut answers = Vec::new();
        for (index, fact) in self.model.facts.iter().enumerate() {
            let shares = |scores: &Vec<f32>| self.probabilities(index, scores);
            let whole = shares(&whole);
            let rows: Vec<Vec<f64>> = rows.iter().map(shares).collect();
            let alone: Vec<Vec<f64>> = alone.iter().map(shares).collect();
            for (at, answer) in fact.answers.iter().enumerate().skip(1) {
                let of = |shares: &Vec<f64>| shares.get(at).copied().unwrap_or(0.0);
                let clearest = rows.iter().map(of).reduce(f64::max).unwrap_or_else(|| of(&whole));
                let confidence = f64::midpoint(of(&whole), clearest);
                let carries = alone.iter().map(of).zip(&sentences).max_by(|one, other| one.0.total_cmp(&other.0));
                if let Some((_, quote)) = carries.filter(|_| confidence >= FLOOR) {
                    answers.push(Answer { fact: &fact.name, answer, confidence, quote });
                }
            }
        }
        answers
    }

    /// The scores of a vector.
    fn scores(&self, vector: &Sparse, by: By) -> Vec<f32> {
        let width = self.model.width;
        let (words, pieces) =
            vector.places.split_at(vector.places.partition_point(|&place| place < self.vocabulary.pieces));
        let sum = |places: &[u32]| {
            let mut sums = vec![0.0_f32; width];
            for &place in places {
                let from = usize::try_from(place).unwrap_or(usize::MAX).saturating_mul(width);
                if let Some(weights) = self.model.weights.get(from..from.saturating_add(width)) {
                    sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
                }
            }
            sums
        };
        let speaker = match by {
            By::Customer => &self.model.customer,
            By::Colleague => &self.model.colleague,
        };
        let sums = sum(words).into_iter().zip(sum(pieces)).zip(speaker);
        sums.map(|((word, piece), speaker)| word / vector.words + piece / vector.pieces + speaker).collect()
    }

    /// How likely each answer to a fact is by these scores.
    fn probabilities(&self, fact: usize, scores: &[f32]) -> Vec<f64> {
        let Some(fact) = self.model.facts.get(fact) else { return Vec::new() };
        let scores = scores.iter().skip(fact.column).take(fact.answers.len());
        fact.calibration.probabilities(scores.map(|&score| f64::from(score)))
    }

    /// How alike two vectors are, from 0 to 1.
    pub(super) fn alike(&self, one: &Sparse, other: &Sparse) -> f64 {
        let mut others = other.places.iter().peekable();
        let mut sum = 0.0;
        for &place in &one.places {
            while others.next_if(|&&theirs| theirs < place).is_some() {}
            if others.peek() == Some(&&place) {
                sum += self.vocabulary.value(one, place) * self.vocabulary.value(other, place);
            }
        }
        sum
    }
}
