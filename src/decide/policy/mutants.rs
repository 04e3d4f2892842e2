//! Small changes of a policy: each exit, source, tag, span and outcome changed once, to see whether a table of cases notices.

use std::mem::swap;
use std::ops::Range;

use super::Policy;
use super::binding::{Binding, Meaning, Span};
use super::check;
use super::decision::NEEDS_FACTS;
use super::diagram::Diagram;
use super::examples;
use super::fault::Document;
use super::graph::{Known, Step};
use super::source::{Pattern, Place, Says, SourceBinding, Standing};
use super::spans::written;
use super::spots::Spots;
use super::walk::{Answer, Slots, with};
use crate::decide::facts::expiry::Day;

const HOUR: i64 = 3_600_000;

/// One small change of a policy.
#[derive(Debug)]
pub struct Mutant {
    /// What is changed, in words.
    pub what: String,
    /// Which text it is in.
    pub document: Document,
    /// Where, bytes.
    pub span: Range<usize>,
    /// The fact whose sources it changes; none where it changes the chart or the whole.
    pub fact: Option<String>,
    /// What a ticket must bear for the change to matter.
    pub bears: Bears,
    binding: Binding,
    diagram: Diagram,
}

/// What a ticket bears that a source speaks of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bears {
    /// A tag of its own.
    pub tag: Option<String>,
    /// A tag of its requester's organisation.
    pub organization_tag: Option<String>,
    /// A form, by its name.
    pub form: Option<String>,
    /// A field, by its name, with its value.
    pub field: Option<(String, String)>,
    /// A field of the organisation, by its key, with its value.
    pub organization: Option<(String, String)>,
    /// Its status.
    pub status: Option<String>,
}

impl Policy {
    /// Every small change of the policy.
    pub fn mutants(&self) -> Vec<Mutant> {
        let spots = Spots::new(examples::parted(&self.text).0);
        let mut changes = Changes { policy: self, spots: &spots, mutants: Vec::new() };
        changes.chart();
        changes.spans();
        changes.outcomes();
        changes.facts();
        changes.dismissal();
        changes.applies_to();
        changes.mutants
    }

    /// The policy without one pattern of a source, for each of a source with several.
    pub fn without_patterns(&self, fact: &str, place: usize) -> Vec<Mutant> {
        let source = self.binding.fact(fact).and_then(|bound| bound.sources.get(place));
        let patterns = source.map(SourceBinding::patterns).filter(|patterns| patterns.len() > 1).unwrap_or_default();
        let without = |(at, pattern): (usize, &Pattern)| {
            let mut mutant = self.unchanged(format!("`{fact}` without its pattern `{}`", pattern.0.text()));
            let changed = mutant.binding.facts.get_mut(fact).and_then(|bound| bound.sources.get_mut(place));
            changed.into_iter().for_each(|source| source.drop_pattern(at));
            mutant
        };
        patterns.iter().enumerate().map(without).collect()
    }

    /// The policy without one source of a fact.
    pub fn without_source(&self, fact: &str, place: usize) -> Mutant {
        let mut mutant = self.unchanged(format!("`{fact}` without its source {}", place + 1));
        if let Some(bound) = mutant.binding.facts.get_mut(fact).filter(|bound| place < bound.sources.len()) {
            mutant.bears = bound.sources.remove(place).bears();
        }
        mutant.span = Spots::new(examples::parted(&self.text).0).value(&["facts", fact, "sources", &place.to_string()]);
        mutant.fact = Some(fact.to_owned());
        mutant
    }

    /// What `look` sees of the policy while it is changed; afterwards it is as before.
    pub fn under<T>(&mut self, mutant: &mut Mutant, look: impl FnOnce(&Policy) -> T) -> T {
        let mut graph = check::unchecked(&mutant.diagram, &mutant.binding);
        let mut exchange = |policy: &mut Policy| {
            swap(&mut policy.binding, &mut mutant.binding);
            swap(&mut policy.diagram, &mut mutant.diagram);
            swap(&mut policy.graph, &mut graph);
        };
        exchange(self);
        let seen = look(self);
        exchange(self);
        seen
    }

    /// Facts, each with its value, that lead every way through the chart, on both sides of each boundary at `now`
    /// (milliseconds since 1970).
    pub fn walks(&self, now: i64) -> Vec<Vec<(String, Worth)>> {
        const MOST: usize = 400;
        let graph = &self.graph;
        let mut walks: Vec<Vec<(String, Worth)>> = Vec::new();
        let mut ahead: Vec<(usize, Slots)> = vec![(graph.start, vec![None; graph.facts.len()])];
        while let Some((node, slots)) = ahead.pop().filter(|_| walks.len() < MOST) {
            match graph.steps.get(node) {
                Some(Step::Pass(to) | Step::Task(_, to)) => ahead.push((*to, slots)),
                Some(Step::Ask { fact, test, exits }) => {
                    let values = match slots.get(*fact).copied().flatten() {
                        Some(known) => vec![known],
                        None => graph.values(*fact, now).into_iter().flat_map(beside).collect(),
                    };
                    for value in values {
                        let slots = with(&slots, *fact, value);
                        let Answer::Is(answer) = graph.answer(*fact, *test, &slots, now) else { continue };
                        match exits.get(answer) {
                            Some(super::graph::Exit::Node(to)) => ahead.push((*to, slots)),
                            Some(super::graph::Exit::Rest(_)) | None => walks.push(self.worths(&slots)),
                        }
                    }
                }
                Some(Step::End { .. } | Step::Past) | None => walks.push(self.worths(&slots)),
            }
        }
        walks
    }

    fn worths(&self, slots: &Slots) -> Vec<(String, Worth)> {
        let known = self.graph.facts.iter().zip(slots).filter_map(|(asked, slot)| Some((asked, (*slot)?)));
        let worth = known.map(|(asked, known)| match known {
            Known::At(at) => (asked.name.clone(), Worth::At(at)),
            Known::Word(word) => {
                (asked.name.clone(), Worth::Word(self.answers(&asked.name).get(word).cloned().unwrap_or_default()))
            }
        });
        worth.collect()
    }

    fn unchanged(&self, what: String) -> Mutant {
        let (binding, diagram) = (self.binding.clone(), self.diagram.clone());
        Mutant { what, document: Document::Binding, span: 0..0, fact: None, bears: Bears::default(), binding, diagram }
    }
}

/// What a fact is, in a walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Worth {
    /// A word.
    Word(String),
    /// An instant, milliseconds since 1970.
    At(i64),
}

/// A value, and of an instant one half an hour and a day later, so that boundaries moved by an hour lie between.
fn beside(value: Known) -> Vec<Known> {
    match value {
        Known::Word(_) => vec![value],
        Known::At(at) => vec![value, Known::At(at + HOUR / 2), Known::At(at - HOUR / 2), Known::At(at + 24 * HOUR)],
    }
}

struct Changes<'a> {
    policy: &'a Policy,
    spots: &'a Spots<'a>,
    mutants: Vec<Mutant>,
}

impl Changes<'_> {
    fn add(
        &mut self,
        what: String,
        path: &[&str],
        fact: Option<&str>,
        bears: Bears,
        change: impl FnOnce(&mut Binding),
    ) {
        let mut mutant = self.policy.unchanged(what);
        change(&mut mutant.binding);
        mutant.span = self.spots.value(path);
        mutant.fact = fact.map(str::to_owned);
        mutant.bears = bears;
        self.mutants.push(mutant);
    }

    /// Exits that change places.
    fn chart(&mut self) {
        let diagram = &self.policy.diagram;
        for (index, node) in diagram.nodes.iter().enumerate() {
            match self.policy.binding.nodes.get(node.id.as_str()) {
                Some(Meaning::YesNo { .. } | Meaning::MoreThan { .. }) => {
                    let mut mutant = self.policy.unchanged(format!("Yes and No of `{}` change places", node.id));
                    let exits: Vec<usize> =
                        self.policy.graph.links.get(index).into_iter().flatten().flatten().copied().collect();
                    if let [yes, no] = exits.as_slice()
                        && let Some(labels) = diagram
                            .edges
                            .get(*yes)
                            .zip(diagram.edges.get(*no))
                            .map(|(yes, no)| (yes.label.clone(), no.label.clone()))
                    {
                        for (edge, label) in [(*yes, labels.1), (*no, labels.0)] {
                            mutant.diagram.edges.get_mut(edge).into_iter().for_each(|edge| edge.label = label.clone());
                        }
                    }
                    (mutant.document, mutant.span) = (Document::Diagram, node.span.clone());
                    self.mutants.push(mutant);
                }
                Some(Meaning::Choose { exits, .. }) => {
                    let ways: Vec<(String, String)> =
                        exits.iter().map(|(answer, to)| (answer.get_ref().clone(), to.get_ref().clone())).collect();
                    for pair in ways.windows(2) {
                        let [(one, to_one), (other, to_other)] = pair else { continue };
                        let what = format!("the exits `{one}` and `{other}` of `{}` change places", node.id);
                        let (id, one, other) = (node.id.clone(), one.clone(), other.clone());
                        self.add(
                            what,
                            &["nodes", &node.id, "exits", &one.clone()],
                            None,
                            Bears::default(),
                            |binding| {
                                let Some(Meaning::Choose { exits, .. }) = binding.nodes.get_mut(id.as_str()) else {
                                    return;
                                };
                                for (answer, to) in [(one, to_other), (other, to_one)] {
                                    exits
                                        .get_mut(answer.as_str())
                                        .into_iter()
                                        .for_each(|node| *node.get_mut() = to.clone());
                                }
                            },
                        );
                    }
                }
                Some(Meaning::OnlyIf { .. } | Meaning::Outcome(_) | Meaning::Task(_)) | None => {}
            }
        }
    }

    /// Spans of time, an hour (of grace a day) more and less, and "more than" as "at least".
    fn spans(&mut self) {
        let binding = &self.policy.binding;
        for (node, meaning) in &binding.nodes {
            let Meaning::MoreThan { span, .. } = meaning else { continue };
            for (change, what) in
                [(HOUR, "an hour more"), (-HOUR, "an hour less"), (-1, "at least instead of more than")]
            {
                let (id, told) =
                    (node.get_ref().clone(), format!("`{}` asks for {} ({what})", node.get_ref(), written(span.0)));
                self.add(told, &["nodes", node.get_ref(), "more_than"], None, Bears::default(), |binding| {
                    if let Some(Meaning::MoreThan { span, .. }) = binding.nodes.get_mut(id.as_str()) {
                        *span = Span(span.0 + change);
                    }
                });
            }
        }
        if binding.times.grace_period.is_some() {
            for (change, what) in [(24 * HOUR, "a day more"), (-24 * HOUR, "a day less")] {
                self.add(
                    format!("the grace period is {what}"),
                    &["times", "grace_period"],
                    None,
                    Bears::default(),
                    |binding| {
                        binding.times.grace_period = binding.times.grace_period.map(|span| Span(span.0 + change));
                    },
                );
            }
        }
    }

    /// Where the chart ends, what that dismisses, and the tags it gives.
    fn outcomes(&mut self) {
        let names: Vec<String> = self.policy.binding.outcomes.keys().map(|name| name.get_ref().clone()).collect();
        let next = |name: &str| {
            let place = names.iter().position(|known| known == name).unwrap_or_default();
            names
                .iter()
                .cycle()
                .skip(place + 1)
                .take(names.len())
                .find(|other| *other != name && *other != NEEDS_FACTS)
                .cloned()
        };
        for (node, meaning) in &self.policy.binding.nodes {
            let (Meaning::Outcome(own) | Meaning::OnlyIf { otherwise: own, .. }) = meaning else { continue };
            let key = if matches!(meaning, Meaning::Outcome(_)) { "outcome" } else { "otherwise" };
            let own = own.get_ref();
            let Some(other) = next(own) else { continue };
            let (id, what) =
                (node.get_ref().clone(), format!("`{}` ends in `{other}` instead of `{own}`", node.get_ref()));
            self.add(what, &["nodes", node.get_ref(), key], None, Bears::default(), |binding| {
                let Some(Meaning::Outcome(outcome) | Meaning::OnlyIf { otherwise: outcome, .. }) =
                    binding.nodes.get_mut(id.as_str())
                else {
                    return;
                };
                *outcome.get_mut() = other;
            });
        }
        for (name, outcome) in &self.policy.binding.outcomes {
            let name = name.get_ref().clone();
            for tag in outcome.add_tags.clone() {
                let (of, gone) = (name.clone(), tag.clone());
                self.add(
                    format!("`{name}` without its tag `{tag}`"),
                    &["outcomes", &name, "add_tags"],
                    None,
                    Bears::default(),
                    |binding| {
                        binding
                            .outcomes
                            .get_mut(of.as_str())
                            .into_iter()
                            .for_each(|outcome| outcome.add_tags.retain(|tag| *tag != gone));
                    },
                );
            }
            if name == NEEDS_FACTS {
                continue; // Nothing is dismissed by asking.
            }
            let of = name.clone();
            let what = format!("`{name}` {}", if outcome.dismisses() { "dismisses nobody" } else { "dismisses" });
            self.add(what, &["outcomes", &name, "dismisses"], None, Bears::default(), |binding| {
                binding
                    .outcomes
                    .get_mut(of.as_str())
                    .into_iter()
                    .for_each(|outcome| outcome.dismisses = Some(!outcome.dismisses()));
            });
        }
    }

    /// Each source gone, with another answer, without each of its tags and values, and without its conditions.
    fn facts(&mut self) {
        for name in self.policy.bearing() {
            let Some(fact) = self.policy.binding.fact(&name) else { continue };
            for (place, source) in fact.sources.iter().enumerate() {
                let at = place.to_string();
                let path = ["facts", name.as_str(), "sources", at.as_str()];
                let told = source.told();
                let bears = source.bears();
                self.source(&name, place, &path, format!("`{name}` without {told}"), bears.clone(), None);
                for (what, changed, bears) in changed(source, self.policy.answers(&name)) {
                    self.source(&name, place, &path, format!("`{name}`: {told} {what}"), bears, Some(changed));
                }
            }
            if !fact.day_ends_when.is_empty() {
                let of = name.clone();
                self.add(
                    format!("`{name}` without day_ends_when"),
                    &["facts", &name, "day_ends_when"],
                    Some(&name),
                    Bears::default(),
                    |binding| {
                        binding.facts.get_mut(of.as_str()).into_iter().for_each(|fact| fact.day_ends_when.clear());
                    },
                );
                let of = name.clone();
                self.add(
                    format!("a day of `{name}` is its end"),
                    &["facts", &name, "day"],
                    Some(&name),
                    Bears::default(),
                    |binding| {
                        binding.facts.get_mut(of.as_str()).into_iter().for_each(|fact| fact.day = Day::End);
                    },
                );
            }
        }
    }

    fn source(
        &mut self,
        fact: &str,
        place: usize,
        path: &[&str],
        what: String,
        bears: Bears,
        changed: Option<SourceBinding>,
    ) {
        self.add(what, path, Some(fact), bears, |binding| {
            let Some(bound) = binding.facts.get_mut(fact) else { return };
            match changed {
                Some(changed) => bound.sources.get_mut(place).into_iter().for_each(|source| *source = changed.clone()),
                None if place < bound.sources.len() => drop(bound.sources.remove(place)),
                None => {}
            }
        });
    }

    /// A dismissal that one fact fewer speaks against.
    fn dismissal(&mut self) {
        for name in self.policy.binding.dismissal.iter().flat_map(|dismissal| dismissal.against.keys()) {
            let name = name.get_ref();
            let what = format!("`{name}` does not speak against a dismissal");
            self.add(what, &["dismissal", "against", name], Some(name), Bears::default(), |binding| {
                binding.dismissal.iter_mut().for_each(|dismissal| drop(dismissal.against.remove(name.as_str())));
            });
        }
    }

    /// Each condition of `applies_to`, and each tag, form and status in it.
    fn applies_to(&mut self) {
        let applies = &self.policy.binding.applies_to;
        for (place, status) in applies.status_none.iter().enumerate() {
            let bears = Bears { status: Some(status.clone()), ..Bears::default() };
            self.add(
                format!("a ticket that is {status} is decided"),
                &["applies_to", "status_none", &place.to_string()],
                None,
                bears,
                |binding| {
                    binding.applies_to.status_none.remove(place);
                },
            );
        }
        for (name, condition) in &applies.conditions {
            self.add(
                format!("[applies_to] without `{name}`"),
                &["applies_to", name],
                None,
                Bears { tag: Some("another".into()), ..Bears::default() },
                |binding| {
                    binding.applies_to.conditions.remove(name);
                },
            );
            for (key, names) in [("tag_any", &condition.tag_any), ("form_any", &condition.form_any)] {
                for (place, one) in names.iter().enumerate() {
                    let (tag, form) =
                        if key == "tag_any" { (Some(one.clone()), None) } else { (None, Some(one.clone())) };
                    let what = format!("[applies_to] {name} without `{one}`");
                    self.add(
                        what,
                        &["applies_to", name, key, &place.to_string()],
                        None,
                        Bears { tag, form, ..Bears::default() },
                        |binding| {
                            let Some(condition) = binding.applies_to.conditions.get_mut(name) else { return };
                            let names = if key == "tag_any" { &mut condition.tag_any } else { &mut condition.form_any };
                            names.remove(place);
                        },
                    );
                }
            }
        }
    }
}

/// A source changed once, each with what is changed and what a ticket must bear for it.
fn changed(source: &SourceBinding, answers: &[String]) -> Vec<(String, SourceBinding, Bears)> {
    let mut all = Vec::new();
    let mut add = |what: String, bears: Bears, change: &dyn Fn(&mut SourceBinding)| {
        let mut changed = source.clone();
        change(&mut changed);
        all.push((what, changed, bears));
    };
    if let Some(other) = source.answer().and_then(|own| answers.iter().find(|answer| *answer != own)) {
        add(format!("says `{other}`"), source.bears(), &|source| source.say(other));
    }
    if let Place::Tag { any, .. } | Place::OrganizationTag { any, .. } | Place::Form { any, .. } = &source.place
        && any.len() > 1
    {
        for one in any {
            add(format!("without `{one}`"), source.bears_one(one), &|source| {
                if let Place::Tag { any, .. } | Place::OrganizationTag { any, .. } | Place::Form { any, .. } =
                    &mut source.place
                {
                    any.retain(|name| name != one);
                }
            });
        }
    }
    if let Place::Field { says: Says::OneOf { values, .. }, .. }
    | Place::Organization { says: Says::OneOf { values, .. }, .. } = &source.place
        && values.len() > 1
    {
        for one in values {
            add(format!("without `{one}`"), source.bears_one(one), &|source| {
                if let Place::Field { says: Says::OneOf { values, .. }, .. }
                | Place::Organization { says: Says::OneOf { values, .. }, .. } = &mut source.place
                {
                    values.retain(|value| value != one);
                }
            });
        }
    }
    if let Place::Field { says: Says::Above { limit, .. }, .. }
    | Place::Organization { says: Says::Above { limit, .. }, .. } = &source.place
    {
        for (change, what) in [(1, "above one more"), (-1, "above one less")] {
            let border = (limit + i64::from(change == 1)).to_string();
            add(what.into(), source.bears_one(&border), &|source| {
                if let Place::Field { says: Says::Above { limit, .. }, .. }
                | Place::Organization { says: Says::Above { limit, .. }, .. } = &mut source.place
                {
                    *limit += change;
                }
            });
        }
    }
    if !source.unless.is_empty() {
        add("whatever else is known".into(), source.bears(), &|source| source.unless.clear());
    }
    if !source.when.is_empty() {
        add("under no condition".into(), source.bears(), &|source| source.when.clear());
    }
    if source.standing != Standing::Firm {
        add("as a firm record".into(), source.bears(), &|source| source.standing = Standing::Firm);
    }
    all
}

impl SourceBinding {
    /// What it reads, in words: `the source tag trial`.
    fn told(&self) -> String {
        let bears = self.bears();
        let named = |what: &str, name: &str| format!("the source {what} `{name}`");
        match bears {
            Bears { tag: Some(tag), .. } => named("tag", &tag),
            Bears { organization_tag: Some(tag), .. } => named("organisation's tag", &tag),
            Bears { form: Some(form), .. } => named("form", &form),
            Bears { field: Some((name, _)), .. } => named("field", &name),
            Bears { organization: Some((key, _)), .. } => named("organisation's field", &key),
            Bears { .. } => {
                if let Place::Lookup { pointer, .. } = &self.place {
                    return named("lookup", pointer);
                }
                if let Place::Otherwise(word) = &self.place {
                    return named("otherwise", word);
                }
                if matches!(self.place, Place::Dates) {
                    return "the source of dates in words".to_owned();
                }
                "the source of words".to_owned()
            }
        }
    }

    /// What a ticket bears of which this source speaks.
    fn bears(&self) -> Bears {
        if let Place::Tag { any, .. } | Place::OrganizationTag { any, .. } | Place::Form { any, .. } = &self.place {
            return any.first().map(|first| self.bears_one(first)).unwrap_or_default();
        }
        let (Place::Field { says, .. } | Place::Organization { says, .. }) = &self.place else {
            return Bears::default();
        };
        self.bears_one(&match says {
            Says::OneOf { values, .. } => values.first().cloned().unwrap_or_default(),
            Says::Filled(_) => "filled".into(),
            Says::Above { limit, .. } => (limit + 1).to_string(),
            Says::Itself => "2026-11-21".into(),
        })
    }

    fn bears_one(&self, one: &str) -> Bears {
        let one = one.to_owned();
        let mut bears = Bears::default();
        if let Place::Tag { .. } = &self.place {
            bears.tag = Some(one);
        } else if let Place::OrganizationTag { .. } = &self.place {
            bears.organization_tag = Some(one);
        } else if let Place::Form { .. } = &self.place {
            bears.form = Some(one);
        } else if let Place::Field { name, .. } = &self.place {
            bears.field = Some((name.clone(), one));
        } else if let Place::Organization { key, .. } = &self.place {
            bears.organization = Some((key.clone(), one));
        }
        bears
    }

    fn drop_pattern(&mut self, at: usize) {
        if let Place::Text { any: patterns, .. } = &mut self.place
            && at < patterns.len()
        {
            patterns.remove(at);
        }
    }

    /// Lets it say another answer.
    fn say(&mut self, other: &str) {
        if let Place::Tag { answer, .. }
        | Place::Form { answer, .. }
        | Place::OrganizationTag { answer, .. }
        | Place::Text { answer, .. }
        | Place::Image { answer, .. }
        | Place::Otherwise(answer)
        | Place::Field {
            says: Says::Filled(answer) | Says::Above { answer, .. } | Says::OneOf { answer, .. },
            ..
        }
        | Place::Organization {
            says: Says::Filled(answer) | Says::Above { answer, .. } | Says::OneOf { answer, .. },
            ..
        }
        | Place::Lookup {
            says: Says::Filled(answer) | Says::Above { answer, .. } | Says::OneOf { answer, .. },
            ..
        } = &mut self.place
        {
            *answer = other.to_owned();
        }
    }
}
