//! `check` and `diagram` as a support lead meets them: what is wrong, where, and the line as it should be.

use serde_json::Value;
use starwarden::decide::policy::Policy;
use starwarden::decide::policy::diagram::Diagram;
use starwarden::decide::policy::fault::{Document, Fault};

use crate::support::starwarden_in;

const BINDING: &str = include_str!("../config/policy/star.toml");
const CHART: &str = include_str!("../config/policy/star.mmd");

/// The shipped binding without its files of examples, for folders of its own.
fn bound() -> String {
    BINDING.replacen("examples = [\"examples/*.toml\"]", "examples = []", 1)
}

fn say(fault: &Fault) -> String {
    format!("{} | {}", fault.message, fault.help.clone().unwrap_or_default())
}

/// A chart that cannot be read: each fault's line, the text it points at, and what it says.
#[track_caller]
fn unread(text: &str, expected: &[(usize, &str, &str)]) {
    let faults = Diagram::parse(text).err().unwrap_or_else(|| panic!("it is read: {text}"));
    let found: Vec<(usize, &str, String)> = faults
        .iter()
        .map(|fault| (text[..fault.span.start].matches('\n').count() + 1, &text[fault.span.clone()], say(fault)))
        .collect();
    let same = found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(found, (line, at, says))| found.0 == *line && found.1 == *at && found.2.contains(says));
    assert!(same, "{text}\n{found:#?}");
    assert!(found.iter().all(|(_, _, says)| !says.contains("not Mermaid") && !says.contains("expected")), "{found:#?}");
}

#[test]
fn the_commonest_slips_are_told_at_their_characters() {
    unread(
        "graph TD\n    A[Is it (really) urgent?] -->|Yes| B[He said \"no\"]\n",
        &[
            (2, "[Is it (really) urgent?]", "write it as A[\"Is it (really) urgent?\"]"),
            (2, "[He said \"no\"]", "write it as B[\"He said #quot;no#quot;\"]"),
        ],
    );
    unread(
        "graph TD\n A --> B\n M[mail me@example.org] --> N\n",
        &[(3, "[mail me@example.org]", "write it as M[\"mail me@example.org\"]")],
    );
    unread(
        "graph TD\n N[\"say \\\"hi\\\"\"] --> B\n C --> D\n",
        &[(2, "[\"say \\\"hi\\\"\"]", "write it as N[\"say #quot;hi#quot;\"]")],
    );
    unread(
        "graph TD\n Q? -->|Yes| B\n",
        &[(2, "Q?", "an id may have letters, digits, _ and -, and `Q?` has others | write Q[\"Q?\"]")],
    );
    unread("graph TD\n A -->|Yes| B'\n", &[(2, "B'", "write B[\"B'\"]")]);
    unread("graph TD\n a:b --> c/d\n", &[(2, "a:b", "write ab[\"a:b\"]"), (2, "c/d", "write cd[\"c/d\"]")]);
    unread("graph TD\n end --> B\n", &[(2, "end", "`end` is a word of Mermaid's own")]);
    unread("graph TD\n A[unclosed --> B\n C --> D\n", &[(2, "[unclosed --> B", "this label is not closed")]);
    unread("graph TD\n A -->|Yes B\n C --> D\n", &[(2, "|Yes B", "the label on this link is not closed")]);
    unread("graph TD\n A --> \n", &[(2, "A -->", "this link leads nowhere | write the node it leads to")]);
    unread(
        "graph TD\n A --> B\n subgraph g\n C --> D\n",
        &[(3, "subgraph g", "this group is never closed | end it with a line `end`")],
    );
}

#[test]
fn what_mermaid_would_read_otherwise_is_refused() {
    unread(
        "graph TD\n A-->|Yes|B\n %%{ draft: ask Sales\n A-->|No|C\n",
        &[(3, "%%{ draft: ask Sales", "begins like a directive, `%%{`, and is never closed")],
    );
    unread("graph TD\n A-->B\n %%{ draft }%%\n A-->C\n", &[(3, "%%{ draft }%%", "looks like a directive")]);
    unread("graph TD\n A&B-->C\n", &[(2, "A&B", "put blanks around it: A & B")]);
    unread("graph TD\n A[direction TB here]-->B\n", &[(2, "direction TB", "draws nothing of it")]);
    Diagram::parse("%%{init: {'theme': 'dark'}}%%\ngraph TD\n A[this & that] --> B & C\n")
        .expect("as Mermaid reads it");
}

#[test]
fn labels_are_read_as_mermaid_draws_them() {
    let diagram = Diagram::parse("graph TD\n A[\"one\\ntwo\"] -->|\"`**Yes**`\"| B[\"&lt;partition&gt; full?\"]\n A -->|&lt;No&gt;| C\n D -- see B(x) --> C\n").expect("read");
    let texts: Vec<&str> = diagram.nodes.iter().map(|node| node.text.as_str()).collect();
    assert_eq!(texts[..2], ["one two", "<partition> full?"]);
    let labels: Vec<Option<&str>> = diagram.edges.iter().map(|edge| edge.label.as_deref()).collect();
    assert_eq!(labels, [Some("Yes"), Some("<No>"), Some("see B(x)")]);
}

#[test]
fn a_page_is_read_as_the_flowchart_in_it() {
    let page = format!("# The workflow\n\nSome words – with a dash.\n\n```mermaid\n{CHART}\n```\n\n```sh\nls\n```\n");
    let read = Diagram::parse(&page).expect("one flowchart");
    assert_eq!(read.edges.len(), 18);
    assert_eq!(&page[read.nodes[0].span.clone()], "A", "places are those of the page");
    Policy::parse(BINDING, &page).expect("the page is the rule");
    let two = format!("{page}\n```mermaid\ngraph TD\n A --> B\n```\n");
    assert!(say(&Diagram::parse(&two).expect_err("two")[0]).contains("this page has 2 flowcharts"));
    let other = "# A page\n```mermaid\nsequenceDiagram\nA->>B: hi\n```\n";
    assert!(say(&Diagram::parse(other).expect_err("none")[0]).contains("no flowchart among them"));
}

/// The shipped binding with one piece changed has one fault: what it says, and the text it points at.
#[track_caller]
fn binding(from: &str, to: &str, says: &str, at: &str) {
    assert!(BINDING.contains(from), "the piece to replace is not there: {from}");
    let binding = BINDING.replacen(from, to, 1);
    let faults = Policy::parse(&binding, CHART).expect_err("a fault");
    let place = |fault: &Fault| match fault.document {
        Document::Binding => binding[fault.span.clone()].to_owned(),
        Document::Diagram => CHART[fault.span.clone()].to_owned(),
        Document::Examples(number) => panic!("no examples are given: {number}"),
    };
    let found: Vec<(String, String)> = faults.iter().map(|fault| (say(fault), place(fault))).collect();
    match found.as_slice() {
        [(said, place)] => assert!(said.contains(says) && place == at, "{says} at {at}: {found:#?}"),
        _ => panic!("one fault, {says} at {at}: {found:#?}"),
    }
}

#[test]
fn a_name_that_is_used_and_defined_nowhere_is_a_fault() {
    binding(
        "form_any = [\"licensing\",",
        "form_any = [\"licencing\",",
        "[forms] has no form `licencing` | did you mean `licensing`?",
        "\"licencing\"",
    );
    binding(
        "status_none = [\"solved\",",
        "status_none = [\"sovled\",",
        "a ticket has no status `sovled` | did you mean `solved`?",
        "\"sovled\"",
    );
    binding(
        "when = { trial = \"yes\" }",
        "when = { trial = \"yess\" }",
        "`trial` is never `yess`, so this condition never holds | did you mean `yes`?",
        "\"yess\"",
    );
    binding(
        "deployment = \"saas\" }",
        "deployment = \"sass\" }",
        "`deployment` is never `sass`, so this condition never holds | did you mean `saas`?",
        "\"sass\"",
    );
    binding(
        "when = { trial = \"yes\" }",
        "when = { trail = \"yes\" }",
        "needs the fact `trail`, which is not there | did you mean `trial`?",
        "trail",
    );
    binding(
        "unless = { trial = \"yes\"",
        "unless = { trial = \"yess\"",
        "`trial` is never `yess`, so this condition never holds | did you mean `yes`?",
        "\"yess\"",
    );
    binding(
        "unless = { trial = \"yes\"",
        "unless = { trail = \"yes\"",
        "needs the fact `trail`, which is not there | did you mean `trial`?",
        "trail",
    );
    binding(
        "{ field = \"expires_on\" }",
        "{ field = \"expires_onn\" }",
        "[fields] has no field `expires_onn` | did you mean `expires_on`?",
        "\"expires_onn\"",
    );
    binding(
        "add_tags = [\"star_escalation\"]",
        "add_tags = [\"no_need_for_star\"]",
        "`no_need_for_star` is a tag of `no_need` too",
        "\"no_need_for_star\"",
    );
    binding(
        "add_tags = [\"star_escalation\"]",
        "add_tags = [\"Star escalation\"]",
        "no ticket bears the tag `Star escalation`: tags are in small letters, without blanks | write `star_escalation`",
        "\"Star escalation\"",
    );
    binding(
        "{ tag_any = [\"trial_extension\",",
        "{ tag_any = [\"Trial_Extension\",",
        "write `trial_extension`",
        "\"Trial_Extension\"",
    );
    binding("title = \"OK to STAR\"", "title = \"\"", "the title is empty", "\"\"");
}

#[test]
fn a_span_of_the_rule_is_whole_hours() {
    for (span, says) in [("24m", "this span is 24m"), ("1M", "this span is 1month"), ("90s", "this span is 1m 30s")] {
        binding(
            "grace_period = \"14d\"",
            &format!("grace_period = \"{span}\""),
            &format!("{says} | write whole hours, days or weeks"),
            &format!("\"{span}\""),
        );
    }
}

#[test]
fn a_fault_points_at_the_line_in_plain_words() {
    binding("status_none =", "status_non =", "did you mean `status_none`?", "status_non");
    binding("[applies_to]", "[aplies_to]", "unknown key `aplies_to` | did you mean `applies_to`?", "aplies_to");
    binding("grace_period = \"14d\"", "grace_period = 14", "`14` is no text | write it in quotes: \"14\"", "14");
    binding(
        "{ otherwise = \"plan_license\" }",
        "{ otherwise = \"plan_licence\" }",
        "says `plan_licence`, which no node asks for | did you mean `plan_license`?",
        "\"plan_licence\"",
    );
}

/// `starwarden` with these arguments in a folder with these files: exit code, results, errors.
fn run(files: &[(&str, &[u8])], arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).expect("a file");
    }
    starwarden_in(folder.path(), arguments)
}

#[test]
fn the_wrong_file_is_said_to_be_it() {
    let bound = bound();
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain("graph TD\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for (files, arguments, says) in [
        (
            vec![("star.toml", bound.as_bytes()), ("star.mmd", &utf16)],
            ["check", "--policy", "star.toml"],
            "star.mmd is in UTF-16",
        ),
        (
            vec![("star.toml", bound.as_bytes()), ("star.mmd", b"graph TD\nA[\xe4]")],
            ["check", "--policy", "star.toml"],
            "save it as UTF-8",
        ),
        (
            vec![("star.mmd", CHART.as_bytes())],
            ["check", "--policy", "star.mmd"],
            "star.mmd is a Mermaid flowchart, and no policy",
        ),
        (vec![], ["check", "--policy", "star.toml"], "the policy star.toml cannot be read"),
    ] {
        let (code, out, errors) = run(&files, &arguments);
        assert!(code == Some(1) && out.is_empty() && errors.contains(says), "{says}: {code:?} {out} {errors}");
    }
}

#[test]
fn a_sound_policy_is_laid_before_a_person() {
    let bound = bound();
    let files: [(&str, &[u8]); 2] = [("star.toml", bound.as_bytes()), ("star.mmd", CHART.as_bytes())];
    let (code, out, errors) = run(&files, &["check", "--policy", "star.toml"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let line = |node: &str| {
        out.lines().find(|line| line.split_whitespace().next() == Some(node)).unwrap_or_else(|| panic!("{node}: {out}"))
    };
    for (node, parts) in [
        ("T", ["Is this request for a trial?", "yes_no trial", "yes → SA, no → G"]),
        (
            "H",
            [
                "Is the grace period expiring in more than 24h?",
                "more_than 24h until grace_ends_at",
                "yes → No, no → Pass",
            ],
        ),
        ("FR1", ["Use the docs to deflect", "only_if edge_case, otherwise use_docs", "yes → Pass, no → (use_docs)"]),
        ("No", ["No need for STAR", "outcome no_need", "→ X"]),
    ] {
        assert!(parts.iter().all(|part| line(node).contains(part)), "{}", line(node));
    }
    let (code, out, _) = run(&files, &["check", "--policy", "star.toml", "--format", "json"]);
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(
        (code, report["faults"].as_array().map(Vec::len), report["nodes"].as_array().map(Vec::len)),
        (Some(0), Some(0), Some(13))
    );
    assert_eq!(
        report["nodes"][2]["leads_to"][1],
        serde_json::json!({"answer": "no", "label": "No", "node": "G", "outcome": null})
    );
}

#[test]
fn a_merge_request_shows_what_is_wrong() {
    let bound = bound();
    let chart = CHART.replacen("in more than 24h", "in more than 48h", 1);
    let cases = "now = 2026-11-24T12:00:00Z\n\n[[case]]\nname = \"a trial\"\nfacts = { trial = \"yes\", sales_assisted = \"no\" }\nverdict = \"ok_to_star\"\n";
    let files = |chart: &'static str| {
        [("star.toml", bound.as_bytes()), ("star.mmd", chart.as_bytes()), ("star.cases.toml", cases.as_bytes())]
    };
    let arguments = ["check", "--policy", "star.toml", "--cases", "star.cases.toml", "--format", "code-quality"];
    for (chart, path, begin, says) in [
        (chart.leak() as &str, "star.mmd", 8, "the picture says 48h, and [nodes.H] more_than = \"24h\""),
        (CHART, "star.cases.toml", 4, "a trial: expected ok_to_star, decided"),
    ] {
        let (code, out, errors) = run(&files(chart), &arguments);
        let report: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{errors}"));
        let [entry] = report.as_array().expect("a list").as_slice() else { panic!("{report:#}") };
        assert_eq!(
            (code, &entry["location"]),
            (Some(1), &serde_json::json!({"path": path, "lines": {"begin": begin}}))
        );
        assert!(entry["description"].as_str().is_some_and(|told| told.contains(says)), "{entry:#}");
        assert!(entry["fingerprint"].as_str().is_some_and(|print| print.len() == 64) && entry["severity"].is_string());
    }
}

#[test]
fn a_large_chart_is_read_in_linear_time() {
    let chart = |nodes: usize| {
        (0..nodes).map(|node| format!("n{node}[Node number {node}] --> n{}\n", node + 1)).collect::<String>()
    };
    let seconds = |nodes: usize| {
        let text = format!("graph TD\n{}", chart(nodes));
        let begun = std::time::Instant::now();
        Diagram::parse(&text).expect("read");
        begun.elapsed().as_secs_f64()
    };
    let (small, large) = (seconds(500), seconds(4_000));
    assert!(large < 40.0 * small.max(0.02), "8 times the nodes: {small} s and {large} s");
}
