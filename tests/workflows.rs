//! Which handbook case a request is: precision and recall over tests/cases/workflows.toml.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use starwarden::facts::sources::Ids;
use starwarden::policy::Policy;
use starwarden::work::judge;

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

/// Every third case was written down and put aside before the rules were.
fn held_out(place: usize) -> bool {
    place % 3 == 2
}

#[test]
#[expect(clippy::print_stdout, reason = "the table is for whoever changes the rules")]
fn requests_get_their_handbook_case_and_none_is_turned_away_wrongly() {
    let file: File = toml::from_str(include_str!("cases/workflows.toml")).expect("cases");
    let policy = Policy::parse(include_str!("../config/policy/star.toml"), include_str!("../config/policy/star.mmd"))
        .expect("sound");
    let now: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().expect("an instant");
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    let (mut seen, mut aside) = ((0_u32, 0_u32), (0_u32, 0_u32));
    let mut told = String::new();
    for (place, case) in file.cases.iter().enumerate() {
        let (subject, description) = case.says.split_once(" | ").expect("subject | description");
        let mut tags = vec!["star_submitted".to_owned(), "lr".to_owned()];
        tags.extend(case.tags.iter().cloned());
        let reading = json!({
            "ticket": { "id": 1, "subject": subject, "description": description, "status": "open", "tags": tags, "created_at": "2026-11-24T09:00:00Z" },
            "organization": case.expires.as_ref().map(|date| json!({ "organization_fields": { "expiration_date": date } })),
        });
        let reading = serde_json::from_value(reading).expect("a reading");
        let ids = Ids::new(&policy.binding, &Ids::default());
        let decision = judge::ticket(&policy, &ids, Some(&reading), &[], &[], None, now).decision;
        let dismissed = policy.outcome(&decision.verdict).is_some_and(|outcome| outcome.dismisses);
        assert!(!(case.urgent && dismissed), "turned away wrongly, {}: {}", decision.verdict, case.says);
        let given = decision.workflow.as_deref().unwrap_or("none");
        let right = given == case.workflow;
        let (hits, all) = if held_out(place) { &mut aside } else { &mut seen };
        *all += 1;
        *hits += u32::from(right);
        tallies.entry(&case.workflow).or_default().meant += 1;
        tallies.entry(&case.workflow).or_default().right += u32::from(right);
        if !right {
            let group = if held_out(place) { "held out" } else { "seen" };
            told.push_str(&format!("  {group}: {given} for {}: {}\n", case.workflow, case.says));
        }
        if let Some((known, _)) = tallies.get_key_value(given) {
            let known = *known;
            tallies.entry(known).or_default().given += 1;
        } else {
            let class = file.cases.iter().find(|case| case.workflow == given).expect("a class of the file");
            tallies.entry(&class.workflow).or_default().given += 1;
        }
    }
    println!("{:<26}{:>6}{:>11}{:>8}", "workflow", "cases", "precision", "recall");
    for (class, Tally { given, meant, right }) in &tallies {
        let share = |of: u32| f64::from(*right) / f64::from(of.max(1));
        println!("{class:<26}{meant:>6}{:>11.2}{:>8.2}", share(*given), share(*meant));
    }
    let share = |(right, all): (u32, u32)| f64::from(right) / f64::from(all);
    println!("seen {}/{} = {:.2}, held out {}/{} = {:.2}", seen.0, seen.1, share(seen), aside.0, aside.1, share(aside));
    println!("{told}");
    assert!(file.cases.len() >= 60);
    assert!(share((seen.0 + aside.0, seen.1 + aside.1)) >= 0.9, "at least 0.9 right:\n{told}");
    assert!(share(aside) >= 0.8, "the cases held out, too:\n{told}");
}
