//! `/metrics`: what is counted, and that dashboard and alerts ask for nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use regex::Regex;
use serde_json::{Value, json};

use crate::support::{Bot, desk, event, serve, ticket, wait_for};

fn metrics(bot: &Bot) -> String {
    bot.text("/metrics")
}

/// The value of one series.
fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn what_happens_is_counted() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    for _ in 0..2 {
        bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    }
    bot.post("/webhooks/zendesk/global", b"{}".to_vec(), &[]);
    bot.notes(&desk, 1, 1);
    wait_for("the look to be counted", || {
        metrics(&bot).contains("looks_total{account=\"global\",result=\"settled\"}").then_some(())
    });
    let text = metrics(&bot); // Once more: gauges are read before counters, so that text may have the look still due.
    for (series, expected) in [
        ("starwarden_deliveries_total{account=\"global\",result=\"accepted\"}", 1.0),
        ("starwarden_deliveries_total{account=\"global\",result=\"duplicate\"}", 1.0),
        ("starwarden_deliveries_total{account=\"global\",result=\"refused\"}", 1.0),
        ("starwarden_decisions_total{account=\"global\",verdict=\"wait_for_sales\"}", 1.0),
        ("starwarden_api_calls_total{method=\"PUT\",status=\"200\"}", 1.0),
        ("starwarden_write_seconds_count{account=\"global\"}", 1.0),
        ("starwarden_star_to_note_seconds_count{account=\"global\"}", 1.0),
        ("starwarden_star_to_note_seconds_bucket{le=\"1.0\",account=\"global\"}", 0.0),
        ("starwarden_tickets_due{account=\"global\"}", 0.0),
        ("starwarden_tickets_dead{account=\"global\"}", 0.0),
        ("starwarden_account_ready{account=\"global\"}", 1.0),
        ("starwarden_reload_failed", 0.0),
    ] {
        assert_eq!(value(&text, series), Some(expected), "{series} in\n{text}");
    }
    let build = format!("starwarden_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(value(&text, &build), Some(1.0), "{text}");
    assert!(text.contains("starwarden_policy_info{policy=\"sha256:"), "{text}");
    assert!(value(&text, "starwarden_api_budget_left{account=\"global\"}").is_some_and(|left| left > 500.0), "{text}");
}

#[test]
fn a_refused_change_is_told_until_it_is_mended() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    let file = folder.path().join("starwarden.toml");
    let sound = std::fs::read_to_string(&file).expect("the configuration");
    std::fs::write(&file, sound.replace("[store]", "[sore]")).expect("a file");
    wait_for("the refusal", || (value(&metrics(&bot), "starwarden_reload_failed") == Some(1.0)).then_some(()));
    std::fs::write(&file, sound).expect("a file");
    wait_for("the mending", || (value(&metrics(&bot), "starwarden_reload_failed") == Some(0.0)).then_some(()));
}

/// Every name of ours in a text.
fn names(text: &str) -> BTreeSet<String> {
    let name = Regex::new(r"\bstarwarden_[a-z_]+\b").expect("a pattern");
    name.find_iter(text).map(|found| found.as_str().to_owned()).collect()
}

#[test]
fn dashboard_and_alerts_ask_for_what_there_is() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(home.join(name)).expect(name);
    let documented = names(&read("src/metrics.rs"));
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), &format!("[chat]\nwebhook_url = \"{}/nowhere\"", desk.url));
    let mut urgent = ticket(1, &[]);
    let said = json!({ "created_at": "2026-11-26T10:00:00Z", "id": 1, "author_id": 7001, "body": "star: trial=no, in_grace=no, expires_at=2020-01-01", "public": false });
    urgent.comments.push(serde_json::from_value(said).expect("a comment"));
    desk.helpdesk.add(urgent);
    bot.deliver(&event("e1", 1, "tags_changed"), &[]);
    let text =
        wait_for("a follow-up", || Some(metrics(&bot)).filter(|text| text.contains("destination=\"chat\",result=")));
    let told: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .map(|(name, _)| name.to_owned())
        .collect();
    let untold: Vec<&String> = documented.symmetric_difference(&told).collect();
    assert_eq!(
        untold,
        ["starwarden_api_token_days_left"],
        "the table in src/metrics.rs is what /metrics tells, where an OAuth client is used"
    );

    let dashboard: Value = serde_json::from_str(&read("deploy/grafana-dashboard.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    assert!(panels.len() >= 8);
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let asked = names(&panel["targets"].to_string());
        assert!(!asked.is_empty(), "{} asks for nothing", panel["title"]);
        for name in asked {
            let base = name.trim_end_matches("_bucket").trim_end_matches("_count").trim_end_matches("_sum");
            assert!(told.contains(base), "{} asks for {name}", panel["title"]);
        }
    }
    let alerts = read("deploy/alerts.yaml");
    for name in names(&alerts) {
        let base = name.trim_end_matches("_bucket").trim_end_matches("_count").trim_end_matches("_sum");
        assert!(documented.contains(base), "an alert asks for {name}");
    }
    let checked = std::process::Command::new("promtool")
        .args(["check", "rules", "deploy/alerts.yaml"])
        .current_dir(home)
        .output()
        .expect("promtool, of Debian's package prometheus: tests/run installs it");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn who_asks_gets_the_text_they_read() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    bot.post("/webhooks/zendesk/global", b"{}".to_vec(), &[]);
    let (plain, open) =
        ("text/plain; version=0.0.4; charset=utf-8", "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    let http = reqwest::Client::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for (accept, kind) in [
        (None, plain),
        (Some("*/*"), plain),
        (Some("text/plain"), plain),
        (Some("text/html, */*;q=0.1"), plain),
        (Some(prometheus), open),
        (Some("application/openmetrics-text"), open),
        (Some("application/openmetrics-text;q=0.1, text/plain"), plain),
        (Some("application/openmetrics-text;q=0"), plain),
    ] {
        let call = http.get(format!("{}/metrics", bot.url));
        let call = accept.iter().fold(call, |call, accept| call.header("accept", *accept));
        let (answered, text) = runtime.block_on(async {
            let answer = call.send().await.expect("an answer");
            let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
            (kind, answer.text().await.expect("text"))
        });
        assert_eq!(answered, kind, "{accept:?}");
        assert_eq!(text.contains("# TYPE starwarden_deliveries_total counter"), kind == plain, "{accept:?}: {text}");
        assert_eq!(text.ends_with("# EOF\n"), kind == open, "{accept:?}: {text}");
        assert!(text.contains("\nstarwarden_deliveries_total{account=\"global\",result=\"refused\"} 1"), "{text}");
    }
}
