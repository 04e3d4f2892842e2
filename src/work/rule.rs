//! The policy in force, and what is tried beside it.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::decide::policy::Policy;

/// The policies as they stand together.
#[derive(Debug, Clone)]
pub struct Rules {
    /// What decides.
    pub policy: Arc<Policy>,
    /// The promotion that put it in force; none where nothing was ever promoted, and then the file decides.
    pub promotion: Option<i64>,
    /// The configuration's `policy.file`.
    pub file: Source,
    /// The configuration's `policy.candidate`.
    pub candidate: Option<Source>,
    /// How many people a promotion takes.
    pub approval: Approval,
}

/// How many people a promotion takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Approval {
    /// Whoever may.
    #[default]
    OnePerson,
    /// One asks, and another puts it in force.
    TwoPeople,
}

/// A file of a policy, as it was read last.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name, as people know it.
    pub name: String,
    /// The policy, or its faults.
    pub read: Result<Arc<Policy>, String>,
}

impl Rules {
    /// A file's policy in force, and nothing beside it.
    pub fn of_file(name: &str, policy: Arc<Policy>) -> Rules {
        let file = Source { name: name.to_owned(), read: Ok(policy.clone()) };
        Rules { policy, promotion: None, file, candidate: None, approval: Approval::default() }
    }

    /// What is tried beside the policy in force: the candidate, or where none is configured the file that was changed
    /// since something was promoted.
    pub fn candidate(&self) -> Option<&Arc<Policy>> {
        self.candidate.as_ref().unwrap_or(&self.file).other_than(&self.policy)
    }

    /// Both files' policies that are not in force, to be promoted.
    pub fn offered(&self) -> impl Iterator<Item = (&str, &Arc<Policy>)> {
        let sources = self.candidate.iter().chain([&self.file]);
        sources.filter_map(|source| Some((source.name.as_str(), source.other_than(&self.policy)?)))
    }

    /// What an operator should know, a sentence each: a faulty candidate, a file that is not in force.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(Source { name, read: Err(fault) }) = &self.candidate {
            warnings.push(format!("the candidate {name} cannot be used, nothing is compared: {}", first_line(fault)));
        }
        match &self.file.read {
            Err(fault) => warnings.push(format!(
                "{} cannot be used; the promoted policy stays in force: {}",
                self.file.name,
                first_line(fault)
            )),
            Ok(file) if file.hash != self.policy.hash => warnings.push(format!(
                "{} is not in force: another policy was promoted; promote the file's to make it live, or bring the file up to what is in force",
                self.file.name
            )),
            Ok(_) => {}
        }
        warnings
    }
}

impl Source {
    fn other_than(&self, policy: &Policy) -> Option<&Arc<Policy>> {
        self.read.as_ref().ok().filter(|read| read.hash != policy.hash)
    }
}

/// A fault drawn over many lines, by its first.
pub fn first_line(fault: &str) -> &str {
    let first = fault.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    first.trim_start_matches([' ', '×'])
}

/// The policy in force, swapped whole; clones share it.
///
/// Whoever decides takes it once and keeps it to the end, so that no decision is made by half of each of two policies.
#[derive(Clone)]
pub struct PolicyInForce(Arc<ArcSwap<Rules>>);

impl PolicyInForce {
    /// This one, to begin with.
    pub fn new(rules: Rules) -> PolicyInForce {
        PolicyInForce(Arc::new(ArcSwap::from_pointee(rules)))
    }

    /// The one in force now.
    pub fn now(&self) -> Arc<Policy> {
        self.0.load().policy.clone()
    }

    /// The one in force now, with what is beside it.
    pub fn rules(&self) -> Arc<Rules> {
        self.0.load_full()
    }

    /// Puts others in place for every look that begins from here on.
    pub fn replace(&self, rules: Rules) {
        self.0.store(Arc::new(rules));
    }
}
