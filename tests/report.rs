//! The report, from a store as the bot leaves it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use starwarden::decide::facts::gather::Stated;
use starwarden::decide::facts::sources::Ids;
use starwarden::decide::judge;
use starwarden::decide::ticket::{OwnUsers, TicketKey};
use starwarden::learn::report::gist::Gist;
use starwarden::store::Store;
use starwarden::store::decisions::{Carried, DecisionRow};
use starwarden::store::deliveries::{NewDelivery, Relevance};
use starwarden::store::feedback::{Feedback, Opinion, Way};

use crate::support::star;

fn at(minutes: i64) -> DateTime<Utc> {
    "2026-11-02T09:00:00Z".parse::<DateTime<Utc>>().expect("an instant") + TimeDelta::minutes(minutes)
}

fn key(id: u64) -> TicketKey {
    TicketKey { account: "global".into(), id }
}

/// An answered question on the way.
fn answered(node: &str, text: &str, fact: &str, answer: &str, trust: &str, source: &str) -> Value {
    let origin = match source {
        "field request type: trial" => json!({ "field": { "name": "request type", "by": { "being": "trial" } } }),
        other => json!({ "told": other }),
    };
    json!({ "node": node, "text": text, "fact": fact, "answer": answer, "value": answer, "trust": trust, "source": source, "origin": origin })
}

/// A decision in the shape of the interface, on the way to a trial that nobody sells.
fn decision(verdict: &str, source: &str) -> Value {
    let trial = "Is this request for a trial?";
    let path = json!([
        answered(
            "A",
            "LR starred ticket",
            "request",
            "plan_license",
            "recorded",
            "nothing on the ticket says otherwise"
        ),
        answered("T", trial, "trial", "yes", if source.starts_with("Ann") { "stated" } else { "recorded" }, source),
    ]);
    let missing = match verdict {
        "needs_facts" => {
            json!([{ "fact": "in_grace", "question": "Is the customer in the grace period?", "suggested": null, "leads_to": {} }])
        }
        _ => json!([]),
    };
    json!({ "verdict": verdict, "likely": null, "possible": [], "outcome_node": null, "trust": null, "path": path, "walked": [],
        "missing": missing, "tasks": [], "workflow": "saas_extension", "valid_until": null,
        "tags": { "add": [], "remove": [] }, "policy": "sha256:0" })
}

/// Has a ticket starred at a minute and decided at others, each with what somebody said of it.
async fn ticket(store: &Store, id: u64, starred: i64, decided: &[(i64, &str, &str, Option<Opinion>)]) {
    let delivery = NewDelivery {
        ticket: key(id),
        key: None,
        kind: "trigger".into(),
        happened_at: None,
        received_at: at(starred),
        due_at: at(starred),
        relevance: Relevance::Ours,
    };
    store.record(delivery).await.expect("kept");
    let claim =
        store.claim("global", at(100_000), Duration::from_secs(60), 1).await.expect("claimed").pop().expect("due");
    for (minute, verdict, source, opinion) in decided {
        let reference = format!("R{id}{minute}");
        let row = DecisionRow {
            reference: reference.clone(),
            ticket: key(id),
            decided_at: at(*minute),
            verdict: (*verdict).into(),
            fingerprint: String::new(),
            decision: decision(verdict, source).to_string(),
            note: String::new(),
            carried: Carried::Open,
            basis: "{}".into(),
        };
        store.record_decision(&claim, &row).await.expect("kept");
        store.posted(&claim, &reference, at(*minute)).await.expect("posted");
        store.star_to_note(&key(id), &reference, TimeDelta::zero()).await.expect("kept");
        for opinion in opinion.iter().cloned() {
            let feedback = Feedback {
                ticket: key(id),
                reference: reference.clone(),
                opinion,
                who: "=Ann <Agent>".into(),
                said_at: at(minute + 1),
                way: Way::Console,
            };
            store.record_feedback(&[feedback]).await.expect("kept");
        }
    }
    let next = starwarden::store::watches::Next::Settled { look_at: None, policy: "p".into() };
    store.settle(&claim, next, at(0)).await.expect("settled");
}

fn disagree(why: &str) -> Option<Opinion> {
    Some(Opinion::Disagree { why: why.into() })
}

/// A store with four tickets, and the configuration beside it.
fn filled(folder: &Path) -> std::path::PathBuf {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let store = Store::sqlite(&folder.join("star.db")).expect("a store");
    runtime.block_on(async {
        ticket(&store, 1, 0, &[(2, "no_need", "tag trial", Some(Opinion::Agree))]).await;
        ticket(
            &store,
            2,
            10,
            &[
                (11, "needs_facts", "tag trial", disagree("that is no verdict")),
                (20, "ok_to_star", "Ann Agent, note of 24 Nov", Some(Opinion::Agree)),
            ],
        )
        .await;
        ticket(
            &store,
            3,
            30,
            &[
                (34, "no_need", "tag trial", disagree("<script>alert(1)</script>, \"quoted\"")),
                (60, "ok_to_star", "tag trial", None),
            ],
        )
        .await;
        ticket(
            &store,
            4,
            100,
            &[(101, "no_need", "field request type: trial", Some(Opinion::Corrected { to: "ok_to_star".into() }))],
        )
        .await;
    });
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/policy/star.toml");
    let config = format!(
        "[store]\nurl = \"sqlite:{}\"\n[policy]\nfile = \"{}\"\n[accounts.global]\nbase_url = \"https://example.zendesk.com\"\nwebhook_secrets = [\"x\"]\n[accounts.global.auth]\noauth_token = \"x\"\n",
        folder.join("star.db").display(),
        policy.display(),
    );
    std::fs::write(folder.join("starwarden.toml"), config).expect("a file");
    folder.join("starwarden.toml")
}

/// What `report` prints.
fn report(config: &Path, arguments: &[&str]) -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_starwarden"))
        .args(["report", "--config"])
        .arg(config)
        .args(arguments)
        .output()
        .expect("the binary");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("text")
}

#[test]
fn the_figures_are_those_of_the_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = filled(folder.path());
    let all: Value = serde_json::from_str(&report(&config, &["--format", "json"])).expect("json");
    let row = |table: &str, name: &str| {
        let rows = all[table].as_array().expect("rows");
        let row = rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name} in {rows:?}"));
        (
            row["count"].as_u64().expect("a count"),
            row["agreed"].as_u64().expect("a count"),
            row["disagreed"].as_u64().expect("a count"),
        )
    };
    assert_eq!((&all["decisions"], &all["tickets"]), (&json!(6), &json!(4)));
    assert_eq!((&all["agreed"], &all["disagreed"]), (&json!(2), &json!(2)), "an open question is no verdict");
    for (table, name, expected) in [
        ("verdicts", "no_need", (3, 1, 2)),
        ("verdicts", "ok_to_star", (2, 1, 0)),
        ("verdicts", "needs_facts", (1, 0, 1)),
        ("nodes", "T", (5, 2, 2)),
        ("sources", "tag trial", (3, 1, 1)),
        ("sources", "a manager's answer", (1, 1, 0)),
        ("sources", "field request type", (1, 0, 1)),
        ("requests", "plan_license", (4, 0, 0)),
        ("workflows", "saas_extension", (4, 0, 0)),
        ("asked", "in_grace", (1, 0, 0)),
    ] {
        assert_eq!(row(table, name), expected, "{table} {name}");
    }
    // 2, 10, 4 and 1 minutes: the mean of the middle two.
    assert_eq!(all["waited"], json!({ "tickets": 4, "median_minutes": 3.0 }));
    // 2, 1, 4 and 1 minutes to the first note.
    let noted = json!({ "tickets": 4, "p50_seconds": 60.0, "p99_seconds": 240.0, "slowest_seconds": 240.0 });
    assert_eq!(all["noted"], noted);
    let settled = json!({ "tickets": 4, "unaided": 3, "answered_once": 1, "valid": 1 });
    assert_eq!(all["settled"], settled);
    assert_eq!(all["saved"], json!({ "tickets": 2, "minutes_by_hand": 12, "minutes": 24 }));
    let disagreements: Vec<_> =
        all["disagreements"].as_array().expect("a list").iter().map(|it| it["why"].as_str().expect("why")).collect();
    assert_eq!(disagreements, ["corrected to ok to star", "<script>alert(1)</script>, \"quoted\""]);
}

#[test]
fn the_period_and_the_assumption_can_be_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = filled(folder.path());
    let later: Value =
        serde_json::from_str(&report(&config, &["--format", "json", "--since", "2026-11-03"])).expect("json");
    assert_eq!((&later["decisions"], &later["waited"]), (&json!(0), &Value::Null));
    let day: Value = serde_json::from_str(&report(
        &config,
        &["--format", "json", "--since", "2026-11-02", "--minutes-by-hand", "30"],
    ))
    .expect("json");
    assert_eq!((&day["decisions"], &day["saved"]["minutes"]), (&json!(6), &json!(60)));
    for arguments in [["--since", "yesterday"], ["--minutes-by-hand", "-1"]] {
        let run = Command::new(env!("CARGO_BIN_EXE_starwarden"))
            .args(["report", "--config"])
            .arg(&config)
            .args(arguments)
            .output()
            .expect("the binary");
        assert!(!run.status.success() && run.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn text_is_read_at_a_glance() {
    let folder = tempfile::tempdir().expect("a folder");
    insta::assert_snapshot!(report(&filled(folder.path()), &[]));
}

#[test]
fn a_spreadsheet_takes_no_formula_and_a_browser_no_script() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = filled(folder.path());
    let csv = report(&config, &["--format", "csv"]);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let columns = reader.headers().expect("a header").clone();
    let lines: Vec<_> = reader.records().map(|line| line.expect("a line of as many cells")).collect();
    let cell = |line: &csv::StringRecord, name: &str| {
        line.get(columns.iter().position(|column| column == name).expect("a column")).expect("a cell").to_owned()
    };
    let said = lines
        .iter()
        .find(|line| cell(line, "table") == "disagreements" && cell(line, "ticket") == "3")
        .expect("a line");
    assert_eq!(cell(said, "why"), "<script>alert(1)</script>, \"quoted\"");
    assert!(lines.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{csv}");
    let html = report(&config, &["--format", "html"]);
    assert!(!html.contains("<script") && !html.contains("<Agent") && html.contains("&lt;script&gt;alert(1)"), "{html}");
    assert!(
        !html.contains("http:") && !html.contains("https:") && !html.contains(" src="),
        "nothing is fetched: {html}"
    );
}

#[test]
fn a_gist_tells_no_date_whatever_an_answer_follows_from() {
    let now = "2026-11-24T12:00:00Z".parse().expect("an instant");
    let policy = star();
    let ids = Ids::new(&policy.binding, &Ids::default());
    let mut reckoned = 0;
    for expires in ["2026-11-01", "2026-11-20", "2026-11-25", "2026-12-20", "2027-11-24"] {
        for also in [&[][..], &[("grace_ends_at", "2026-12-15")]] {
            let given = [("request", "plan_license"), ("trial", "no"), ("expires_at", expires)];
            let stated = |(fact, value): (&str, &str)| Stated {
                fact: fact.to_owned(),
                value: value.to_owned(),
                source: starwarden::decide::facts::source::Source::Tag("a".into()),
            };
            let stated: Vec<Stated> = given.into_iter().chain(also.iter().copied()).map(stated).collect();
            let decision = judge::ticket(policy, &ids, None, &[], &stated, &OwnUsers::none(), now).decision;
            let mut decision = serde_json::to_value(&decision).expect("JSON");
            for answered in decision["path"].as_array_mut().expect("a path") {
                answered["trust"] = json!("recorded");
            }
            let gist = Gist::of("no_need", &decision.to_string()).expect("a decision");
            assert!(gist.sources.iter().all(|source| !source.contains(char::is_numeric)), "{expires}: {gist:?}");
            reckoned += gist.sources.iter().filter(|source| *source == "reckoned from the expiry").count();
        }
    }
    assert!(reckoned > 0);
}
