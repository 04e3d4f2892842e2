//! Names that sources and conditions use: forms, fields, statuses, answers and tags that are defined nowhere, and words
//! that are missing.

use super::binding::{Binding, FactBinding, Kind, Meaning};
use super::fault::Fault;
use super::graph::{Asked, Range};
use super::names::or_there;
use super::nearest;
use super::source::{Place, SourceBinding};
use super::spots::Spots;

/// The statuses a ticket can have at the helpdesk.
const STATUSES: [&str; 6] = ["new", "open", "pending", "hold", "solved", "closed"];

/// Keys under which a source has patterns.
const PATTERNS: [&str; 2] = ["text_any", "image_asked_any"];

/// Every such name, at its place.
pub(super) fn faults(binding: &Binding, asked: &[Asked], spots: &Spots<'_>) -> Vec<Fault> {
    let mut used = Used { binding, spots, faults: Vec::new() };
    used.applies_to();
    used.outcomes();
    for (name, fact) in &binding.facts {
        let name = name.get_ref();
        if fact.question.as_deref().is_some_and(|question| question.trim().is_empty()) {
            used.empty(&["facts", name, "question"], "the question is empty");
        }
        for (place, source) in fact.sources.iter().enumerate() {
            used.source(name, &place.to_string(), source);
        }
        for (place, source) in fact.sources.iter().enumerate() {
            let place = place.to_string();
            for (key, conditions) in [("when", &source.when), ("unless", &source.unless)] {
                for (other, answer) in conditions {
                    used.answer(&["facts", name, "sources", &place, key, other], other, answer, asked);
                }
            }
        }
        for (other, answer) in &fact.day_ends_when {
            used.answer(&["facts", name, "day_ends_when", other], other, answer, asked);
        }
    }
    used.spans();
    let required = binding.advice.required.keys();
    required.for_each(|field| used.field(&["advice", "required", field], field));
    used.faults
}

struct Used<'a> {
    binding: &'a Binding,
    spots: &'a Spots<'a>,
    faults: Vec<Fault>,
}

impl Used<'_> {
    /// The spans of the rule are whole hours: `m` is a minute, `M` a month, and each a slip of a key from the other.
    fn spans(&mut self) {
        let nodes = self.binding.nodes.iter().filter_map(|(node, meaning)| {
            let Meaning::MoreThan { span, .. } = meaning else { return None };
            Some((["nodes", node.get_ref().as_str(), "more_than"], *span))
        });
        let grace = self.binding.times.grace_period.map(|span| (["times", "grace_period", ""], span));
        let odd: Vec<Fault> = nodes
            .chain(grace)
            .filter(|(_, span)| span.0 % 3_600_000 != 0)
            .map(|(path, span)| {
                let said = humantime::format_duration(std::time::Duration::from_millis(span.0.unsigned_abs()));
                let message = format!("this span is {said}");
                Fault::binding(
                    self.spots.value(&path),
                    message,
                    "write whole hours, days or weeks: \"24h\", \"14d\", \"2w\"",
                )
            })
            .collect();
        self.faults.extend(odd);
    }

    fn applies_to(&mut self) {
        for (place, status) in self.binding.applies_to.status_none.iter().enumerate() {
            if !STATUSES.contains(&status.as_str()) {
                let span = self.spots.value(&["applies_to", "status_none", &place.to_string()]);
                let message = format!("a ticket has no status `{status}`");
                self.faults.push(Fault::binding(span, message, or_there(status, &STATUSES)));
            }
        }
        for (name, condition) in &self.binding.applies_to.conditions {
            for (place, form) in condition.form_any.iter().enumerate() {
                self.form(&["applies_to", name, "form_any", &place.to_string()], form);
            }
            for (place, tag) in condition.tag_any.iter().enumerate() {
                self.tag(&["applies_to", name, "tag_any", &place.to_string()], tag);
            }
        }
    }

    fn outcomes(&mut self) {
        let mut before: Vec<(&str, &str)> = Vec::new();
        for (name, outcome) in &self.binding.outcomes {
            let name = name.get_ref().as_str();
            if outcome.title.trim().is_empty() {
                self.empty(&["outcomes", name, "title"], "the title is empty");
            }
            for (place, tag) in outcome.add_tags.iter().enumerate() {
                let place = place.to_string();
                let path = ["outcomes", name, "add_tags", &place];
                self.tag(&path, tag);
                match before.iter().find(|(_, known)| known == tag) {
                    Some((other, _)) => {
                        let message =
                            format!("`{tag}` is a tag of `{other}` too, so a ticket would not show which it was");
                        self.faults.push(Fault::binding(
                            self.spots.value(&path),
                            message,
                            "give each outcome tags of its own",
                        ));
                    }
                    None => before.push((name, tag)),
                }
            }
        }
    }

    fn source(&mut self, fact: &str, place: &str, source: &SourceBinding) {
        let path = ["facts", fact, "sources", place];
        if let Place::Tag { any, .. } | Place::OrganizationTag { any, .. } = &source.place {
            let key = if matches!(source.place, Place::Tag { .. }) { "tag_any" } else { "organization_tag_any" };
            for (at, tag) in any.iter().enumerate() {
                self.tag(&[path.as_slice(), &[key, &at.to_string()]].concat(), tag);
            }
        }
        if let Place::Form { any, .. } = &source.place {
            for (at, form) in any.iter().enumerate() {
                self.form(&[path.as_slice(), &["form_any", &at.to_string()]].concat(), form);
            }
        }
        if let Place::Field { name, .. } = &source.place {
            self.field(&[path.as_slice(), &["field"]].concat(), name);
        }
        for (at, pattern) in source.patterns().iter().enumerate().filter(|(_, pattern)| pattern.0.matches_nothing()) {
            let at = at.to_string();
            let key = PATTERNS
                .iter()
                .find(|key| self.spots.value(&[path.as_slice(), &[key]].concat()) != self.spots.value(&path));
            let span = self.spots.value(&[path.as_slice(), &[key.unwrap_or(&""), &at]].concat());
            let message = format!("the pattern `{}` is found in every text, even an empty one", pattern.0.text());
            self.faults.push(Fault::binding(span, message, "write the words it looks for"));
        }
    }

    fn form(&mut self, path: &[&str], form: &str) {
        self.defined(path, "form", form, &self.binding.forms.keys().map(String::as_str).collect::<Vec<_>>());
    }

    fn field(&mut self, path: &[&str], field: &str) {
        self.defined(path, "field", field, &self.binding.fields.keys().map(String::as_str).collect::<Vec<_>>());
    }

    fn defined(&mut self, path: &[&str], what: &str, name: &str, there: &[&str]) {
        if there.contains(&name) {
            return;
        }
        let help = match nearest(name, there) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("name it under [{what}s]: {name} = []; accounts may give its ids"),
        };
        let message = format!("[{what}s] has no {what} `{name}`");
        self.faults.push(Fault::binding(self.spots.value(path), message, help));
    }

    /// A tag as the helpdesk keeps it: small letters, no blanks.
    fn tag(&mut self, path: &[&str], tag: &str) {
        let span = || self.spots.value(path);
        let kept =
            tag.trim().to_lowercase().split(|c: char| c.is_whitespace() || c == ',').collect::<Vec<_>>().join("_");
        if tag.trim().is_empty() {
            self.faults.push(Fault::binding(span(), "this tag is empty".into(), "write one, or take it away"));
        } else if kept != tag {
            let message = format!("no ticket bears the tag `{tag}`: tags are in small letters, without blanks");
            self.faults.push(Fault::binding(span(), message, format!("write `{kept}`")));
        }
    }

    /// An answer that a condition waits for is one that the fact can have.
    fn answer(&mut self, path: &[&str], fact: &str, answer: &str, asked: &[Asked]) {
        let Some(bound) = self.binding.fact(fact) else { return }; // A fault of its own.
        let (there, open) = answers(fact, bound, asked);
        let near = nearest(answer, &there);
        if there.contains(&answer) || (open && near.is_none()) {
            return;
        }
        let message = format!("`{fact}` is never `{answer}`, so this condition never holds");
        self.faults.push(Fault::binding(self.spots.value(path), message, or_there(answer, &there)));
    }

    fn empty(&mut self, path: &[&str], message: &str) {
        self.faults.push(Fault::binding(self.spots.value(path), message.into(), "write what people are to read"));
    }
}

/// The answers a fact can have as far as the binding says, and whether it may have others.
fn answers<'a>(name: &str, fact: &'a FactBinding, asked: &'a [Asked]) -> (Vec<&'a str>, bool) {
    if let Some(Asked { range: Range::Words(words), .. }) = asked.iter().find(|asked| asked.name == name) {
        return (words.iter().map(String::as_str).collect(), false);
    }
    let mut there: Vec<&str> = fact.sources.iter().filter_map(SourceBinding::answer).collect();
    there.extend(fact.titles.keys().chain(fact.sentences.keys()).map(String::as_str));
    there.sort_unstable();
    there.dedup();
    let open =
        there.is_empty() || fact.kind == Kind::Instant || fact.sources.iter().any(|source| source.answer().is_none());
    (there, open)
}
