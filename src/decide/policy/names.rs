//! Names that a binding uses: each node, fact and outcome exists, and is of the kind that is asked for.

use toml::Spanned;

use super::binding::{Binding, Kind, Meaning};
use super::diagram::Diagram;
use super::fault::Fault;
use crate::decide::near::nearest;

/// Every name that is used and defined nowhere, at its place.
pub(super) fn faults(diagram: &Diagram, binding: &Binding) -> Vec<Fault> {
    let mut names = Names {
        binding,
        nodes: diagram.nodes.iter().map(|node| node.id.as_str()).collect(),
        facts: binding.facts.keys().map(|name| name.get_ref().as_str()).collect(),
        outcomes: binding.outcomes.keys().map(|name| name.get_ref().as_str()).collect(),
        faults: Vec::new(),
    };
    for (node, meaning) in &binding.nodes {
        names.node(node);
        match meaning {
            Meaning::Choose { fact, exits } => {
                names.asks(fact, Kind::Word);
                exits.values().for_each(|to| names.node(to));
            }
            Meaning::YesNo { fact } => names.asks(fact, Kind::Word),
            Meaning::MoreThan { until, .. } => names.asks(until, Kind::Instant),
            Meaning::OnlyIf { fact, otherwise } => {
                names.asks(fact, Kind::Word);
                names.outcome(otherwise);
            }
            Meaning::Outcome(outcome) => names.outcome(outcome),
            Meaning::Task(_) => {}
        }
    }
    for name in binding.facts.keys() {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.get_ref().is_empty() || !name.get_ref().chars().all(plain) {
            let message = format!("the fact `{}` could not be named in a reply", name.get_ref());
            names.faults.push(Fault::binding(name.span(), message, "use small letters, digits and underscores"));
        }
    }
    names.faults
}

struct Names<'a> {
    binding: &'a Binding,
    nodes: Vec<&'a str>,
    facts: Vec<&'a str>,
    outcomes: Vec<&'a str>,
    faults: Vec<Fault>,
}

impl Names<'_> {
    fn node(&mut self, name: &Spanned<String>) {
        self.faults.extend(unknown("the diagram has no node", name, &self.nodes));
    }

    fn outcome(&mut self, name: &Spanned<String>) {
        self.faults.extend(unknown("[outcomes] has no outcome", name, &self.outcomes));
    }

    /// A fact that a node asks for, of the kind that can answer.
    fn asks(&mut self, fact: &Spanned<String>, kind: Kind) {
        self.faults.extend(unknown("[facts] has no fact", fact, &self.facts));
        if self.binding.fact(fact.get_ref()).is_some_and(|bound| bound.kind != kind) {
            let (is, help) = match kind {
                Kind::Instant => ("a word, and this compares instants", "give the fact `kind = \"instant\"`"),
                Kind::Word => ("an instant, and this asks for a word", "ask with `more_than` and `until`"),
            };
            let message = format!("the fact `{}` is {is}", fact.get_ref());
            self.faults.push(Fault::binding(fact.span(), message, help));
        }
    }
}

/// A fault where a name is not among those there are, with the nearest of them.
pub(super) fn unknown(place: &str, name: &Spanned<String>, there: &[&str]) -> Option<Fault> {
    if there.contains(&name.get_ref().as_str()) {
        return None;
    }
    Some(Fault::binding(name.span(), format!("{place} `{}`", name.get_ref()), or_there(name.get_ref(), there)))
}

/// What to write instead of a name: the nearest, or which there are.
pub(super) fn or_there(name: &str, there: &[&str]) -> String {
    nearest(name, there)
        .map_or_else(|| format!("there are: {}", there.join(", ")), |near| format!("did you mean `{near}`?"))
}
