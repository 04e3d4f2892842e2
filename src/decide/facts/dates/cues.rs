//! The words that say what a date dates, and how far a date is from each.

use super::clauses::{Boundary, Sentence, boundary};
use super::spelled::Spelled;
use super::tokens::Token;
use super::vocabulary::{Class, Sense};

/// A word or phrase that says what a date dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cue {
    pub class: Class,
    /// Its first token.
    pub from: usize,
    /// Its last one: elsewhere where it is in two parts, as `läuft … ab`.
    pub last: usize,
}

/// The classes that are such words.
const CUES: [Class; 14] = [
    Class::Expires,
    Class::Expired,
    Class::Expiry,
    Class::Ends,
    Class::Ended,
    Class::End,
    Class::Valid,
    Class::Term,
    Class::Started,
    Class::Renewed,
    Class::Extended,
    Class::Wish,
    Class::Due,
    Class::Happened,
];

/// How far apart the parts of a phrase can be, tokens.
const APART: usize = 16;

/// Every cue of a sentence.
pub(super) fn all(tokens: &[Token<'_>], sentence: Sentence, dates: &[Spelled]) -> Vec<Cue> {
    let mut cues = Vec::new();
    for at in sentence.from..sentence.to {
        let Some(token) = tokens.get(at) else { break };
        if dates.iter().any(|date| date.from <= at && at < date.to) {
            continue;
        }
        for sense in token.senses {
            if let Sense::Word(class) = sense
                && CUES.contains(class)
            {
                cues.push(Cue { class: *class, from: at, last: at });
            }
            if let Sense::Opens(class, pair) = sense {
                let closes = |at: &usize| {
                    tokens.get(*at).is_some_and(|token| token.senses.contains(&Sense::Closes(*pair)))
                        && !dates.iter().any(|date| date.from <= *at && *at < date.to)
                };
                let last = (at + 1..sentence.to.min(at + APART)).find(closes);
                cues.extend(last.map(|last| Cue { class: *class, from: at, last }));
            }
        }
    }
    // The first part of a phrase in two says nothing alone where the whole is there.
    let split: Vec<Cue> = cues.iter().filter(|cue| cue.from != cue.last).copied().collect();
    cues.retain(|cue| cue.from != cue.last || !split.iter().any(|whole| whole.from == cue.from));
    cues
}

/// How a cue and a date stand to each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    /// What lies between: the less, the surer.
    pub cost: usize,
    /// Whether `but` lies between: then a denial of the one is not one of the other.
    pub over: Option<Boundary>,
}

/// What a word between costs.
const WORD: usize = 2;

/// What it costs that the cue stands behind the date.
const BEHIND: usize = 1;

/// What it costs that a clause ends between.
const CLAUSE: usize = 3;

/// What may lie between a cue and its date.
const FARTHEST: usize = 12;

/// The way from a cue to a date; none where they have nothing to do with each other.
pub(super) fn way(
    tokens: &[Token<'_>],
    sentence: Sentence,
    dates: &[Spelled],
    cue: &Cue,
    date: &Spelled,
) -> Option<Way> {
    let (from, to, behind) = match () {
        () if cue.last < date.from => (cue.last + 1, date.from, 0),
        () if cue.from >= date.to => (date.to, cue.from, BEHIND),
        () => return Some(Way { cost: 0, over: None }),
    };
    let mut cost = behind;
    let mut over = None;
    let mut since = 0; // Words since the last boundary.
    let mut at = from;
    while at < to {
        if let Some(other) = dates.iter().find(|other| other.from <= at && at < other.to) {
            (cost, at) = (cost + WORD, other.to);
            continue;
        }
        let token = tokens.get(at)?;
        match boundary(token) {
            Some(bound) if behind == 0 => {
                if over.is_some_and(|_| since > 0) {
                    return None;
                }
                (over, since) = (Some(bound), 0);
            }
            // `On 30 Nov, our licence ends`: the date alone stands before the comma.
            Some(Boundary::Comma) if over.is_none() && at == date.to && leads(tokens, sentence, date) => {
                over = Some(Boundary::Comma);
            }
            Some(_) => return None,
            None if !passes(token) => (cost, since) = (cost + WORD, since + 1),
            None => {}
        }
        at += 1;
    }
    if behind == 0 && over.is_some() && since > 0 {
        return None;
    }
    cost += over.map_or(0, |_| CLAUSE);
    (cost <= FARTHEST).then_some(Way { cost, over })
}

/// Whether nothing but a preposition stands before a date in its sentence.
fn leads(tokens: &[Token<'_>], sentence: Sentence, date: &Spelled) -> bool {
    tokens.get(sentence.from..date.from).is_some_and(|before| before.iter().all(passes))
}

/// Whether a token between a cue and a date says nothing.
pub(super) fn passes(token: &Token<'_>) -> bool {
    const NOTHING: [Class; 14] = [
        Class::Light,
        Class::In,
        Class::To,
        Class::From,
        Class::Since,
        Class::By,
        Class::Of,
        Class::OnDay,
        Class::This,
        Class::Vague,
        Class::Denies,
        Class::Midnight,
        Class::Hour,
        Class::New,
    ];
    token.mark().is_some() || token.any(&NOTHING)
}
