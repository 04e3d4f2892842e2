//! From facts to a decision.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};

use super::Policy;
use super::decision::{Against, Decision, NEEDS_FACTS, NOT_APPLICABLE, TagChange};
use super::given::Given;
use super::graph::{Graph, Known, Range, Step, Test, YES_NO};
use super::guess::guess;
use super::holds::valid_until;
use super::keys::{self, Settled, settle};
use super::walk::{Answer, Ending, Explored};
use crate::decide::facts::fact::{Fact, Facts, Legible, Spoken, Trust};

impl Policy {
    /// Decides on `facts` at `now`, against all that is `spoken`; the tags are left to [`Policy::tags`].
    pub fn decide(&self, facts: &Facts, spoken: &Spoken, now: DateTime<Utc>) -> Decision {
        let graph = &self.graph;
        let matter = &graph.matter(&self.binding, facts, spoken);
        let millis = now.timestamp_millis();
        let settled = settle(graph, matter, millis);
        let Settled { explored, slots, verdict, .. } = &settled;
        let (walked, tasks) = ways(graph, explored, *verdict);
        let answered = |node: &usize| {
            let mut answered = self.answered(*node, &matter.given, slots, now)?;
            if keys::is_vouched_for(graph, matter, &settled, millis, *node) {
                answered.trust = answered.trust.max(Trust::Recorded);
            }
            Some(answered)
        };
        let path: Vec<_> = explored.trunk.iter().filter_map(answered).collect();
        let beyond: Vec<_> =
            explored.answered.iter().filter(|node| !explored.trunk.contains(node)).filter_map(answered).collect();
        let name = |outcome: usize| graph.name(outcome).to_owned();
        let node = explored.endings.first().map(|ending| ending.node);
        let node = node.filter(|&node| verdict.is_some() && explored.endings.iter().all(|ending| ending.node == node));
        let open = verdict.is_none();
        let guessed = open.then(|| guess(graph, matter, &settled, millis));
        let likely = guessed.as_ref().and_then(|guessed| guessed.likely);
        let missing = if open { self.missing(matter, &settled, guessed.as_ref(), millis) } else { Vec::new() };
        let proposal = guessed.filter(|guessed| guessed.likely.is_some()).map(|guessed| guessed.taken);
        let proposal = proposal
            .into_iter()
            .flatten()
            .filter_map(|(fact, given)| Some((graph.facts.get(fact)?.name.clone(), graph.shown(fact, &given))));
        let case = self.binding.notes.case.as_ref();
        let workflow = case.and_then(|case| facts.get(case.get_ref())?.known()?.value.word());
        let illegible = match &spoken.legible {
            Legible::No(why) if open && matter.about.is_some() => Some(why.clone()),
            Legible::No(_) | Legible::Yes => None,
        };
        Decision {
            verdict: verdict.map_or_else(|| NEEDS_FACTS.to_owned(), name),
            likely: likely.map(name),
            possible: explored.outcomes().into_iter().map(name).collect(),
            outcome_node: node.map(|node| self.node_id(node).to_owned()),
            trust: path.iter().chain(&beyond).map(|answered| answered.trust).min(),
            path,
            beyond,
            walked: walked.into_iter().map(|node| self.node_id(node).to_owned()).collect(),
            missing,
            against: settled.against.iter().filter(|_| open).filter_map(|against| self.against(against)).collect(),
            proposal: proposal.collect(),
            illegible,
            tasks: tasks.into_iter().map(str::to_owned).collect(),
            workflow: workflow.map(str::to_owned),
            valid_until: valid_until(graph, matter, *verdict, millis).and_then(DateTime::from_timestamp_millis),
            reader: None,
            tags: TagChange::default(),
            policy: self.hash.clone(),
        }
    }

    /// What speaks against a dismissal, as a decision tells it.
    fn against(&self, against: &keys::Against<'_>) -> Option<Against> {
        let (name, fact) = match against {
            keys::Against::Voice(fact, voice) => (self.graph.facts.get(*fact)?.name.as_str(), voice.fact),
            keys::Against::Cry(cry) => (cry.name, cry.fact),
        };
        let Fact { value, trust, source, quote, confidence, .. } = fact;
        let (value, source, quote) = (value.to_string(), source.clone(), quote.clone());
        Some(Against { fact: name.to_owned(), value, trust: *trust, source, quote, confidence: *confidence })
    }

    /// The decision on a ticket the policy does not speak of.
    pub fn not_applicable(&self) -> Decision {
        Decision {
            verdict: NOT_APPLICABLE.to_owned(),
            likely: None,
            possible: Vec::new(),
            outcome_node: None,
            trust: None,
            path: Vec::new(),
            beyond: Vec::new(),
            walked: Vec::new(),
            missing: Vec::new(),
            against: Vec::new(),
            proposal: BTreeMap::new(),
            illegible: None,
            tasks: Vec::new(),
            workflow: None,
            valid_until: None,
            reader: None,
            tags: TagChange::default(),
            policy: self.hash.clone(),
        }
    }

    /// How the tags of a ticket that bears `present` should change for a verdict.
    pub fn tags(&self, verdict: &str, present: &[String]) -> TagChange {
        let wanted = self.outcome(verdict).map(|outcome| outcome.add_tags.as_slice()).unwrap_or_default();
        let ours = |tag: &String| self.binding.outcomes.values().any(|outcome| outcome.add_tags.contains(tag));
        TagChange {
            add: wanted.iter().filter(|tag| !present.contains(tag)).cloned().collect(),
            remove: present.iter().filter(|tag| !wanted.contains(tag) && ours(tag)).cloned().collect(),
        }
    }
}

/// Every node on the way, and the tasks of a decided outcome.
fn ways<'a>(graph: &'a Graph, explored: &Explored, decided: Option<usize>) -> (Vec<usize>, Vec<&'a str>) {
    let mut walked = explored.trunk.clone();
    let met = explored.tasks.iter().filter_map(|&node| match graph.steps.get(node) {
        Some(Step::Task(task, _)) => Some(task.as_str()),
        _ => None,
    });
    let mut tasks: Vec<&str> = met.collect();
    for Ending { node, .. } in explored.endings.iter().filter(|_| decided.is_some()) {
        if !walked.contains(node) {
            walked.push(*node);
        }
        let Some(Step::End { tasks: after, .. }) = graph.steps.get(*node) else { continue };
        for (task, at) in after {
            if !walked.contains(at) {
                walked.push(*at);
            }
            if !tasks.contains(&task.as_str()) {
                tasks.push(task);
            }
        }
    }
    (walked, tasks)
}

impl Graph {
    /// The words for an answer.
    pub(super) fn word(&self, fact: usize, test: Test, answer: Answer) -> Option<&str> {
        match (answer, test, self.facts.get(fact).map(|asked| &asked.range)) {
            (Answer::Is(index), Test::Word, Some(Range::Words(words))) => words.get(index).map(String::as_str),
            (Answer::Is(index), ..) => YES_NO.get(index).copied(),
            (Answer::Open(_), ..) => None,
        }
    }

    /// A fact's value in words: an answer, or an instant as RFC 3339.
    pub(super) fn value(&self, fact: usize, value: Known) -> Cow<'_, str> {
        match (value, self.facts.get(fact).map(|asked| &asked.range)) {
            (Known::Word(index), Some(Range::Words(words))) => {
                words.get(index).map_or(Cow::Borrowed(""), |word| Cow::Borrowed(word))
            }
            (Known::At(at), _) => Cow::Owned(instant(at)),
            (Known::Word(_), _) => Cow::Borrowed(""),
        }
    }

    /// What is given of a fact, in words: an answer, an instant, or a span of time.
    pub(super) fn shown(&self, fact: usize, given: &Given<'_>) -> String {
        let value = self.value(fact, given.value);
        given.until.map_or_else(|| value.clone().into_owned(), |until| format!("{value}/{}", instant(until)))
    }

    pub(super) fn name(&self, outcome: usize) -> &str {
        self.outcomes.get(outcome).map_or("", |outcome| outcome.name.as_str())
    }

    pub(super) fn dismisses(&self, outcome: usize) -> bool {
        self.outcomes.get(outcome).is_some_and(|outcome| outcome.dismisses)
    }
}

/// Milliseconds since 1970 as RFC 3339 in UTC; nothing where no calendar reaches that far.
pub(super) fn instant(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default()
}
