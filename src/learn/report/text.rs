//! The report for a terminal, and the words it shares with the page.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

use super::{Noted, Report, Row, Settled, Waited, percent};
use crate::decide::facts::expiry;
use crate::decide::policy::decision::NEEDS_FACTS;

/// How many disagreements are shown.
const MOST_SHOWN: usize = 20;

/// The report as tables, at most `width` characters wide.
pub fn text(report: &Report, width: u16) -> String {
    let mut text = format!("{}\n", headline(report).join("\n"));
    for section in sections(report).iter().filter(|section| !section.rows.is_empty()) {
        text.push_str(&format!("\n{}\n{}\n", section.title, table(section, width)));
    }
    if !report.disagreements.is_empty() {
        let mut table = empty(width);
        table.set_header(["ticket", "verdict", "who, when", "why", "ref"]);
        for it in report.disagreements.iter().take(MOST_SHOWN) {
            let who = format!("{}, {} ({})", it.who, expiry::exact(it.at), it.way);
            table.add_row([&format!("{}/{}", it.account, it.ticket), &it.verdict, &who, &it.why, &it.reference]);
        }
        text.push_str(&format!("\nDisagreements, newest first\n{table}\n"));
    }
    if let Some(older) = report.disagreements.len().checked_sub(MOST_SHOWN).filter(|older| *older > 0) {
        text.push_str(&format!("and {older} older ones: see --format csv\n"));
    }
    text
}

/// The report in a few sentences.
pub(super) fn headline(report: &Report) -> Vec<String> {
    let since = report.since.map_or_else(|| "So far".to_owned(), |since| format!("Since {}", expiry::moment(since)));
    let mut lines =
        vec![format!("{since}: {}, {}.", many(report.decisions, "decision"), many(report.tickets, "new ticket"))];
    let judged = report.agreed + report.disagreed;
    lines.push(match report.agreement() {
        Some(rate) => {
            format!("Agreement: {rate} % ({} of {} that somebody judged).", report.agreed, many(judged, "verdict"))
        }
        None => "Agreement: nobody has judged a verdict yet.".into(),
    });
    if let Some(waited) = report.waited {
        lines.push(format!(
            "From star to verdict: {} in the median of {}.",
            median(&waited),
            many(waited.tickets, "ticket")
        ));
    }
    lines.extend(report.noted.as_ref().map(|noted| format!("{}.", took(noted))));
    lines.extend(settled(report));
    lines.push(saved(report));
    lines
}

/// What was saved, with the assumption it rests on.
pub(super) fn saved(report: &Report) -> String {
    let (saved, by_hand) = (report.saved, report.saved.minutes_by_hand);
    format!(
        "Saved: about {}, taking {by_hand} min by hand for each of {} whose first verdict nobody disagreed with.",
        hours(saved.minutes),
        many(saved.tickets, "ticket")
    )
}

/// How tickets came to their verdicts, and how many of the STARs were valid, in a sentence; none without a verdict.
pub(super) fn settled(report: &Report) -> Option<String> {
    let Settled { tickets, unaided, answered_once, valid } = report.settled;
    let share = |part: u64| Some(format!("{} ({} %)", grouped(part), percent(part, tickets)?));
    Some(format!(
        "Of {} with a verdict: {} decided without a person, {} after one note that asks; the STAR was valid on {}; {} disagreed with or corrected.",
        many(tickets, "ticket"),
        share(unaided)?,
        share(answered_once)?,
        share(valid)?,
        many(report.disagreed, "verdict")
    ))
}

/// How long first notes took, in a sentence.
pub(super) fn took(noted: &Noted) -> String {
    let [half, most, slowest] = [noted.p50_seconds, noted.p99_seconds, noted.slowest_seconds].map(short);
    format!(
        "From star to note: {half} for half of {}, {most} for 99 %, {slowest} at the slowest",
        many(noted.tickets, "ticket")
    )
}

/// A short time for people: `2.8 s`, `3.0 min`, `5.5 h`.
fn short(seconds: f64) -> String {
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        median(&Waited { tickets: 1, median_minutes: seconds / 60.0 })
    }
}

/// A median wait for people: `40 s`, `3.0 min`, `5.5 h`.
pub(super) fn median(waited: &Waited) -> String {
    match waited.median_minutes {
        minutes if minutes < 1.0 => format!("{:.0} s", minutes * 60.0),
        minutes if minutes < 120.0 => format!("{minutes:.1} min"),
        minutes => format!("{:.1} h", minutes / 60.0),
    }
}

/// Working time for people: minutes up to two hours, then hours; days would leave open how long one is.
pub(super) fn hours(minutes: u64) -> String {
    if minutes < 120 { format!("{minutes} min") } else { format!("{} h", minutes / 60) }
}

/// How many of something: `1 ticket`, `2,000 tickets`.
pub fn many(count: u64, one: &str) -> String {
    format!("{} {one}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A number with its thousands set apart: `12,345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Whether a table's rows are judged by people.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    Yes,
    No,
}

/// One table.
pub(super) struct Section<'a> {
    pub title: &'static str,
    pub rows: &'a [Row],
    /// What a row's count is a share of.
    pub whole: u64,
    pub judged: Judged,
}

/// The tables, in the order in which they are read.
pub(super) fn sections(report: &Report) -> [Section<'_>; 6] {
    let asked = report.verdicts.iter().find(|row| row.name == NEEDS_FACTS).map_or(0, |row| row.count);
    let section = |title, rows, whole, judged| Section { title, rows, whole, judged };
    [
        section("Decisions by verdict", &report.verdicts, report.decisions, Judged::Yes),
        section("What STARs were about: kind of request", &report.requests, report.tickets, Judged::No),
        section("What STARs were about: handbook case", &report.workflows, report.tickets, Judged::No),
        section("Facts asked for, as a share of the notes that ask", &report.asked, asked, Judged::No),
        section("Verdicts by question on the way", &report.nodes, report.given, Judged::Yes),
        section("Verdicts by where their facts were read", &report.sources, report.given, Judged::Yes),
    ]
}

/// What people thought of a row's decisions: `95 % of 40`, or a dash.
pub(super) fn judged(row: &Row) -> String {
    let all = row.agreed + row.disagreed;
    percent(row.agreed, all).map_or_else(|| "–".into(), |rate| format!("{rate} % of {all}"))
}

fn table(section: &Section<'_>, width: u16) -> Table {
    let people = section.judged == Judged::Yes;
    let mut table = empty(width);
    let mut header = vec!["", "count", "share"];
    header.extend(people.then_some("agreed"));
    table.set_header(header);
    for row in section.rows {
        let share = percent(row.count, section.whole).unwrap_or_default();
        let mut cells = vec![row.label.clone(), row.count.to_string(), format!("{share} %")];
        cells.extend(people.then(|| judged(row)));
        table.add_row(cells);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn empty(width: u16) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table
}
