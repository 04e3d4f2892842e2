//! What is known of the facts a graph asks for, in the walk's terms, with how far each can be trusted.

use super::graph::{Graph, Known, Range};
use crate::decide::facts::fact::{Fact, Facts, Quote, Trust, Value};
use crate::decide::facts::source::Source;

/// One known fact.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a> {
    pub value: Known,
    pub trust: Trust,
    /// Where it was read.
    pub source: &'a Source,
    /// For a guess: the words it was read out of.
    pub quote: Option<&'a Quote>,
}

/// What is known of each fact of the graph, by its index.
pub(super) type AllGiven<'a> = Vec<Option<Given<'a>>>;

impl Graph {
    /// The facts in the walk's terms; what is unknown, or no answer to what is asked, is left out.
    pub(super) fn given<'a>(&self, facts: &'a Facts) -> AllGiven<'a> {
        let one = |name: &str, range: &Range| {
            let Fact { value, trust, source, quote } = facts.get(name)?.known()?;
            Some(Given { value: range.known(value)?, trust: *trust, source, quote: quote.as_ref() })
        };
        self.facts.iter().map(|asked| one(&asked.name, &asked.range)).collect()
    }
}

impl Range {
    /// A value in the walk's terms; none where it is no answer to what is asked.
    pub(super) fn known(&self, value: &Value) -> Option<Known> {
        match (self, value) {
            (Range::Words(words), Value::Word(word)) => {
                Some(Known::Word(words.iter().position(|known| known == word)?))
            }
            (Range::Instant(_), Value::Instant(at)) => Some(Known::At(at.timestamp_millis())),
            (Range::Words(_), Value::Instant(_)) | (Range::Instant(_), Value::Word(_)) => None,
        }
    }
}

impl Given<'_> {
    /// Whether it was read out of words.
    pub(super) fn is_guess(&self) -> bool {
        self.trust == Trust::Inferred
    }
}
