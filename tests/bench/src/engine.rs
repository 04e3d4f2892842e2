//! How fast tickets are decided: a decision beside a hand-written `match` and general engines on the same policy, and whole
//! lines beside merely parsing them. Every peer's answers are compared before anything is timed.

mod peers;

use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use criterion::{Criterion, Throughput};
use peers::{DAY, Request, Ticket};
use starwarden::commands::{each, lines};
use starwarden::config;
use starwarden::decide::facts::fact::Facts;
use starwarden::decide::facts::gather::{self, Stated};
use starwarden::decide::facts::source::{Given, Source};
use starwarden::decide::facts::sources::Ids;
use starwarden::decide::line::{Line, WithFacts};
use starwarden::decide::policy::Policy;

/// How many distinct tickets.
const TICKETS: usize = 262_144;

/// Of how many of them the facts are gathered beforehand.
const GATHERED: usize = 4_096;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let policy = config::policy::read(&root.join("config/policy/star.toml")).expect("the shipped policy");
    let now: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().expect("an instant");
    let tickets = tickets(now.timestamp_millis());
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .output_directory(&root.join("target/criterion"));
    if let Some(name) = std::env::args().nth(1) {
        criterion = criterion.with_filter(name);
    }
    decisions(&mut criterion, &policy, &tickets, now);
    let with_facts: Vec<u8> = tickets.iter().enumerate().flat_map(|(id, ticket)| line(id, ticket)).collect();
    whole_lines(&mut criterion, "lines with facts", &policy, &with_facts, now);
    let samples = std::fs::read_to_string(root.join("tests/cases/tickets.ndjson")).expect("the samples");
    let whole: Vec<u8> =
        samples.lines().cycle().take(65_536).flat_map(|line| format!("{line}\n").into_bytes()).collect();
    whole_lines(&mut criterion, "lines with tickets", &policy, &whole, now);
    print!("{}", report(&root.join("target/criterion")));
}

/// Distinct tickets over the whole chart; the same on every run.
fn tickets(now: i64) -> Vec<Ticket> {
    let ticket = |index: usize| {
        let mixed = (index as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bit = |at: u32| mixed >> at & 1 == 1;
        Ticket {
            request: match mixed >> 60 {
                0 | 1 => Request::WrongProduct,
                2 | 3 => Request::ForceReassociate,
                _ => Request::PlanLicense,
            },
            trial: bit(50),
            sales_assisted: bit(51),
            edge_case: bit(52),
            sales_intervened: bit(53),
            // From 40 days ago to 40 days ahead, each a second of its own.
            expires_at: now - 40 * DAY + (index as i64 * 80 * DAY / TICKETS as i64) / 1000 * 1000,
        }
    };
    (0..TICKETS).map(ticket).collect()
}

/// A ticket's facts by name and value.
fn facts(ticket: &Ticket) -> Vec<(&'static str, String)> {
    let word = |yes: bool| if yes { "yes".to_owned() } else { "no".to_owned() };
    let expires = DateTime::from_timestamp_millis(ticket.expires_at).expect("an instant");
    vec![
        ("request", ticket.request.word().to_owned()),
        ("trial", word(ticket.trial)),
        ("sales_assisted", word(ticket.sales_assisted)),
        ("edge_case", word(ticket.edge_case)),
        ("sales_intervened", word(ticket.sales_intervened)),
        ("expires_at", expires.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
    ]
}

fn line(id: usize, ticket: &Ticket) -> Vec<u8> {
    let facts: serde_json::Map<String, serde_json::Value> =
        facts(ticket).into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    format!("{}\n", serde_json::json!({ "id": id.to_string(), "facts": facts })).into_bytes()
}

fn decisions(criterion: &mut Criterion, policy: &Policy, tickets: &[Ticket], at: DateTime<Utc>) {
    let (now, ids) = (at.timestamp_millis(), Ids::new(&policy.binding, &Ids::default()));
    let stated =
        |(fact, value): (&str, String)| Stated { fact: fact.into(), value, source: Source::Given(Given::Line) };
    let known: Vec<Facts> = tickets
        .iter()
        .take(GATHERED)
        .map(|ticket| {
            let stated: Vec<Stated> = facts(ticket).into_iter().map(stated).collect();
            gather::facts(policy, &ids, None, &stated, at).facts
        })
        .collect();
    let (cel, contexts): (_, Vec<_>) =
        (peers::cel(), tickets.iter().map(|ticket| peers::cel_context(ticket, now)).collect());
    let (rego, inputs): (_, Vec<_>) =
        (peers::rego(), tickets.iter().map(|ticket| peers::rego_input(ticket, now)).collect());
    for (index, ticket) in tickets.iter().enumerate().take(GATHERED) {
        let expected = peers::by_hand(ticket, now);
        assert_eq!(policy.decide(&known[index], at).verdict, expected, "{ticket:?}");
        assert_eq!(cel.execute(&contexts[index]).expect("a value"), expected.into(), "CEL: {ticket:?}");
        let outcome = rego.eval_with_input(inputs[index].clone()).expect("a value");
        assert_eq!(outcome, expected.into(), "Rego: {ticket:?}");
    }

    let mut group = criterion.benchmark_group("one decision");
    let mut next = cycle();
    group.bench_function("hand-written match", |bench| {
        bench.iter(|| black_box(peers::by_hand(black_box(&tickets[next()]), now)));
    });
    group.bench_function("decision with every reason", |bench| {
        bench.iter(|| black_box(policy.decide(black_box(&known[next() % GATHERED]), at)));
    });
    group.bench_function("cel, context ready", |bench| {
        bench.iter(|| black_box(cel.execute(&contexts[next()])));
    });
    group.bench_function("cel, with its context", |bench| {
        bench.iter(|| black_box(cel.execute(&peers::cel_context(&tickets[next()], now))));
    });
    group.bench_function("regorus, input ready", |bench| {
        bench.iter(|| black_box(rego.eval_with_input(inputs[next()].clone())));
    });
    group.finish();
}

/// Goes through all tickets in turn.
fn cycle() -> impl FnMut() -> usize {
    let mut at = 0;
    move || {
        at = (at + 1) % TICKETS;
        at
    }
}

fn whole_lines(criterion: &mut Criterion, name: &str, policy: &Policy, text: &[u8], now: DateTime<Utc>) {
    let count = text.iter().filter(|byte| **byte == b'\n').count();
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(count as u64)).sample_size(10);
    group.bench_function("parse only", |bench| {
        let parse = |line: &[u8], _: &mut Vec<u8>| {
            black_box(serde_json::from_slice::<Line>(line).expect("a line"));
            lines::Lines::AllGood
        };
        bench.iter(|| lines::each(&mut &*text, &mut std::io::sink(), parse).expect("lines"));
    });
    group.bench_function("decide --each", |bench| {
        bench.iter(|| each::decide(policy, now, WithFacts::None, &mut &*text, &mut std::io::sink()).expect("lines"));
    });
    group.finish();
}

/// One table of all that was measured, each beside the first of its group.
fn report(folder: &Path) -> String {
    let mut text = Vec::new();
    for (group, each) in [("one decision", 1.0), ("lines with facts", TICKETS as f64), ("lines with tickets", 65_536.0)]
    {
        let names: &[&str] = match group {
            "one decision" => &[
                "hand-written match",
                "decision with every reason",
                "cel, context ready",
                "cel, with its context",
                "regorus, input ready",
            ],
            _ => &["parse only", "decide --each"],
        };
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED).set_header([group, "ns each", "a second", "times the first"]);
        let mut first = None;
        for name in names {
            let nanos = median(folder, group, name) / each;
            let base = *first.get_or_insert(nanos);
            table.add_row([
                (*name).to_owned(),
                format!("{nanos:.1}"),
                format!("{:.0}", 1e9 / nanos),
                format!("{:.2}", nanos / base),
            ]);
        }
        writeln!(text, "\n{table}").expect("memory");
    }
    String::from_utf8(text).expect("text")
}

/// The median of what was measured, nanoseconds.
fn median(folder: &Path, group: &str, name: &str) -> f64 {
    let file = folder.join(group).join(name.replace('/', "_")).join("new/estimates.json");
    let text = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let estimates: serde_json::Value = serde_json::from_slice(&text).expect("estimates");
    estimates["median"]["point_estimate"].as_f64().expect("a number")
}
