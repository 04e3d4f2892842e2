//! Everything known of a ticket, with what managers answered above every other source.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::dated::{self, Counting, Dated};
use super::fact::{Came, Confidence, Fact, Facts, Finding, Heard, Legible, Spoken, Trust, Value};
use super::replies::DATE;
use super::said::{Speaker, Understanding};
use super::source::{Author, Source};
use super::sources::{self, Asked, Asking, Ids, Said};
use super::words::Words;
use crate::decide::facts::expiry::Day;
use crate::decide::near::instead;
use crate::decide::policy::Policy;
use crate::decide::policy::binding::{FactBinding, Kind};
use crate::decide::policy::source::{Place, SourceBinding, Standing};
use crate::decide::ticket::Reading;

/// An answer that stands above every other source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// The fact, as written.
    pub fact: String,
    /// Its value, as written.
    pub value: String,
    /// Who said it.
    pub source: Source,
}

/// The facts of a ticket, how each came to be, and what of the answers could not be used.
#[derive(Debug, Default)]
pub struct Gathered {
    /// What is known, by name.
    pub facts: Facts,
    /// What every source said, by the fact's name, in the order in which they were asked.
    pub heard: BTreeMap<String, Vec<Heard>>,
    /// One sentence for each answer that could not be used.
    pub problems: Vec<String>,
    /// Everything said in words, taken or not.
    pub spoken: Spoken,
}

/// Gathers every fact of the policy: from the stated answers, the later before the earlier, then from the ticket where
/// there is one.
pub fn facts(policy: &Policy, ids: &Ids, reading: Option<&Reading>, stated: &[Stated], now: DateTime<Utc>) -> Gathered {
    let none = Reading::default();
    let words = reading.map(|reading| Words::of(reading, &policy.lexicon));
    let reading = reading.unwrap_or(&none);
    let mut gathering =
        Gathering { policy, ids, reading, words, now, stated, open: Vec::new(), gathered: Gathered::default() };
    policy.binding.facts.keys().for_each(|name| gathering.find(name.get_ref()));
    let mut gathered = gathering.gathered;
    gathered.problems = stated.iter().filter_map(|answer| usable(policy, answer, now).err()).collect();
    if let Some(words) = &reading.words {
        if let Understanding::Dark { why } = &words.understood {
            gathered.spoken.legible = Legible::No(why.clone());
        }
        weigh(policy, &mut gathered);
    }
    gathered
}

/// The facts of one ticket, as they are found.
struct Gathering<'a> {
    policy: &'a Policy,
    ids: &'a Ids,
    reading: &'a Reading,
    words: Option<Words<'a>>,
    now: DateTime<Utc>,
    stated: &'a [Stated],
    /// Facts whose sources are being asked.
    open: Vec<&'a str>,
    gathered: Gathered,
}

impl<'a> Gathering<'a> {
    /// Finds a fact, and before it those its sources depend on; sound policies have no circles.
    fn find(&mut self, name: &'a str) {
        let policy = self.policy;
        if self.gathered.facts.contains_key(name) || self.open.contains(&name) {
            return;
        }
        let Some(fact) = policy.binding.fact(name) else { return };
        self.open.push(name);
        let day = match self.holds(&fact.day_ends_when) {
            Some(_) if !fact.day_ends_when.is_empty() => Day::End,
            Some(_) | None => fact.day,
        };
        let mut heard = Vec::new();
        let mut finding = self.read(name, fact, day, &mut heard);
        let answered = |answer: &&Stated| called(&answer.fact) == name && usable(policy, answer, self.now).is_ok();
        if let Some(answer) = self.stated.iter().rev().find(answered)
            && let Ok(value) = value(policy, fact, answer, Counting { day, now: self.now, written: self.now })
        {
            heard.iter_mut().filter(|heard| !matches!(heard.came, Came::SetAside(_))).for_each(|heard| {
                heard.came = Came::Overruled(answer.source.to_string());
            });
            heard.insert(0, Heard { said: value.to_string(), source: answer.source.to_string(), came: Came::Taken });
            finding = Finding::Known(Fact {
                at: answer.source.at(),
                ..Fact::new(value, Trust::Stated, answer.source.clone())
            });
        }
        self.gathered.facts.insert(name.to_owned(), finding);
        self.gathered.heard.insert(name.to_owned(), heard);
    }

    /// Asks every source in order; the first that answers wins, unless another record contradicts it.
    fn read(&mut self, name: &'a str, fact: &'a FactBinding, day: Day, heard: &mut Vec<Heard>) -> Finding {
        let policy = self.policy;
        let mut looked: Vec<String> = Vec::new();
        let mut readings: Vec<DateTime<Utc>> = Vec::new();
        let mut taken: Option<(Fact, &SourceBinding)> = None;
        let mut conflict: Option<Fact> = None;
        for source in &fact.sources {
            if taken.is_some() && matches!(source.place, Place::Otherwise(_)) {
                continue;
            }
            let Some(condition) = self.holds(&source.when) else { continue };
            if !source.unless.is_empty() && self.is_known(&source.unless) {
                continue;
            }
            if let Place::Reader = source.place {
                let said = self.said(name, fact);
                self.speak(name, &said);
                let suggests = |fact: &&Fact| fact.confidence >= Some(Confidence::of(policy.binding.reader.suggests));
                // A colleague knows more than a customer; then the latest word, of one comment the surest.
                let best =
                    said.iter().filter(suggests).max_by_key(|it| (it.source.is_colleague(), it.at, it.confidence));
                for fact in &said {
                    let came = if taken.is_none() && Some(fact) == best { Came::Taken } else { Came::Passed };
                    heard.push(Heard { said: fact.value.to_string(), source: fact.cited(), came });
                }
                if let (Some(best), true) = (best, taken.is_none()) {
                    taken = Some((best.clone(), source));
                }
                continue;
            }
            let Self { ids, reading, now, .. } = *self;
            let reader = &self.policy.lexicon.dates;
            let asked = Asked { ids, reading, words: self.words.as_ref(), now, day, reader };
            let Asking { said, also, set_aside } = sources::ask(&source.place, fact, &asked);
            self.speak(name, &also);
            heard.extend(set_aside.into_iter().map(|(quote, why)| Heard {
                said: format!("“{}”", quote.quote),
                source: quote.source.to_string(),
                came: Came::SetAside(why),
            }));
            let mut answer = match said {
                Said::Answer(answer) => answer,
                Said::Nothing => continue,
                Said::Either(why, facts) => {
                    self.speak(name, &facts);
                    looked.push(why);
                    readings.extend(facts.iter().filter_map(|fact| match fact.value {
                        Value::Instant(at) => Some(at),
                        Value::Span(_) | Value::Word(_) => None,
                    }));
                    continue;
                }
                Said::Unclear(why, moments) => {
                    looked.push(why);
                    readings.extend(moments);
                    continue;
                }
                Said::Unreadable(why) => {
                    if !looked.contains(&why) {
                        looked.push(why);
                    }
                    continue;
                }
            };
            if answer.trust == Trust::Inferred {
                self.speak(name, std::slice::from_ref(&answer));
            }
            answer.trust = answer.trust.min(condition);
            if let Some(caveat) = &source.caveat {
                answer.source = Source::Doubted { source: Box::new(answer.source), caveat: caveat.clone() };
            }
            let mut came = Came::Taken;
            if let Some((first, firsts)) = &taken {
                came = Came::Overruled(first.source.to_string());
                if contradicts((&answer, source), (first, firsts)) {
                    came = Came::Contradicts(first.source.to_string());
                    conflict.get_or_insert_with(|| answer.clone());
                }
            }
            heard.push(Heard { said: answer.value.to_string(), source: answer.cited(), came });
            taken.get_or_insert((answer, source));
        }
        match (taken, conflict) {
            (Some((first, _)), Some(other)) => {
                heard.iter_mut().filter(|heard| heard.came == Came::Taken).for_each(|heard| {
                    heard.came = Came::Contradicts(other.source.to_string());
                });
                Finding::Conflict(Box::new((first, other)))
            }
            (Some((first, _)), None) => Finding::Known(first),
            (None, _) => Finding::Unknown { looked, readings },
        }
    }

    /// What the reader read of a fact, as far as it is sure enough to speak at all.
    fn said(&self, name: &str, fact: &FactBinding) -> Vec<Fact> {
        let words = self.reading.words.iter().flat_map(|words| &words.said).filter(|said| said.fact == name);
        let sure = words.filter(|said| said.confidence >= self.policy.binding.reader.against);
        let read = sure.filter_map(|said| {
            let by = match &said.by {
                Speaker::Customer => Author::Customer,
                Speaker::Colleague { name } => Author::Colleague(name.clone()),
            };
            Some(Fact {
                value: sources::word(fact, &said.answer)?,
                trust: Trust::Inferred,
                source: Source::Words { by, at: Some(said.at) },
                quote: Some(said.quote.clone()),
                confidence: Some(Confidence::of(said.confidence)),
                at: Some(said.at),
            })
        });
        read.collect()
    }

    /// Keeps what words say of a fact.
    fn speak(&mut self, name: &str, said: &[Fact]) {
        if !said.is_empty() {
            self.gathered.spoken.answers.entry(name.to_owned()).or_default().extend_from_slice(said);
        }
    }

    /// Whether facts have these answers, by more than words, and no words say otherwise.
    fn is_known(&mut self, unless: &'a BTreeMap<String, String>) -> bool {
        unless.iter().all(|(name, answer)| {
            self.find(name);
            let known = self.gathered.facts.get(name).and_then(Finding::known);
            let spoken = self.gathered.spoken.answers.get(name).map(Vec::as_slice).unwrap_or_default();
            known.is_some_and(|fact| {
                let later = |said: &&Fact| fact.trust < Trust::Stated || fact.at.is_some_and(|at| said.at > Some(at));
                let otherwise = spoken.iter().filter(later).any(|said| said.value.word() != Some(answer));
                fact.trust > Trust::Inferred && fact.value.word() == Some(answer) && !otherwise
            })
        })
    }

    /// Whether facts have these answers, and how sure that is.
    fn holds(&mut self, when: &'a BTreeMap<String, String>) -> Option<Trust> {
        let mut weakest = Trust::Stated;
        for (name, answer) in when {
            self.find(name);
            let fact = self.gathered.facts.get(name)?.known()?;
            if fact.value.word() != Some(answer) {
                return None;
            }
            weakest = weakest.min(fact.trust);
        }
        Some(weakest)
    }
}

/// Weighs the policy's own words for facts: they are known where the ticket is understood, else assumed.
///
/// What is read in words, and is what the policy says where nothing else answers, is known as far as that.
fn weigh(policy: &Policy, gathered: &mut Gathered) {
    let Some(dismissal) = &policy.binding.dismissal else { return };
    let about = gathered.facts.get(dismissal.understood_by.get_ref()).and_then(Finding::known);
    let legible = gathered.spoken.legible == Legible::Yes;
    let read = |about: &Fact| about.source != Source::Otherwise;
    let understood = legible && about.is_some_and(|about| read(about) && policy.binding.reader.understands(about));
    for (name, finding) in &mut gathered.facts {
        let Finding::Known(fact) = finding else { continue };
        let otherwise = policy.binding.otherwise(name);
        if fact.trust < Trust::Stated && otherwise.is_some() && fact.value.word() == otherwise {
            let assumed = matches!(fact.source, Source::Otherwise | Source::Words { .. });
            if assumed {
                fact.trust = if understood { Trust::Recorded } else { Trust::Inferred };
            }
        }
    }
}

/// Whether two records contradict each other; see [`Standing`].
fn contradicts((other, source): (&Fact, &SourceBinding), (first, firsts): (&Fact, &SourceBinding)) -> bool {
    let recorded = [other, first].iter().all(|fact| fact.trust > Trust::Inferred);
    let yields = [source, firsts].iter().any(|source| source.standing == Standing::Yields);
    if !recorded || yields {
        return false;
    }
    match (&first.value, &other.value) {
        (Value::Instant(first), Value::Instant(other)) if first.date_naive() == other.date_naive() => false,
        (Value::Instant(first), Value::Instant(other)) => match (firsts.standing, source.standing) {
            (_, Standing::Latest) => first > other,
            (Standing::Latest, _) => other > first,
            (_, _) => true,
        },
        (first, other) => first != other,
    }
}

/// A fact's name as the policy spells it: people write `in grace` for `in_grace`.
fn called(written: &str) -> Cow<'_, str> {
    let between = |c: char| c.is_whitespace() || c == '-';
    if !written.contains(between) {
        return Cow::Borrowed(written);
    }
    Cow::Owned(written.split(between).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_"))
}

/// What people wrote, as a value of the fact's kind; else what is wrong with it, in words that go behind it.
fn value(policy: &Policy, fact: &FactBinding, answer: &Stated, counting: Counting) -> Result<Value, Wrong> {
    let text = answer.value.as_str();
    if fact.kind == Kind::Word {
        return sources::word(fact, text).ok_or(Wrong::NoAnswer);
    }
    let counting = Counting { written: answer.source.at().unwrap_or(counting.written), ..counting };
    match dated::answer(text, &policy.lexicon.dates, &counting) {
        Dated::Value(value, _) => Ok(value),
        _ if text.to_ascii_uppercase().contains(DATE) => Err(Wrong::StandsForOne),
        Dated::Unclear(why, moments) => Err(Wrong::Unclear(why, moments)),
        Dated::Not(why) => Err(Wrong::NoDate(why)),
        Dated::Empty => Err(Wrong::NoDate("which is no date".into())),
    }
}

/// What is wrong with an answer.
enum Wrong {
    /// It is none of the words there are.
    NoAnswer,
    /// It is what a note shows in the place of a date.
    StandsForOne,
    /// It is no date: why.
    NoDate(String),
    /// It can be several moments: why, and these.
    Unclear(String, Vec<DateTime<Utc>>),
}

/// The value of a stated answer, or in one sentence what is wrong with it. What is counted from a day that nobody knows is
/// counted from `now`.
pub fn usable(policy: &Policy, answer: &Stated, now: DateTime<Utc>) -> Result<Value, String> {
    let Stated { fact: name, value, source } = answer;
    let Some(fact) = policy.binding.fact(&called(name)) else {
        let there: Vec<&str> = policy.binding.facts.keys().map(|name| name.get_ref().as_str()).collect();
        return Err(format!("there is no fact “{name}” ({source}): {}", instead(name, &there)));
    };
    let counting = Counting { day: fact.day, now, written: now };
    let parsed = self::value(policy, fact, answer, counting)
        .and_then(|value| answers(policy, &called(name), fact, &value).then_some(value).ok_or(Wrong::NoAnswer));
    parsed.map_err(|wrong| match wrong {
        Wrong::StandsForOne => {
            format!("“{value}” in {name} stands for a date: write the date itself, like 2026-11-30 ({source})")
        }
        Wrong::NoDate(why) => {
            format!("{name} is “{value}” ({source}), {why}: write it like 2026-11-30 or 2026-11-30T17:00:00Z")
        }
        Wrong::Unclear(why, moments) => {
            let days: Vec<String> = moments.iter().map(|at| at.format("%Y-%m-%d").to_string()).collect();
            let how = if days.is_empty() {
                "the date, or with its time 2026-11-30T17:00:00Z".into()
            } else {
                days.join(" or ")
            };
            format!("{name} is “{value}” ({source}), {why}: write {how}")
        }
        Wrong::NoAnswer => {
            format!(
                "“{value}” is no answer for {name} ({source}): the answers are {}",
                policy.answers(&called(name)).join(", ")
            )
        }
    })
}

/// Whether a value is one the diagram asks for; a fact it does not ask for can be any word.
fn answers(policy: &Policy, name: &str, fact: &FactBinding, value: &Value) -> bool {
    match (fact.kind, value, policy.answers(name)) {
        (Kind::Instant, ..) | (Kind::Word, _, []) => true,
        (Kind::Word, Value::Word(word), words) => words.contains(word),
        (Kind::Word, Value::Instant(_) | Value::Span(_), _) => false,
    }
}
