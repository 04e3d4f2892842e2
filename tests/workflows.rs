//! Which handbook case a request is: precision and recall over the files of tests/cases.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use starwarden::decide::facts::sources::Ids;
use starwarden::decide::judge;
use starwarden::decide::ticket::OwnUsers;

use crate::support::star;

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    workflow: String,
    says: String,
    #[serde(default)]
    tags: Vec<String>,
    expires: Option<String>,
    #[serde(default)]
    urgent: bool,
}

/// How often a class was given, meant, and both.
#[derive(Default)]
struct Tally {
    given: u32,
    meant: u32,
    right: u32,
}

impl Case {
    /// The handbook case it is given, and the verdict where that turns it away.
    fn given(&self) -> (String, Option<String>) {
        let policy = star();
        let (subject, description) = self.says.split_once(" | ").expect("subject | description");
        let mut tags = vec!["star_submitted".to_owned(), "lr".to_owned()];
        tags.extend(self.tags.iter().cloned());
        let reading = json!({
            "ticket": { "id": 1, "subject": subject, "description": description, "status": "open", "tags": tags, "created_at": "2026-11-24T09:00:00Z" },
            "organization": self.expires.as_ref().map(|date| json!({ "organization_fields": { "expiration_date": date } })),
        });
        let reading = serde_json::from_value(reading).expect("a reading");
        let ids = Ids::new(&policy.binding, &Ids::default());
        let now: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().expect("an instant");
        let decision = judge::ticket(policy, &ids, Some(&reading), &[], &[], &OwnUsers::none(), now).decision;
        let dismissed = policy.outcome(&decision.verdict).is_some_and(|outcome| outcome.dismisses());
        (decision.workflow.unwrap_or_else(|| "none".into()), Some(decision.verdict).filter(|_| dismissed))
    }
}

/// Prints the table of one file, and fails where a case is turned away that must not be, or fewer than `least` of them
/// are given their right class.
#[track_caller]
#[expect(clippy::print_stdout, reason = "the table is for whoever changes the rules")]
fn check(name: &str, text: &str, least: f64) {
    let file: File = toml::from_str(text).expect("cases");
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let (mut wrong, mut turned_away) = (String::new(), String::new());
    for case in &file.cases {
        let (given, dismissed) = case.given();
        if let Some(verdict) = dismissed.filter(|_| case.urgent) {
            turned_away.push_str(&format!("  {verdict}: {}\n", case.says));
        }
        if given == case.workflow {
            tallies.entry(given.clone()).or_default().right += 1;
        } else {
            wrong.push_str(&format!("  {given} for {}: {}\n", case.workflow, case.says));
        }
        tallies.entry(given).or_default().given += 1;
        tallies.entry(case.workflow.clone()).or_default().meant += 1;
    }
    println!("{name:<26}{:>6}{:>11}{:>8}", "cases", "precision", "recall");
    for (class, Tally { given, meant, right }) in &tallies {
        let share = |of: u32| f64::from(*right) / f64::from(of.max(1));
        println!("{class:<26}{meant:>6}{:>11.2}{:>8.2}", share(*given), share(*meant));
    }
    let (right, all) = tallies.values().fold((0, 0), |(right, all), tally| (right + tally.right, all + tally.meant));
    let share = f64::from(right) / f64::from(all);
    println!("right: {right} of {all} = {share:.2}\n{wrong}");
    assert!(turned_away.is_empty(), "{name}: turned away wrongly:\n{turned_away}");
    assert!(share >= least, "{name}: at least {least} right:\n{wrong}");
}

#[test]
fn requests_get_their_handbook_case_and_none_is_turned_away_wrongly() {
    check("workflows", include_str!("cases/workflows.toml"), 0.9);
}

#[test]
fn requests_written_after_the_rules_get_theirs_too() {
    check("held out", include_str!("cases/held_out.toml"), 0.9);
}

#[test]
fn a_second_round_written_later_does_as_well() {
    check("held out again", include_str!("cases/held_out_again.toml"), 0.9);
}

#[test]
fn german_is_read_by_words_of_the_policy_alone() {
    check("german", include_str!("cases/german.toml"), 0.9);
}

#[test]
fn none_is_turned_away_on_words_that_leave_it_open() {
    check("turned away", include_str!("cases/turned_away.toml"), 0.0);
}
