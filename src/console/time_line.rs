//! What happened to a ticket, in words, for its page and for the command line.

use chrono::{DateTime, Utc};

use super::words;
use crate::decide::basis::Basis;
use crate::decide::facts::replies::{Reply, Says};
use crate::decide::facts::source::Source;
use crate::store::feedback::{FeedbackRow, Opinion, Way};
use crate::store::follow_ups::{FollowUp, Kind, Stage};
use crate::store::history::History;
use crate::store::operators::OperatorEvent;
use crate::work::feedback::opinion;

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
    // Buttons are told as what operators did. What was said since the newest decision is known by this alone.
    for FeedbackRow { feedback, .. } in feedback.iter().filter(|row| row.feedback.way != Way::Console) {
        let said = match &feedback.opinion {
            Opinion::Agree => "agreed".into(),
            Opinion::Disagree { why } if why.is_empty() => "disagreed".into(),
            Opinion::Disagree { why } => format!("disagreed: {why}"),
            Opinion::Corrected { to } => format!("put the tags of \"{}\" in their place", verdict(to)),
        };
        let words = format!("{} {said} (of {})", feedback.who, feedback.reference);
        line.push(happened(feedback.said_at, "answer", words));
    }
    let is_told = |reply: &Reply| {
        let Some(said) = opinion(&reply.says) else { return false };
        let way = Way::Reply { comment: reply.comment };
        feedback.iter().any(|row| row.feedback.way == way && row.feedback.opinion.word() == said.word())
    };
    for one in follow_ups {
        let what = words::follow_up(one.kind);
        match &one.stage {
            Stage::Done { at, what: done } => {
                let words = match one.kind {
                    Kind::StarIssue => format!("{what}: labelled, with a comment: {done}"),
                    Kind::Unlabel => format!("{what}: label taken away, with a comment: {done}"),
                    Kind::Escalation | Kind::AboutToFlip | Kind::StillOpen => format!("{what}: {done}"),
                };
                line.push(happened(*at, "follow-up", format!("{words} (of {})", one.reference)));
            }
            Stage::Unclear { at, why } | Stage::Dead { at, error: why } => {
                line.push(happened(*at, "failure", format!("{what}: {why} (of {})", one.reference)));
            }
            Stage::Planned | Stage::Due { .. } | Stage::Moot { .. } => {}
        }
    }
    let on_the_ticket = |reply: &&Reply| !matches!(reply.source, Source::Console { .. });
    for reply in basis.replies.iter().filter(on_the_ticket).filter(|reply| !is_told(reply)) {
        let said = match &reply.says {
            Says::Answer { fact, value } => format!("answered {fact} = {value}"),
            Says::Yes => "said yes".into(),
            Says::No(why) => format!("said no: {why}"),
            Says::Undo => "took back their last line".into(),
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
