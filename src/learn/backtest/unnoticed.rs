//! What a table of cases does not see: parts of the policy that no case reaches, and small changes that none notices.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};

use super::cases::{self, Cases, Prepared};
use crate::decide::facts::gather::Stated;
use crate::decide::facts::source::{Given, Source};
use crate::decide::facts::sources::Ids;
use crate::decide::judge::{self, Judged};
use crate::decide::policy::Policy;
use crate::decide::policy::binding::Meaning;
use crate::decide::policy::decision::{Decision, NEEDS_FACTS};
use crate::decide::policy::fault::Document;
use crate::decide::policy::mutants::{Bears, Mutant, Worth};
use crate::decide::ticket::{CustomField, Organization, OwnUsers, Reading, Ticket};

/// Parts of a policy that no case reaches, a line each.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Coverage {
    /// Links no case takes, as they are drawn.
    pub links: Vec<String>,
    /// Verdicts no case has.
    pub outcomes: Vec<String>,
    /// Sources that make no difference to any case.
    pub sources: Vec<String>,
    /// Patterns of which the same is true.
    pub patterns: Vec<String>,
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
        let prepared = cases.prepared(policy);
        let judged: Vec<Judged> = prepared.iter().map(|case| case.judged(policy)).collect();
        let (mut taken, mut rests) = (BTreeSet::new(), BTreeSet::new());
        for judged in &judged {
            taken.extend(policy.taken_by(&judged.decision));
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
        let boundaries = boundaries(policy, &prepared, &judged);
        let (sources, patterns) = sources(policy, &prepared, &judged);
        Coverage { links, outcomes, sources, patterns, boundaries }
    }
}

/// The sides of each span within an hour of which no case asks.
fn boundaries(policy: &Policy, cases: &[Prepared<'_>], judged: &[Judged]) -> Vec<String> {
    let mut missed = Vec::new();
    for (node, meaning) in &policy.binding.nodes {
        let Meaning::MoreThan { span, .. } = meaning else { continue };
        let mut sides = [("at most", false), ("more than", false)];
        for (case, judged) in cases.iter().zip(judged) {
            let asked = judged.decision.path.iter().filter(|answered| answered.node == *node.get_ref());
            for answered in asked {
                let Ok(at) = answered.value.parse::<DateTime<Utc>>() else { continue };
                let beyond = (at - case.now).num_milliseconds() - span.0;
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

/// The sources, and the patterns, without which the facts of every case are the same.
fn sources(policy: &mut Policy, cases: &[Prepared<'_>], judged: &[Judged]) -> (Vec<String>, Vec<String>) {
    let facts = policy.binding.facts.iter().filter(|(name, _)| policy.bears(name.get_ref()));
    let facts: Vec<(String, usize)> = facts.map(|(name, fact)| (name.get_ref().clone(), fact.sources.len())).collect();
    let matters = |policy: &mut Policy, mut mutant: Mutant| {
        policy.under(&mut mutant, |policy| {
            let mut both = cases.iter().zip(judged).filter(|(case, _)| case.case.ticket.is_some());
            both.any(|(case, judged)| case.judged(policy).facts != judged.facts)
        })
    };
    let (mut missed, mut unfound) = (Vec::new(), Vec::new());
    for (fact, count) in &facts {
        for place in 0..*count {
            let mutant = policy.without_source(fact, place);
            let told = format!("{fact}: source {} (line {})", place + 1, line(&policy.text, mutant.span.start));
            if !matters(policy, mutant) {
                missed.push(told);
                continue;
            }
            for mutant in policy.without_patterns(fact, place) {
                let told = mutant.what.clone();
                unfound.extend((!matters(policy, mutant)).then_some(told));
            }
        }
    }
    (missed, unfound)
}

/// Changes a policy in every small way, and says which changes no case notices.
pub fn mutants(cases: &Cases, policy: &mut Policy) -> Mutants {
    let all = policy.mutants();
    let (count, now, prepared) = (all.len(), cases.now, cases.prepared(policy));
    let walks = policy.walks(now.timestamp_millis());
    let mut unnoticed = Vec::new();
    for mut mutant in all {
        let noticed = policy.under(&mut mutant, |policy| prepared.iter().any(|case| case.failed(policy).is_some()));
        if !noticed {
            let text = match mutant.document {
                Document::Diagram => &policy.mermaid,
                Document::Binding | Document::Examples(_) => &policy.text,
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
    let candidates: Vec<Candidate> = walks.iter().flat_map(|walk| Candidate::of(mutant, walk)).collect();
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
    Some(candidates.get(place)?.written(policy, &mutant.what, before.get(place)?))
}

/// A case that might notice a change: facts, and what a ticket bears besides what makes the policy speak of it.
#[derive(Debug)]
struct Candidate {
    facts: Vec<(String, String)>,
    bears: Option<Bears>,
}

impl Candidate {
    fn of(mutant: &Mutant, walk: &[(String, Worth)]) -> Vec<Candidate> {
        let written = |worth: &Worth| match worth {
            Worth::Word(word) => word.clone(),
            Worth::At(at) => {
                DateTime::from_timestamp_millis(*at).unwrap_or_default().to_rfc3339_opts(SecondsFormat::AutoSi, true)
            }
        };
        let others = walk.iter().filter(|(name, _)| Some(name) != mutant.fact.as_ref());
        let facts: Vec<(String, String)> = others.map(|(name, worth)| (name.clone(), written(worth))).collect();
        let bare = mutant.fact.is_none() && mutant.bears == Bears::default();
        let bearing = (!bare).then(|| Candidate { facts: facts.clone(), bears: Some(mutant.bears.clone()) });
        [Candidate { facts, bears: None }].into_iter().chain(bearing).collect()
    }

    fn decision(&self, policy: &Policy, now: DateTime<Utc>) -> Decision {
        let stated = self.facts.iter().map(|(fact, value)| Stated {
            fact: fact.clone(),
            value: value.clone(),
            source: Source::Given(Given::Case),
        });
        let (stated, ids): (Vec<Stated>, Ids) = (stated.collect(), cases::ids(policy));
        let reading = self.bears.as_ref().map(|bears| reading(policy, &ids, bears));
        judge::ticket(policy, &ids, reading.as_ref(), &[], &stated, &OwnUsers::none(), now).decision
    }

    /// The case as it would stand in the file, with what the policy decides as it is.
    fn written(&self, policy: &Policy, change: &str, decision: &Decision) -> String {
        let mut text = format!("[[case]]\nname = {:?}\n", format!("notices: {change}").replace('`', ""));
        if let Some(bears) = &self.bears {
            let Ticket { status, tags, ticket_form_id, .. } = reading(policy, &cases::ids(policy), bears).ticket;
            let form = ticket_form_id.map(|id| format!(", ticket_form_id = {id}")).unwrap_or_default();
            text.push_str(&format!("ticket = {{ id = 1, status = {status:?}, tags = {tags:?}{form} }}\n"));
            let fields = bears.field.iter().map(|(name, value)| format!("fields = {{ {name} = {value:?} }}\n"));
            let tags =
                bears.organization_tag.iter().map(|tag| format!("organization = {{ id = 9, tags = [{tag:?}] }}\n"));
            let keys = bears.organization.iter().map(|(key, value)| {
                format!("organization = {{ id = 9, organization_fields = {{ {key} = {value:?} }} }}\n")
            });
            text.extend(fields.chain(tags).chain(keys));
        }
        if !self.facts.is_empty() {
            let facts: Vec<String> = self.facts.iter().map(|(fact, value)| format!("{fact} = {value:?}")).collect();
            text.push_str(&format!("facts = {{ {} }}\n", facts.join(", ")));
        }
        text.push_str(&format!("verdict = {:?}\n", decision.verdict));
        if decision.verdict == NEEDS_FACTS {
            let asks: Vec<&str> = decision.missing.iter().map(|missing| missing.fact.as_str()).collect();
            text.push_str(&format!("asks = {asks:?}\n"));
        }
        text
    }
}

/// A ticket that the policy speaks of, and that bears something besides.
fn reading(policy: &Policy, ids: &Ids, bears: &Bears) -> Reading {
    let conditions = policy.binding.applies_to.conditions.values();
    let mut tags: Vec<String> = conditions.filter_map(|condition| condition.tag_any.first().cloned()).collect();
    tags.extend(bears.tag.clone());
    let id = |ids: &BTreeMap<String, Vec<u64>>, name: &str| ids.get(name).and_then(|ids| ids.first()).copied();
    let field = bears
        .field
        .as_ref()
        .and_then(|(name, value)| Some(CustomField { id: id(&ids.fields, name)?, value: value.clone().into() }));
    let ticket = Ticket {
        id: 1,
        status: bears.status.clone().unwrap_or_else(|| "open".into()),
        tags,
        ticket_form_id: bears.form.as_ref().and_then(|form| id(&ids.forms, form)),
        custom_fields: field.into_iter().collect(),
        ..Ticket::default()
    };
    let known = bears.organization.is_some() || bears.organization_tag.is_some();
    let organization = known.then(|| Organization {
        id: 9,
        tags: bears.organization_tag.clone().into_iter().collect(),
        organization_fields: bears
            .organization
            .iter()
            .map(|(key, value)| (key.clone(), value.clone().into()))
            .collect(),
        ..Organization::default()
    });
    Reading { ticket, organization, ..Reading::default() }
}
