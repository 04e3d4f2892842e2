//! The rule changed as a support lead would, by the steps of deploy/policy.md, and how many places that takes.

use serde_json::Value;

use crate::support::starwarden_in;

const BINDING: &str = include_str!("../config/policy/star.toml");
const CHART: &str = include_str!("../config/policy/star.mmd");

/// One place that is edited: in which file, what stands there, and what is written instead.
type Edit = (&'static str, &'static str, &'static str);

/// `starwarden` in a folder with the shipped policy after these edits: exit code, results, errors.
fn run(edits: &[Edit], arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let bare = BINDING.replacen("examples = [\"examples/*.toml\"]", "examples = []", 1);
    let mut files = [("star.toml", bare), ("star.mmd", CHART.to_owned())];
    for (file, from, to) in edits {
        let (_, text) = files.iter_mut().find(|(name, _)| name == file).expect("a file");
        assert_eq!(text.matches(from).count(), 1, "one place in {file}: {from}");
        *text = text.replacen(from, to, 1);
    }
    for (name, text) in &files {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    starwarden_in(folder.path(), arguments)
}

/// After these edits, two at most, the policy is sound and decides the facts so; what it decides.
#[track_caller]
fn changed(edits: &[Edit], facts: &[&str], verdict: &str) -> Value {
    assert!(edits.len() <= 2, "{} places", edits.len());
    let (code, _, errors) = run(edits, &["check", "--policy", "star.toml"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let mut arguments = vec!["decide", "--policy", "star.toml", "--now", "2026-11-24T12:00:00Z", "--format", "json"];
    arguments.extend(facts.iter().flat_map(|fact| ["--fact", fact]));
    let (code, out, errors) = run(edits, &arguments);
    assert_eq!(code, Some(0), "{errors}");
    let decision: Value = serde_json::from_str(&out).expect("a decision");
    assert_eq!(decision["verdict"], verdict, "{decision:#}");
    decision
}

/// Where one of the edits is forgotten, `check` says so.
#[track_caller]
fn forgotten(edits: &[Edit], says: &[&str]) {
    for (place, says) in says.iter().enumerate() {
        let mut rest = edits.to_vec();
        rest.remove(place);
        let (code, _, errors) = run(&rest, &["check", "--policy", "star.toml"]);
        assert!(code == Some(1) && errors.contains(says), "{says}: {code:?} {errors}");
    }
}

#[test]
fn a_day_becomes_two_in_two_places() {
    let edits = [
        (
            "star.mmd",
            "H[Is the grace period expiring in more than 24h?]",
            "H[Is the grace period expiring in more than 48h?]",
        ),
        ("star.toml", "[nodes.H]\nmore_than = \"24h\"", "[nodes.H]\nmore_than = \"48h\""),
    ];
    let facts = ["request=plan_license", "trial=no", "in_grace=yes", "grace_ends_at=2026-11-26T11:00:00Z"];
    changed(&[], &facts, "no_need");
    changed(&edits, &facts, "ok_to_star");
    forgotten(&edits, &["the picture says 24h", "the picture says 48h"]);
}

#[test]
fn a_new_question_with_two_exits_takes_two_places() {
    let edits = [
        ("star.mmd", "    Exp-->|No|Pass\n", "    Exp-->|No|P[Is it a partner?]\n    P-->|Yes|Pass\n    P-->|No|No\n"),
        (
            "star.toml",
            "[nodes.FR1]",
            "[nodes.P]\nyes_no = \"partner\"\n\n[facts.partner]\nquestion = \"Is it a partner?\"\n\
             sources = [ { tag_any = [\"partner\"], answer = \"yes\" }, { otherwise = \"no\" } ]\n\n[nodes.FR1]",
        ),
    ];
    let facts = ["request=plan_license", "trial=no", "in_grace=no", "expires_at=2026-11-25"];
    changed(&[], &facts, "ok_to_star");
    changed(&edits, &[facts.as_slice(), &["partner=yes"]].concat(), "ok_to_star");
    changed(&edits, &[facts.as_slice(), &["partner=no"]].concat(), "no_need");
    forgotten(&edits, &["the diagram has no node `P`", "`P` asks something and nothing says what"]);
}

#[test]
fn an_outcome_is_renamed_in_two_places() {
    let edits = [
        ("star.toml", "[outcomes.use_docs]", "[outcomes.read_docs]"),
        ("star.toml", "otherwise = \"use_docs\"", "otherwise = \"read_docs\""),
    ];
    let decision = changed(&edits, &["request=force_reassociate", "edge_case=no"], "read_docs");
    assert_eq!(decision["tags"]["add"], serde_json::json!(["star_use_docs"]));
    forgotten(&edits, &["`read_docs`", "`use_docs`"]);
}

#[test]
fn a_tag_is_renamed_in_one_place() {
    let edits = [("star.toml", "add_tags = [\"star_use_docs\"]", "add_tags = [\"star_read_docs\"]")];
    let decision = changed(&edits, &["request=force_reassociate", "edge_case=no"], "use_docs");
    assert_eq!(decision["tags"]["add"], serde_json::json!(["star_read_docs"]));
}
