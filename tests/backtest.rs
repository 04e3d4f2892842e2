//! `backtest`: past tickets as they are exported, each decided as of its own time, counted, compared.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::starwarden_in;

const POLICY: &str = "config/policy/star.toml";
const OLDER: &str = "tests/cases/older.toml";

/// Runs `backtest` on a file with these bytes: exit code, results, errors.
fn backtest(bytes: &[u8], arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("past.ndjson");
    std::fs::write(&file, bytes).expect("a file");
    let arguments = [&["backtest", file.to_str().expect("a name")], arguments].concat();
    starwarden_in(Path::new(env!("CARGO_MANIFEST_DIR")), &arguments)
}

#[track_caller]
fn counted(bytes: &[u8], arguments: &[&str]) -> Value {
    let (code, out, errors) = backtest(bytes, &[arguments, &["--format", "json"]].concat());
    assert_eq!(code, Some(0), "{errors}");
    serde_json::from_str(&out).expect("JSON")
}

/// A ticket that was starred, with these tags besides.
fn ticket(id: u64, tags: &[&str]) -> Value {
    let tags: Vec<&str> = ["star_submitted", "lr"].into_iter().chain(tags.iter().copied()).collect();
    json!({ "id": id, "status": "closed", "tags": tags, "created_at": "2026-11-20T08:00:00Z", "updated_at": "2026-11-24T12:00:00Z" })
}

fn lines(values: &[Value]) -> Vec<u8> {
    values.iter().map(|value| format!("{value}\n")).collect::<String>().into_bytes()
}

#[test]
fn every_shape_of_export_is_read_packed_or_not() {
    let one = ticket(1, &["trial_extension", "trial"]);
    let organization = json!({ "id": 9, "organization_fields": { "expiration_date": "2026-11-24" } });
    let mut two = ticket(2, &["com_sales_assisted_trial"]);
    two["organization_id"] = json!(9);
    let expected = json!({ "no_need": 1, "ok_to_star": 1 });
    let by_themselves = json!({ "ticket": two, "organization": organization });
    let page =
        json!({ "tickets": [one, two], "organizations": [organization], "after_cursor": "x", "end_of_stream": true });
    let plain = lines(&[one, by_themselves]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).expect("packed");
    let half = plain.len() / 2;
    let frames = [&plain[..half], &plain[half..]]
        .map(|part| ruzstd::encoding::compress_to_vec(part, ruzstd::encoding::CompressionLevel::Fastest));
    for (what, bytes) in [
        ("lines", plain.clone()),
        ("a page on a line", lines(std::slice::from_ref(&page))),
        ("a page on many lines", serde_json::to_vec_pretty(&page).expect("JSON")),
        ("gzip", gzip.finish().expect("packed")),
        ("zstd in two frames", frames.concat()),
    ] {
        assert_eq!(counted(&bytes, &["--policy", POLICY])["summary"]["tally"]["verdicts"], expected, "{what}");
    }
}

#[test]
fn a_ticket_is_decided_as_of_its_own_time() {
    // Ten days into its grace when it was starred, past it when it was closed; the tag and the answers came later.
    let change = |at: &str, field: &str, before: Value, after: Value| json!({ "created_at": at, "events": [{ "type": "Change", "field_name": field, "previous_value": before, "value": after }, { "type": "Comment", "body": "x" }] });
    let audits = json!([
        change("2026-11-11T12:00:00Z", "tags", json!(["lr"]), json!(["lr", "star_submitted"])),
        change(
            "2026-11-12T12:00:00Z",
            "tags",
            json!(["lr", "star_submitted"]),
            json!(["lr", "star_submitted", "trial"])
        ),
        change("2026-11-13T12:00:00Z", "status", json!("open"), json!("closed")),
    ]);
    let note =
        json!({ "author_id": 7, "public": false, "body": "star: in_grace=no", "created_at": "2026-11-12T12:00:00Z" });
    let known = json!({ "ticket": ticket(1, &["trial_extension", "trial"]), "organization": { "id": 9, "organization_fields": { "expiration_date": "2026-11-01" } },
        "comments": [note], "users": [{ "id": 7, "role": "agent" }], "facts": { "trial": "no" }, "audits": audits });
    let mut at_the_end = known.clone();
    at_the_end.as_object_mut().expect("an object").remove("audits");
    let mut when_told = known.clone();
    when_told["now"] = json!("2026-11-14T12:00:00Z");
    for (what, line, verdicts) in [
        ("its STAR moment", known, json!({ "no_need": 1 })),
        ("its last change, though it is closed now", at_the_end, json!({ "ok_to_star": 1 })),
        ("the line's own now, when it was closed already", when_told, json!({ "not_applicable": 1 })),
    ] {
        assert_eq!(counted(&lines(&[line]), &["--policy", POLICY])["summary"]["tally"]["verdicts"], verdicts, "{what}");
    }
}

#[test]
fn what_managers_did_is_the_outcome_and_not_an_input() {
    let refused = json!({ "ticket": ticket(4, &["trial_extension", "trial", "no_need_for_star"]), "users": [{ "id": 7, "role": "agent" }],
        "comments": [{ "author_id": 7, "public": false, "body": "star: disagree the renewal is in procurement", "created_at": "2026-11-24T11:00:00Z" }] });
    let file = lines(&[
        ticket(1, &["trial_extension", "trial", "no_need_for_star"]),
        ticket(2, &["trial_extension", "trial", "star_escalation"]),
        json!({ "ticket": ticket(3, &["star_needs_facts"]), "decided": "ok_to_star" }),
        refused,
        ticket(5, &["trial_extension", "trial"]),
    ]);
    let all = counted(&file, &["--policy", POLICY]);
    assert_eq!(
        all["summary"]["agreement"],
        json!({
            "outcomes": {
                "no_need": { "agreed": 1, "differed": 0, "open": 0 },
                "not no_need": { "agreed": 0, "differed": 1, "open": 0 },
                "ok_to_star": { "agreed": 0, "differed": 1, "open": 1 },
            },
            "matrix": { "no_need": { "no_need": 1 }, "not no_need": { "no_need": 1 }, "ok_to_star": { "needs_facts": 1, "no_need": 1 } },
        })
    );
    let listed: Vec<(&Value, &Value)> =
        all["disagreements"].as_array().expect("a list").iter().map(|it| (&it["id"], &it["node"])).collect();
    assert_eq!(listed, [(&json!("2"), &json!("No")), (&json!("4"), &json!("No"))]);
}

#[test]
fn two_policies_part_at_a_node_with_both_reasons() {
    let renewal =
        |id: u64, expiry: &str| json!({ "ticket": ticket(id, &[]), "facts": { "trial": "no", "expires_at": expiry } });
    let file = lines(&[renewal(1, "2026-11-11"), renewal(2, "2026-11-19"), renewal(3, "2026-11-01")]);
    let all = counted(&file, &["--policy", OLDER, "--against", POLICY]);
    assert_eq!(
        all["summary"]["against"]["matrix"],
        json!({ "no_need": { "no_need": 1, "ok_to_star": 1 }, "ok_to_star": { "ok_to_star": 1 } })
    );
    assert_eq!(
        all["differences"],
        json!([{ "id": "1",
            "was": { "verdict": "no_need", "reason": "Is the customer in the grace period? → yes: expired 11 Nov 2026 (given with the ticket) + 14 days of grace" },
            "becomes": { "verdict": "ok_to_star", "reason": "Is the grace period expiring in more than 24h? → no (2026-11-25T00:00:00Z): expired 11 Nov 2026 (given with the ticket) + 14 days of grace" },
            "parts_at": { "node": "G", "text": "Is the customer in the grace period?" } }])
    );
}

#[test]
fn the_questions_worth_an_answer_are_counted() {
    let file = lines(&[json!({ "ticket": ticket(1, &[]), "facts": { "trial": "no" } }), ticket(2, &[])]);
    let (code, out, errors) = backtest(&file, &["--policy", POLICY]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(out.contains("knowing expires_at would settle 50 % (asked in 100 %)"), "{out}");
    assert!(errors.contains("2 tickets in "), "{errors}");
}

#[test]
fn a_bad_line_is_told_and_every_run_gives_the_same() {
    let many: Vec<Value> = (1..5_000)
        .map(|id| {
            ticket(
                id,
                if id % 3 == 0 {
                    &["trial_extension", "trial", "star_escalation"]
                } else {
                    &["trial_extension", "trial"]
                },
            )
        })
        .collect();
    let file = [lines(&many[..7]), b"not json\n\n{\"id\": \"x\"}\n".to_vec(), lines(&many[7..])].concat();
    let arguments = ["--policy", POLICY, "--format", "json"];
    let (code, first, errors) = backtest(&file, &arguments);
    assert_eq!(code, Some(0));
    assert!(errors.contains("line 8: this line is not a ticket") && errors.contains("line 10: "), "{errors}");
    assert_eq!(backtest(&file, &arguments).1, first);
    let all: Value = serde_json::from_str(&first).expect("JSON");
    assert_eq!((&all["summary"]["tally"]["tickets"], &all["summary"]["bad_lines"]), (&json!(4_999), &json!(2)));
    let listed: Vec<u64> = all["disagreements"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|it| it["id"].as_str()?.parse().ok())
        .collect();
    assert!(listed.len() == 1_666 && listed.is_sorted(), "every disagreement, in the order of the file");
}

#[test]
fn the_page_stands_by_itself_and_escapes_what_customers_wrote() {
    let hostile = json!({ "id": "<script>alert(1)</script>", "ticket": ticket(1, &["trial_extension", "trial", "star_escalation"]) });
    let (code, page, errors) =
        backtest(&lines(&[hostile, ticket(2, &[])]), &["--policy", POLICY, "--against", OLDER, "--format", "html"]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(
        page.contains("default-src 'none'") && page.contains("class=\"node lit\"") && page.contains("class=\"bars\"")
    );
    assert!(page.contains("&#60;script&#62;alert(1)") || page.contains("&lt;script&gt;alert(1)"), "the id is shown");
    let places = page.replace("http://www.w3.org/", "");
    for outside in ["<script", "<img", "<link", "http://", "https://", "url(//", "onload="] {
        assert!(!places.contains(outside), "the page has {outside}");
    }
}

#[test]
fn the_first_line_says_whether_anything_changes() {
    let file = [lines(&[ticket(1, &["trial_extension", "trial"]), ticket(2, &[])]), b"no ticket\n".to_vec()].concat();
    let (code, text, errors) = backtest(&file, &["--policy", POLICY, "--against", POLICY]);
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(text.lines().next(), Some("0 of 2 verdicts would differ"), "{text}");
    assert!(text.contains("\n1 line was no ticket and was left out\n"), "{text}");
    let (_, page, _) = backtest(&file, &["--policy", POLICY, "--against", POLICY, "--format", "html"]);
    assert!(
        page.contains("0 of 2 verdicts would differ") && page.contains("1 line was no ticket and was left out"),
        "{page}"
    );
    let one = lines(&[json!({ "ticket": ticket(1, &[]), "facts": { "trial": "no", "expires_at": "2026-11-11" } })]);
    let (_, text, _) = backtest(&one, &["--policy", OLDER, "--against", POLICY]);
    assert!(text.starts_with("1 of 1 verdicts would differ\n1 ticket by policy "), "{text}");
}

#[test]
fn the_branch_that_most_tickets_took_is_lit() {
    // Two by one and the same way; three by the other branch, each by a way of its own.
    let renewal = |id: u64, facts: Value| json!({ "ticket": ticket(id, &[]), "facts": facts });
    let file = lines(&[
        ticket(1, &["trial_extension", "trial"]),
        ticket(2, &["trial"]),
        renewal(3, json!({ "trial": "no", "expires_at": "2026-11-22" })),
        renewal(4, json!({ "trial": "no", "expires_at": "2026-11-11" })),
        renewal(5, json!({ "trial": "no", "expires_at": "2026-12-30" })),
    ]);
    let (code, page, errors) = backtest(&file, &["--policy", POLICY, "--format", "html"]);
    assert_eq!(code, Some(0), "{errors}");
    let lit = |node: &str| page.contains(&format!("class=\"node lit\" href=\"#{node}\""));
    assert!(lit("T") && lit("G") && !lit("SA"), "three of five go on to G");
    assert!(page.contains("Lit is the branch most tickets took at each node."), "{page}");
}

#[test]
fn what_cannot_be_used_is_one_sentence() {
    for (arguments, why) in [
        (&["backtest", "nowhere.ndjson", "--policy", POLICY][..], "the tickets nowhere.ndjson cannot be read"),
        (&["backtest", "Cargo.toml"], "give --policy or --config"),
    ] {
        let (code, _, errors) = starwarden_in(Path::new(env!("CARGO_MANIFEST_DIR")), arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {errors}");
        assert!(errors.contains(why), "{arguments:?}: {errors}");
    }
}
