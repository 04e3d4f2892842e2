//! The report as CSV: one table, so that a spreadsheet can filter it by its first column.

use ::csv::{Error, Terminator, Writer, WriterBuilder};

use super::{Report, Row};

/// The columns; a line fills those of its table.
const COLUMNS: [&str; 14] = [
    "table",
    "name",
    "label",
    "count",
    "agreed",
    "disagreed",
    "account",
    "ticket",
    "reference",
    "verdict",
    "why",
    "who",
    "at",
    "way",
];

/// The report as CSV with CRLF at each end of line.
///
/// # Errors
/// None that can happen while it is written to memory.
pub fn csv(report: &Report) -> Result<Vec<u8>, Error> {
    let mut csv = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    csv.write_record(COLUMNS)?;
    let median = report.waited.map(|waited| format!("{:.2}", waited.median_minutes));
    let [p50, p99, slowest] = report.noted.map_or([const { None }; 3], |noted| {
        [noted.p50_seconds, noted.p99_seconds, noted.slowest_seconds].map(|seconds| Some(format!("{seconds:.1}")))
    });
    for (name, figure) in [
        ("decisions", report.decisions.to_string()),
        ("tickets", report.tickets.to_string()),
        ("median_minutes_to_verdict", median.unwrap_or_default()),
        ("seconds_from_star_to_note_p50", p50.unwrap_or_default()),
        ("seconds_from_star_to_note_p99", p99.unwrap_or_default()),
        ("seconds_from_star_to_note_slowest", slowest.unwrap_or_default()),
        ("tickets_with_a_verdict", report.settled.tickets.to_string()),
        ("tickets_decided_without_a_person", report.settled.unaided.to_string()),
        ("tickets_after_one_note_that_asks", report.settled.answered_once.to_string()),
        ("tickets_with_a_valid_star", report.settled.valid.to_string()),
        ("minutes_by_hand", report.saved.minutes_by_hand.to_string()),
        ("minutes_saved", report.saved.minutes.to_string()),
    ] {
        line(&mut csv, ["figures", name, "", &figure, "", ""], [""; 8])?;
    }
    let [agreed, disagreed] = [report.agreed, report.disagreed].map(|number| number.to_string());
    line(&mut csv, ["agreement", "", "", "", &agreed, &disagreed], [""; 8])?;
    for (table, rows) in [
        ("verdicts", &report.verdicts),
        ("nodes", &report.nodes),
        ("sources", &report.sources),
        ("requests", &report.requests),
        ("workflows", &report.workflows),
        ("asked", &report.asked),
    ] {
        for Row { name, label, count, agreed, disagreed } in rows {
            let [count, agreed, disagreed] = [count, agreed, disagreed].map(u64::to_string);
            line(&mut csv, [table, name, label, &count, &agreed, &disagreed], [""; 8])?;
        }
    }
    for it in &report.disagreements {
        let (ticket, at) = (it.ticket.to_string(), it.at.to_rfc3339());
        let who = [&it.account, &ticket, &it.reference, &it.verdict, &it.why, &it.who, &at, &it.way];
        line(&mut csv, ["disagreements", "", "", "", "", ""], who.map(String::as_str))?;
    }
    csv.into_inner().map_err(|error| error.into_error().into())
}

fn line(csv: &mut Writer<Vec<u8>>, counted: [&str; 6], said: [&str; 8]) -> Result<(), Error> {
    csv.write_record(counted.iter().chain(&said).map(|text| inert(text)))
}

/// A cell that is no formula to the spreadsheet that opens it.
fn inert(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}
