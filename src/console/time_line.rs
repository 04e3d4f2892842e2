//! What happened to a ticket, in words, for its page and for the command line.

use chrono::{DateTime, Utc};

use super::words;
use crate::facts::replies::Says;
use crate::store::feedback::{FeedbackRow, Opinion, Way};
use crate::store::follow_ups::{FollowUp, Kind, Stage};
use crate::store::history::History;
use crate::store::operators::OperatorEvent;
use crate::work::basis::Basis;

/// How many deliveries and failures it goes back.
const LINE: usize = 200;

/// Something that happened.
pub(crate) struct Happened<'a> {
    /// When.
    pub at: DateTime<Utc>,
    /// What kind of thing: `delivery`, `failure`, `decision`, `operator`, `follow-up` or `answer`.
    pub kind: &'static str,
    /// What, in words.
    pub words: String,
    /// The note that was written, as text.
    pub note: Option<&'a str>,
}

/// What is kept of a ticket.
pub(crate) struct Kept<'a> {
    /// Its deliveries, decisions and failures.
    pub history: &'a History,
    /// What operators did on it.
    pub events: &'a [OperatorEvent],
    /// What its decisions brought about elsewhere.
    pub follow_ups: &'a [FollowUp],
    /// What people thought of its decisions.
    pub feedback: &'a [FeedbackRow],
    /// What its newest decision was made on.
    pub basis: &'a Basis,
}

/// Everything that happened, oldest first; `verdict` says how people call one.
pub(crate) fn of<'a>(kept: &Kept<'a>, verdict: impl Fn(&str) -> String) -> Vec<Happened<'a>> {
    let Kept { history, events, follow_ups, feedback, basis } = *kept;
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
    // Replies and buttons are told by themselves; a tag changed by hand is known by this alone.
    for FeedbackRow { feedback, .. } in feedback.iter().filter(|row| row.feedback.way == Way::Tag) {
        if let Opinion::Corrected { to } = &feedback.opinion {
            let words = format!("{} put the tags of \"{}\" in their place", feedback.who, verdict(to));
            line.push(happened(feedback.said_at, "answer", format!("{words} (of {})", feedback.reference)));
        }
    }
    for one in follow_ups {
        let what = words::follow_up(one.kind);
        match &one.stage {
            Stage::Done { at, what: done } => {
                let words = match one.kind {
                    Kind::StarIssue => format!("{what}: labelled, with a comment: {done}"),
                    Kind::Unlabel => format!("{what}: label taken away, with a comment: {done}"),
                    Kind::Escalation | Kind::AboutToFlip => format!("{what}: {done}"),
                };
                line.push(happened(*at, "follow-up", format!("{words} (of {})", one.reference)));
            }
            Stage::Unclear { at, why } | Stage::Dead { at, error: why } => {
                line.push(happened(*at, "failure", format!("{what}: {why} (of {})", one.reference)));
            }
            Stage::Planned | Stage::Due { .. } | Stage::Moot { .. } => {}
        }
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
