//! `check --cases`: the shipped table holds, and a case that fails says why.

use std::path::Path;

use crate::support::starwarden_in;

const POLICY: &str = "config/policy/star.toml";
const SHIPPED: &str = "config/policy/star.cases.toml";

/// Checks a file of cases with the binary: exit code, results, errors.
fn cases(file: &Path) -> (Option<i32>, String, String) {
    let file = file.to_str().expect("a name");
    starwarden_in(Path::new(env!("CARGO_MANIFEST_DIR")), &["check", "--policy", POLICY, "--cases", file])
}

#[track_caller]
fn check(text: &str, code: i32, stdout: &[&str], stderr: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("some.cases.toml");
    std::fs::write(&file, format!("now = 2026-11-24T12:00:00Z\n\n{text}")).expect("a file");
    let (ended, out, errors) = cases(&file);
    assert_eq!(ended, Some(code), "{text}\n{out}{errors}");
    assert!(stdout.iter().all(|part| out.contains(part)), "{text}\n{out}{errors}");
    assert!(errors.contains(stderr), "{text}\n{out}{errors}");
}

#[test]
fn the_shipped_cases_hold_and_reach_every_outcome_and_every_question() {
    let (code, out, errors) = cases(Path::new(SHIPPED));
    assert_eq!(code, Some(0), "{out}{errors}");
    let table = include_str!("../config/policy/star.cases.toml");
    let verdicts = ["no_need", "ok_to_star", "use_docs", "wait_for_sales", "needs_facts", "not_applicable"];
    for verdict in verdicts {
        assert!(table.contains(&format!("verdict = \"{verdict}\"")), "no case ends in {verdict}");
    }
    for fact in [
        "request",
        "trial",
        "sales_assisted",
        "in_grace",
        "grace_ends_at",
        "expires_at",
        "edge_case",
        "sales_intervened",
    ] {
        assert!(table.contains(&format!("{fact} = ")), "no case gives {fact}");
    }
}

#[test]
fn a_failing_case_shows_the_path_it_took() {
    check(
        "[[case]]\nname = \"a late renewal\"\nfacts = { trial = false, expires_at = 2026-11-19 }\nverdict = \"ok_to_star\"\n",
        1,
        &[
            "some.cases.toml:4: a late renewal",
            "expected ok_to_star",
            "decided  no_need",
            "G     Is the customer in the grace period? → yes: expired 19 Nov 2026 (given by the case) + 14 days of grace",
            "No    → no_need",
            "1 of 1 cases are not decided as they say",
        ],
        "",
    );
    check(
        "[[case]]\nname = \"asks too much\"\nfacts = { trial = \"no\", in_grace = \"yes\" }\nverdict = \"needs_facts\"\nasks = [\"trial\"]\n",
        1,
        &[
            "expected needs_facts, asking trial",
            "decided  needs_facts, asking grace_ends_at",
            "open  When does the grace",
        ],
        "",
    );
}

#[test]
fn a_case_that_cannot_be_used_never_holds() {
    check(
        "[[case]]\nname = \"misspelt\"\nfacts = { tril = true }\nverdict = \"needs_facts\"\n",
        1,
        &["there is no fact “tril” (given by the case): did you mean trial?"],
        "",
    );
    check("[[case]]\nname = \"misspelt\"\nverdict = \"no_nede\"\n", 1, &[], "did you mean `no_need`?");
    check("[[case]]\nname = \"unknown key\"\nverdict = \"no_need\"\nfact = {}\n", 1, &[], "unknown key `fact`");
}

/// What `check --coverage --mutants --format json` finds of a file of cases.
fn unnoticed(file: &Path) -> serde_json::Value {
    let file = file.to_str().expect("a name");
    let arguments = ["check", "--policy", POLICY, "--coverage", "--mutants", "--format", "json", "--cases", file];
    let (_, out, _) = starwarden_in(Path::new(env!("CARGO_MANIFEST_DIR")), &arguments);
    serde_json::from_str(&out).expect("JSON")
}

#[test]
fn the_shipped_cases_reach_every_part_and_notice_nineteen_of_twenty_changes() {
    let report = unnoticed(Path::new(SHIPPED));
    for part in ["links", "outcomes", "sources", "patterns", "boundaries"] {
        assert_eq!(report["coverage"][part], serde_json::json!([]), "{part}");
    }
    let changes = report["mutants"]["mutants"].as_u64().expect("a number");
    let missed = report["mutants"]["unnoticed"].as_array().expect("a list");
    assert!(changes > 170 && missed.len() as u64 * 20 <= changes, "{} of {changes}: {missed:#?}", missed.len());
}

#[test]
fn what_no_case_reaches_is_said_with_a_case_that_would() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("some.cases.toml");
    let one = "now = 2026-11-24T12:00:00Z\n\n[[case]]\nname = \"a wrong product\"\n\
               ticket = { id = 1, tags = [\"star_submitted\", \"lr\", \"purchased_wrong_product\"] }\nverdict = \"wait_for_sales\"\n";
    std::fs::write(&file, one).expect("a file");
    let report = unnoticed(&file);
    let has = |part: &str, said: &str| {
        report["coverage"][part].as_array().is_some_and(|parts| parts.iter().any(|part| part.as_str() == Some(said)))
    };
    assert!(has("links", "T-->|No|G") && !has("links", "A-->WP"), "{:#}", report["coverage"]["links"]);
    assert!(has("outcomes", "no_need") && !has("outcomes", "wait_for_sales"), "{:#}", report["coverage"]["outcomes"]);
    assert!(has("boundaries", "`H`: more than its span, by an hour or less"), "{:#}", report["coverage"]["boundaries"]);
    let missed = report["mutants"]["unnoticed"].as_array().expect("a list");
    let swapped = missed.iter().find(|one| one["change"] == "Yes and No of `T` change places").expect("it is missed");
    let proposed = swapped["proposed"].as_str().expect("a case");
    std::fs::write(&file, format!("{one}\n{proposed}")).expect("a file");
    assert_eq!(cases(&file).0, Some(0), "{proposed}");
    let again = unnoticed(&file);
    assert!(!again["mutants"]["unnoticed"].to_string().contains("Yes and No of `T`"), "{proposed}");
}
