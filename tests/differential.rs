//! Charts of our own making, and Mermaid's reading of each as tests/bench/charts/read.mjs found it: read alike, or refused
//! with the truth.

use std::collections::BTreeMap;

use serde::Deserialize;
use starwarden::decide::policy::diagram::{Diagram, Points};

/// Why a chart is refused that Mermaid takes: what the message says, and the reason.
const REFUSED_BY_US_ALONE: [(&str, &str); 11] = [
    ("ends at a group", "a walk goes from node to node"),
    ("an id may have letters", "a binding names nodes, and `Q?` or `a:b` is read by no two parsers alike"),
    ("a class may have letters", "as an id"),
    ("without blanks around it", "`A&B` is one node, and looks like two"),
    ("takes this whole line for", "Mermaid draws nothing of a line with `direction TB` in it"),
    ("is defined a second time", "the later text would silently take the place of the earlier"),
    ("like a directive", "what stands in `%%{ … }%%` is left out, and no comment is meant to be read"),
    ("the flowchart has no nodes", "there is nothing to walk"),
    ("an @ in a label is read here only", "our parser takes it for the id of a link"),
    ("within the quotes", "Mermaid draws `say \"hi\"` as `say \\hi\\`"),
    ("are read only where the whole label is in quotes", "Mermaid takes `[\"x\" y]`, and leaves the quotes out"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chart {
    name: String,
    chart: String,
    mermaid: Reading,
}

/// What Mermaid makes of a chart.
#[derive(Deserialize)]
#[serde(untagged)]
enum Reading {
    Refused {
        #[expect(dead_code, reason = "Mermaid's words are for people")]
        refused: String,
    },
    Read(Drawn),
}

#[derive(Deserialize)]
struct Drawn {
    nodes: Vec<(String, Option<String>)>,
    links: Vec<(String, String, Option<String>, String)>,
}

fn charts() -> Vec<Chart> {
    let lines = include_str!("cases/charts.ndjson").lines();
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// A text as it is drawn, without control characters, which are left out here.
fn in_one_piece(drawn: &str) -> String {
    let visible: String = drawn.chars().filter(|c| !c.is_control() || c.is_whitespace()).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What both read of a chart, in one form: nodes with their texts, and links.
fn as_mermaid_reads(drawn: &Drawn, ours: &Diagram) -> (Vec<(String, String)>, Vec<String>) {
    let text = |(at, (id, text)): (usize, &(String, Option<String>))| match text.as_deref().map(in_one_piece) {
        Some(text) if !text.is_empty() => text,
        // A blank text is told by its id, and some shapes draw none.
        Some(_) => id.clone(),
        None => ours.nodes.get(at).map(|node| node.text.clone()).unwrap_or_default(),
    };
    let nodes = drawn.nodes.iter().enumerate().map(|(at, node)| (node.0.clone(), text((at, node))));
    let links = drawn.links.iter().map(|(from, to, label, arrow)| {
        let label = label.as_deref().map(in_one_piece).unwrap_or_default();
        format!(
            "{from} {} {to} {label}",
            arrow.replace("double_arrow_circle", "arrow_circle").replace("double_arrow_cross", "arrow_cross")
        )
    });
    (nodes.collect(), links.collect())
}

fn as_we_read(ours: &Diagram) -> (Vec<(String, String)>, Vec<String>) {
    let nodes = ours.nodes.iter().map(|node| (node.id.clone(), node.text.clone()));
    let id = |index: usize| &ours.nodes[index].id;
    let links = ours.edges.iter().map(|edge| {
        let arrow = match edge.points {
            Points::Forward => "arrow_point",
            Points::Both => "double_arrow_point",
            Points::Nowhere => "arrow_open",
            Points::Circle => "arrow_circle",
            Points::Cross => "arrow_cross",
        };
        format!(
            "{} {} {arrow} {} {}",
            id(edge.from),
            edge.stroke,
            id(edge.to),
            edge.label.as_deref().unwrap_or_default()
        )
    });
    (nodes.collect(), links.collect())
}

#[test]
fn every_chart_is_read_as_mermaid_reads_it_or_refused_with_the_truth() {
    let (mut alike, mut by_both, mut alone) = (0, 0, BTreeMap::<&str, usize>::new());
    let mut wrong = Vec::new();
    for Chart { name, chart, mermaid } in charts() {
        match (mermaid, Diagram::parse(&chart)) {
            (Reading::Read(drawn), Ok(ours)) => {
                let (theirs, ours) = (as_mermaid_reads(&drawn, &ours), as_we_read(&ours));
                match theirs == ours {
                    true => alike += 1,
                    false => {
                        wrong.push(format!("{name}: read otherwise\n{chart}\nMermaid: {theirs:?}\nwe:      {ours:?}"))
                    }
                }
            }
            (Reading::Refused { .. }, Err(faults)) => {
                by_both += 1;
                let placed = |span: &std::ops::Range<usize>| chart.get(span.clone()).is_some();
                if faults.is_empty() || !faults.iter().all(|fault| placed(&fault.span)) {
                    wrong.push(format!("{name}: refused without a place\n{chart}\n{faults:#?}"));
                }
            }
            (Reading::Refused { .. }, Ok(_)) => {
                wrong.push(format!("{name}: Mermaid refuses it, and we read it\n{chart}"))
            }
            (Reading::Read(_), Err(faults)) => {
                for fault in faults {
                    match REFUSED_BY_US_ALONE.iter().find(|(says, _)| fault.message.contains(says)) {
                        Some((says, _)) => *alone.entry(says).or_default() += 1,
                        None => wrong.push(format!("{name}: Mermaid reads it, and we say: {}\n{chart}", fault.message)),
                    }
                }
            }
        }
    }
    eprintln!("read alike: {alike}; refused by both: {by_both}; faults told by us alone: {alone:#?}");
    assert!(wrong.is_empty(), "{} of the charts:\n\n{}", wrong.len(), wrong.join("\n\n"));
    for (says, why) in REFUSED_BY_US_ALONE {
        assert!(alone.contains_key(says), "no chart is refused by us alone because {why}");
    }
}

#[test]
fn the_charts_are_many_and_no_two_are_alike() {
    let charts = charts();
    let mut texts: Vec<&str> = charts.iter().map(|chart| chart.chart.as_str()).collect();
    let mut names: Vec<&str> = charts.iter().map(|chart| chart.name.as_str()).collect();
    for list in [&mut texts, &mut names] {
        list.sort_unstable();
        list.dedup();
        assert_eq!(list.len(), charts.len());
    }
    assert!(charts.len() >= 300, "{} charts", charts.len());
}
