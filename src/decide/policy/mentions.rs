//! What sources and lookups mention exists, and no fact rests on itself.

use std::ops::Range;

use toml::Spanned;

use super::binding::{Binding, FactBinding};
use super::fault::Fault;
use super::source::Place;
use super::spots::Spots;
use crate::decide::near::nearest;

/// Every fault of this sort, each at the fact or lookup that has it.
pub(super) fn faults(binding: &Binding, spots: &Spots<'_>) -> Vec<Fault> {
    let facts: Vec<&str> = binding.facts.keys().map(|name| name.get_ref().as_str()).collect();
    let lookups: Vec<&str> = binding.lookups.keys().map(|name| name.get_ref().as_str()).collect();
    let mut faults = Vec::new();
    let mut missing = |at: &Spanned<String>, span: Option<Range<usize>>, what: &str, name: &str, there: &[&str]| {
        if !there.contains(&name) {
            let help = match nearest(name, there) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", there.join(", ")),
            };
            let message = format!("`{}` needs the {what} `{name}`, which is not there", at.get_ref());
            faults.push(Fault::binding(span.unwrap_or(at.span()), message, help));
        }
    };
    for (name, fact) in &binding.facts {
        for (place, source) in fact.sources.iter().enumerate() {
            let place = place.to_string();
            let path = ["facts", name.get_ref(), "sources", &place];
            for (key, conditions) in [("when", &source.when), ("unless", &source.unless)] {
                for needed in conditions.keys() {
                    let span = spots.key(&[path.as_slice(), &[key, needed]].concat());
                    missing(name, Some(span), "fact", needed, &facts);
                }
            }
            if let Place::Lookup { name: lookup, .. } = &source.place {
                let span = spots.value(&[path.as_slice(), &["lookup"]].concat());
                missing(name, Some(span), "lookup", lookup, &lookups);
            }
        }
        for needed in fact.day_ends_when.keys() {
            let span = spots.key(&["facts", name.get_ref(), "day_ends_when", needed]);
            missing(name, Some(span), "fact", needed, &facts);
        }
    }
    for (name, lookup) in &binding.lookups {
        lookup.url.facts.iter().for_each(|needed| missing(name, None, "fact", needed, &facts));
    }
    let circular = binding.facts.keys().filter(|name| rests_on_itself(binding, name.get_ref()));
    faults.extend(circular.map(|name| {
        let message = format!("what is known of `{}` depends on itself", name.get_ref());
        Fault::binding(name.span(), message, "take one `when` or `day_ends_when` of the circle away")
    }));
    faults
}

/// The facts that must be known before this one's sources can speak.
fn conditions(fact: &FactBinding) -> impl Iterator<Item = &str> {
    let sources = fact.sources.iter().flat_map(|source| source.when.keys());
    sources.chain(fact.day_ends_when.keys()).map(String::as_str)
}

fn rests_on_itself(binding: &Binding, name: &str) -> bool {
    let mut ahead = vec![name];
    let mut seen: Vec<&str> = Vec::new();
    while let Some(fact) = ahead.pop().and_then(|name| binding.fact(name)) {
        for needed in conditions(fact) {
            if needed == name {
                return true;
            }
            if !seen.contains(&needed) {
                seen.push(needed);
                ahead.push(needed);
            }
        }
    }
    false
}
