//! A backtest as one page that stands by itself: no script, nothing from elsewhere, customers' words escaped.

use askama::Template;

use super::agreement::Disagreement;
use super::comparison::{Difference, Matrix};
use super::summary::{Summary, percent};
use super::tally::Tally;
use crate::decide::policy::Policy;
use crate::decide::policy::decision::{NEEDS_FACTS, NOT_APPLICABLE};
use crate::learn::charts::{self, Part};

/// What the page is made of.
#[derive(Debug)]
pub struct Shown<'a> {
    /// The file of tickets, as it was named.
    pub file: &'a str,
    /// Everything counted.
    pub summary: &'a Summary,
    /// The policy.
    pub policy: &'a Policy,
    /// The policy's flowchart with its counts, as SVG.
    pub chart: String,
    /// The second policy, with its flowchart.
    pub against: Option<(&'a Policy, String)>,
    /// The first of the differences.
    pub differences: &'a [Difference],
    /// The first of the disagreements.
    pub disagreements: &'a [Disagreement],
}

/// One bar of a chart.
struct Bar {
    name: String,
    count: u64,
    percent: u64,
    /// As SVG.
    drawn: String,
}

struct Side {
    title: &'static str,
    hash: String,
    verdicts: Vec<Bar>,
    nodes: Vec<Bar>,
    questions: Vec<Bar>,
    undecided: u64,
    held_back: u64,
    chart: String,
}

struct Table {
    columns: Vec<String>,
    rows: Vec<(String, Vec<Cell>)>,
}

struct Cell {
    count: u64,
    same: bool,
}

struct Agreed {
    outcome: String,
    tickets: u64,
    agreed: u64,
    differed: u64,
    open: u64,
    percent: u64,
}

#[derive(Template)]
#[template(path = "page.html", config = "src/learn/backtest/askama.toml")]
struct Page<'a> {
    charts: &'static str,
    file: &'a str,
    tickets: u64,
    left_out: Option<String>,
    sides: Vec<Side>,
    matrix: Option<Table>,
    differing: usize,
    differences: &'a [Difference],
    agreed: Vec<Agreed>,
    total: Agreed,
    confusion: Table,
    disagreements: &'a [Disagreement],
    disagreeing: usize,
}

/// Writes the page.
///
/// # Errors
/// None that the shipped template has.
pub fn html(shown: &Shown<'_>) -> Result<String, askama::Error> {
    let Shown { file, summary, policy, chart, against, differences, disagreements } = shown;
    let mut sides = vec![side("The policy", policy, &summary.tally, chart)];
    if let (Some((second, chart)), Some(counts)) = (against, &summary.against) {
        sides.push(side("Against it", second, &counts.tally, chart));
    }
    let row = |outcome: &str, row: super::agreement::Row| Agreed {
        outcome: title(policy, outcome),
        tickets: row.tickets(),
        agreed: row.agreed,
        differed: row.differed,
        open: row.open,
        percent: percent(row.agreed, row.agreed + row.differed),
    };
    let agreement = &summary.agreement;
    Page {
        charts: charts::CSS,
        file,
        tickets: summary.tally.tickets,
        left_out: summary.left_out(),
        sides,
        matrix: summary.against.as_ref().map(|against| table(policy, &against.matrix)),
        differing: whole(summary.against.as_ref().map_or(0, |against| against.differing)),
        differences,
        agreed: agreement.outcomes.iter().map(|(outcome, counts)| row(outcome, *counts)).collect(),
        total: row("all", agreement.total()),
        confusion: table(policy, &agreement.matrix),
        disagreements,
        disagreeing: whole(agreement.total().differed),
    }
    .render()
}

fn side(name: &'static str, policy: &Policy, tally: &Tally, chart: &str) -> Side {
    let text = |node: &str| {
        let known = policy.diagram.nodes.iter().find(|known| known.id == node);
        known.map_or_else(|| node.to_owned(), |known| known.text.clone())
    };
    let undecided = tally.undecided();
    let verdicts =
        tally.verdicts.iter().map(|(verdict, count)| bar(title(policy, verdict), *count, tally.tickets, None));
    let nodes = tally.nodes();
    let nodes = policy.diagram.nodes.iter().filter_map(|node| {
        let passed = nodes.get(node.id.as_str())?;
        Some(bar(text(&node.id), *passed, tally.tickets, tally.ends.get(&node.id).copied()))
    });
    let questions = tally.questions().into_iter().map(|(fact, open)| {
        let asked = policy.binding.fact(fact).and_then(|bound| bound.question.clone());
        let mut bar = bar(asked.unwrap_or_else(|| fact.to_owned()), open.asked, undecided, Some(open.settles));
        bar.percent = percent(open.settles, undecided);
        bar
    });
    Side {
        title: name,
        hash: policy.hash.clone(),
        verdicts: verdicts.collect(),
        nodes: nodes.collect(),
        questions: questions.collect(),
        undecided,
        held_back: tally.held_back,
        chart: chart.to_owned(),
    }
}

/// A bar, with what of the count is told apart first.
fn bar(name: String, count: u64, whole: u64, within: Option<u64>) -> Bar {
    let apart = within.unwrap_or_default().min(count);
    let words = format!("{count} of {whole}");
    let drawn = charts::bar(&[(Part::Within, apart), (Part::Count, count - apart)], whole, &words);
    Bar { name, count, percent: percent(count, whole), drawn }
}

fn table(policy: &Policy, matrix: &Matrix) -> Table {
    let columns = matrix.columns();
    let cells =
        |row: &str| columns.iter().map(|column| Cell { count: matrix.at(row, column), same: row == *column }).collect();
    Table {
        rows: matrix.0.keys().map(|row| (title(policy, row), cells(row))).collect(),
        columns: columns.iter().map(|column| title(policy, column)).collect(),
    }
}

fn whole(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// What a verdict is called on a page.
fn title(policy: &Policy, verdict: &str) -> String {
    match verdict {
        NOT_APPLICABLE => "Not spoken of".into(),
        NEEDS_FACTS if policy.outcome(NEEDS_FACTS).is_none() => "Answers needed".into(),
        other => policy.title(other).to_owned(),
    }
}
