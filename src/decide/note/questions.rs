//! An open decision: who is locked out, what is proposed, what is asked, and what each answer leads to.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::markup::{Block, Span, code, strong, text};
use super::{Subject, changed, lower_first, reasons, words};
use crate::decide::facts::expiry;
use crate::decide::facts::fact::{Fact, Finding, Trust, Value, cited};
use crate::decide::facts::replies::DATE;
use crate::decide::policy::decision::{Answered, Decision, LeadsTo, Missing, Stretch};

/// Writes the part of a note that proposes or asks.
pub(super) fn write(subject: &Subject<'_>, blocks: &mut Vec<Block>) {
    blocks.push(Block::Line(lead(subject)));
    blocks.extend(Some(reply(subject)).filter(|line| !line.is_empty()).map(Block::Line));
    blocks.extend(taps(subject).map(Block::Line));
    let stands: Vec<Vec<Span>> = doubted(subject)
        .into_iter()
        .chain(spoken(subject))
        .chain(reasons::contradictions(subject))
        .chain(looked(subject))
        .collect();
    blocks.extend(Some(stands).filter(|lines| !lines.is_empty()).map(Block::Bullets));
    let known = so_far(subject);
    if !known.is_empty() {
        blocks.push(Block::Title("So far".into()));
        blocks.push(Block::Bullets(known));
    }
}

/// The first line: it stands alone.
fn lead(subject: &Subject<'_>) -> Vec<Span> {
    let decision = subject.decision;
    let mut asked = decision.missing.iter().map(|missing| missing.question.clone()).collect::<Vec<_>>();
    let mut line = Vec::new();
    let said = subject.policy.cry(decision);
    let other = decision.against.first();
    match (said, &decision.illegible, other) {
        (Some(cry), _, _) => {
            let title = lower_first(&words::called(subject, &cry.fact, &cry.value));
            line.push(strong(match subject.policy.is_clear(cry) {
                true => format!("{} {title}", words::who(&cry.source)),
                false => format!("Perhaps {title}"),
            }));
            line.push(text(format!(" ({}). ", words::said(cry.quote.as_deref(), &cry.source, subject.now))));
        }
        (None, Some(why), _) => line.extend([strong(format!("Not understood: {why}.")), text(" ")]),
        (None, None, Some(against)) if decision.likely.is_none() => {
            line.extend([strong(format!("Not dismissed: {}.", words::contradicts(&against.source))), text(" ")]);
        }
        (None, None, Some(_) | None) => {}
    }
    match &decision.likely {
        Some(likely) => {
            line.push(strong(format!("Probably {}: right?", lower_first(subject.policy.title(likely)))));
            let reasons: Vec<String> =
                decision.proposal.iter().map(|(fact, value)| suggestion(subject, fact, value)).collect();
            line.push(text(format!(" {}", reasons.join(" "))));
        }
        None if line.is_empty() && !asked.is_empty() => {
            line.push(strong(asked.remove(0)));
            line.extend(asked.first().map(|other| text(format!(" {other}"))));
        }
        None => line.push(text(asked.join(" "))),
    }
    line.extend(changed(subject));
    line
}

/// What is proposed of a fact, as a sentence with where it was read.
fn suggestion(subject: &Subject<'_>, fact: &str, value: &str) -> String {
    let sentence = reasons::says(subject, fact, value);
    match found(subject, fact, value) {
        Some(found) => format!("{}: {}.", sentence.trim_end_matches('.'), found.cited()),
        None => sentence,
    }
}

/// Where a value was read.
fn found<'a>(subject: &Subject<'a>, fact: &str, value: &str) -> Option<&'a Fact> {
    let known = subject.facts.get(fact).and_then(Finding::known).into_iter();
    let spoken = subject.spoken.answers.get(fact).into_iter().flatten();
    known.chain(spoken).find(|fact| fact.value.to_string() == value)
}

/// How to answer, and what each answer leads to.
fn reply(subject: &Subject<'_>) -> Vec<Span> {
    let Decision { missing, proposal, likely, .. } = subject.decision;
    // A line that began with `star:` would be an answer itself, were it copied whole.
    let mut line = vec![text("Reply ")];
    if likely.is_some() {
        let takes: Vec<String> = proposal.iter().map(|(fact, value)| format!("{fact}={}", plain(value))).collect();
        line.extend([code("star: yes"), text(format!(" (takes {})", takes.join(", ")))]);
        if !missing.is_empty() {
            line.extend([text(", or correct it: "), answers(missing.iter().map(|missing| (missing, other(missing))))]);
        }
        return line;
    }
    match missing.as_slice() {
        [] => return Vec::new(),
        [Missing { fact, leads_to: LeadsTo::Words(words), .. }] => {
            let mut each: Vec<_> = words.iter().collect();
            each.sort_by_key(|(answer, _)| answer.as_str() == "no"); // Yes before no; other words by name.
            for (place, (answer, outcomes)) in each.into_iter().enumerate() {
                line.extend((place > 0).then(|| text(" · ")));
                line.extend([code(format!("star: {fact}={answer}")), text(" → ")]);
                line.push(outcome(subject, outcomes));
            }
        }
        several => {
            let days = several.first().filter(|_| several.len() == 1).map(|missing| readings(subject, missing));
            match days.as_deref() {
                Some([one, others @ ..]) if !others.is_empty() => {
                    let each = |day: &String| answers(several.iter().map(|missing| (missing, day.clone())));
                    line.push(each(one));
                    line.extend(others.iter().flat_map(|day| [text(" or "), each(day)]));
                }
                _ => line.push(answers(several.iter().map(|missing| (missing, example(subject, missing))))),
            }
            for missing in several {
                let name = (several.len() > 1).then_some(missing.fact.as_str());
                line.extend(leads(subject, missing, name));
            }
        }
    }
    line
}

/// One line that answers several questions, in their order.
fn answers<'a>(answers: impl Iterator<Item = (&'a Missing, String)>) -> Span {
    let each: Vec<String> = answers.map(|(missing, answer)| format!("{}={answer}", missing.fact)).collect();
    code(format!("star: {}", each.join(", ")))
}

/// An answer that turns nobody away, should it be sent as it stands: what is suggested, else one that dismisses nobody.
fn example(subject: &Subject<'_>, missing: &Missing) -> String {
    if let Some(suggested) = &missing.suggested {
        return plain(suggested);
    }
    let dismisses = |outcome: &String| subject.policy.outcome(outcome).is_some_and(|outcome| outcome.dismisses());
    let kind = |outcomes: &[String]| outcomes.iter().all(|outcome| !dismisses(outcome));
    match &missing.leads_to {
        LeadsTo::Words(words) => {
            let open = |outcomes: &Vec<String>| kind(outcomes) || outcomes.len() > 1;
            let mut each: Vec<_> = words.iter().collect();
            each.sort_by_key(|(answer, outcomes)| (!open(outcomes), answer.as_str() == "no"));
            each.first().map(|(answer, _)| (*answer).clone()).unwrap_or_default()
        }
        LeadsTo::Stretches(stretches) => {
            let day = stretches.iter().filter(|stretch| kind(&stretch.outcomes)).find_map(day_within);
            day.map_or_else(|| DATE.to_owned(), |day| day.to_string())
        }
    }
}

/// A day that lies within a stretch, whole.
fn day_within(stretch: &Stretch) -> Option<NaiveDate> {
    let day = TimeDelta::days(1);
    let near = [stretch.until.map(|until| until - day), stretch.from, stretch.from.map(|from| from + day)];
    let days = near.into_iter().flatten().map(|at| at.date_naive());
    let mut whole = days.filter(|day| {
        let start = expiry::of_day(*day, expiry::Day::Start);
        let end = expiry::of_day(*day, expiry::Day::End);
        let after = stretch.from.is_none_or(|from| start.is_some_and(|start| from <= start));
        after && stretch.until.is_none_or(|until| end.is_some_and(|end| end < until))
    });
    whole.next()
}

/// Another answer than the one that is suggested, as an example of a correction.
fn other(missing: &Missing) -> String {
    match &missing.leads_to {
        LeadsTo::Words(words) => {
            let other = words.keys().find(|answer| Some(*answer) != missing.suggested.as_ref());
            other.cloned().unwrap_or_default()
        }
        LeadsTo::Stretches(_) => DATE.to_owned(),
    }
}

/// A value as it is typed: an answer, or a day.
fn plain(value: &str) -> String {
    let from = value.split_once('/').map_or(value, |(from, _)| from);
    match DateTime::parse_from_rfc3339(from) {
        Ok(at) if at.time() == chrono::NaiveTime::MIN || value.contains('/') => at.date_naive().to_string(),
        Ok(_) => from.trim_end_matches(":00Z").to_owned() + if from.ends_with(":00Z") { ":00Z" } else { "" },
        Err(_) => value.to_owned(),
    }
}

/// What each answer to a question leads to; with its fact's name where there are several questions.
fn leads(subject: &Subject<'_>, missing: &Missing, name: Option<&str>) -> Vec<Span> {
    let each: Vec<(String, &Vec<String>)> = match &missing.leads_to {
        LeadsTo::Words(words) => {
            let mut each: Vec<_> = words.iter().collect();
            each.sort_by_key(|(answer, _)| answer.as_str() == "no");
            each.into_iter().map(|(answer, outcomes)| (answer.clone(), outcomes)).collect()
        }
        LeadsTo::Stretches(stretches) => {
            let mut groups: Vec<(Vec<String>, &Vec<String>)> = Vec::new();
            for stretch in stretches {
                let label = words::stretch(stretch, subject.now);
                match groups.iter_mut().find(|(_, outcomes)| **outcomes == stretch.outcomes) {
                    Some((labels, _)) => labels.push(label),
                    None => groups.push((vec![label], &stretch.outcomes)),
                }
            }
            groups.into_iter().map(|(labels, outcomes)| (labels.join(", or "), outcomes)).collect()
        }
    };
    let mut spans = Vec::new();
    for (label, outcomes) in each {
        let label = name.map_or_else(|| label.clone(), |name| format!("{name} {label}"));
        spans.extend([text(format!(" · {label} → ")), outcome(subject, outcomes)]);
    }
    spans
}

/// What an answer leads to.
fn outcome(subject: &Subject<'_>, outcomes: &[String]) -> Span {
    match outcomes {
        [one] => strong(lower_first(subject.policy.title(one))),
        _ => text("still open"),
    }
}

/// Answers as links to the question on the ticket's page.
fn taps(subject: &Subject<'_>) -> Option<Vec<Span>> {
    let page = subject.link?;
    let Decision { missing, likely, .. } = subject.decision;
    let link = |words: &str, answer: &str| Span::Link {
        words: words.to_owned(),
        to: if answer.is_empty() { format!("{page}#answer") } else { format!("{page}?answer={answer}#answer") },
    };
    let mut line = vec![text("Or tap: ")];
    match (likely, missing.as_slice()) {
        (Some(_), _) => line.extend([link("Yes", "yes"), text(" · "), link("something else", "")]),
        (None, [Missing { fact, leads_to: LeadsTo::Words(answers), .. }]) => {
            let mut each: Vec<&String> = answers.keys().collect();
            each.sort_by_key(|answer| answer.as_str() == "no");
            for (place, answer) in each.into_iter().enumerate() {
                line.extend((place > 0).then(|| text(" · ")));
                line.push(link(&words::called(subject, fact, answer), &format!("{fact}%3D{answer}")));
            }
        }
        (None, [_]) => line.push(link("give the date", "")),
        (None, [_, _, ..]) => line.push(link("answer on the ticket's page", "")),
        (None, []) => return None,
    }
    Some(line)
}

/// Records that say something of what is asked all the same, and do not dismiss.
fn doubted(subject: &Subject<'_>) -> Vec<Vec<Span>> {
    let asked = subject.decision.missing.iter().filter_map(|missing| {
        let fact = subject.facts.get(&missing.fact)?.known().filter(|fact| fact.trust == Trust::Recorded)?;
        let (source, caveat) = words::undoubted(&fact.source);
        let value = words::value(subject, &missing.fact, &fact.value.to_string());
        let doubt = caveat.map(|caveat| format!(", {caveat}")).unwrap_or_default();
        if let Some(word) = fact.value.word() {
            let sentence = reasons::says(subject, &missing.fact, word);
            return Some(vec![text(format!("Doubted: {} ({source}{doubt})", sentence.trim_end_matches('.')))]);
        }
        Some(vec![text(format!("Not dismissed on the {source} ({value}{doubt})"))])
    });
    asked.collect()
}

/// What people say against a dismissal, besides what stands in the first line.
fn spoken(subject: &Subject<'_>) -> Vec<Vec<Span>> {
    let decision = subject.decision;
    let first = subject.policy.cry(decision);
    let others = decision.against.iter().filter(|against| {
        first.is_none_or(|first| (&first.fact, &first.value) != (&against.fact, &against.value)) // Said already.
    });
    let lines = others.filter(|against| !decision.proposal.contains_key(&against.fact)).map(|against| {
        let sentence = reasons::says(subject, &against.fact, &against.value);
        let said = cited(against.quote.as_deref(), &against.source);
        vec![text(format!("Said against it: {}: {said}", sentence.trim_end_matches('.')))]
    });
    lines.collect()
}

/// What is answered, on the way and past what is open; what is asked above stands there already.
fn so_far(subject: &Subject<'_>) -> Vec<Vec<Span>> {
    let Decision { path, beyond, missing, .. } = subject.decision;
    let asked = |fact: &str| missing.iter().any(|missing| missing.fact == fact);
    let rests_on_asked =
        |answered: &&Answered| subject.policy.basis(&answered.fact, subject.facts).into_iter().all(asked);
    let known: Vec<&Answered> = path.iter().chain(beyond).filter(|answered| !rests_on_asked(answered)).collect();
    reasons::told(subject, &known, "")
}

/// The days that words can mean where they can mean several, as they are typed.
fn readings(subject: &Subject<'_>, missing: &Missing) -> Vec<String> {
    match subject.facts.get(&missing.fact) {
        Some(Finding::Unknown { readings, .. }) => {
            readings.iter().map(|at| plain(&Value::Instant(*at).to_string())).collect()
        }
        Some(Finding::Known(_) | Finding::Conflict(_)) | None => Vec::new(),
    }
}

/// What was looked at for an answer.
fn looked(subject: &Subject<'_>) -> Vec<Vec<Span>> {
    let mut lines = Vec::new();
    for missing in &subject.decision.missing {
        let Some(Finding::Unknown { looked, .. }) = subject.facts.get(&missing.fact) else { continue };
        if !looked.is_empty() {
            lines.push(vec![text(format!("No answer in the records: {}", looked.join("; ")))]);
        }
    }
    lines
}

/// Whether a moment is near enough to be worth a line.
pub(super) fn near(at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    at - now <= TimeDelta::days(31)
}
