//! The questions that are still open, what each answer leads to, and how to answer.

use chrono::{DateTime, Utc};

use super::markup::{Block, Span, code, strong, text};
use super::{Subject, changed, lower_first, reasons};
use crate::decide::facts::expiry;
use crate::decide::facts::fact::{Fact, Finding, Value};
use crate::decide::facts::replies::DATE;
use crate::decide::facts::words;
use crate::decide::policy::binding::Kind;
use crate::decide::policy::decision::{Answered, Decision, Missing};
use crate::decide::policy::questions::Question;

/// Writes the part of a note that asks.
pub(super) fn write(subject: &Subject<'_>, blocks: &mut Vec<Block>) {
    let questions = subject.policy.questions(subject.facts, subject.now);
    let Some((first, others)) = questions.split_first() else { return };
    let count = if first.missing.settles { "One answer needed." } else { "Answers needed." };
    let mut lead = vec![strong(count), text(format!(" {}", first.missing.question))];
    lead.extend(changed(subject));
    blocks.push(Block::Line(lead));
    if let Some(guess) = guess(subject, first) {
        blocks.push(Block::Line(guess));
    }
    blocks.push(Block::Bullets(leads(subject, &first.missing)));
    let mut reply = vec![text("Reply in an internal note: ")];
    reply.extend(examples(subject, &first.missing));
    blocks.push(Block::Line(reply));
    if !others.is_empty() {
        let title = if first.missing.settles { "If that is not known" } else { "Also open" };
        blocks.push(Block::Title(title.into()));
        let asked = questions.iter().map(|question| &question.missing);
        let also =
            others.iter().zip(1..).map(|(other, place)| also(subject, &other.missing, asked.clone().take(place)));
        blocks.push(Block::Bullets(also.collect()));
    }
    let known: Vec<Vec<Span>> =
        so_far(subject, &questions).into_iter().chain(contradictions(subject)).chain(looked(subject)).collect();
    if !known.is_empty() {
        blocks.push(Block::Title("So far".into()));
        blocks.push(Block::Bullets(known));
    }
}

/// One more question, with what is guessed of it; words that stand above already are not quoted again.
fn also<'a>(subject: &Subject<'_>, missing: &Missing, mut above: impl Iterator<Item = &'a Missing>) -> Vec<Span> {
    let guess_of =
        |missing: &Missing| subject.facts.get(&missing.fact)?.known().filter(|_| missing.suggested.is_some());
    let quote = guess_of(missing).and_then(|fact| fact.quote.as_ref());
    let quoted = quote.is_some() && above.any(|above| guess_of(above).is_some_and(|fact| fact.quote.as_ref() == quote));
    let guess = guessed(subject, missing, if quoted { Quoted::Above } else { Quoted::Here });
    let guess = guess.map(|guess| format!(" {guess}:")).unwrap_or_default();
    let mut line = vec![text(format!("{}{guess} ", missing.question))];
    line.extend(examples(subject, missing));
    line
}

/// What is answered, on the way and past what is open; what is asked above stands there already.
fn so_far(subject: &Subject<'_>, questions: &[Question]) -> Vec<Vec<Span>> {
    let Decision { path, beyond, .. } = subject.decision;
    let asked = |fact: &str| questions.iter().any(|question| question.missing.fact == fact);
    let rests_on_asked =
        |answered: &&Answered| subject.policy.basis(&answered.fact, subject.facts).into_iter().all(asked);
    let known: Vec<&Answered> = path.iter().chain(beyond).filter(|answered| !rests_on_asked(answered)).collect();
    reasons::told(subject, &known)
}

/// What was guessed, and what follows if it is right.
fn guess(subject: &Subject<'_>, question: &Question) -> Option<Vec<Span>> {
    let mut line = vec![text(format!("{}.", guessed(subject, &question.missing, Quoted::Here)?))];
    if let [one] = question.if_right.as_slice() {
        line.extend([text(" If that is right: "), strong(subject.policy.title(one)), text(".")]);
        if subject.policy.outcome(one).is_some_and(|outcome| outcome.dismisses) {
            line.push(text(" A guess alone does not dismiss."));
        }
    }
    Some(line)
}

/// Whether the words a guess was read out of stand above already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoted {
    Here,
    Above,
}

/// What was guessed and from which words; or what is taken for granted though words leave it open.
fn guessed(subject: &Subject<'_>, missing: &Missing, quoted: Quoted) -> Option<String> {
    missing.suggested.as_ref()?;
    let fact = subject.facts.get(&missing.fact)?.known()?;
    let value = match &fact.value {
        Value::Word(word) => lower_first(&reasons::called(subject, &missing.fact, word)),
        Value::Instant(at) => expiry::moment(*at),
    };
    Some(match &fact.quote {
        Some(_) if quoted == Quoted::Above => format!("I guess {value}, from the same words"),
        Some(quote) => format!("I guess {value}, from {}", words::cited(quote)),
        None => format!("I assume {value}: {}", fact.source),
    })
}

/// What each answer leads to.
fn leads(subject: &Subject<'_>, missing: &Missing) -> Vec<Vec<Span>> {
    let span = reasons::compared(subject, &missing.fact);
    let mut answers: Vec<_> = missing.leads_to.iter().collect();
    answers.sort_by_key(|(answer, _)| answer.as_str() == "no"); // Yes before no; other words by name.
    let line = |(answer, outcomes): (&String, &Vec<String>)| {
        let label = match (span, answer.as_str()) {
            (Some(span), "yes") => format!("More than {} h from now", span / 3_600_000),
            (Some(_), _) => "Sooner, or already past".into(),
            (None, word) => reasons::called(subject, &missing.fact, word),
        };
        let mut line = vec![text(format!("{label} → "))];
        match outcomes.as_slice() {
            [one] => line.push(strong(subject.policy.title(one))),
            several => {
                let titles: Vec<String> =
                    several.iter().map(|outcome| lower_first(subject.policy.title(outcome))).collect();
                let how = if missing.settles { "the date decides" } else { "still open" };
                line.push(text(format!("{how}: {}", titles.join(" or "))));
            }
        }
        line
    };
    answers.into_iter().map(line).collect()
}

/// How to answer: `star: in_grace=yes` or `star: in_grace=no`.
fn examples(subject: &Subject<'_>, missing: &Missing) -> Vec<Span> {
    let instant = subject.policy.binding.fact(&missing.fact).is_some_and(|fact| fact.kind == Kind::Instant);
    let mut words: Vec<String> = match subject.facts.get(&missing.fact) {
        Some(finding) if instant => moments(finding).into_iter().map(|at| at.format("%Y-%m-%d").to_string()).collect(),
        Some(_) | None => subject.policy.answers(&missing.fact).to_vec(),
    };
    words.dedup();
    if words.is_empty() {
        return vec![code(format!("star: {}={DATE}", missing.fact))];
    }
    words.sort_by_key(|word| word == "no");
    let mut spans = Vec::new();
    for (place, word) in words.into_iter().enumerate() {
        if place > 0 {
            spans.push(text(" or "));
        }
        spans.push(code(format!("star: {}={word}", missing.fact)));
    }
    spans
}

/// The moments that were found though none of them could be taken, for the manager to choose from.
fn moments(finding: &Finding) -> Vec<DateTime<Utc>> {
    let one = |fact: &Fact| match &fact.value {
        Value::Instant(at) => Some(*at),
        Value::Word(_) => None,
    };
    match finding {
        Finding::Known(guess) => one(guess).into_iter().collect(),
        Finding::Conflict(two) => [&two.0, &two.1].into_iter().filter_map(one).collect(),
        Finding::Unknown { readings, .. } => readings.clone(),
    }
}

/// Records that contradict each other, so that neither counts.
pub(super) fn contradictions(subject: &Subject<'_>) -> Vec<Vec<Span>> {
    let open = subject.policy.open_facts(subject.facts, subject.now).into_iter();
    let conflicts = open.filter_map(|open| match subject.facts.get(open)? {
        Finding::Conflict(two) => {
            let says = |fact: &Fact| match &fact.value {
                Value::Word(word) => {
                    format!("{} says {}", fact.source, lower_first(&reasons::called(subject, open, word)))
                }
                Value::Instant(at) => format!("{} says {}", fact.source, expiry::moment(*at)),
            };
            Some(vec![text(format!("Contradiction: {}, and {}", says(&two.0), says(&two.1)))])
        }
        Finding::Known(_) | Finding::Unknown { .. } => None,
    });
    conflicts.collect()
}

/// Where an answer was looked for in vain.
fn looked(subject: &Subject<'_>) -> Option<Vec<Span>> {
    let places: Vec<String> = subject
        .decision
        .missing
        .iter()
        .filter_map(|missing| match subject.facts.get(&missing.fact)? {
            Finding::Unknown { looked, .. } => Some(looked.clone()),
            Finding::Conflict(_) | Finding::Known(_) => None,
        })
        .flatten()
        .collect();
    (!places.is_empty()).then(|| vec![text(format!("Looked in vain: {}", places.join("; ")))])
}
