//! Faults a policy can have: whatever is found sound here, the walk can rely on.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range as Bytes;

use toml::Spanned;

use super::binding::{Binding, FactBinding, Kind, Meaning};
use super::decision::{NEEDS_FACTS, NOT_APPLICABLE};
use super::diagram::{Diagram, Edge, Points};
use super::fault::{Document, Fault};
use super::graph::{Asked, Exit, Grace, Graph, Outcome, Range, Step, Test, YES_NO};
use super::mentions;
use super::nearest;
use super::source::{Place, SourceBinding};

/// Checks that diagram and binding hold together, and joins them.
pub(super) fn graph(diagram: &Diagram, binding: &Binding) -> Result<Graph, Vec<Fault>> {
    let mut check = Check { diagram, binding, faults: mentions::faults(binding) };
    check.names();
    let start = check.start();
    let outcomes = outcomes(binding);
    let facts = check.facts();
    let steps: Vec<Step> = (0..diagram.nodes.len()).map(|node| check.step(node, &facts, &outcomes)).collect();
    if check.faults.is_empty() {
        check.ways(&steps, start, &facts, &outcomes);
    }
    if !check.faults.is_empty() {
        return Err(check.faults);
    }
    let grace = grace(binding, &facts);
    let live = live(&steps, grace);
    Ok(Graph { start, steps, facts, outcomes, grace, live })
}

struct Check<'a> {
    diagram: &'a Diagram,
    binding: &'a Binding,
    faults: Vec<Fault>,
}

impl<'a> Check<'a> {
    fn diagram_fault(&mut self, span: Bytes<usize>, message: String, help: impl Into<String>) {
        self.faults.push(Fault { document: Document::Diagram, span, message, help: Some(help.into()) });
    }

    fn binding_fault(&mut self, span: Bytes<usize>, message: String, help: impl Into<String>) {
        self.faults.push(Fault { document: Document::Binding, span, message, help: Some(help.into()) });
    }

    /// Every node, fact and outcome that is named exists, and every answer is one that can be asked for.
    fn names(&mut self) {
        let binding = self.binding;
        let nodes: Vec<&str> = self.diagram.nodes.iter().map(|node| node.id.as_str()).collect();
        let facts: Vec<&str> = binding.facts.keys().map(|name| name.get_ref().as_str()).collect();
        let outcomes: Vec<&str> = binding.outcomes.keys().map(|name| name.get_ref().as_str()).collect();
        for (node, meaning) in &binding.nodes {
            self.known("node", "the diagram", node, &nodes);
            match meaning {
                Meaning::Choose { fact, exits } => {
                    self.asks(fact, &facts, Kind::Word);
                    exits.values().for_each(|to| self.known("node", "the diagram", to, &nodes));
                }
                Meaning::YesNo { fact } => self.asks(fact, &facts, Kind::Word),
                Meaning::MoreThan { until, .. } => self.asks(until, &facts, Kind::Instant),
                Meaning::OnlyIf { fact, otherwise } => {
                    self.asks(fact, &facts, Kind::Word);
                    self.known("outcome", "[outcomes]", otherwise, &outcomes);
                }
                Meaning::Outcome(outcome) => self.known("outcome", "[outcomes]", outcome, &outcomes),
                Meaning::Task(_) => {}
            }
        }
        for name in binding.facts.keys() {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if name.get_ref().is_empty() || !name.get_ref().chars().all(plain) {
                let message = format!("the fact `{}` could not be named in a reply", name.get_ref());
                self.binding_fault(name.span(), message, "use small letters, digits and underscores");
            }
        }
    }

    /// A name that must be among those there are.
    fn known(&mut self, what: &str, place: &str, name: &Spanned<String>, there: &[&str]) {
        if !there.contains(&name.get_ref().as_str()) {
            let help = match nearest(name.get_ref(), there) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", there.join(", ")),
            };
            self.binding_fault(name.span(), format!("{place} has no {what} `{}`", name.get_ref()), help);
        }
    }

    /// A fact that a node asks for, of the kind that can answer.
    fn asks(&mut self, fact: &Spanned<String>, facts: &[&str], kind: Kind) {
        self.known("fact", "[facts]", fact, facts);
        if self.binding.fact(fact.get_ref()).is_some_and(|bound| bound.kind != kind) {
            let (is, help) = match kind {
                Kind::Instant => ("a word, and this compares instants", "give the fact `kind = \"instant\"`"),
                Kind::Word => ("an instant, and this asks for a word", "ask with `more_than` and `until`"),
            };
            self.binding_fault(fact.span(), format!("the fact `{}` is {is}", fact.get_ref()), help);
        }
    }

    /// The one node no link leads to.
    fn start(&mut self) -> usize {
        let entered: BTreeSet<usize> = self.links().map(|edge| edge.to).collect();
        let mut starts = (0..self.diagram.nodes.len()).filter(|node| !entered.contains(node));
        let Some(start) = starts.next() else {
            let span = self.diagram.edges.first().map_or(0..0, |edge| edge.span.clone());
            self.diagram_fault(
                span,
                "every node has a link into it, so no walk can start".into(),
                "take away the link back to the first node",
            );
            return 0;
        };
        start
    }

    fn links(&self) -> impl Iterator<Item = &'a Edge> + use<'a> {
        self.diagram.edges.iter().filter(|edge| edge.carries_meaning())
    }

    fn exits(&self, node: usize) -> Vec<&'a Edge> {
        self.links().filter(|edge| edge.from == node).collect()
    }

    fn id(&self, node: usize) -> &'a str {
        self.diagram.nodes.get(node).map(|node| node.id.as_str()).unwrap_or_default()
    }

    fn span(&self, node: usize) -> Bytes<usize> {
        self.diagram.nodes.get(node).map_or(0..0, |node| node.span.clone())
    }

    /// Every fact that is asked for, with what it can be; and those grace follows from.
    fn facts(&mut self) -> Vec<Asked> {
        let mut facts: Vec<Asked> = Vec::new();
        let period = self.binding.times.grace_period.map(|span| span.0);
        for (node, meaning) in &self.binding.nodes {
            match meaning {
                Meaning::Choose { fact, exits } => {
                    let words: Vec<String> = exits.keys().map(|answer| answer.get_ref().clone()).collect();
                    self.ask_words(&mut facts, node, fact, words);
                }
                Meaning::YesNo { fact } | Meaning::OnlyIf { fact, .. } => {
                    self.ask_words(&mut facts, node, fact, YES_NO.map(str::to_owned).to_vec());
                }
                Meaning::MoreThan { span, until } => add_distance(&mut facts, until.get_ref(), span.0),
                Meaning::Outcome(_) | Meaning::Task(_) => {}
            }
        }
        if let Some(period) = period.filter(|_| self.binding.fact("expires_at").is_some()) {
            let ends: Vec<i64> = distances(&facts, "grace_ends_at");
            add_distance(&mut facts, "grace_ends_at", 0);
            for distance in ends.into_iter().chain([0]) {
                add_distance(&mut facts, "expires_at", distance.saturating_sub(period));
            }
            add_distance(&mut facts, "expires_at", 0);
            if !facts.iter().any(|asked| asked.name == "in_grace") {
                facts.push(Asked { name: "in_grace".into(), range: Range::Words(YES_NO.map(str::to_owned).to_vec()) });
            }
        }
        self.answers(&facts);
        facts
    }

    fn ask_words(
        &mut self,
        facts: &mut Vec<Asked>,
        node: &Spanned<String>,
        fact: &Spanned<String>,
        words: Vec<String>,
    ) {
        let name = fact.get_ref();
        match facts.iter().find(|asked| asked.name == *name) {
            Some(Asked { range: Range::Words(before), .. }) if *before == words => {}
            Some(_) => {
                let message = format!("`{name}` is asked here for other answers than at another node");
                self.binding_fault(node.span(), message, "give every node that asks it the same answers");
            }
            None => facts.push(Asked { name: name.clone(), range: Range::Words(words) }),
        }
    }

    /// Sources answer only what is asked for, and every instant that is compared can be known.
    fn answers(&mut self, facts: &[Asked]) {
        let derived = |name: &str| {
            self.binding.times.grace_period.is_some()
                && name == "grace_ends_at"
                && self.binding.fact("expires_at").is_some_and(|fact| !fact.sources.is_empty())
        };
        let mut found = Vec::new();
        for asked in facts {
            let Some((name, fact)) = self.binding.facts.get_key_value(asked.name.as_str()) else { continue };
            let answers = answer_words(&asked.range);
            let own_word = fact.sources.iter().any(|source| matches!(source.place, Place::Otherwise(_)));
            let sentences = fact.sentences.keys().filter(|answer| !(own_word && *answer == "otherwise"));
            let worded = sentences.map(|answer| ("sentence", answer));
            let worded = worded.chain(fact.titles.keys().map(|answer| ("title", answer)));
            for (words, answer) in worded.filter(|(_, answer)| !answers.contains(&answer.as_str())) {
                let message = format!("`{}` has a {words} for `{answer}`, which is no answer to it", asked.name);
                let near = nearest(answer, &answers).map(|near| format!("did you mean `{near}`?"));
                found.push((name.span(), message, near.unwrap_or(format!("the answers are: {}", answers.join(", ")))));
            }
            match &asked.range {
                Range::Words(words) => {
                    let wrong = said(fact).find(|answer| !words.iter().any(|word| word == answer));
                    if let Some(wrong) = wrong {
                        let message = format!("a source of `{}` says `{wrong}`, which no node asks for", asked.name);
                        found.push((name.span(), message, format!("the answers are: {}", words.join(", "))));
                    }
                }
                Range::Instant(_) if fact.sources.is_empty() && !derived(&asked.name) && self.compares(&asked.name) => {
                    let message = format!("`{}` is compared with now, and has no source", asked.name);
                    found.push((
                        name.span(),
                        message,
                        "give it `sources`, such as { organization = \"expiration_date\" }".into(),
                    ));
                }
                Range::Instant(_) => {}
            }
        }
        for (span, message, help) in found {
            self.binding_fault(span, message, help);
        }
    }

    fn compares(&self, fact: &str) -> bool {
        self.binding
            .nodes
            .values()
            .any(|meaning| matches!(meaning, Meaning::MoreThan { until, .. } if until.get_ref() == fact))
    }

    /// What happens at a node.
    fn step(&mut self, node: usize, facts: &[Asked], outcomes: &[Outcome]) -> Step {
        let exits = self.exits(node);
        let id = self.id(node);
        let fact =
            |name: &Spanned<String>| facts.iter().position(|asked| asked.name == *name.get_ref()).unwrap_or_default();
        let outcome = |name: &Spanned<String>| {
            outcomes.iter().position(|outcome| outcome.name == *name.get_ref()).unwrap_or_default()
        };
        match self.binding.nodes.get(id) {
            None => match exits.as_slice() {
                [only] if only.label.is_none() => Step::Pass(only.to),
                [] => {
                    self.diagram_fault(
                        self.span(node),
                        format!("the path ends at `{id}` without an outcome"),
                        format!("bind it: [nodes.{id}] outcome = \"…\", or link it on"),
                    );
                    Step::Past
                }
                _ => {
                    self.diagram_fault(
                        self.span(node),
                        format!("`{id}` asks something and nothing says what"),
                        format!("bind it: [nodes.{id}] yes_no = \"…\" (or choose, more_than, only_if)"),
                    );
                    Step::Past
                }
            },
            Some(Meaning::YesNo { fact: asked }) => {
                Step::Ask { fact: fact(asked), test: Test::Word, exits: self.yes_no(node, &exits) }
            }
            Some(Meaning::MoreThan { span, until }) => {
                Step::Ask { fact: fact(until), test: Test::More(span.0), exits: self.yes_no(node, &exits) }
            }
            Some(Meaning::Choose { fact: asked, exits: answers }) => {
                let mut ways = Vec::new();
                for (answer, to) in answers {
                    match exits.iter().find(|edge| self.id(edge.to) == to.get_ref().as_str()) {
                        Some(edge) => ways.push(Exit::Node(edge.to)),
                        None => self.binding_fault(
                            to.span(),
                            format!(
                                "`{id}` has no link to `{}`, where the answer `{}` leads",
                                to.get_ref(),
                                answer.get_ref()
                            ),
                            "draw the link, or name a node it links to",
                        ),
                    }
                }
                for edge in exits {
                    if !answers.values().any(|to| to.get_ref().as_str() == self.id(edge.to)) {
                        self.diagram_fault(
                            edge.span.clone(),
                            format!("no answer of `{id}` leads to `{}`", self.id(edge.to)),
                            format!("add it to `exits` of [nodes.{id}]"),
                        );
                    }
                }
                Step::Ask { fact: fact(asked), test: Test::Word, exits: ways }
            }
            Some(Meaning::OnlyIf { fact: asked, otherwise }) => match exits.as_slice() {
                [only] => Step::Ask {
                    fact: fact(asked),
                    test: Test::Word,
                    exits: vec![Exit::Node(only.to), Exit::Rest(outcome(otherwise))],
                },
                _ => {
                    self.diagram_fault(
                        self.span(node),
                        format!(
                            "`{id}` is bound with `only_if`, which needs exactly one exit, and has {}",
                            exits.len()
                        ),
                        "draw one exit, or bind it as a question",
                    );
                    Step::Past
                }
            },
            Some(Meaning::Outcome(name)) => Step::End { outcome: outcome(name), tasks: self.tasks(node) },
            Some(Meaning::Task(task)) => match exits.as_slice() {
                [only] => Step::Task(task.clone(), only.to),
                [] => Step::Past,
                [_, second, ..] => {
                    self.diagram_fault(
                        second.span.clone(),
                        format!("the task `{id}` has several exits"),
                        "a task has one exit or none",
                    );
                    Step::Past
                }
            },
        }
    }

    /// The exits of a yes-or-no question, yes first.
    fn yes_no(&mut self, node: usize, exits: &[&Edge]) -> Vec<Exit> {
        let id = self.id(node);
        for edge in exits {
            let label = edge.label.as_deref().unwrap_or_default();
            if !YES_NO.iter().any(|answer| says(label, answer)) {
                let message = if label.is_empty() {
                    format!("this exit of `{id}` has no answer on it")
                } else {
                    format!("`{label}` answers nothing: `{id}` is a yes-or-no question")
                };
                self.diagram_fault(edge.span.clone(), message, "label its exits Yes and No");
            }
        }
        let mut ways = Vec::new();
        for answer in YES_NO {
            let taken: Vec<&&Edge> =
                exits.iter().filter(|edge| says(edge.label.as_deref().unwrap_or_default(), answer)).collect();
            match taken.as_slice() {
                [one] => ways.push(Exit::Node(one.to)),
                [] => self.diagram_fault(
                    self.span(node),
                    format!("`{id}` has no exit for the answer {answer}"),
                    format!("draw it: {id}-->|{}|…", if answer == "yes" { "Yes" } else { "No" }),
                ),
                [_, second, ..] => self.diagram_fault(
                    second.span.clone(),
                    format!("`{id}` has two exits for the answer {answer}"),
                    "keep one",
                ),
            }
        }
        ways
    }

    /// The tasks that follow an outcome.
    fn tasks(&mut self, outcome: usize) -> Vec<(String, usize)> {
        let mut tasks = Vec::new();
        let mut node = outcome;
        while let Some(edge) = self.exits(node).first() {
            match self.binding.nodes.get(self.id(edge.to)) {
                Some(Meaning::Task(task)) if !tasks.iter().any(|(_, at)| *at == edge.to) => {
                    tasks.push((task.clone(), edge.to))
                }
                Some(Meaning::Task(_)) => break, // A ring of tasks; the search for cycles speaks of it.
                _ => {
                    let message = format!(
                        "the outcome `{}` is followed by `{}`, which is no task",
                        self.id(outcome),
                        self.id(edge.to)
                    );
                    self.diagram_fault(
                        edge.span.clone(),
                        message,
                        format!("bind it: [nodes.{}] task = \"…\"", self.id(edge.to)),
                    );
                    break;
                }
            }
            node = edge.to;
        }
        tasks
    }

    /// Every node is on a way from the start to an outcome, no way comes round again, and every outcome can be had.
    fn ways(&mut self, steps: &[Step], start: usize, facts: &[Asked], outcomes: &[Outcome]) {
        if self.cycles() {
            return;
        }
        let mut reached = BTreeSet::new();
        let mut ahead = vec![start];
        while let Some(node) = ahead.pop() {
            if reached.insert(node) {
                ahead.extend(self.exits(node).iter().map(|edge| edge.to));
            }
        }
        for node in (0..steps.len()).filter(|node| !reached.contains(node)) {
            let message =
                format!("nothing leads from `{}`, where every walk starts, to `{}`", self.id(start), self.id(node));
            self.diagram_fault(self.span(node), message, "link to it, or take it away");
        }
        for &node in &reached {
            if let (Some(Step::Task(..) | Step::Past), []) = (steps.get(node), self.exits(node).as_slice())
                && !after_outcome(steps, node)
            {
                self.diagram_fault(
                    self.span(node),
                    format!("the path ends at the task `{}` without an outcome", self.id(node)),
                    "let an outcome come before it, or link it on to one",
                );
            }
        }
        let ends = |node: &usize| -> Vec<usize> {
            match steps.get(*node) {
                Some(Step::End { outcome, .. }) => vec![*outcome],
                Some(Step::Ask { exits, .. }) => exits
                    .iter()
                    .filter_map(|exit| match exit {
                        Exit::Rest(outcome) => Some(*outcome),
                        Exit::Node(_) => None,
                    })
                    .collect(),
                _ => Vec::new(),
            }
        };
        let had: BTreeSet<usize> = reached.iter().flat_map(ends).collect();
        let known = self.had_by_knowledge(steps, start, facts);
        for (index, outcome) in outcomes.iter().enumerate() {
            let Some((name, _)) = self.binding.outcomes.get_key_value(outcome.name.as_str()) else { continue };
            let special = [NEEDS_FACTS, NOT_APPLICABLE].contains(&outcome.name.as_str());
            if !had.contains(&index) && !special {
                self.binding_fault(
                    name.span(),
                    format!("no path ends in the outcome `{}`", outcome.name),
                    "bind a node to it, or take it away",
                );
            } else if outcome.dismisses && !known.contains(&index) && !special {
                self.binding_fault(
                    name.span(),
                    format!("`{}` dismisses, and only guesses lead to it", outcome.name),
                    "give a fact on the way a source that is not `text_any`",
                );
            }
        }
    }

    /// Outcomes that can be had without any fact whose only sources are words.
    fn had_by_knowledge(&self, steps: &[Step], start: usize, facts: &[Asked]) -> BTreeSet<usize> {
        let mut had = BTreeSet::new();
        let (mut ahead, mut seen) = (vec![start], BTreeSet::new());
        while let Some(node) = ahead.pop() {
            if !seen.insert(node) {
                continue;
            }
            match steps.get(node) {
                Some(Step::Pass(to) | Step::Task(_, to)) => ahead.push(*to),
                Some(Step::End { outcome, .. }) => {
                    had.insert(*outcome);
                }
                Some(Step::Ask { fact, exits, .. }) => {
                    let bound = facts.get(*fact).and_then(|asked| self.binding.fact(&asked.name));
                    for (exit, answer) in exits.iter().zip(answer_names(facts.get(*fact))) {
                        if bound.is_some_and(|fact| !only_guessed(fact, answer.as_deref())) {
                            match exit {
                                Exit::Node(to) => ahead.push(*to),
                                Exit::Rest(outcome) => {
                                    had.insert(*outcome);
                                }
                            }
                        }
                    }
                }
                Some(Step::Past) | None => {}
            }
        }
        had
    }

    /// Speaks of a link that closes a ring, or is one by itself; whether there was one.
    fn cycles(&mut self) -> bool {
        let links: Vec<&Edge> = self.links().collect();
        if let Some(edge) = links.iter().find(|edge| edge.points == Points::Both) {
            let message =
                format!("the link between `{}` and `{}` points both ways", self.id(edge.from), self.id(edge.to));
            self.diagram_fault(edge.span.clone(), message, "a walk goes one way; draw it as `-->`");
            return true;
        }
        let mut entries: BTreeMap<usize, usize> = BTreeMap::new();
        links.iter().for_each(|edge| *entries.entry(edge.to).or_default() += 1);
        let mut free: Vec<usize> = (0..self.diagram.nodes.len()).filter(|node| !entries.contains_key(node)).collect();
        let mut ordered = BTreeSet::new();
        while let Some(node) = free.pop() {
            ordered.insert(node);
            for edge in links.iter().filter(|edge| edge.from == node) {
                if let Some(left) = entries.get_mut(&edge.to) {
                    *left -= 1;
                    if *left == 0 {
                        free.push(edge.to);
                    }
                }
            }
        }
        // What cannot be put in order is on a ring or behind one; the last link drawn between two such nodes is named.
        let ring = links.iter().rev().find(|edge| !ordered.contains(&edge.from) && comes_back(&links, edge));
        if let Some(edge) = ring {
            let message =
                format!("the link from `{}` to `{}` goes round in a circle", self.id(edge.from), self.id(edge.to));
            self.diagram_fault(edge.span.clone(), message, "a walk must end; take this link away or lead it elsewhere");
        }
        ring.is_some()
    }
}

/// Whether a way leads from an edge's end back to its start.
fn comes_back(links: &[&Edge], edge: &Edge) -> bool {
    let (mut ahead, mut seen) = (vec![edge.to], BTreeSet::new());
    while let Some(node) = ahead.pop() {
        if node == edge.from {
            return true;
        }
        if seen.insert(node) {
            ahead.extend(links.iter().filter(|edge| edge.from == node).map(|edge| edge.to));
        }
    }
    false
}

fn after_outcome(steps: &[Step], node: usize) -> bool {
    steps.iter().any(|step| matches!(step, Step::End { tasks, .. } if tasks.iter().any(|(_, at)| *at == node)))
}

fn outcomes(binding: &Binding) -> Vec<Outcome> {
    binding
        .outcomes
        .iter()
        .map(|(name, outcome)| Outcome { name: name.get_ref().clone(), dismisses: outcome.dismisses })
        .collect()
}

/// What the sources of a fact can say in fixed words.
fn said(fact: &FactBinding) -> impl Iterator<Item = &str> {
    fact.sources.iter().filter_map(SourceBinding::answer)
}

/// Whether an answer can only come from words; an answer no source gives is a manager's to give.
fn only_guessed(fact: &FactBinding, answer: Option<&str>) -> bool {
    let mut giving = fact
        .sources
        .iter()
        .filter(|source| answer.is_none() || source.answer().is_none() || source.answer() == answer)
        .peekable();
    giving.peek().is_some() && giving.all(SourceBinding::guesses)
}

/// The words that answer a question about a fact; of an instant it is asked whether it is more than so far away.
fn answer_words(range: &Range) -> Vec<&str> {
    match range {
        Range::Words(words) => words.iter().map(String::as_str).collect(),
        Range::Instant(_) => YES_NO.to_vec(),
    }
}

fn answer_names(asked: Option<&Asked>) -> Vec<Option<String>> {
    match asked.map(|asked| &asked.range) {
        Some(Range::Words(words)) => words.iter().cloned().map(Some).collect(),
        Some(Range::Instant(_)) | None => vec![None, None],
    }
}

fn add_distance(facts: &mut Vec<Asked>, name: &str, distance: i64) {
    match facts.iter_mut().find(|asked| asked.name == name) {
        Some(Asked { range: Range::Instant(distances), .. }) => {
            if let Err(place) = distances.binary_search(&distance) {
                distances.insert(place, distance);
            }
        }
        Some(_) => {}
        None => facts.push(Asked { name: name.to_owned(), range: Range::Instant(vec![distance]) }),
    }
}

fn distances(facts: &[Asked], name: &str) -> Vec<i64> {
    match facts.iter().find(|asked| asked.name == name).map(|asked| &asked.range) {
        Some(Range::Instant(distances)) => distances.clone(),
        Some(Range::Words(_)) | None => Vec::new(),
    }
}

fn grace(binding: &Binding, facts: &[Asked]) -> Option<Grace> {
    let find = |name| facts.iter().position(|asked| asked.name == name);
    binding.fact("expires_at")?;
    Some(Grace {
        expires_at: find("expires_at")?,
        grace_ends_at: find("grace_ends_at")?,
        in_grace: find("in_grace")?,
        period: binding.times.grace_period?.0,
    })
}

/// For each node, the facts whose values can still make a difference from there on.
fn live(steps: &[Step], grace: Option<Grace>) -> Vec<Vec<usize>> {
    let mut live: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); steps.len()];
    let mut changed = true;
    while changed {
        changed = false;
        for (node, step) in steps.iter().enumerate().rev() {
            let mut here = BTreeSet::new();
            let mut follow = |to: &usize| here.extend(live.get(*to).into_iter().flatten().copied());
            match step {
                Step::Pass(to) | Step::Task(_, to) => follow(to),
                Step::Ask { fact, exits, .. } => {
                    exits.iter().for_each(|exit| {
                        if let Exit::Node(to) = exit {
                            follow(to)
                        }
                    });
                    here.insert(*fact);
                    if let Some(grace) = grace.filter(|grace| [grace.in_grace, grace.grace_ends_at].contains(fact)) {
                        here.extend([grace.expires_at, grace.grace_ends_at]);
                    }
                }
                Step::End { .. } | Step::Past => {}
            }
            if let Some(before) = live.get_mut(node).filter(|before| before.len() != here.len()) {
                *before = here;
                changed = true;
            }
        }
    }
    live.into_iter().map(|facts| facts.into_iter().collect()).collect()
}

/// Whether the label on an exit says this answer.
fn says(label: &str, answer: &str) -> bool {
    label.trim().eq_ignore_ascii_case(answer)
}
