//! What is known of the facts a graph asks for, in the walk's terms: what is taken, and what else was said.

use chrono::{DateTime, Utc};

use super::binding::Binding;
use super::graph::{Graph, Known, Range};
use super::walk::{Slots, with};
use crate::decide::facts::fact::{Fact, Facts, Finding, Legible, Spoken, Trust, Value};
use crate::decide::facts::source::Source;

/// One known fact.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a> {
    /// What it says; of a span its first moment.
    pub value: Known,
    /// The last moment of a span.
    pub until: Option<i64>,
    pub trust: Trust,
    /// Where it was read.
    pub source: &'a Source,
    /// For a guess: the words it was read out of.
    pub quote: Option<&'a str>,
    /// Where a person states it: when, as far as that is known; it answers what was said until then.
    pub stated: Option<i64>,
    /// Whether it is what the policy says where nothing else answers.
    pub assumed: bool,
}

/// What is known of each fact of the graph, by its index.
pub(super) type AllGiven<'a> = Vec<Option<Given<'a>>>;

/// An answer that was read in words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Voice<'a> {
    pub given: Given<'a>,
    /// When it was said.
    pub at: i64,
    pub fact: &'a Fact,
}

/// An answer that speaks against any dismissal, though no node asks for its fact.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cry<'a> {
    /// The fact's name.
    pub name: &'a str,
    pub fact: &'a Fact,
    /// When it was said.
    pub at: i64,
}

/// Everything known of one ticket.
#[derive(Debug, Clone)]
pub(super) struct Matter<'a> {
    pub given: AllGiven<'a>,
    /// What words say of each fact, by its index.
    pub voices: Vec<Vec<Voice<'a>>>,
    pub cries: Vec<Cry<'a>>,
    /// The fact that says what the ticket is about; none where the policy does not ask for that.
    pub about: Option<About>,
    /// Whether what people wrote could be read.
    pub legible: bool,
    /// When a manager last refused a proposal.
    pub refused: Option<i64>,
}

/// The fact that says what a ticket is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct About {
    /// Its index, where the diagram asks for it.
    pub fact: Option<usize>,
    /// Whether it is stated, recorded, or read surely enough.
    pub known: bool,
}

impl Graph {
    /// Everything known, in the walk's terms; what is unknown, or no answer to what is asked, is left out.
    pub(super) fn matter<'a>(&self, binding: &'a Binding, facts: &'a Facts, spoken: &'a Spoken) -> Matter<'a> {
        let known = |name: &str| facts.get(name).and_then(Finding::known);
        let given = self
            .facts
            .iter()
            .map(|asked| asked.range.given(known(&asked.name)?, binding.otherwise(&asked.name)))
            .collect();
        let said = |name: &str| spoken.answers.get(name).map(Vec::as_slice).unwrap_or_default();
        let voices = |(name, range): (&str, &Range)| -> Vec<Voice<'a>> {
            let voice = |fact: &'a Fact| Some(Voice { given: range.given(fact, None)?, at: said_at(fact), fact });
            said(name).iter().filter_map(voice).collect()
        };
        let dismissal = binding.dismissal.as_ref();
        let cries = dismissal.into_iter().flat_map(|dismissal| &dismissal.against).flat_map(|(name, answer)| {
            let name = name.get_ref().as_str();
            let answered = known(name).filter(|fact| fact.trust == Trust::Stated).map(stated_at);
            let open = move |at: i64| answered.is_none_or(|answered| answered < at);
            let taken = known(name).into_iter().filter(|fact| fact.trust > Trust::Inferred);
            let words = said(name).iter().filter(move |fact| open(said_at(fact)));
            let says_so = taken.chain(words).filter(move |fact| fact.value.word() == Some(answer));
            says_so.map(move |fact| Cry { name, fact, at: said_at(fact) })
        });
        Matter {
            given,
            voices: self.facts.iter().map(|asked| voices((&asked.name, &asked.range))).collect(),
            cries: cries.collect(),
            about: dismissal.map(|dismissal| About {
                fact: self.facts.iter().position(|asked| asked.name == *dismissal.understood_by.get_ref()),
                known: known(dismissal.understood_by.get_ref()).is_some_and(|fact| binding.reader.understands(fact)),
            }),
            legible: spoken.legible == Legible::Yes,
            refused: spoken.refused.map(|at| at.timestamp_millis()),
        }
    }

    /// One moment of each stretch of a span within which all answers are the same.
    fn moments(&self, fact: usize, from: i64, until: i64, now: i64) -> Vec<i64> {
        let Some(Range::Instant(distances)) = self.facts.get(fact).map(|asked| &asked.range) else { return Vec::new() };
        let turns = distances.iter().map(|distance| now.saturating_add(*distance).saturating_add(1));
        [from, until].into_iter().chain(turns.filter(|turn| (from..=until).contains(turn))).collect()
    }
}

impl<'a> Matter<'a> {
    /// What is known, in the walk's terms; a span whose moments do not all lead to one outcome is unknown.
    pub(super) fn slots(&self, graph: &Graph, now: i64) -> Slots {
        let whole = |given: &Option<Given<'_>>| given.filter(|given| given.until.is_none()).map(|given| given.value);
        let mut slots: Slots = self.given.iter().map(whole).collect();
        for (fact, given) in self.given.iter().enumerate() {
            let Some(Given { value: Known::At(from), until: Some(until), .. }) = *given else { continue };
            let ends = |moment: i64| graph.explore(&with(&slots, fact, Known::At(moment)), now).outcomes();
            let mut ends = graph.moments(fact, from, until, now).into_iter().map(ends);
            let first = ends.next();
            if first.as_ref().is_some_and(|outcomes| outcomes.len() == 1) && ends.all(|other| Some(other) == first) {
                slots = with(&slots, fact, Known::At(from));
            }
        }
        slots
    }

    /// Every way the fact can turn out where it is as this voice says.
    pub(super) fn readings(&self, graph: &Graph, fact: usize, voice: &Voice<'_>, now: i64) -> Vec<Known> {
        match voice.given {
            Given { value: Known::At(from), until: Some(until), .. } => {
                graph.moments(fact, from, until, now).into_iter().map(Known::At).collect()
            }
            Given { value, .. } => vec![value],
        }
    }

    /// The same, with one fact stated by a manager who has seen all there is.
    pub(super) fn stating(&self, fact: usize, value: Known) -> Matter<'a> {
        static ASKED: Source = Source::Given(crate::decide::facts::source::Given::Form);
        let (trust, source, quote) = (Trust::Inferred, &ASKED, None);
        self.agreeing(fact, Some(Given { value, until: None, trust, source, quote, stated: None, assumed: false }))
    }

    /// The same, with what is suggested of one fact stated by a manager who has seen all there is; without a suggestion
    /// it is unknown.
    pub(super) fn agreeing(&self, fact: usize, suggested: Option<Given<'a>>) -> Matter<'a> {
        let mut matter = self.clone();
        if let Some(slot) = matter.given.get_mut(fact) {
            *slot = suggested.map(|given| Given { trust: Trust::Stated, stated: Some(i64::MAX), ..given });
        }
        matter
    }
}

impl Range {
    /// A value in the walk's terms, with the last moment of a span; none where it is no answer to what is asked.
    fn known(&self, value: &Value) -> Option<(Known, Option<i64>)> {
        match (self, value) {
            (Range::Words(words), Value::Word(word)) => {
                Some((Known::Word(words.iter().position(|known| known == word)?), None))
            }
            (Range::Instant(_), Value::Instant(at)) => Some((Known::At(at.timestamp_millis()), None)),
            (Range::Instant(_), Value::Span(span)) => {
                let (from, until) = (span.from.timestamp_millis(), span.until.timestamp_millis());
                Some((Known::At(from), Some(until).filter(|until| *until > from)))
            }
            (Range::Words(_), Value::Instant(_) | Value::Span(_)) | (Range::Instant(_), Value::Word(_)) => None,
        }
    }

    fn given<'a>(&self, fact: &'a Fact, otherwise: Option<&str>) -> Option<Given<'a>> {
        let (value, until) = self.known(&fact.value)?;
        let stated = (fact.trust == Trust::Stated).then(|| stated_at(fact));
        let assumed = otherwise.is_some() && fact.value.word() == otherwise;
        Some(Given {
            value,
            until,
            trust: fact.trust,
            source: &fact.source,
            quote: fact.quote.as_deref(),
            stated,
            assumed,
        })
    }
}

/// When it was said; what gives no time was there from the beginning.
fn said_at(fact: &Fact) -> i64 {
    fact.at.map_or(i64::MIN, |at| at.timestamp_millis())
}

/// Until when a stated fact answers what else is said; what gives no time answers all of it.
fn stated_at(fact: &Fact) -> i64 {
    fact.at.map_or(i64::MAX, |at: DateTime<Utc>| at.timestamp_millis())
}

impl Given<'_> {
    /// Whether it was read out of words, or assumed of a ticket that is not understood.
    pub(super) fn is_guess(&self) -> bool {
        self.trust == Trust::Inferred
    }

    /// Whether nothing on the ticket gives a sign of it.
    pub(super) fn is_unfounded(&self) -> bool {
        self.is_guess() && *self.source == Source::Otherwise
    }
}
