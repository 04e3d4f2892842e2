//! The handbook's chart: its whole truth table, what stays open, how long a verdict holds.

use chrono::{DateTime, TimeDelta, Utc};
use starwarden::decide::facts::fact::{Fact, Facts, Finding, Spoken, Trust, Value};
use starwarden::decide::facts::source::{Given, Source};
use starwarden::decide::policy::Policy;
use starwarden::decide::policy::decision::{Decision, LeadsTo};

fn star() -> Policy {
    Policy::parse(include_str!("../config/policy/star.toml"), include_str!("../config/policy/star.mmd")).expect("sound")
}

fn now() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().expect("an instant")
}

/// Facts from `name=value` words; `?` behind a value makes it a guess, `~` a record; an instant is hours from now.
fn facts(words: &str) -> Facts {
    let fact = |word: &str| {
        let (name, value) = word.split_once('=').expect("name=value");
        let (value, trust) = match (value.strip_suffix('?'), value.strip_suffix('~')) {
            (Some(value), _) => (value, Trust::Inferred),
            (_, Some(value)) => (value, Trust::Recorded),
            (None, None) => (value, Trust::Stated),
        };
        let value = match value.strip_suffix('h') {
            Some(hours) => Value::Instant(now() + TimeDelta::hours(hours.parse().expect("hours"))),
            None => Value::Word(value.to_owned()),
        };
        (name.to_owned(), Finding::Known(Fact::new(value, trust, Source::Given(Given::Case))))
    };
    words.split_whitespace().map(fact).collect()
}

fn decide(words: &str) -> Decision {
    star().decide(&facts(words), &Spoken::default(), now())
}

#[track_caller]
fn check(words: &str, verdict: &str) {
    let decision = decide(words);
    assert_eq!(decision.verdict, verdict, "{words}: {decision:#?}");
}

#[test]
fn every_path_of_the_chart_ends_as_it_is_drawn() {
    for (words, verdict) in [
        ("request=plan_license trial=no in_grace=yes grace_ends_at=25h", "no_need"),
        ("request=plan_license trial=no in_grace=yes grace_ends_at=24h", "ok_to_star"),
        ("request=plan_license trial=no in_grace=yes grace_ends_at=-1h", "ok_to_star"),
        ("request=plan_license trial=no in_grace=no expires_at=25h", "no_need"),
        ("request=plan_license trial=no in_grace=no expires_at=24h", "ok_to_star"),
        ("request=plan_license trial=no in_grace=no expires_at=-400h", "ok_to_star"),
        ("request=plan_license trial=yes sales_assisted=no", "no_need"),
        ("request=plan_license trial=yes sales_assisted=yes expires_at=25h", "no_need"),
        ("request=plan_license trial=yes sales_assisted=yes expires_at=24h", "ok_to_star"),
        ("request=force_reassociate edge_case=yes", "ok_to_star"),
        ("request=force_reassociate edge_case=no", "use_docs"),
        ("request=wrong_product sales_intervened=yes", "ok_to_star"),
        ("request=wrong_product sales_intervened=no", "wait_for_sales"),
    ] {
        check(words, verdict);
    }
}

/// The chart by hand, for whole knowledge.
fn by_hand(request: &str, trial: bool, sales: bool, expires: i64, edge: bool, intervened: bool) -> &'static str {
    let grace_ends = expires + 14 * 24;
    let later = |hours: i64| if hours > 24 { "no_need" } else { "ok_to_star" };
    match request {
        "force_reassociate" if edge => "ok_to_star",
        "force_reassociate" => "use_docs",
        "wrong_product" if intervened => "ok_to_star",
        "wrong_product" => "wait_for_sales",
        _ if trial && !sales => "no_need",
        _ if trial => later(expires),
        _ if expires <= 0 && 0 < grace_ends => later(grace_ends),
        _ => later(expires),
    }
}

#[test]
fn the_whole_truth_table_and_every_part_of_it() {
    let policy = star();
    let yes_no = [(true, "yes"), (false, "no")];
    let hours = [-337, -336, -335, -313, -312, -311, -1, 0, 1, 24, 25, 500];
    let mut rows = Vec::new();
    for request in ["plan_license", "wrong_product", "force_reassociate"] {
        for (trial, trial_word) in yes_no {
            for (sales, sales_word) in yes_no {
                for (edge, edge_word) in yes_no {
                    for (intervened, intervened_word) in yes_no {
                        for expires in hours {
                            let words = [
                                format!("request={request}"),
                                format!("trial={trial_word}"),
                                format!("sales_assisted={sales_word}"),
                                format!("edge_case={edge_word}"),
                                format!("sales_intervened={intervened_word}"),
                                format!("expires_at={expires}h"),
                            ];
                            rows.push((words, by_hand(request, trial, sales, expires, edge, intervened)));
                        }
                    }
                }
            }
        }
    }
    // Any subset of the facts leaves possible exactly what the rows that agree with it end in.
    for (known, _) in rows.iter().step_by(7) {
        for subset in 0_u32..64 {
            let kept: Vec<&String> =
                known.iter().enumerate().filter(|(bit, _)| subset & (1 << bit) != 0).map(|(_, word)| word).collect();
            let words = kept.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(" ");
            let mut expected: Vec<&str> = rows
                .iter()
                .filter(|(row, _)| kept.iter().all(|word| row.contains(word)))
                .map(|(_, verdict)| *verdict)
                .collect();
            expected.sort_unstable();
            expected.dedup();
            let decision = policy.decide(&facts(&words), &Spoken::default(), now());
            assert_eq!(decision.possible, expected, "{words}");
            match expected.as_slice() {
                [one] => assert_eq!((decision.verdict.as_str(), decision.missing.len()), (*one, 0), "{words}"),
                _ => {
                    assert!(decision.verdict == "needs_facts" && !decision.missing.is_empty(), "{words}: {decision:#?}")
                }
            }
        }
    }
}

#[test]
fn one_outcome_left_is_decided_whatever_is_open() {
    check("trial=no expires_at=30h request=plan_license", "no_need");
    check("request=plan_license trial=no expires_at=-400h", "ok_to_star");
    let decision = decide("request=plan_license expires_at=30h sales_assisted=yes");
    assert_eq!(decision.verdict, "no_need", "trial or not, more than 24 h are left");
    assert_eq!(decision.missing, []);
}

#[test]
fn a_guess_may_escalate_and_never_dismisses() {
    check("request=plan_license trial=yes? sales_assisted=yes expires_at=3h", "ok_to_star");
    let decision = decide("request=plan_license trial=yes? sales_assisted=no~");
    assert_eq!((decision.verdict.as_str(), decision.likely.as_deref()), ("needs_facts", Some("no_need")));
    let trial = decision.missing.iter().find(|missing| missing.fact == "trial").expect("trial is asked");
    assert_eq!(trial.suggested.as_deref(), Some("yes"));
    let LeadsTo::Words(words) = &trial.leads_to else { panic!("{trial:?}") };
    assert_eq!(words.get("yes").map(Vec::as_slice), Some(["no_need".to_owned()].as_slice()));
    // What is dismissed either way needs no guess.
    check("request=plan_license trial=yes? sales_assisted=no expires_at=30h", "no_need");
    check("request=plan_license~ trial=no expires_at=-100h?", "needs_facts");
}

#[test]
fn what_is_stated_stands_and_nothing_is_derived_backwards() {
    check("request=plan_license trial=no in_grace=no expires_at=-24h", "ok_to_star");
    check("request=plan_license trial=no expires_at=-24h grace_ends_at=5h", "ok_to_star");
    check("request=plan_license trial=no grace_ends_at=100h", "needs_facts");
    check("request=plan_license trial=no in_grace=yes grace_ends_at=100h", "no_need");
}

#[test]
fn the_first_question_settles_most() {
    let decision = decide("request=plan_license trial=no");
    let asked: Vec<&str> = decision.missing.iter().map(|missing| missing.fact.as_str()).collect();
    assert_eq!(asked, ["expires_at"], "its answer makes the others moot");
    let decision = decide("request=plan_license trial=no in_grace=yes");
    let asked: Vec<&str> = decision.missing.iter().map(|missing| missing.fact.as_str()).collect();
    assert_eq!(asked, ["grace_ends_at"], "expiry is still open, and what is stated of grace stands");
}

#[test]
fn a_verdict_holds_until_the_first_instant_that_changes_it() {
    for (words, hours) in [
        ("request=plan_license trial=no expires_at=-100h", Some(14 * 24 - 100 - 24)),
        ("request=plan_license trial=no expires_at=100h", Some(76)),
        ("request=plan_license trial=no expires_at=10h", Some(10)), // Then the grace begins, and it is long.
        ("request=plan_license trial=yes sales_assisted=yes expires_at=10h", None),
        ("request=plan_license trial=yes sales_assisted=no expires_at=100h", None),
        ("request=wrong_product sales_intervened=no expires_at=100h", None),
    ] {
        let policy = star();
        let decision = policy.decide(&facts(words), &Spoken::default(), now());
        assert_eq!(decision.valid_until, hours.map(|hours| now() + TimeDelta::hours(hours)), "{words}");
        if let Some(until) = decision.valid_until {
            let before = policy.decide(&facts(words), &Spoken::default(), until - TimeDelta::seconds(1));
            assert_eq!(before.verdict, decision.verdict, "{words}: one second before");
            assert_ne!(
                policy.decide(&facts(words), &Spoken::default(), until).verdict,
                decision.verdict,
                "{words}: at it"
            );
        }
    }
}

#[test]
fn the_way_is_told_node_by_node() {
    let decision = decide("request=plan_license trial=no expires_at=-120h");
    let nodes: Vec<&str> = decision.path.iter().map(|answered| answered.node.as_str()).collect();
    assert_eq!(nodes, ["A", "T", "G", "H"]);
    assert_eq!(decision.walked, ["A", "C", "T", "G", "H", "No", "X"]);
    assert_eq!(
        (decision.outcome_node.as_deref(), decision.tasks.as_slice()),
        (Some("No"), ["collect_feedback".to_owned()].as_slice())
    );
    let grace = decision.path.iter().find(|answered| answered.node == "G").expect("G");
    assert_eq!(grace.source.to_string(), "expired 19 Nov 2026, 12:00 UTC (given by the case) + 14 days of grace");
    assert_eq!(decide("request=wrong_product sales_intervened=no").outcome_node.as_deref(), Some("WP"));
}

/// The chart as it was before November 2023, with the shipped binding less the nodes it does not have and what they do.
fn older() -> Policy {
    let binding = include_str!("../config/policy/star.toml");
    let without = |binding: String, table: &str| {
        let (before, entry) = binding.split_once(&format!("[{table}]\n")).expect("the table");
        format!("{before}{}", entry.split_once("\n\n").expect("its end").1)
    };
    let binding = ["nodes.H", "nodes.X", "tasks.collect_feedback"].into_iter().fold(binding.to_owned(), without);
    Policy::parse(&binding, include_str!("cases/older.mmd")).expect("sound")
}

#[test]
fn the_older_chart_runs_by_its_text_and_binding_alone() {
    let (older, star) = (older(), star());
    assert_ne!(older.hash, star.hash);
    for (words, then, now_) in [
        // In grace was no need at once, however soon it ended.
        ("trial=no expires_at=-330h", "no_need", "ok_to_star"),
        ("trial=no in_grace=yes", "no_need", "needs_facts"),
        // A sales-assisted trial went on to the grace question.
        ("trial=yes sales_assisted=yes expires_at=-24h", "no_need", "ok_to_star"),
        ("trial=yes sales_assisted=yes in_grace=yes", "no_need", "needs_facts"),
        ("trial=yes sales_assisted=no", "no_need", "no_need"),
        ("trial=no expires_at=30h", "no_need", "no_need"),
        ("trial=no expires_at=-400h", "ok_to_star", "ok_to_star"),
    ] {
        let facts = facts(&format!("request=plan_license {words}"));
        assert_eq!(older.decide(&facts, &Spoken::default(), now()).verdict, then, "{words}, by the older chart");
        assert_eq!(star.decide(&facts, &Spoken::default(), now()).verdict, now_, "{words}, by the chart of today");
    }
}
