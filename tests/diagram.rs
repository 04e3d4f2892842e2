//! Mermaid flowcharts as people write them, and what is wrong with those that are none.

use proptest::prelude::*;
use starwarden::decide::policy::diagram::Diagram;
use starwarden::decide::policy::drawing;

const STAR: &str = include_str!("../config/policy/star.mmd");

/// A diagram's edges as `A -Yes-> B`, in the order of the text.
#[track_caller]
fn edges(text: &str) -> Vec<String> {
    let diagram = Diagram::parse(text).unwrap_or_else(|faults| panic!("{text}\n{faults:#?}"));
    let id = |index: usize| diagram.nodes[index].id.clone();
    let edge = |edge: &starwarden::decide::policy::diagram::Edge| match &edge.label {
        Some(label) => format!("{} -{label}-> {}", id(edge.from), id(edge.to)),
        None => format!("{} -> {}", id(edge.from), id(edge.to)),
    };
    diagram.edges.iter().map(edge).collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(edges(text), expected, "{text}");
}

/// A node's text.
#[track_caller]
fn label(text: &str, node: &str) -> String {
    let diagram = Diagram::parse(text).unwrap_or_else(|faults| panic!("{text}\n{faults:#?}"));
    diagram
        .nodes
        .iter()
        .find(|it| it.id == node)
        .map(|it| it.text.clone())
        .unwrap_or_else(|| panic!("{text}: no {node}"))
}

#[test]
fn the_handbooks_chart() {
    let diagram = Diagram::parse(STAR).expect("the chart");
    let nodes: Vec<&str> = diagram.nodes.iter().map(|node| node.id.as_str()).collect();
    assert_eq!(nodes, ["A", "C", "T", "G", "SA", "Exp", "No", "H", "Pass", "X", "WP", "FR", "FR1"]);
    check(
        STAR,
        &[
            "A -> C",
            "C -> T",
            "T -No-> G",
            "T -Yes-> SA",
            "SA -Yes-> Exp",
            "SA -No-> No",
            "G -Yes-> H",
            "G -No-> Exp",
            "H -Yes-> No",
            "H -No-> Pass",
            "Exp -Yes-> No",
            "Exp -No-> Pass",
            "No -> X",
            "A -> WP",
            "A -> FR",
            "FR -> FR1",
            "FR1 -Edge case-> Pass",
            "WP -After sales intervention-> Pass",
        ],
    );
    assert_eq!(label(STAR, "G"), "Is the customer in the grace period?");
    let grace = diagram.nodes.iter().find(|node| node.id == "G").expect("G");
    assert_eq!(
        &STAR[grace.span.start..STAR.find('[').expect("a bracket").max(grace.span.end)],
        "G",
        "a fault would point at the definition"
    );
}

#[test]
fn every_link_and_its_text() {
    for link in ["-->", "---", "-.->", "==>", "--o", "--x", "<-->", "---->", "-..->", "====>", "o--o", "x--x", "==="] {
        check(&format!("flowchart LR\nA {link} B"), &["A -> B"]);
    }
    for link in [
        "-->|yes, it is|",
        "-- yes, it is -->",
        "-.->|yes, it is|",
        "-. yes, it is .->",
        "== yes, it is ==>",
        "---|yes, it is|",
    ] {
        check(&format!("flowchart LR\nA {link} B"), &["A -yes, it is-> B"]);
    }
    let invisible = Diagram::parse("flowchart LR\nA ~~~ B\nA --> B").expect("a diagram");
    assert_eq!(invisible.edges.iter().map(|edge| edge.carries_meaning()).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn chains_fans_and_semicolons() {
    check("graph TD; A-->B-->|x|C; C-->D", &["A -> B", "B -x-> C", "C -> D"]);
    check("flowchart TB\n A & B --> C & D", &["A -> C", "A -> D", "B -> C", "B -> D"]);
    for direction in ["TD", "TB", "BT", "LR", "RL"] {
        check(&format!("flowchart {direction}\nA-->B"), &["A -> B"]);
    }
    check("flowchart LR\nA e1@--> B", &["A -> B"]);
}

#[test]
fn ids_with_dots_dashes_and_keywords_inside() {
    check("flowchart LR\nendpoint-->default1", &["endpoint -> default1"]);
    check("flowchart LR\na.b-->c-d\nc-d-->graphite", &["a.b -> c-d", "c-d -> graphite"]);
    check("flowchart LR\nsubgraphs --> styled --> classy", &["subgraphs -> styled", "styled -> classy"]);
    check("flowchart LR\nÄpfel --> 部品", &["Äpfel -> 部品"]);
    check("flowchart LR\nA1_x --> 2b", &["A1_x -> 2b"]);
}

#[test]
fn every_shape_and_label() {
    for shape in [
        "[x]",
        "(x)",
        "([x])",
        "[[x]]",
        "[(x)]",
        "((x))",
        ">x]",
        "{x}",
        "{{x}}",
        "[/x/]",
        "[\\x\\]",
        "[/x\\]",
        "[\\x/]",
        "(((x)))",
        "@{ shape: diamond, label: \"x\" }",
        "@{ shape: doc, label: \"x\" }",
    ] {
        let text = format!("flowchart LR\nA{shape} --> B");
        assert_eq!(label(&text, "A"), "x", "{text}");
        check(&text, &["A -> B"]);
    }
    assert_eq!(label("flowchart LR\nA[\"is it (really) so?\"]", "A"), "is it (really) so?");
    assert_eq!(label("flowchart LR\nA[\"first<br/>second\"]", "A"), "first second");
    assert_eq!(label("flowchart LR\nA[\"5 #gt; 4 #quot;yes#quot;\"]", "A"), "5 > 4 \"yes\"");
    assert_eq!(label("flowchart LR\nA[\"Größer als 24h? ✓\"]", "A"), "Größer als 24h? ✓");
    assert_eq!(label("flowchart LR\nA[\"`**Is** it a _real_ star_tag?`\"]", "A"), "Is it a real star_tag?");
    assert_eq!(label("flowchart LR\nA --> B", "B"), "B");
}

#[test]
fn what_is_about_looks_is_kept_apart() {
    let text = "---\ntitle: A rule\n---\n%%{init: {'theme': 'dark'}}%%\nflowchart LR\n  %% a comment --> of mine\n  A[one]:::loud --> B\n  subgraph one [Group One]\n    direction TB\n    B --> C\n  end\n  classDef loud fill:#f00\n  class B loud\n  style C fill:#0f0\n  linkStyle 0 stroke:#00f\n  click A \"https://example.com\" _blank\n";
    check(text, &["A -> B", "B -> C"]);
    let diagram = Diagram::parse(text).expect("a diagram");
    let classes = |id: &str| diagram.nodes.iter().find(|node| node.id == id).expect("a node").classes.clone();
    assert_eq!((classes("A"), classes("B")), (vec!["loud".to_owned()], vec!["loud".to_owned()]));
    assert_eq!(
        (diagram.subgraphs[0].title.as_str(), diagram.subgraphs[0].direction.as_deref()),
        ("Group One", Some("TB"))
    );
    check(&text.replace('\n', "\r\n"), &["A -> B", "B -> C"]);
}

/// Where in the text the first fault points, from 1, and what it says.
fn fault(text: &str) -> (usize, usize, String) {
    let faults = Diagram::parse(text).err().unwrap_or_else(|| panic!("no fault: {text}"));
    let fault = faults.first().expect("a fault");
    let before = &text[..fault.span.start];
    let line = before.matches('\n').count() + 1;
    (line, before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1, fault.message.clone())
}

#[test]
fn what_is_no_flowchart_is_told_with_its_place() {
    for (text, line, says) in [
        ("", 1, "no"),
        ("sequenceDiagram\nA->>B: hi", 1, "no flowchart"),
        ("flowchart TD\nA[unclosed --> B\nC --> D", 2, "not closed"),
        ("flowchart TD\nA --> B\nB -->", 3, "leads nowhere"),
        ("flowchart TD\nA --> B\nA]x --> C", 3, "cannot be read"),
        ("flowchart TD\nA[one] --> B\nA[two] --> C", 3, "second time"),
        ("flowchart TD", 1, "no nodes"),
        ("flowchart DT\nA --> B", 1, "takes a direction"),
        ("flowchart TD\nA -> B", 2, "no link of Mermaid's"),
        ("flowchart TD\nA --> B\nlinkStyle 4 stroke:#f00", 3, "a link that is not there"),
        ("flowchart TD\nA[one] -->|Yes|  B", 2, "one blank"),
        ("flowchart TD\nA [one] --> B", 2, "no blank between a node and its text"),
        ("flowchart TD\nA[one\ntwo] --> B\nB -->", 4, "leads nowhere"),
        ("flowchart TD\nA --> B\nclass A, B loud", 3, "begins with `class`"),
        ("flowchart TD\nsubgraph g\nB\nend\nA --> g", 5, "ends at a group"),
    ] {
        let (at, _, message) = fault(text);
        assert!(message.contains(says), "{text:?}: {message}");
        assert_eq!(at, line, "{text:?}: {message}");
    }
    let (line, column, _) = fault("flowchart TD\nA[one] --> B\nC --> A[two]");
    assert_eq!((line, column), (3, 7), "the second definition");
    assert!(fault(&format!("flowchart TD\n{}", "A-->B\n".repeat(50_000))).2.contains("limit"));
    assert!(fault(&format!("flowchart TD\nA{}x{}", "[".repeat(300), "]".repeat(300))).2.contains("nested"));
    assert!(fault(&format!("flowchart TD\n{}", "subgraph s\n".repeat(100))).2.contains("nested"));
}

#[test]
fn as_text_it_reads_node_by_node() {
    let text =
        Diagram::parse("flowchart TD\nA{Is it?} -->|Yes| B[Good]\nA -->|No| C[Bad]").expect("a diagram").to_text();
    assert_eq!(
        text,
        "flowchart TB\n\nA (diamond)  Is it?\n  ├─ Yes ─→ B  Good\n  └─ No ─→ C  Bad\n\nB  Good\n\nC  Bad\n"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,200}") {
        let _told = Diagram::parse(&text);
        let _told = Diagram::parse(&format!("flowchart TD\n{text}"));
    }

    #[test]
    fn a_chart_with_a_piece_changed_is_read_or_told(start in 0..STAR.len(), length in 0_usize..20, piece in "[A-Z\\[\\]{}|>-]{0,6}") {
        let end = (start + length).min(STAR.len());
        if STAR.is_char_boundary(start) && STAR.is_char_boundary(end) {
            let text = format!("{}{piece}{}", &STAR[..start], &STAR[end..]);
            if let Err(faults) = Diagram::parse(&text) {
                prop_assert!(!faults.is_empty());
                for fault in faults {
                    prop_assert!(text.get(fault.span.clone()).is_some(), "{:?} lies in the text", fault.span);
                }
            }
        }
    }
}

#[test]
fn a_lit_node_is_found_by_its_whole_id() {
    let chart = "graph TD\n a[Urgent?] -->|Yes| ok[OK]\n a -->|No| ok-later[No need]\n x-ok --> a-ok\n";
    let svg = drawing::svg(chart, &["a".to_owned(), "ok".to_owned()]).expect("drawn");
    let styles = svg.rsplit("<style>").next().expect("styles");
    let lit: Vec<&str> = styles.split("g.node[id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let ends: Vec<bool> = lit
        .iter()
        .map(|id| {
            id.contains("flowchart-a-") && !id.contains("a-ok") || id.contains("flowchart-ok-") && !id.contains("later")
        })
        .collect();
    assert!(ends.len() == 4 && ends.iter().all(|whole| *whole), "{lit:?}");
    let page = format!("# A page\n\n```mermaid\n{chart}```\n");
    check("# A page\n\n```mermaid\n---\ntitle: A rule\n---\ngraph TD\nA --> B\n```\n", &["A -> B"]);
    assert_eq!(drawing::svg(&page, &[]).expect("drawn").matches("g class=\"node default").count(), 5);
}
