//! Decisions by facts that are asked for as the way comes to them; and kept by what is known, for many past tickets are
//! alike in that.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Policy;
use super::decision::Decision;
use super::given::Given;
use super::graph::{Exit, Graph, Known, Range, Step};
use super::walk::{Answer, Slots};
use crate::decide::facts::fact::{Find, Trust};

/// How many decisions are kept; what comes later is decided anew each time.
const MOST_KEPT: usize = 4096;

/// What a policy made of what was known.
#[derive(Debug, Default)]
pub struct Alike {
    /// By what is known of each fact, as a number.
    kept: HashMap<Vec<u32>, Arc<Decision>>,
    not_applicable: Option<Arc<Decision>>,
}

impl Policy {
    /// Decides at `now`; the tags, the workflow and how long it holds are left out.
    pub fn decide_as_asked(&self, facts: &mut dyn Find, now: DateTime<Utc>) -> Decision {
        self.graph.ask(facts, now.timestamp_millis());
        self.decided(&self.graph.given_by(|name| facts.found(name)), now).0.into()
    }

    /// The same; or such a decision on an earlier ticket of which the same was known, with the same verdict, way and open
    /// questions: only the words in which it tells its answers, and where they were read, are the earlier one's.
    pub fn decide_alike(&self, alike: &mut Alike, facts: &mut dyn Find, now: DateTime<Utc>) -> Arc<Decision> {
        let millis = now.timestamp_millis();
        self.graph.ask(facts, millis);
        let given = self.graph.given_by(|name| facts.found(name));
        let known: Vec<u32> =
            self.graph.facts.iter().zip(&given).map(|(asked, given)| number(&asked.range, *given, millis)).collect();
        if let Some(kept) = alike.kept.get(&known) {
            return kept.clone();
        }
        let decision: Arc<Decision> = Arc::new(self.decided(&given, now).0.into());
        if alike.kept.len() < MOST_KEPT {
            alike.kept.insert(known, decision.clone());
        }
        decision
    }

    /// The decision on a ticket the policy does not speak of.
    pub fn not_applicable_alike(&self, alike: &mut Alike) -> Arc<Decision> {
        alike.not_applicable.get_or_insert_with(|| Arc::new(self.not_applicable())).clone()
    }
}

/// What is known of a fact, as a number: no answer can tell two instants apart that have the same number of the distances
/// behind them at which answers turn, nor a manager's word from a record.
fn number(range: &Range, given: Option<Given<'_>>, now: i64) -> u32 {
    let Some(given) = given else { return 0 };
    let which = match (given.value, range) {
        (Known::Word(word), _) => word,
        (Known::At(at), Range::Instant(distances)) => {
            distances.iter().filter(|distance| at > now.saturating_add(**distance)).count()
        }
        (Known::At(_), Range::Words(_)) => 0,
    };
    u32::try_from(which).unwrap_or(u32::MAX / 4) * 2 + u32::from(given.is_guess()) + 1
}

impl Graph {
    /// Asks for the facts on the one way to the end; for all of them, where it comes to an open question, or a guess on it
    /// may have to be set aside.
    fn ask(&self, facts: &mut dyn Find, now: i64) {
        let mut asking = Asking { graph: self, facts, slots: vec![None; self.facts.len()], guessed: false };
        let mut node = self.start;
        loop {
            let outcome = match self.steps.get(node) {
                Some(Step::Pass(to) | Step::Task(_, to)) => {
                    node = *to;
                    continue;
                }
                Some(Step::End { outcome, .. }) => *outcome,
                Some(Step::Ask { fact, test, exits }) => {
                    asking.know(*fact);
                    match self.answer(*fact, *test, &asking.slots, now) {
                        Answer::Is(answer) => match exits.get(answer) {
                            Some(Exit::Node(to)) => {
                                node = *to;
                                continue;
                            }
                            Some(Exit::Rest(outcome)) => *outcome,
                            None => break,
                        },
                        Answer::Open(_) => break,
                    }
                }
                Some(Step::Past) | None => break,
            };
            if asking.guessed && self.dismisses(outcome) {
                break;
            }
            return;
        }
        for asked in &self.facts {
            asking.facts.fact(&asked.name);
        }
    }
}

struct Asking<'a> {
    graph: &'a Graph,
    facts: &'a mut dyn Find,
    slots: Slots,
    /// Whether one of them is a guess.
    guessed: bool,
}

impl Asking<'_> {
    /// Asks for a fact, and where it is not known for those it follows from.
    fn know(&mut self, fact: usize) {
        if self.ask(fact) {
            return;
        }
        match self.graph.grace {
            Some(grace) if fact == grace.in_grace => {
                self.ask(grace.expires_at);
                self.ask(grace.grace_ends_at);
            }
            Some(grace) if fact == grace.grace_ends_at => {
                self.ask(grace.expires_at);
            }
            Some(_) | None => {}
        }
    }

    /// Whether it is known.
    fn ask(&mut self, fact: usize) -> bool {
        let Some(asked) = self.graph.facts.get(fact) else { return false };
        let Some(found) = self.facts.fact(&asked.name) else { return false };
        let (value, guess) = (asked.range.known(&found.value), found.trust == Trust::Inferred);
        let known = value.is_some();
        if let Some(slot) = self.slots.get_mut(fact) {
            *slot = value;
        }
        self.guessed |= known && guess;
        known
    }
}
