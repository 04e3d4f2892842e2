//! When a ticket may be dismissed: three keys, and all of them must be turned.
//!
//! 1. *The way is known*: no answer on it is a guess.
//! 2. *The ticket is understood*: what it is about is known, and what people wrote could be read.
//! 3. *Nobody speaks against it*: no words give another answer on the way, however weak, nor one of the facts that the
//!    policy names.
//!
//! What a manager states turns the keys of the way up to the question it answers, against all that was said until then;
//! only words never become knowledge by it.

use super::given::{Cry, Given, Matter, Voice};
use super::graph::{Exit, Graph, Known, Step, Test};
use super::walk::{Answer, Explored, Slots, with};

/// A walk, and what of it may not lead to a dismissal.
#[derive(Debug)]
pub(super) struct Settled<'a> {
    /// What is known, without what counts as unknown.
    pub slots: Slots,
    pub explored: Explored,
    /// The outcome; none where questions are open or a key is missing.
    pub verdict: Option<usize>,
    /// Facts that count as unknown though something is said of them.
    pub opened: Vec<usize>,
    /// What speaks against a dismissal.
    pub against: Vec<Against<'a>>,
    /// Instants that were opened because somebody cries out: they are asked first.
    pub first: Vec<usize>,
}

/// One thing that speaks against a dismissal.
#[derive(Debug, Clone, Copy)]
pub(super) enum Against<'a> {
    /// Words give a fact of the graph another answer.
    Voice(usize, Voice<'a>),
    /// One of the facts that the policy names.
    Cry(Cry<'a>),
}

/// Walks, and tries the three keys where the way may end in a dismissal.
pub(super) fn settle<'a>(graph: &Graph, matter: &Matter<'a>, now: i64) -> Settled<'a> {
    let slots = matter.slots(graph, now);
    let explored = graph.explore(&slots, now);
    let mut settled =
        Settled { slots, explored, verdict: None, opened: Vec::new(), against: Vec::new(), first: Vec::new() };
    loop {
        if let Some(outcome) = settled.explored.sole_outcome().filter(|&outcome| !graph.dismisses(outcome)) {
            return Settled { verdict: Some(outcome), ..settled }; // A guess may escalate.
        }
        let way = Way { graph, matter, settled: &settled, now };
        let (against, unknown) = (way.against(), way.unknown());
        if unknown.is_empty() {
            break;
        }
        settled.against.extend(against);
        settled.open(graph, &unknown, now);
    }
    let way = Way { graph, matter, settled: &settled, now };
    let (cries, understood, refused) = (way.cries(), way.understood(), way.refused());
    let known = settled.explored.sole_outcome();
    if let Some(outcome) = known
        && settled.against.is_empty()
        && cries.is_empty()
        && understood
        && !refused
    {
        return Settled { verdict: Some(outcome), ..settled };
    }
    let (times, last) = (way.times(), way.last());
    if !cries.is_empty() {
        settled.open(graph, &times, now);
        settled.first = times;
    }
    settled.against.splice(0..0, cries.into_iter().map(Against::Cry));
    if settled.explored.sole_outcome().is_some() && !understood {
        settled.open(graph, &matter.about.and_then(|about| about.fact).into_iter().collect::<Vec<_>>(), now);
    }
    if settled.explored.sole_outcome().is_some() {
        settled.open(graph, &last, now);
    }
    let outcome = settled.explored.sole_outcome().filter(|&outcome| !graph.dismisses(outcome));
    Settled { verdict: outcome, ..settled }
}

/// Whether what the policy says of a node's fact by itself is known there, for a person answered a later question.
pub(super) fn is_vouched_for(graph: &Graph, matter: &Matter<'_>, settled: &Settled<'_>, now: i64, node: usize) -> bool {
    let way = Way { graph, matter, settled, now };
    let given = way.asked(node).and_then(|(fact, _)| way.given(fact));
    given.is_some_and(|given| given.assumed && !way.is_guess(node, given))
}

impl Settled<'_> {
    /// Counts facts as unknown, and walks again.
    fn open(&mut self, graph: &Graph, facts: &[usize], now: i64) {
        for &fact in facts {
            if let Some(slot) = self.slots.get_mut(fact) {
                *slot = None;
            }
            if !self.opened.contains(&fact) {
                self.opened.push(fact);
            }
        }
        self.explored = graph.explore(&self.slots, now);
    }
}

/// The ways of a walk that end in a dismissal, and how far each can be trusted.
struct Way<'a, 's> {
    graph: &'s Graph,
    matter: &'s Matter<'a>,
    settled: &'s Settled<'a>,
    now: i64,
}

impl<'a> Way<'a, '_> {
    /// Answers that words speak against, with what they say.
    fn against(&self) -> Vec<Against<'a>> {
        let mut against: Vec<Against<'a>> = Vec::new();
        for (node, fact) in self.rests_on() {
            for voice in self.contradictions(node, fact) {
                let heard = |one: &Against<'_>| match one {
                    Against::Voice(_, other) => std::ptr::eq(other.fact, voice.fact),
                    Against::Cry(_) => false,
                };
                if !against.iter().any(heard) {
                    against.push(Against::Voice(fact, voice));
                }
            }
        }
        against
    }

    /// Facts that count as unknown: guesses, and those that words speak against.
    fn unknown(&self) -> Vec<usize> {
        let mut unknown = Vec::new();
        for (node, fact) in self.rests_on() {
            let guess = self.given(fact).is_some_and(|given| self.is_guess(node, given));
            if (guess || !self.contradictions(node, fact).is_empty()) && !unknown.contains(&fact) {
                unknown.push(fact);
            }
        }
        unknown
    }

    /// Words that give another answer at a node than this fact does, and that no manager has answered since.
    fn contradictions(&self, node: usize, fact: usize) -> Vec<Voice<'a>> {
        if self.given(fact).is_none_or(|given| self.is_guess(node, given)) {
            return Vec::new(); // What is no knowledge is not spoken against.
        }
        let stated = self.stated_from(node);
        let here = self.answer(node, &self.settled.slots);
        let voices = self.matter.voices.get(fact).map(Vec::as_slice).unwrap_or_default();
        let later = voices.iter().filter(|voice| stated.is_none_or(|stated| stated < voice.at));
        let other = later.filter(|voice| {
            let readings = self.matter.readings(self.graph, fact, voice, self.now);
            readings.into_iter().any(|value| self.answer(node, &with(&self.settled.slots, fact, value)) != here)
        });
        other.copied().collect()
    }

    /// Whether an answer is no knowledge at this node.
    fn is_guess(&self, node: usize, given: Given<'_>) -> bool {
        given.is_guess() && !(given.assumed && self.stated_from(node).is_some())
    }

    /// Whether it is known what the ticket is about, and what people wrote could be read.
    fn understood(&self) -> bool {
        let Some(about) = self.matter.about else { return true };
        let asks = |&node: &usize| about.fact.is_some() && self.asked(node).map(|(fact, _)| fact) == about.fact;
        let stated = || {
            self.settled
                .explored
                .answered
                .iter()
                .filter(|node| asks(node))
                .any(|&node| self.stated_from(node).is_some())
        };
        let closed = || self.ends().iter().all(|&node| self.stated_from(node).is_some());
        (about.known || stated()) && (self.matter.legible || closed())
    }

    /// Cries that no manager has answered since.
    fn cries(&self) -> Vec<Cry<'a>> {
        self.matter.cries.iter().filter(|cry| !self.answers(cry.at)).copied().collect()
    }

    /// Whether a manager refused what was proposed, and nobody has stated anything since.
    fn refused(&self) -> bool {
        self.matter.refused.is_some_and(|at| !self.answers(at))
    }

    /// Whether what a dismissal hangs on in the end was stated since then: the instants it compares, or without any the
    /// last answers on the way.
    fn answers(&self, then: i64) -> bool {
        let times = self.timed();
        let ends = if times.is_empty() { self.ends() } else { times };
        !ends.is_empty() && ends.iter().all(|&node| self.stated_from(node).is_some_and(|stated| then <= stated))
    }

    /// The instants on dismissing ways.
    fn times(&self) -> Vec<usize> {
        self.facts_of(&self.timed())
    }

    /// What the last answers on dismissing ways rest on.
    fn last(&self) -> Vec<usize> {
        self.facts_of(&self.ends())
    }

    fn facts_of(&self, nodes: &[usize]) -> Vec<usize> {
        let asked = nodes.iter().filter_map(|&node| self.asked(node));
        let mut facts: Vec<usize> = asked.flat_map(|(fact, _)| self.graph.basis(fact, &self.settled.slots)).collect();
        facts.sort_unstable();
        facts.dedup();
        facts
    }

    /// Answered questions about instants on dismissing ways.
    fn timed(&self) -> Vec<usize> {
        let timed = |&node: &usize| self.asked(node).is_some_and(|(_, test)| matches!(test, Test::More(_)));
        self.dismissing().into_iter().filter(timed).collect()
    }

    /// Answered questions on dismissing ways behind which no other is answered.
    fn ends(&self) -> Vec<usize> {
        let answered = self.dismissing();
        let last = |&node: &usize| {
            let beyond = self.reached(node);
            !answered.iter().any(|other| *other != node && beyond.contains(other))
        };
        answered.iter().copied().filter(last).collect()
    }

    /// Each answered question on a dismissing way, with each fact its answer rests on.
    fn rests_on(&self) -> Vec<(usize, usize)> {
        let basis = |node: usize| {
            let facts = self.asked(node).map(|(fact, _)| self.graph.basis(fact, &self.settled.slots));
            facts.into_iter().flatten().map(move |fact| (node, fact))
        };
        self.dismissing().into_iter().flat_map(basis).collect()
    }

    /// Answered questions from which a dismissal can still be reached.
    fn dismissing(&self) -> Vec<usize> {
        let answered = self.settled.explored.answered.iter().copied();
        answered.filter(|&node| self.reached(node).into_iter().any(|node| self.dismisses_at(node))).collect()
    }

    fn dismisses_at(&self, node: usize) -> bool {
        match self.graph.steps.get(node) {
            Some(Step::End { outcome, .. }) => self.graph.dismisses(*outcome),
            Some(Step::Ask { exits, .. }) => self.taken(node, exits).iter().any(|exit| match exit {
                Exit::Rest(outcome) => self.graph.dismisses(*outcome),
                Exit::Node(_) => false,
            }),
            Some(Step::Pass(_) | Step::Task(..) | Step::Past) | None => false,
        }
    }

    /// Until when a statement at this node or further on its way answers what else is said; none where there is none.
    fn stated_from(&self, node: usize) -> Option<i64> {
        let reached = self.reached(node).into_iter();
        let asked = reached.filter_map(|node| self.asked(node));
        let basis = asked.flat_map(|(fact, _)| self.graph.basis(fact, &self.settled.slots));
        basis.filter_map(|fact| self.given(fact)?.stated).max()
    }

    /// Every node from this one on, on any way that is still open.
    fn reached(&self, node: usize) -> Vec<usize> {
        let (mut ahead, mut reached) = (vec![node], Vec::new());
        while let Some(node) = ahead.pop() {
            if reached.contains(&node) {
                continue;
            }
            reached.push(node);
            match self.graph.steps.get(node) {
                Some(Step::Pass(to) | Step::Task(_, to)) => ahead.push(*to),
                Some(Step::Ask { exits, .. }) => {
                    ahead.extend(self.taken(node, exits).iter().filter_map(|exit| match exit {
                        Exit::Node(to) => Some(*to),
                        Exit::Rest(_) => None,
                    }))
                }
                Some(Step::End { .. } | Step::Past) | None => {}
            }
        }
        reached
    }

    /// The exit that is taken at a node; all of them where the question is open.
    fn taken<'e>(&self, node: usize, exits: &'e [Exit]) -> &'e [Exit] {
        match self.answer(node, &self.settled.slots) {
            Some(Answer::Is(place)) => exits.get(place..=place).unwrap_or_default(),
            Some(Answer::Open(_)) | None => exits,
        }
    }

    fn answer(&self, node: usize, slots: &[Option<Known>]) -> Option<Answer> {
        let (fact, test) = self.asked(node)?;
        Some(self.graph.answer(fact, test, slots, self.now))
    }

    fn asked(&self, node: usize) -> Option<(usize, Test)> {
        match self.graph.steps.get(node) {
            Some(Step::Ask { fact, test, .. }) => Some((*fact, *test)),
            _ => None,
        }
    }

    fn given(&self, fact: usize) -> Option<Given<'a>> {
        self.matter.given.get(fact).copied().flatten()
    }
}
