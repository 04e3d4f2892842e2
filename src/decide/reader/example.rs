//! Labelled examples, `config/policy/examples/*.toml`: texts with the answers that each gives.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::decide::near::instead;

/// A text with the answers that it gives; of every other fact it says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The text, as it stands in one comment.
    pub says: String,
    /// Who wrote it.
    pub by: By,
    /// Which language it is in: the file's name.
    pub language: String,
    /// The answers it gives, by fact.
    pub answers: BTreeMap<String, String>,
}

/// Who wrote a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// The customer.
    Customer,
    /// Staff, in an internal note.
    Colleague,
}

/// What is wrong with a file of examples, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// Bytes of the file to point at.
    pub span: Range<usize>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

/// The facts that are read from words, each with the answers it can have.
pub type Answers = BTreeMap<String, Vec<String>>;

/// Reads a file of examples in this language.
///
/// # Errors
/// Text that is not TOML; an example without `says` or `by`; a fact that is not read from words; an answer it does not have.
pub fn parse(text: &str, language: &str, known: &Answers) -> Result<Vec<Example>, Vec<Misfit>> {
    let fault = |span: Range<usize>, message: String| Misfit { span, message, help: None };
    let table =
        DeTable::parse(text).map_err(|error| vec![fault(error.span().unwrap_or(0..0), error.message().to_owned())])?;
    let (mut examples, mut faults) = (Vec::new(), Vec::new());
    for (key, value) in table.get_ref().iter() {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("example", DeValue::Array(listed)) => {
                for one in listed.iter() {
                    match example(one, language, known) {
                        Ok(example) => examples.push(example),
                        Err(more) => faults.extend(more),
                    }
                }
            }
            (other, _) => faults.push(Misfit {
                help: Some("a file of examples holds [[example]] tables".to_owned()),
                ..fault(key.span(), format!("`{other}` is no example"))
            }),
        }
    }
    if faults.is_empty() { Ok(examples) } else { Err(faults) }
}

/// Reads one example.
fn example(one: &Spanned<DeValue<'_>>, language: &str, known: &Answers) -> Result<Example, Vec<Misfit>> {
    let fault = |span: Range<usize>, message: String, help: String| Misfit { span, message, help: Some(help) };
    let DeValue::Table(table) = one.get_ref() else {
        return Err(vec![fault(one.span(), "this is no example".to_owned(), "write [[example]]".to_owned())]);
    };
    let (mut says, mut by, mut answers, mut faults) = (None, None, BTreeMap::new(), Vec::new());
    for (key, value) in table.iter() {
        let (name, text) = (key.get_ref().as_ref(), word(value));
        match (name, text, known.get(name)) {
            ("says", Some(text), _) => says = Some(text.to_owned()),
            ("by", Some("customer"), _) => by = Some(By::Customer),
            ("by", Some("colleague"), _) => by = Some(By::Colleague),
            ("by", ..) => faults.push(fault(
                value.span(),
                "an example is `by` a \"customer\" or a \"colleague\"".to_owned(),
                "a colleague's is an internal note by staff".to_owned(),
            )),
            (_, None, _) => {
                faults.push(fault(value.span(), format!("`{name}` is text"), "write it in quotes".to_owned()));
            }
            (_, Some(answer), Some(there)) if there.iter().any(|known| known == answer) => {
                answers.insert(name.to_owned(), answer.to_owned());
            }
            (_, Some(answer), Some(there)) => {
                let there: Vec<&str> = there.iter().map(String::as_str).collect();
                faults.push(fault(value.span(), format!("{name} is never `{answer}`"), instead(answer, &there)));
            }
            (_, Some(_), None) => {
                let there: Vec<&str> = known.keys().map(String::as_str).chain(["says", "by"]).collect();
                let message = format!("`{name}` is no fact that is read from words");
                faults.push(fault(key.span(), message, instead(name, &there)));
            }
        }
    }
    match (says, by) {
        (Some(says), Some(by)) if faults.is_empty() => Ok(Example { says, by, language: language.to_owned(), answers }),
        (Some(_), Some(_)) => Err(faults),
        _ => {
            let help = "write says = \"…\" and by = \"customer\"".to_owned();
            faults.push(fault(one.span(), "an example has `says` and `by`".to_owned(), help));
            Err(faults)
        }
    }
}

/// A value that is text.
fn word<'a>(value: &'a Spanned<DeValue<'_>>) -> Option<&'a str> {
    value.get_ref().as_str()
}
