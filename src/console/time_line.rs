//! What happened to a ticket, in words, for its page and for the command line.

use chrono::{DateTime, Utc};

use super::words;
use crate::facts::replies::Says;
use crate::store::history::History;
use crate::store::operators::OperatorEvent;
use crate::work::basis::Basis;

/// How many deliveries and failures it goes back.
const LINE: usize = 200;

/// Something that happened.
pub(crate) struct Happened<'a> {
    /// When.
    pub at: DateTime<Utc>,
    /// What kind of thing: `delivery`, `failure`, `decision`, `operator` or `answer`.
    pub kind: &'static str,
    /// What, in words.
    pub words: String,
    /// The note that was written, as text.
    pub note: Option<&'a str>,
}

/// Everything that happened, oldest first; `verdict` says how people call one.
pub(crate) fn of<'a>(
    history: &'a History,
    events: &[OperatorEvent],
    basis: &Basis,
    verdict: impl Fn(&str) -> String,
) -> Vec<Happened<'a>> {
    let happened = |at, kind, words| Happened { at, kind, words, note: None };
    let mut line = Vec::new();
    for delivery in history.deliveries.iter().rev().take(LINE) {
        let kind = delivery.kind.trim_start_matches("zen:event-type:ticket.").replace('_', " ");
        line.push(happened(delivery.received_at, "delivery", format!("delivery: {kind}")));
    }
    for failure in history.failures.iter().rev().take(LINE) {
        line.push(happened(failure.at, "failure", format!("a look failed: {}", failure.error)));
    }
    for row in &history.decisions {
        let words = format!("decision {}: {}; {}", row.reference, verdict(&row.verdict), words::carried(row.carried));
        line.push(Happened { at: row.decided_at, kind: "decision", words, note: Some(&row.note) });
    }
    for event in events {
        line.push(happened(event.at, "operator", format!("{} {}", event.who, words::did(&event.did))));
    }
    for reply in basis.replies.iter().filter(|reply| !reply.source.contains(", console, ")) {
        let said = match &reply.says {
            Says::Answer { fact, value } => format!("answered {fact} = {value}"),
            Says::Agree => "agreed".into(),
            Says::Disagree(why) => format!("disagreed: {why}"),
            Says::Recheck => "asked for another look".into(),
            Says::Stop => "told the bot to stop".into(),
            Says::Unreadable(text) => format!("wrote what the bot cannot read: {text}"),
        };
        line.extend(reply.at.map(|at| happened(at, "answer", format!("{}: {said}", reply.source))));
    }
    line.sort_by_key(|happened| happened.at);
    line
}
