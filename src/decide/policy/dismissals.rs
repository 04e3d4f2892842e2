//! What a policy says of dismissals: no outcome leaves it open, and where words are read it says when they are understood.

use super::binding::Binding;
use super::fault::Fault;
use super::source::Place;
use crate::decide::near::instead;

/// Every outcome that does not say whether it dismisses, and every name in `[dismissal]` that is not there.
pub(super) fn faults(binding: &Binding) -> Vec<Fault> {
    let silent = binding.outcomes.iter().filter(|(_, outcome)| outcome.dismisses.is_none());
    let mut faults: Vec<Fault> = silent
        .map(|(name, _)| {
            let message = format!("the outcome `{}` does not say whether it dismisses", name.get_ref());
            Fault::binding(name.span(), message, "write dismisses = true or dismisses = false")
        })
        .collect();
    let Some(dismissal) = &binding.dismissal else {
        let mut sources = binding.facts.values().flat_map(|fact| &fact.sources);
        let reads = sources.any(|source| matches!(source.place, Place::Reader));
        if let Some((name, _)) = binding.outcomes.iter().find(|(_, outcome)| reads && outcome.dismisses()) {
            let message =
                format!("`{}` dismisses, words are read, and nothing says when they are understood", name.get_ref());
            let help = "add [dismissal] with understood_by = \"…\", the fact that says what a ticket is about";
            faults.push(Fault::binding(name.span(), message, help));
        }
        return faults;
    };
    let there: Vec<&str> = binding.facts.keys().map(|name| name.get_ref().as_str()).collect();
    for name in std::iter::once(&dismissal.understood_by).chain(dismissal.against.keys()) {
        if !there.contains(&name.get_ref().as_str()) {
            let message = format!("[dismissal] needs the fact `{}`, which is not there", name.get_ref());
            faults.push(Fault::binding(name.span(), message, instead(name.get_ref(), &there)));
        }
    }
    faults
}
