//! Everything known of a ticket, with what managers answered above every other source.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::fact::{Came, Fact, Facts, Finding, Heard, Trust, Value};
use super::replies::{Reply, Says};
use super::sources::{self, Asked, Asking, Ids, Said};
use super::words::{self, Words};
use crate::helpdesk::ticket::Reading;
use crate::policy::Policy;
use crate::policy::binding::{Day, FactBinding, Kind};
use crate::policy::nearest;
use crate::policy::source::{Place, Source, Standing};

/// An answer that stands above every other source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// The fact, as written.
    pub fact: String,
    /// Its value, as written.
    pub value: String,
    /// Who said it, in words.
    pub source: String,
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
}

/// The answers among managers' replies, oldest first, and a problem for each line that is none.
pub fn stated(replies: &[Reply]) -> (Vec<Stated>, Vec<String>) {
    let mut stated = Vec::new();
    let mut problems = Vec::new();
    for Reply { says, source, .. } in replies {
        match says {
            Says::Answer { fact, value } => {
                stated.push(Stated { fact: fact.clone(), value: value.clone(), source: source.clone() });
            }
            Says::Unreadable(line) => {
                problems.push(format!("I cannot read “star: {line}” ({source}): write it like star: trial=yes"));
            }
            Says::Agree | Says::Disagree(_) | Says::Recheck | Says::Stop => {}
        }
    }
    (stated, problems)
}

/// Gathers every fact of the policy: from the stated answers, the later before the earlier, then from the ticket where
/// there is one.
pub fn facts(policy: &Policy, ids: &Ids, reading: Option<&Reading>, stated: &[Stated], now: DateTime<Utc>) -> Gathered {
    let all = policy.binding.facts.keys().map(|name| name.get_ref().as_str());
    let mut gathered = gather(policy, ids, reading, stated, now, Listening::ToAll, all);
    for answer in stated {
        gathered.problems.extend(usable(policy, answer).err());
    }
    gathered
}

/// The facts that a verdict can rest on, as [`facts`] finds them, sooner: what could change none of them is not asked.
pub fn findings(policy: &Policy, ids: &Ids, reading: &Reading, stated: &[Stated], now: DateTime<Utc>) -> Facts {
    gather(policy, ids, Some(reading), stated, now, Listening::ToWhatMatters, policy.asked()).facts
}

fn gather<'a>(
    policy: &'a Policy,
    ids: &Ids,
    reading: Option<&Reading>,
    stated: &[Stated],
    now: DateTime<Utc>,
    listening: Listening,
    names: impl Iterator<Item = &'a str>,
) -> Gathered {
    let none = Reading::default();
    let words = reading.map(|reading| Words::of(reading, &policy.lexicon));
    let (reading, words) = (reading.unwrap_or(&none), words.as_ref());
    let (open, gathered) = (BTreeSet::new(), Gathered::default());
    let mut gathering = Gathering { policy, ids, reading, words, now, stated, listening, open, gathered };
    names.for_each(|name| gathering.find(name));
    gathering.gathered
}

/// Whose word is listened to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Listening {
    /// Every source's, to show what each said.
    ToAll,
    /// Theirs who can still change what is found: a guess behind an answer cannot.
    ToWhatMatters,
}

impl Listening {
    fn hears(self, place: &Place) -> bool {
        match place {
            Place::Otherwise(_) => false,
            Place::Text { .. } | Place::TextDate(_) | Place::Unclear(_) => self == Listening::ToAll,
            Place::Tag { .. }
            | Place::Form { .. }
            | Place::Field { .. }
            | Place::Organization { .. }
            | Place::OrganizationTag { .. }
            | Place::Lookup { .. }
            | Place::Image { .. }
            | Place::Hours(_) => true,
        }
    }
}

struct Gathering<'a> {
    policy: &'a Policy,
    ids: &'a Ids,
    reading: &'a Reading,
    words: Option<&'a Words<'a>>,
    now: DateTime<Utc>,
    stated: &'a [Stated],
    listening: Listening,
    /// Facts whose sources are being asked.
    open: BTreeSet<String>,
    gathered: Gathered,
}

impl Gathering<'_> {
    /// Finds a fact, and before it those its sources depend on; sound policies have no circles.
    fn find(&mut self, name: &str) {
        let Some(fact) = self.policy.binding.fact(name) else { return };
        if self.gathered.facts.contains_key(name) || !self.open.insert(name.to_owned()) {
            return;
        }
        let day = match self.holds(&fact.day_ends_when) {
            Some(trust) if !fact.day_ends_when.is_empty() && trust > Trust::Inferred => Day::End,
            Some(_) | None => fact.day,
        };
        let mut heard = Vec::new();
        let mut finding = self.read(fact, day, &mut heard);
        let answered = |answer: &&Stated| answer.fact == name && usable(self.policy, answer).is_ok();
        if let Some(answer) = self.stated.iter().rev().find(answered)
            && let Some(value) = sources::parse(fact, &answer.value, day)
        {
            heard.iter_mut().filter(|heard| !matches!(heard.came, Came::SetAside(_))).for_each(|heard| {
                heard.came = Came::Overruled(answer.source.clone());
            });
            heard.insert(0, Heard { said: value.to_string(), source: answer.source.clone(), came: Came::Taken });
            finding = Finding::Known(Fact { value, trust: Trust::Stated, source: answer.source.clone(), quote: None });
        }
        self.gathered.heard.insert(name.to_owned(), heard);
        self.gathered.facts.insert(name.to_owned(), finding);
    }

    /// Asks every source in order; the first that answers wins, unless another record contradicts it.
    fn read(&mut self, fact: &FactBinding, day: Day, heard: &mut Vec<Heard>) -> Finding {
        let mut looked: Vec<String> = Vec::new();
        let mut readings: Vec<DateTime<Utc>> = Vec::new();
        let mut taken: Option<(Fact, &Source)> = None;
        let mut conflict: Option<Fact> = None;
        let mut doubt: Option<String> = None;
        for source in &fact.sources {
            let Some(condition) = self.holds(&source.when) else { continue };
            if taken.is_some() && !self.listening.hears(&source.place) {
                continue;
            }
            let Self { ids, reading, words, now, .. } = *self;
            let Asking { said, set_aside } =
                sources::ask(&source.place, fact, &Asked { ids, reading, words, now, day });
            heard.extend(set_aside.into_iter().map(|(quote, why)| Heard {
                said: format!("“{}”", quote.words),
                source: quote.place,
                came: Came::SetAside(why),
            }));
            let mut answer = match said {
                Said::Answer(answer) => answer,
                Said::Nothing => continue,
                Said::Doubt(quote) => {
                    doubt.get_or_insert(words::cited(&quote));
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
            answer.trust = answer.trust.min(condition);
            if let Some(doubt) = doubt.as_ref().filter(|_| matches!(source.place, Place::Otherwise(_))) {
                answer.trust = Trust::Inferred;
                answer.source = format!("the policy's own word, though {doubt} leaves it open");
            }
            if let Some(caveat) = &source.caveat {
                answer.source = format!("{}, {caveat}", answer.source);
            }
            let mut came = Came::Taken;
            if let Some((first, firsts)) = &taken {
                came = Came::Overruled(first.source.clone());
                if contradicts((&answer, source), (first, firsts)) {
                    came = Came::Contradicts(first.source.clone());
                    conflict.get_or_insert_with(|| answer.clone());
                }
            }
            heard.push(Heard { said: answer.value.to_string(), source: shown(&answer), came });
            taken.get_or_insert((answer, source));
        }
        match (taken, conflict) {
            (Some((first, _)), Some(other)) => {
                heard.iter_mut().filter(|heard| heard.came == Came::Taken).for_each(|heard| {
                    heard.came = Came::Contradicts(other.source.clone());
                });
                Finding::Conflict(Box::new((first, other)))
            }
            (Some((first, _)), None) => Finding::Known(first),
            (None, _) => Finding::Unknown { looked, readings },
        }
    }

    /// Whether facts have these answers, and how sure that is.
    fn holds(&mut self, when: &BTreeMap<String, String>) -> Option<Trust> {
        let mut weakest = Trust::Stated;
        for (name, answer) in when {
            self.find(name);
            let fact = self.gathered.facts.get(name)?.known()?;
            if fact.value != Value::Word(answer.clone()) {
                return None;
            }
            weakest = weakest.min(fact.trust);
        }
        Some(weakest)
    }
}

/// Whether two records contradict each other; see [`Standing`].
fn contradicts((other, source): (&Fact, &Source), (first, firsts): (&Fact, &Source)) -> bool {
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

fn shown(fact: &Fact) -> String {
    fact.quote.as_ref().map_or_else(|| fact.source.clone(), words::cited)
}

/// The value of a stated answer, or in one sentence what is wrong with it.
pub fn usable(policy: &Policy, answer: &Stated) -> Result<Value, String> {
    let Stated { fact: name, value, source } = answer;
    let Some(fact) = policy.binding.fact(name) else {
        let there: Vec<&str> = policy.binding.facts.keys().map(|name| name.get_ref().as_str()).collect();
        let help = nearest(name, &there)
            .map_or_else(|| format!("there are {}", there.join(", ")), |near| format!("did you mean {near}?"));
        return Err(format!("there is no fact “{name}” ({source}): {help}"));
    };
    let parsed = sources::parse(fact, value, fact.day).filter(|value| answers(policy, name, fact, value));
    parsed.ok_or_else(|| match fact.kind {
        Kind::Instant => {
            format!("“{value}” is no date for {name} ({source}): write it like 2026-11-30 or 2026-11-30T17:00:00Z")
        }
        Kind::Word => {
            format!("“{value}” is no answer for {name} ({source}): the answers are {}", policy.answers(name).join(", "))
        }
    })
}

/// Whether a value is one the diagram asks for; a fact it does not ask for can be any word.
fn answers(policy: &Policy, name: &str, fact: &FactBinding, value: &Value) -> bool {
    match (fact.kind, value, policy.answers(name)) {
        (Kind::Instant, ..) | (Kind::Word, _, []) => true,
        (Kind::Word, Value::Word(word), words) => words.contains(word),
        (Kind::Word, Value::Instant(_), _) => false,
    }
}
