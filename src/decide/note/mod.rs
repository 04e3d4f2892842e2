//! A decision as an internal note: the answer first, then why, what next, and how to correct it.

mod advice;
mod checklist;
pub mod markup;
mod questions;
mod reasons;
mod words;

use chrono::{DateTime, Utc};

use crate::decide::facts::expiry;
use crate::decide::facts::fact::{Facts, Spoken, Trust};
use crate::decide::facts::replies::{DATE, SIGNATURE};
use crate::decide::facts::sources::{self, Ids};
use crate::decide::policy::Policy;
use crate::decide::policy::correction::Correction;
use crate::decide::policy::decision::{Decision, NEEDS_FACTS, NOT_APPLICABLE};
use crate::decide::ticket::Reading;
use markup::{Block, Note, Span, code, strong, text};

/// What a note is written from.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The rule that decided.
    pub policy: &'a Policy,
    /// What its names mean to this helpdesk.
    pub ids: &'a Ids,
    /// What was decided.
    pub decision: &'a Decision,
    /// What it was decided on.
    pub facts: &'a Facts,
    /// Everything said in words.
    pub spoken: &'a Spoken,
    /// The ticket, where there is one.
    pub reading: Option<&'a Reading>,
    /// Answers of managers that could not be used, a sentence each.
    pub problems: &'a [String],
    /// The verdict the ticket's last note gave, where it was another.
    pub was: Option<&'a str>,
    /// The decision's short id.
    pub reference: Option<&'a str>,
    /// Where the ticket's history can be seen.
    pub link: Option<&'a str>,
    /// When it is written.
    pub now: DateTime<Utc>,
}

/// Words a decision for a manager.
pub fn write(subject: &Subject<'_>) -> Note {
    let mut blocks = misunderstood(subject);
    if subject.decision.verdict == NOT_APPLICABLE {
        let why = subject
            .reading
            .and_then(|reading| sources::not_ours(&subject.policy.binding, subject.ids, &reading.ticket));
        let why = why.unwrap_or_else(|| "the policy does not speak of this ticket".to_owned());
        blocks.push(Block::Line(vec![strong("No STAR of ours:"), text(format!(" {why}."))]));
    } else if subject.decision.verdict == NEEDS_FACTS {
        questions::write(subject, &mut blocks);
    } else {
        let lead = lead(subject);
        let above: String = Note(vec![Block::Line(lead.clone())]).text();
        blocks.push(Block::Line(lead));
        blocks.push(Block::Title("Why".into()));
        blocks.push(Block::Numbered(reasons::list(subject, &above)));
    }
    let next = checklist::items(subject);
    if !next.is_empty() {
        blocks.push(Block::Title("Next".into()));
        blocks.push(Block::Steps(next));
    }
    let worth_telling = advice::lines(subject);
    if !worth_telling.is_empty() {
        blocks.push(Block::Title("Worth knowing".into()));
        blocks.push(Block::Bullets(worth_telling));
    }
    let correction = correction(subject, &blocks);
    blocks.extend(Some(correction).filter(|line| !line.is_empty()).map(Block::Line));
    blocks.push(Block::Line(signature(subject)));
    Note(blocks)
}

/// What a STAR on a ticket would lack, a sentence each: one that is solved, that waits for the customer, that is young, or on
/// which fields are empty that every request needs.
pub fn missing_for_star(subject: &Subject<'_>) -> Vec<String> {
    subject.reading.map(|reading| advice::missing_for_star(subject, reading)).unwrap_or_default()
}

/// What managers wrote that could not be used: they wait for an answer to it.
fn misunderstood(subject: &Subject<'_>) -> Vec<Block> {
    match subject.problems {
        [] => Vec::new(),
        [one] => vec![Block::Line(vec![strong("Not understood:"), text(format!(" {one}"))])],
        several => vec![
            Block::Title("Not understood".into()),
            Block::Bullets(several.iter().map(|problem| vec![text(problem.clone())]).collect()),
        ],
    }
}

/// The verdict in a manager's words, with the reason that settled it.
fn lead(subject: &Subject<'_>) -> Vec<Span> {
    let title = subject.policy.title(&subject.decision.verdict);
    let guess = subject.decision.trust == Some(Trust::Inferred);
    let mut line = vec![strong(format!("{title}{}.", if guess { ", on a guess" } else { "" }))];
    if let Some(reason) = reasons::settling(subject) {
        line.push(text(format!(" {reason}")));
    }
    line.extend(changed(subject));
    line
}

/// What the last note said, where it was something else.
fn changed(subject: &Subject<'_>) -> Option<Span> {
    let was = subject.was.filter(|was| *was != subject.decision.verdict)?;
    let was = if was == NEEDS_FACTS { "answers needed" } else { subject.policy.title(was) };
    Some(text(format!(" Was: {}.", lower_first(was))))
}

/// Whether a note has it already.
fn shows(blocks: &[Block], what: &Span) -> bool {
    blocks.iter().any(|block| match block {
        Block::Line(line) => line.contains(what),
        Block::Title(_) => false,
        Block::Numbered(items) | Block::Bullets(items) => items.iter().any(|item| item.contains(what)),
        Block::Steps(items) => in_steps(items, what),
    })
}

fn in_steps(items: &[markup::Item], what: &Span) -> bool {
    items.iter().any(|item| item.spans.contains(what) || in_steps(&item.under, what))
}

/// How long it holds, and how to put it right, below what is already said.
fn correction(subject: &Subject<'_>, blocks: &[Block]) -> Vec<Span> {
    let mut line = Vec::new();
    if subject.decision.verdict == NOT_APPLICABLE {
        return line; // Nothing is posted, so there is nothing to reply to.
    }
    let near = |until: &DateTime<Utc>| questions::near(*until, subject.now); // What is far off is not worth a line.
    let until = subject.decision.valid_until.filter(near).map(expiry::exact);
    if subject.decision.verdict == NEEDS_FACTS {
        line.extend(until.map(|until| text(format!("I look again on {until}.")))); // A question does not hold.
        return line;
    }
    line.extend(until.map(|until| text(format!("Holds until {until}. "))));
    line.extend([text("Not right? Reply "), code("star: no"), text(" and why")]);
    let example =
        subject.policy.correction(subject.facts, subject.spoken, subject.now).map(|Correction { fact, answer }| {
            let answer = answer.unwrap_or_else(|| DATE.to_owned());
            code(format!("star: {fact}={answer}"))
        });
    match example.filter(|example| !shows(blocks, example)) {
        // Nothing behind it, so that nothing is copied with it.
        Some(example) => line.extend([text(", or put a fact right: "), example]),
        None => line.push(text(".")),
    }
    line
}

/// The last line: where to see more, and the decision's short id.
fn signature(subject: &Subject<'_>) -> Vec<Span> {
    let mut line = Vec::new();
    if let Some(link) = subject.link {
        line.extend([Span::Link { words: "Details".into(), to: link.to_owned() }, text(" · ")]);
    }
    match subject.reference {
        Some(reference) => line.push(text(format!("{SIGNATURE}{reference}"))),
        None => line.push(text("starwarden")),
    }
    line
}

/// The short id in a note of ours, wherever in it.
pub fn reference(note: &str) -> Option<&str> {
    crate::decide::signature::in_text(note)
}

/// Words with a capital at their beginning.
pub(crate) fn capital(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

fn lower_first(words: &str) -> String {
    let mut characters = words.chars();
    match (characters.next(), words.chars().nth(1)) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(characters).collect(),
        _ => words.to_owned(),
    }
}
