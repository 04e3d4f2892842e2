//! What checklists mention exists: facts and their answers, cases, tasks, links.

use toml::Spanned;

use super::binding::{Binding, FactBinding, Kind, Meaning};
use super::checklist::{ASSIGNEE, Answers, Part, Step};
use super::fault::Fault;
use super::graph::YES_NO;
use super::names::unknown;
use super::source::{Place, SourceBinding};

/// Every fault of this sort, each at the name that is used and defined nowhere.
pub(super) fn faults(binding: &Binding) -> Vec<Fault> {
    let mut check = Check { binding, faults: Vec::new() };
    check.cases();
    check.tasks();
    for (name, address) in &binding.links {
        if !address.starts_with("https://") {
            let message = format!("the link `{}` leads to `{address}`, which is no address", name.get_ref());
            check.fault(name, message, "write it in full: https://…".into());
        }
    }
    let outcomes = binding.outcomes.values().flat_map(|outcome| &outcome.steps);
    let cases = binding.cases.values().flat_map(|case| &case.steps);
    let tasks = binding.tasks.values().flat_map(|task| &task.steps);
    outcomes.chain(cases).chain(tasks).chain(&binding.notes.steps).for_each(|step| check.step(step));
    check.faults
}

struct Check<'a> {
    binding: &'a Binding,
    faults: Vec<Fault>,
}

impl<'a> Check<'a> {
    /// Each case is an answer of the fact that says which case it is, and each of its answers has a case.
    fn cases(&mut self) {
        let (binding, notes) = (self.binding, &self.binding.notes);
        let cases: Vec<&str> = names(&binding.cases);
        if let Some(unknown) = &notes.case_unknown {
            self.known("[cases]", "case", unknown, &cases);
        }
        let Some(case) = &notes.case else { return };
        self.known("[facts]", "fact", case, &names(&binding.facts));
        let Some(answers) = self.answers(case.get_ref()) else { return };
        let unnamed = |name: &&Spanned<String>| notes.case_unknown.as_ref().is_none_or(|unknown| unknown != *name);
        for name in binding.cases.keys().filter(unnamed) {
            self.known(&format!("`{}`", case.get_ref()), "answer", name, &answers);
        }
        for answer in answers.iter().filter(|answer| !cases.contains(answer)) {
            let message = format!("the answer `{answer}` of `{}` has no case", case.get_ref());
            self.fault(case, message, format!("add [cases.{answer}] with its steps"));
        }
    }

    /// Each task is one of the chart.
    fn tasks(&mut self) {
        let tasks = self.binding.nodes.values().filter_map(|meaning| match meaning {
            Meaning::Task(task) => Some(task.as_str()),
            Meaning::Choose { .. }
            | Meaning::YesNo { .. }
            | Meaning::MoreThan { .. }
            | Meaning::OnlyIf { .. }
            | Meaning::Outcome(_) => None,
        });
        let tasks: Vec<&str> = tasks.collect();
        self.binding.tasks.keys().for_each(|name| self.known("[nodes]", "task", name, &tasks));
    }

    fn step(&mut self, step: &'a Step) {
        let facts = names(&self.binding.facts);
        self.conditions(&step.when);
        self.conditions(&step.unless);
        let told = step.tells.iter().filter(|told| told.get_ref() != ASSIGNEE);
        told.for_each(|told| self.known("[facts]", "fact", told, &facts));
        let at = |name: &str| Spanned::new(step.say.span(), name.to_owned());
        for part in &step.say.get_ref().0 {
            match part {
                Part::Link { to, .. } => self.known("[links]", "link", &at(to), &names(&self.binding.links)),
                Part::Code(code) => {
                    let answers = code.strip_prefix("star: ").unwrap_or_default().split(", ");
                    for (fact, answer) in answers.filter_map(|answer| answer.split_once('=')) {
                        self.condition(&at(fact), &at(answer));
                    }
                }
                Part::Words(_) => {}
            }
        }
        step.steps.iter().for_each(|step| self.step(step));
    }

    fn conditions(&mut self, answers: &Answers) {
        answers.iter().for_each(|(fact, answer)| self.condition(fact, answer));
    }

    /// A fact that is there, and an answer it can have.
    fn condition(&mut self, fact: &Spanned<String>, answer: &Spanned<String>) {
        self.known("[facts]", "fact", fact, &names(&self.binding.facts));
        if let Some(answers) = self.answers(fact.get_ref()) {
            self.known(&format!("`{}`", fact.get_ref()), "answer", answer, &answers);
        }
    }

    /// The words a fact can be; none where it can be anything.
    fn answers(&self, name: &str) -> Option<Vec<&'a str>> {
        let fact = self.binding.fact(name).filter(|fact| fact.kind == Kind::Word && fact.pattern.is_none())?;
        let asked = self.binding.nodes.values().flat_map(|meaning| match meaning {
            Meaning::Choose { fact, exits } if fact.get_ref() == name => {
                exits.keys().map(|answer| answer.get_ref().as_str()).collect()
            }
            Meaning::YesNo { fact } | Meaning::OnlyIf { fact, .. } if fact.get_ref() == name => YES_NO.to_vec(),
            Meaning::Choose { .. }
            | Meaning::YesNo { .. }
            | Meaning::MoreThan { .. }
            | Meaning::OnlyIf { .. }
            | Meaning::Outcome(_)
            | Meaning::Task(_) => Vec::new(),
        });
        let mut answers: Vec<&str> = asked.chain(said(fact)).collect();
        if answers.is_empty() || answers.iter().any(|answer| YES_NO.contains(answer)) {
            answers.extend(YES_NO); // Where one can be said, so can the other; what follows from others is one of them.
        }
        answers.sort_unstable();
        answers.dedup();
        Some(answers)
    }

    fn known(&mut self, place: &str, what: &str, name: &Spanned<String>, there: &[&str]) {
        self.faults.extend(unknown(&format!("{place} has no {what}"), name, there));
    }

    fn fault(&mut self, at: &Spanned<String>, message: String, help: String) {
        self.faults.push(Fault::binding(at.span(), message, help));
    }
}

fn names<T>(table: &std::collections::BTreeMap<Spanned<String>, T>) -> Vec<&str> {
    table.keys().map(|name| name.get_ref().as_str()).collect()
}

/// What the sources of a fact can say, by rule and by examples.
fn said(fact: &FactBinding) -> impl Iterator<Item = &str> {
    let hours = fact.sources.iter().any(|source| matches!(source.place, Place::Hours(_)));
    let sources = fact.sources.iter().filter_map(SourceBinding::answer);
    sources.chain(fact.answers.iter().map(String::as_str)).chain(YES_NO.into_iter().filter(move |_| hours))
}
