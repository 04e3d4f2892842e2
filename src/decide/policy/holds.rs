//! How long a verdict holds.

use super::given::{Given, Matter};
use super::graph::{Graph, Known, Range};
use super::keys::settle;

/// The first later instant at which the verdict would be another one with the same facts and the same words.
///
/// An answer can only turn where now passes an instant that was given or said by one of the distances questions ask for.
pub(super) fn valid_until(graph: &Graph, matter: &Matter<'_>, verdict: Option<usize>, now: i64) -> Option<i64> {
    let mut turns = Vec::new();
    for ((asked, given), voices) in graph.facts.iter().zip(&matter.given).zip(&matter.voices) {
        let Range::Instant(distances) = &asked.range else { continue };
        for Given { value, until, .. } in given.iter().chain(voices.iter().map(|voice| &voice.given)) {
            let Known::At(from) = *value else { continue };
            let moments = [Some(from), *until].into_iter().flatten();
            turns.extend(moments.flat_map(|at| distances.iter().map(move |distance| at.saturating_sub(*distance))));
        }
    }
    turns.retain(|&turn| turn > now);
    turns.sort_unstable();
    turns.dedup();
    turns.into_iter().find(|&turn| settle(graph, matter, turn).verdict != verdict)
}
