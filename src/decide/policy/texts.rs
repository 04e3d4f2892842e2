//! The words of the picture, held against what they are bound to.
//!
//! A program cannot read a question. It can see where a text names a span of time, an answer, an outcome or a question
//! that is not the one it is bound to.

use super::binding::{FactBinding, Meaning, Span};
use super::fault::Fault;
use super::joined::Joined;
use super::spans;

/// Words at the start of a condition that turn it round.
const DENIALS: [&str; 10] = ["no", "not", "none", "never", "without", "unless", "except", "kein", "nicht", "ohne"];

/// Words that turn "more than" round.
const OPPOSITES: [&str; 10] = [
    "less than",
    "fewer than",
    "shorter than",
    "sooner than",
    "within",
    "at most",
    "no more than",
    "not more than",
    "weniger als",
    "innerhalb",
];

/// Every text of a node that says something else than its binding.
pub(super) fn faults(joined: &Joined<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for node in 0..joined.diagram.nodes.len() {
        match joined.meaning(node) {
            Some(Meaning::MoreThan { span, .. }) => {
                faults.extend(span_told(joined, node, *span));
                faults.extend(turned_round(joined, node));
            }
            Some(Meaning::YesNo { fact }) if fact.get_ref() == joined.binding.times.in_grace() => {
                faults.extend(grace_told(joined, node))
            }
            Some(Meaning::Choose { fact, exits }) => {
                for (answer, to) in exits {
                    let leads = joined.diagram.nodes.iter().position(|node| node.id == *to.get_ref());
                    faults
                        .extend(leads.and_then(|to| other_answer(joined, node, fact.get_ref(), answer.get_ref(), to)));
                }
            }
            _ => {}
        }
        faults.extend(other_outcome(joined, node));
        faults.extend(other_question(joined, node));
    }
    faults
}

/// Whether a label names an answer to a fact: by its name, or by its title.
pub(super) fn names(joined: &Joined<'_>, fact: &str, answer: &str, label: &str) -> bool {
    let label = words(label);
    spellings(joined.binding.fact(fact), answer).iter().any(|name| holds(&label, name))
}

/// What an answer is called on a picture.
pub(super) fn called<'a>(joined: &Joined<'a>, fact: &str, answer: &'a str) -> &'a str {
    let title = joined.binding.fact(fact).and_then(|fact| fact.titles.get(answer));
    title.map_or(answer, String::as_str)
}

/// A name as it would stand on a picture: `edge_case` is `Edge case`.
pub(super) fn spoken(name: &str) -> String {
    let name = name.replace('_', " ");
    let mut characters = name.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// Whether a condition says that something is not so.
pub(super) fn denies(joined: &Joined<'_>, label: &str) -> bool {
    let first = words(label).into_iter().next().unwrap_or_default();
    DENIALS.contains(&first.as_str()) || joined.says(&first, "no")
}

/// A time question names the span it is bound to, or none.
fn span_told(joined: &Joined<'_>, node: usize, bound: Span) -> Option<Fault> {
    let told = spans::told(joined.text(node));
    let grace = joined.binding.times.grace_period.map(|span| span.0);
    let differs = told.iter().find(|(_, millis)| *millis != bound.0 && Some(*millis) != grace);
    let (words, millis) = match differs {
        Some(differs) => differs,
        None if told.iter().any(|(_, millis)| *millis == bound.0) => return None,
        None => told.first()?,
    };
    let (id, written) = (joined.id(node), spans::written(bound.0));
    Some(Fault::diagram(
        joined.told(node),
        format!("the picture says {words}, and [nodes.{id}] more_than = \"{written}\""),
        format!("write more_than = \"{}\" under [nodes.{id}], or {written} in the picture", spans::written(*millis)),
    ))
}

/// A text that speaks of less than a span stands on a question that is Yes for more.
fn turned_round(joined: &Joined<'_>, node: usize) -> Option<Fault> {
    let text = words(joined.text(node));
    let said = OPPOSITES.iter().find(|said| holds(&text, &words(said)))?;
    let (id, text) = (joined.id(node), joined.text(node));
    Some(Fault::diagram(
        joined.told(node),
        format!("the picture asks for `{said}`, and [nodes.{id}] is Yes where it is more"),
        format!("ask for more, as in `{}`, and let Yes and No change places", text.replace(said, "more than")),
    ))
}

/// A text that names how long grace lasts names the binding's.
fn grace_told(joined: &Joined<'_>, node: usize) -> Option<Fault> {
    let period = joined.binding.times.grace_period?.0;
    let (words, millis) = spans::told(joined.text(node)).into_iter().find(|(_, millis)| *millis != period)?;
    let written = spans::written(period);
    Some(Fault::diagram(
        joined.told(node),
        format!("the picture says {words}, and [times] grace_period = \"{written}\""),
        format!("write grace_period = \"{}\" under [times], or {written} in the picture", spans::written(millis)),
    ))
}

/// A node that an answer leads to bears no other answer's name.
fn other_answer(joined: &Joined<'_>, from: usize, fact: &str, answer: &str, node: usize) -> Option<Fault> {
    let bound = joined.binding.fact(fact)?;
    let text = words(joined.text(node));
    if spellings(Some(bound), answer).iter().any(|own| holds(&text, own)) {
        return None;
    }
    let Some(Meaning::Choose { exits, .. }) = joined.meaning(from) else { return None };
    let mut others = exits.iter().filter(|(other, to)| other.get_ref() != answer && to.get_ref() != joined.id(node));
    let (other, _) =
        others.find(|(other, _)| spellings(Some(bound), other.get_ref()).iter().any(|name| holds(&text, name)))?;
    let (id, other) = (joined.id(node), other.get_ref());
    Some(Fault::diagram(
        joined.told(node),
        format!(
            "`{id}` reads `{}`, which is the answer `{other}`; [nodes.{}] leads `{answer}` here",
            joined.text(node),
            joined.id(from)
        ),
        format!("let `exits` of [nodes.{}] lead `{other}` to `{id}`, or change the text", joined.id(from)),
    ))
}

/// An outcome bears no other outcome's name, and what is no outcome bears none.
fn other_outcome(joined: &Joined<'_>, node: usize) -> Option<Fault> {
    let text = words(joined.text(node));
    let own = match joined.meaning(node) {
        Some(Meaning::Outcome(own)) => Some(own.get_ref().as_str()),
        Some(Meaning::OnlyIf { otherwise, .. }) => Some(otherwise.get_ref().as_str()),
        _ => None,
    };
    let spelt = |name: &str, title: &str| [words(name), words(title)].into_iter().filter(|words| !words.is_empty());
    let mut outcomes =
        joined.binding.outcomes.iter().map(|(name, outcome)| (name.get_ref().as_str(), outcome.title.as_str()));
    if own.is_some_and(|own| {
        outcomes.clone().any(|(name, title)| name == own && spelt(name, title).any(|own| holds(&text, &own)))
    }) {
        return None;
    }
    let named = |(name, title): &(&str, &str)| match own {
        Some(_) => spelt(name, title).any(|name| holds(&text, &name)),
        None => spelt(name, title).any(|name| text == name),
    };
    let (other, _) = outcomes.find(named)?;
    let (id, text) = (joined.id(node), joined.text(node));
    let (is, help) = match (own, joined.meaning(node)) {
        (Some(own), _) => (format!("is bound to `{own}`"), format!("bind it to `{other}`, or change the text")),
        (None, Some(_)) => {
            ("is bound to something else".to_owned(), format!("bind it: [nodes.{id}] outcome = \"{other}\""))
        }
        (None, None) => return None, // What is not bound is passed through, or is a fault of its own.
    };
    Some(Fault::diagram(
        joined.told(node),
        format!("`{id}` reads `{text}`, which is the outcome `{other}`, and {is}"),
        help,
    ))
}

/// A question bears no other fact's question.
fn other_question(joined: &Joined<'_>, node: usize) -> Option<Fault> {
    let own = match joined.meaning(node)? {
        Meaning::YesNo { fact } | Meaning::Choose { fact, .. } | Meaning::OnlyIf { fact, .. } => fact.get_ref(),
        Meaning::MoreThan { until, .. } => until.get_ref(),
        Meaning::Outcome(_) | Meaning::Task(_) => return None,
    };
    let text = words(joined.text(node));
    let asks = |fact: &FactBinding| fact.question.as_deref().is_some_and(|question| words(question) == text);
    if joined.binding.fact(own).is_some_and(asks) {
        return None;
    }
    let (other, _) = joined.binding.facts.iter().find(|(_, fact)| asks(fact))?;
    let (id, other) = (joined.id(node), other.get_ref());
    Some(Fault::diagram(
        joined.told(node),
        format!("`{id}` asks the question of `{other}`, and is bound to `{own}`"),
        format!("bind it to `{other}`, or change the text"),
    ))
}

/// The ways an answer is named: its name, and its title where it has one.
fn spellings(fact: Option<&FactBinding>, answer: &str) -> Vec<Vec<String>> {
    let title = fact.and_then(|fact| fact.titles.get(answer));
    [Some(words(answer)), title.map(|title| words(title))]
        .into_iter()
        .flatten()
        .filter(|words| !words.is_empty())
        .collect()
}

/// A text as its words, in small letters.
fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether a text holds a name, as whole words in their order.
fn holds(text: &[String], name: &[String]) -> bool {
    !name.is_empty() && text.windows(name.len()).any(|window| window == name)
}
