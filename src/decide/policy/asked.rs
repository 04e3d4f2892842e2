//! The facts a diagram asks for, what each can be, and whether its sources can answer.

use toml::Spanned;

use super::binding::{Binding, Meaning};
use super::fault::Fault;
use super::graph::{Asked, Grace, Range, YES_NO};
use super::source::Place;
use super::spots::Spots;
use crate::decide::near::nearest;

/// Every fact that is asked for, with what it can be; and those grace follows from.
pub(super) fn facts(binding: &Binding, faults: &mut Vec<Fault>) -> Vec<Asked> {
    let mut facts: Vec<Asked> = Vec::new();
    let period = binding.times.grace_period.map(|span| span.0);
    for (node, meaning) in &binding.nodes {
        match meaning {
            Meaning::Choose { fact, exits } => {
                let words: Vec<String> = exits.keys().map(|answer| answer.get_ref().clone()).collect();
                faults.extend(ask_words(&mut facts, node, fact, words));
            }
            Meaning::YesNo { fact } | Meaning::OnlyIf { fact, .. } => {
                faults.extend(ask_words(&mut facts, node, fact, YES_NO.map(str::to_owned).to_vec()));
            }
            Meaning::MoreThan { span, until } => add_distance(&mut facts, until.get_ref(), span.0),
            Meaning::Outcome(_) | Meaning::Task(_) => {}
        }
    }
    let times = &binding.times;
    if let Some(period) = period.filter(|_| binding.fact(times.expires()).is_some()) {
        let ends: Vec<i64> = distances(&facts, times.grace_ends());
        add_distance(&mut facts, times.grace_ends(), 0);
        for distance in ends.into_iter().chain([0]) {
            add_distance(&mut facts, times.expires(), distance.saturating_sub(period));
        }
        add_distance(&mut facts, times.expires(), 0);
        if !facts.iter().any(|asked| asked.name == times.in_grace()) {
            facts
                .push(Asked { name: times.in_grace().into(), range: Range::Words(YES_NO.map(str::to_owned).to_vec()) });
        }
    }
    facts
}

/// How grace follows from expiry, where the policy has both.
pub(super) fn grace(binding: &Binding, facts: &[Asked]) -> Option<Grace> {
    let find = |name| facts.iter().position(|asked| asked.name == name);
    let times = &binding.times;
    binding.fact(times.expires())?;
    Some(Grace {
        expires_at: find(times.expires())?,
        grace_ends_at: find(times.grace_ends())?,
        in_grace: find(times.in_grace())?,
        period: times.grace_period?.0,
    })
}

fn ask_words(
    facts: &mut Vec<Asked>,
    node: &Spanned<String>,
    fact: &Spanned<String>,
    words: Vec<String>,
) -> Option<Fault> {
    let name = fact.get_ref();
    match facts.iter().find(|asked| asked.name == *name) {
        Some(Asked { range: Range::Words(before), .. }) if *before == words => None,
        Some(_) => {
            let message = format!("`{name}` is asked here for other answers than at another node");
            Some(Fault::binding(node.span(), message, "give every node that asks it the same answers"))
        }
        None => {
            facts.push(Asked { name: name.clone(), range: Range::Words(words) });
            None
        }
    }
}

/// Sources answer only what is asked for, and every instant that is compared can be known.
pub(super) fn faults(binding: &Binding, facts: &[Asked], spots: &Spots<'_>) -> Vec<Fault> {
    let derived = |name: &str| {
        binding.times.grace_period.is_some()
            && name == binding.times.grace_ends()
            && binding.fact(binding.times.expires()).is_some_and(|fact| !fact.sources.is_empty())
    };
    let mut faults = Vec::new();
    for asked in facts {
        let Some((name, fact)) = binding.facts.get_key_value(asked.name.as_str()) else { continue };
        let answers = answer_words(&asked.range);
        let own_word = fact.sources.iter().any(|source| matches!(source.place, Place::Otherwise(_)));
        let sentences = fact.sentences.keys().filter(|answer| !(own_word && *answer == "otherwise"));
        let worded = sentences.map(|answer| ("sentence", answer));
        let worded = worded.chain(fact.titles.keys().map(|answer| ("title", answer)));
        for (words, answer) in worded.filter(|(_, answer)| !answers.contains(&answer.as_str())) {
            let message = format!("`{}` has a {words} for `{answer}`, which is no answer to it", asked.name);
            let near = nearest(answer, &answers).map(|near| format!("did you mean `{near}`?"));
            let help = near.unwrap_or(format!("the answers are: {}", answers.join(", ")));
            let table = if words == "title" { "titles" } else { "sentences" };
            faults.push(Fault::binding(spots.key(&["facts", &asked.name, table, answer]), message, help));
        }
        match &asked.range {
            Range::Words(words) => {
                for (place, answer) in
                    fact.sources.iter().enumerate().filter_map(|(place, source)| Some((place, source.answer()?)))
                {
                    if words.iter().any(|word| word == answer) {
                        continue;
                    }
                    let message = format!("a source of `{}` says `{answer}`, which no node asks for", asked.name);
                    let place = ["facts", &asked.name, "sources", &place.to_string()];
                    let key = if spots.value(&[place.as_slice(), &["otherwise"]].concat()) == spots.value(&place) {
                        "answer"
                    } else {
                        "otherwise"
                    };
                    let help = nearest(answer, &answers).map_or_else(
                        || format!("the answers are: {}", words.join(", ")),
                        |near| format!("did you mean `{near}`?"),
                    );
                    faults.push(Fault::binding(spots.value(&[place.as_slice(), &[key]].concat()), message, help));
                }
            }
            Range::Instant(_) if fact.sources.is_empty() && !derived(&asked.name) && compares(binding, &asked.name) => {
                let message = format!("`{}` is compared with now, and has no source", asked.name);
                let help = "give it `sources`, such as { organization = \"expiration_date\" }";
                faults.push(Fault::binding(name.span(), message, help));
            }
            Range::Instant(_) => {}
        }
    }
    faults
}

fn compares(binding: &Binding, fact: &str) -> bool {
    let compares = |meaning: &Meaning| matches!(meaning, Meaning::MoreThan { until, .. } if until.get_ref() == fact);
    binding.nodes.values().any(compares)
}

/// The words that answer a question about a fact; an instant is ahead or past.
fn answer_words(range: &Range) -> Vec<&str> {
    match range {
        Range::Words(words) => words.iter().map(String::as_str).collect(),
        Range::Instant(_) => vec!["ahead", "past", "within"],
    }
}

fn add_distance(facts: &mut Vec<Asked>, name: &str, distance: i64) {
    match facts.iter_mut().find(|asked| asked.name == name) {
        Some(Asked { range: Range::Instant(distances), .. }) => {
            if let Err(place) = distances.binary_search(&distance) {
                distances.insert(place, distance);
            }
        }
        Some(_) => {}
        None => facts.push(Asked { name: name.to_owned(), range: Range::Instant(vec![distance]) }),
    }
}

fn distances(facts: &[Asked], name: &str) -> Vec<i64> {
    match facts.iter().find(|asked| asked.name == name).map(|asked| &asked.range) {
        Some(Range::Instant(distances)) => distances.clone(),
        Some(Range::Words(_)) | None => Vec::new(),
    }
}
