//! How things are told, on pages and at the command line.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::decide::facts::expiry;
use crate::decide::note::markup::escape;
use crate::decide::policy::Policy;
use crate::decide::policy::decision::{NEEDS_FACTS, NOT_APPLICABLE};
use crate::learn::report::text::many;
use crate::store::decisions::Carried;
use crate::store::follow_ups::{Kind, Stage};
use crate::store::operators::Did;
use crate::store::pauses::Paused;
use crate::store::watches::Watch;

/// A moment for a page: as programs read it, and in words, which a script puts into the reader's zone.
#[derive(Debug, Clone)]
pub(super) struct When {
    /// RFC 3339.
    pub iso: String,
    /// `24 Nov 2026, 12:03 UTC`.
    pub words: String,
}

impl When {
    pub(super) fn of(at: DateTime<Utc>) -> When {
        When { iso: at.to_rfc3339_opts(SecondsFormat::Secs, true), words: expiry::exact(at) }
    }
}

/// A policy as people tell it from others: by twelve digits, and since when it is in force.
#[derive(Debug, Clone)]
pub(super) struct PolicyName {
    pub short: String,
    /// The whole hash.
    pub hash: String,
    /// When it last came into force; none where it never did.
    pub since: Option<When>,
}

impl PolicyName {
    pub(super) fn of(hash: &str) -> PolicyName {
        PolicyName { short: short(hash).to_owned(), hash: hash.to_owned(), since: None }
    }

    pub(super) fn since(hash: &str, since: DateTime<Utc>) -> PolicyName {
        PolicyName { since: Some(When::of(since)), ..PolicyName::of(hash) }
    }
}

/// A verdict as people call it.
pub(super) fn verdict(policy: &Policy, verdict: &str) -> String {
    match verdict {
        NEEDS_FACTS => "Answers needed".into(),
        NOT_APPLICABLE => "No STAR of ours".into(),
        other => policy.title(other).to_owned(),
    }
}

/// The class that colours a verdict: whether it asks, dismisses or escalates.
pub(super) fn tone(policy: &Policy, verdict: &str) -> &'static str {
    match policy.outcome(verdict) {
        _ if verdict == NEEDS_FACTS => "asks",
        Some(outcome) if outcome.dismisses() => "dismisses",
        Some(_) => "escalates",
        None => "other",
    }
}

/// How far a moment is off: `5 min ago`, `in 3 h`.
pub(super) fn distance(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let span = at - now;
    if span.abs() < TimeDelta::minutes(1) {
        return "now".into();
    }
    let length = expiry::length(span.num_milliseconds());
    if span > TimeDelta::zero() { format!("in {length}") } else { format!("{length} ago") }
}

/// Where a ticket stands.
pub(crate) fn watch(watch: &Watch, now: DateTime<Utc>) -> String {
    match watch {
        Watch::Due { at } if *at <= now => "due now".into(),
        Watch::Due { at } => format!("next look {}", distance(*at, now)),
        Watch::Idle => "waiting for something new on the ticket".into(),
        Watch::Dead { error } => format!("the bot gave up: {error}"),
        Watch::Stopped { why } => format!("not followed any more: {why}"),
    }
}

/// A pause: who, since when, and what it means.
pub(crate) fn paused(account: &str, pause: &Paused) -> String {
    format!(
        "{account} is paused by {}, since {}: deliveries are kept, nothing is written",
        pause.by,
        expiry::exact(pause.since)
    )
}

/// What became of a decision.
pub(crate) fn carried(carried: Carried) -> &'static str {
    match carried {
        Carried::Open => "not written yet",
        Carried::Posted => "note and tags are on the ticket",
        Carried::Shadow => "not written on the ticket: the account is in shadow mode",
        Carried::Overtaken => "overtaken before it was written",
    }
}

/// What an operator did.
pub(crate) fn did(did: &Did) -> String {
    match did {
        Did::SignedIn => "signed in".into(),
        Did::SignInRefused => "was refused at sign-in".into(),
        Did::SignedOut { .. } => "signed out".into(),
        Did::LookAgain => "asked for another look".into(),
        Did::LookAgainAtAll { tickets } => format!("asked for another look at {}", many(*tickets, "open ticket")),
        Did::Answered { fact, value } => format!("answered {fact} = {value}"),
        Did::Refused => "said no to the proposal".into(),
        Did::Agreed => "agreed".into(),
        Did::Disagreed { why } if why.is_empty() => "disagreed".into(),
        Did::Disagreed { why } => format!("disagreed: {why}"),
        Did::Forgot => "had what people wrote forgotten".into(),
        Did::Stopped => "told the bot to stop following the ticket".into(),
        Did::Proposed { policy } => format!("asked to put the policy {} in force", short(policy)),
        Did::Promoted { policy } => format!("put the policy {} in force", short(policy)),
        Did::SteppedBack { policy } => format!("took the newest promotion back: {} is in force again", short(policy)),
        Did::SentBack { tickets: 1 } => "had a ticket tried again that the bot had given up".into(),
        Did::SentBack { tickets } => format!("had {tickets} tickets tried again that the bot had given up"),
        Did::Paused { account } => format!("paused {account}"),
        Did::Resumed { account } => format!("ended the pause of {account}"),
        Did::TriedAgain => "had what follows elsewhere tried again".into(),
        Did::Took => "took the ticket".into(),
        Did::Finished => "said it is done".into(),
        Did::GaveBack => "gave the ticket back".into(),
    }
}

/// The first twelve digits of a policy's hash, by which people tell it from others.
pub(crate) fn short(hash: &str) -> &str {
    let digits = hash.strip_prefix("sha256:").unwrap_or(hash);
    digits.get(..12).unwrap_or(digits)
}

/// What follows a decision elsewhere.
pub(super) fn follow_up(kind: Kind) -> &'static str {
    match kind {
        Kind::StarIssue => "STAR issue",
        Kind::Unlabel => "STAR issue, as the verdict turned",
        Kind::Escalation => "chat, on the verdict",
        Kind::AboutToFlip => "chat, before it flips",
        Kind::StillOpen => "chat, while the question is open",
    }
}

/// Where a follow-up stands.
pub(super) fn stage(stage: &Stage, now: DateTime<Utc>) -> String {
    match stage {
        Stage::Planned => "once the note stands".into(),
        Stage::Due { at, last_error: None } => format!("due {}", distance(*at, now)),
        Stage::Due { at, last_error: Some(error) } => format!("tried again {}: {error}", distance(*at, now)),
        Stage::Done { at, what } => format!("{what}, {}", distance(*at, now)),
        Stage::Moot { why } => format!("not needed: {why}"),
        Stage::Unclear { at, why } => format!("not done: {why} ({})", distance(*at, now)),
        Stage::Dead { at, error } => format!("given up: {error} ({})", distance(*at, now)),
    }
}

/// A note's text as HTML: its strong words and what is to be typed stand out, everything else is text.
pub(super) fn note(text: &str) -> String {
    let mut html = String::new();
    for (place, part) in text.split("**").enumerate() {
        let words: Vec<String> = part.split('`').map(escape).collect();
        let mut typed = String::new();
        for (place, words) in words.iter().enumerate() {
            match place % 2 {
                1 if place + 1 < part.split('`').count() => typed.push_str(&format!("<code>{words}</code>")),
                1 => typed.push_str(&format!("`{words}")),
                _ => typed.push_str(words),
            }
        }
        match place % 2 {
            1 if place + 1 < text.split("**").count() => html.push_str(&format!("<strong>{typed}</strong>")),
            1 => html.push_str(&format!("**{typed}")),
            _ => html.push_str(&typed),
        }
    }
    html
}
