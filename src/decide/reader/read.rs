//! Reading: the words of a ticket go in, what they say comes out.

use chrono::{DateTime, Utc};

use super::Reader;
use super::embedding::{Embeddings, Seen};
use super::example::By;
use super::learn::Model;
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

/// What decisions call the vectors that are made here.
pub const BUILT_IN: &str = "built-in";

/// A text's parts as vectors: the whole, each sentence alone, and so many in a row.
struct Passages<'a> {
    sentences: Vec<&'a str>,
    whole: Sparse,
    alone: Vec<Sparse>,
    rows: Vec<Sparse>,
    /// Their embeddings, where they are given.
    seen: Option<Seen>,
}

/// Less than this is not worth telling.
const FLOOR: f64 = 0.05;

/// What only the n-grams hear is at most so sure: enough to speak against a dismissal, too little to propose or to understand.
const DOUBT: f64 = 0.3;

/// Adds what the n-grams make of a text that its embeddings read otherwise. By measurement the embeddings are surer, and of 216
/// people locked out missed three whom the n-grams heard: a dismissal is to stand before both.
fn doubted<'a>(answers: &mut Vec<Answer<'a>>, doubt: Answer<'a>) {
    let doubt = Answer { confidence: doubt.confidence.min(DOUBT), ..doubt };
    match answers.iter_mut().find(|answer| (answer.fact, answer.answer) == (doubt.fact, doubt.answer)) {
        Some(answer) if answer.confidence >= doubt.confidence => {}
        Some(answer) => *answer = doubt,
        None => answers.push(doubt),
    }
}

/// From here on a later text clearly says so.
const CLEARLY: f64 = 0.8;

/// Whether whoever said this clearly says otherwise later, and no longer this: "it works now, thanks".
fn is_over(earlier: &Said, said: &[Said]) -> bool {
    let later = || said.iter().filter(|it| it.fact == earlier.fact && it.by == earlier.by && it.at > earlier.at);
    let clearly = later().any(|it| it.answer != earlier.answer && it.confidence >= CLEARLY);
    clearly && !later().any(|it| it.answer == earlier.answer && it.confidence > 1.0 - CLEARLY)
}

impl Reader {
    /// Reads the words on a ticket, which are in the order in which they were written; each text by its embeddings where
    /// they are given and learned from, else by its n-grams alone.
    pub fn read(&self, texts: &[Text], given: Option<&Embeddings>) -> Words {
        let mut said = Vec::new();
        let mut understood = Understanding::Nothing;
        let mut by_model = !texts.is_empty();
        for Text { words, by, at } in texts {
            let speaker = match by {
                Speaker::Customer => By::Customer,
                Speaker::Colleague { .. } => By::Colleague,
            };
            let passages = self.passages(words, given);
            by_model &= passages.seen.is_some();
            if let Some(why) = self.dark(words, &passages) {
                understood = Understanding::Dark { why };
                continue;
            }
            let heard = passages.seen.is_some() && self.lit.dark(words, &self.vocabulary).is_none();
            let mut answers = self.answers(passages, speaker);
            if heard {
                self.text(words, speaker).into_iter().for_each(|doubt| doubted(&mut answers, doubt));
            }
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
        let model = self.meaning.as_ref().filter(|_| by_model).map(|meaning| meaning.name.clone());
        let read_by = (!texts.is_empty()).then(|| model.unwrap_or_else(|| BUILT_IN.to_owned()));
        Words { said, understood, read_by }
    }

    /// Every answer that a text may give, by its n-grams alone.
    pub fn text<'a>(&'a self, words: &'a str, by: By) -> Vec<Answer<'a>> {
        self.answers(self.passages(words, None), by)
    }

    /// A text's parts as vectors.
    fn passages<'a>(&self, words: &'a str, given: Option<&Embeddings>) -> Passages<'a> {
        let sentences = text::sentences(words);
        let alone: Vec<Sparse> = sentences.iter().map(|sentence| self.vocabulary.sentence(sentence)).collect();
        let whole = self.vocabulary.together(alone.iter());
        let rows: Vec<Sparse> = match alone.len() {
            0..=ROW => Vec::new(),
            _ => alone.windows(ROW).map(|row| self.vocabulary.together(row.iter())).collect(),
        };
        let meaning = self.meaning.as_ref().zip(given);
        let seen = meaning.and_then(|(meaning, given)| meaning.seen(words, &sentences, ROW, given));
        Passages { sentences, whole, alone, rows, seen }
    }

    /// Why a text cannot be read; none where it can.
    fn dark(&self, words: &str, passages: &Passages<'_>) -> Option<String> {
        match (&self.meaning, &passages.seen) {
            (Some(meaning), Some(seen)) => {
                meaning.is_dark(&seen.whole).then(|| "in words that are like none of my examples".to_owned())
            }
            _ => self.lit.dark(words, &self.vocabulary),
        }
    }

    /// Every answer that a text may give.
    ///
    /// A fact may stand in one sentence of two pages. So half of how sure an answer is comes of the whole text, half of the
    /// few sentences in a row that say it most clearly.
    fn answers<'a>(&'a self, passages: Passages<'a>, by: By) -> Vec<Answer<'a>> {
        let Passages { sentences, whole, alone, rows, seen } = passages;
        let (model, seen) = match (&self.meaning, seen) {
            (Some(meaning), Some(seen)) => (&meaning.model, Some(seen)),
            _ => (&*self.model, None),
        };
        let scores = |vector: &Sparse, dense: Option<&Vec<f32>>| self.scores(model, vector, dense, by);
        let of = |vectors: &[Sparse], dense: Option<&Vec<Vec<f32>>>| -> Vec<Vec<f32>> {
            let dense = |at: usize| dense.and_then(|dense| dense.get(at));
            vectors.iter().enumerate().map(|(at, vector)| scores(vector, dense(at))).collect()
        };
        let whole = scores(&whole, seen.as_ref().map(|seen| &seen.whole));
        let alone = of(&alone, seen.as_ref().map(|seen| &seen.alone));
        let rows = of(&rows, seen.as_ref().map(|seen| &seen.rows));
        let mut answers = Vec::new();
        for fact in &model.facts {
            let shares = |scores: &Vec<f32>| {
                let scores = scores.iter().skip(fact.column).take(fact.answers.len());
                fact.calibration.probabilities(scores.map(|&score| f64::from(score)))
            };
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

    /// The scores of a vector of n-grams, and of an embedding where the model has learned from them.
    fn scores(&self, model: &Model, vector: &Sparse, dense: Option<&Vec<f32>>, by: By) -> Vec<f32> {
        let width = model.width;
        let (words, pieces) =
            vector.places.split_at(vector.places.partition_point(|&place| place < self.vocabulary.pieces));
        let sum = |places: &[u32]| {
            let mut sums = vec![0.0_f32; width];
            for &place in places {
                let from = usize::try_from(place).unwrap_or(usize::MAX).saturating_mul(width);
                if let Some(weights) = model.weights.get(from..from.saturating_add(width)) {
                    sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
                }
            }
            sums
        };
        let speaker = match by {
            By::Customer => &model.customer,
            By::Colleague => &model.colleague,
        };
        let sums = sum(words).into_iter().zip(sum(pieces)).zip(speaker);
        let mut scores: Vec<f32> =
            sums.map(|((word, piece), speaker)| word / vector.words + piece / vector.pieces + speaker).collect();
        for (value, weights) in dense.into_iter().flatten().zip(model.dense.chunks_exact(width.max(1))) {
            scores.iter_mut().zip(weights).for_each(|(score, weight)| *score += value * weight);
        }
        scores
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
