//! What a table of cases does not see: parts of the policy that no case reaches, and small changes that none notices.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};

use super::cases::Cases;
use crate::decide::facts::gather::Stated;
use crate::decide::facts::source::{Given, Source};
use crate::decide::facts::sources::Ids;
use crate::decide::judge::{self, Judged};
use crate::decide::policy::Policy;
use crate::decide::policy::binding::Meaning;
use crate::decide::policy::decision::{Decision, NEEDS_FACTS};
use crate::decide::policy::mutants::{Bears, Mutant, Worth};
use crate::decide::ticket::{OwnUsers, Reading, Ticket};

/// Parts of a policy that no case reaches, a line each.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Coverage {
    /// Links no case takes, as they are drawn.
    pub links: Vec<String>,
    /// Verdicts no case has.
    pub outcomes: Vec<String>,
    /// Sources that make no difference to any case.
    pub sources: Vec<String>,
    /// Sides of a span of time on which no case lies within an hour.
    pub boundaries: Vec<String>,
}

/// A small change that no case notices.
#[derive(Debug, serde::Serialize)]
pub struct Unnoticed {
    /// What was changed.
    pub change: String,
    /// Its line in the text it is in, from 1.
    pub line: usize,
    /// A case that would notice it, as it would stand in the file; none where none was found.
    pub proposed: Option<String>,
}

/// What became of the small changes of a policy.
#[derive(Debug, serde::Serialize)]
pub struct Mutants {
    /// How many there are.
    pub mutants: usize,
    /// Those that no case notices.
    pub unnoticed: Vec<Unnoticed>,
}

impl Coverage {
    /// Whether cases reach everything.
    pub fn is_whole(&self) -> bool {
        *self == Coverage::default()
    }

    /// What the cases do not reach.
    pub fn of(cases: &Cases, policy: &mut Policy) -> Coverage {
        let judged: Vec<Judged> = cases.cases.iter().map(|case| case.judged(policy, cases.now)).collect();
        let (mut taken, mut rests) = (BTreeSet::new(), BTreeSet::new());
        for judged in &judged {
            taken.extend(policy.lit(&judged.decision).taken);
            rests.extend(judged.decision.outcome_node.clone());
        }
        let name = |node: usize| policy.diagram.nodes.get(node).map_or("", |node| node.id.as_str());
        let missed = policy
            .diagram
            .edges
            .iter()
            .enumerate()
            .filter(|(index, edge)| edge.carries_meaning() && !taken.contains(index));
        let mut links: Vec<String> = missed
            .map(|(_, edge)| match &edge.label {
                Some(label) => format!("{}-->|{label}|{}", name(edge.from), name(edge.to)),
                None => format!("{}-->{}", name(edge.from), name(edge.to)),
            })
            .collect();
        let resting = policy.binding.nodes.iter().filter(|(_, meaning)| matches!(meaning, Meaning::OnlyIf { .. }));
        links.extend(
            resting
                .filter(|(node, _)| !rests.contains(node.get_ref()))
                .map(|(node, _)| format!("{} rests", node.get_ref())),
        );
        let had: BTreeSet<&str> = judged.iter().map(|judged| judged.decision.verdict.as_str()).collect();
        let outcomes = policy.binding.outcomes.keys().map(|name| name.get_ref().clone());
        let outcomes = outcomes.filter(|name| !had.contains(name.as_str())).collect();
        let boundaries = boundaries(policy, cases, &judged);
        let sources = sources(policy, cases, &judged);
        Coverage { links, outcomes, sources, boundaries }
    }
}

/// The sides of each span within an hour of which no case asks.
fn boundaries(policy: &Policy, cases: &Cases, judged: &[Judged]) -> Vec<String> {
    let mut missed = Vec::new();
    for (node, meaning) in &policy.binding.nodes {
        let Meaning::MoreThan { span, .. } = meaning else { continue };
        let mut sides = [("at most", false), ("more than", false)];
        for (case, judged) in cases.cases.iter().zip(judged) {
            let asked = judged.decision.path.iter().filter(|answered| answered.node == *node.get_ref());
            for answered in asked {
                let Ok(at) = answered.value.parse::<DateTime<Utc>>() else { continue };
                let beyond = (at - case.now.unwrap_or(cases.now)).num_milliseconds() - span.0;
                let [at_most, more_than] = &mut sides;
                at_most.1 |= (-3_600_000..=0).contains(&beyond);
                more_than.1 |= (1..=3_600_000).contains(&beyond);
            }
        }
        missed.extend(
            sides
                .iter()
                .filter(|(_, met)| !met)
                .map(|(side, _)| format!("`{}`: {side} its span, by an hour or less", node.get_ref())),
        );
    }
    missed
}

/// The sources without which the facts of every case are the same.
fn sources(policy: &mut Policy, cases: &Cases, judged: &[Judged]) -> Vec<String> {
    let facts: Vec<(String, usize)> =
        policy.binding.facts.iter().map(|(name, fact)| (name.get_ref().clone(), fact.sources.len())).collect();
    let mut missed = Vec::new();
    for (fact, count) in facts.iter().filter(|(fact, _)| policy.bears(fact)) {
        for place in 0..*count {
            let mut mutant = policy.without_source(fact, place);
            let matters = policy.under(&mut mutant, |policy| {
                let mut both = cases.cases.iter().zip(judged).filter(|(case, _)| case.ticket.is_some());
                both.any(|(case, judged)| case.judged(policy, cases.now).facts != judged.facts)
            });
            if !matters {
                missed.push(format!("{fact}: source {} (line {})", place + 1, line(&policy.text, mutant.span.start)));
            }
        }
    }
    missed
}

/// Changes a policy in every small way, and says which changes no case notices.
pub fn mutants(cases: &Cases, policy: &mut Policy) -> Mutants {
    let all = policy.mutants();
    let (count, now) = (all.len(), cases.now);
    let walks = policy.walks(now.timestamp_millis());
    let mut unnoticed = Vec::new();
    for mut mutant in all {
        let noticed = policy.under(&mut mutant, |policy| cases.cases.iter().any(|case| !case.holds(policy, now)));
        if !noticed {
            let text = match mutant.document {
                crate::decide::policy::fault::Document::Binding => &policy.text,
                crate::decide::policy::fault::Document::Diagram => &policy.mermaid,
            };
            let line = line(text, mutant.span.start);
            let proposed = proposed(policy, &mut mutant, &walks, now);
            unnoticed.push(Unnoticed { change: mutant.what, line, proposed });
        }
    }
    Mutants { mutants: count, unnoticed }
}

fn line(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or_default().matches('\n').count() + 1
}

/// The first case, of those that come to mind, that is decided otherwise with the change.
fn proposed(
    policy: &mut Policy,
    mutant: &mut Mutant,
    walks: &[Vec<(String, Worth)>],
    now: DateTime<Utc>,
) -> Option<String> {
    let candidates: Vec<Candidate> = walks.iter().flat_map(|walk| Candidate::of(policy, mutant, walk)).collect();
    let before: Vec<Decision> = candidates.iter().map(|candidate| candidate.decision(policy, now)).collect();
    let place = policy.under(mutant, |policy| {
        let differs = |(candidate, before): (&Candidate, &Decision)| {
            let after = candidate.decision(policy, now);
            let asks =
                |decision: &Decision| decision.missing.iter().map(|missing| missing.fact.clone()).collect::<Vec<_>>();
            after.verdict != before.verdict || asks(&after) != asks(before) || after.tags != before.tags
        };
        candidates.iter().zip(&before).position(differs)
    })?;
    Some(candidates.get(place)?.written(&mutant.what, before.get(place)?))
}

/// A case that might notice a change: facts, and what a ticket bears besides what makes the policy speak of it.
#[derive(Debug)]
struct Candidate {
    facts: Vec<(String, String)>,
    ticket: Option<(Ticket, Bears)>,
    policy_ids: Ids,
}

impl Candidate {
    fn of(policy: &Policy, mutant: &Mutant, walk: &[(String, Worth)]) -> Vec<Candidate> {
        let written = |worth: &Worth| match worth {
            Worth::Word(word) => word.clone(),
            Worth::At(at) => {
                DateTime::from_timestamp_millis(*at).unwrap_or_default().to_rfc3339_opts(SecondsFormat::AutoSi, true)
            }
        };
        let facts: Vec<(String, String)> = walk
            .iter()
            .filter(|(name, _)| Some(name) != mutant.fact.as_ref())
            .map(|(name, worth)| (name.clone(), written(worth)))
            .collect();
        let ids = Ids::new(&policy.binding, &Ids::default());
        let bare = mutant.fact.is_none() && mutant.bears == Bears::default();
        let mut all = vec![Candidate { facts: facts.clone(), ticket: None, policy_ids: ids.clone() }];
        if !bare {
            all.push(Candidate {
                facts,
                ticket: Some((ticket(policy, &mutant.bears), mutant.bears.clone())),
                policy_ids: ids,
            });
        }
        all
    }

    fn decision(&self, policy: &Policy, now: DateTime<Utc>) -> Decision {
        let stated = self.facts.iter().map(|(fact, value)| Stated {
            fact: fact.clone(),
            value: value.clone(),
            source: Source::Given(Given::Case),
        });
        let stated: Vec<Stated> = stated.collect();
        let reading = self.ticket.as_ref().map(|(ticket, _)| Reading { ticket: ticket.clone(), ..Reading::default() });
        judge::ticket(policy, &self.policy_ids, reading.as_ref(), &[], &stated, &OwnUsers::none(), now).decision
    }

    /// The case as it would stand in the file, with what the policy decides as it is.
    fn written(&self, change: &str, decision: &Decision) -> String {
        let mut text = format!("[[case]]\nname = {:?}\n", format!("notices: {change}").replace('`', ""));
        if let Some((ticket, _)) = &self.ticket {
            let quoted: Vec<String> = ticket.tags.iter().map(|tag| format!("{tag:?}")).collect();
            text.push_str(&format!(
                "ticket = {{ id = 1, status = {:?}, tags = [{}] }}\n",
                ticket.status,
                quoted.join(", ")
            ));
        }
        if !self.facts.is_empty() {
            let facts: Vec<String> = self.facts.iter().map(|(fact, value)| format!("{fact} = {value:?}")).collect();
            text.push_str(&format!("facts = {{ {} }}\n", facts.join(", ")));
        }
        text.push_str(&format!("verdict = {:?}\n", decision.verdict));
        if decision.verdict == NEEDS_FACTS {
            let asks: Vec<String> = decision.missing.iter().map(|missing| format!("{:?}", missing.fact)).collect();
            text.push_str(&format!("asks = [{}]\n", asks.join(", ")));
        }
        text
    }
}

/// A ticket that the policy speaks of, and that bears something besides.
fn ticket(policy: &Policy, bears: &Bears) -> Ticket {
    let mut tags: Vec<String> = policy
        .binding
        .applies_to
        .conditions
        .values()
        .filter_map(|condition| condition.tag_any.first().cloned())
        .collect();
    tags.extend(bears.tag.clone());
    Ticket { id: 1, status: bears.status.clone().unwrap_or_else(|| "open".into()), tags, ..Ticket::default() }
}
