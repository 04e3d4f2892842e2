//! How long the words of one very long ticket take, in shapes that are hard on expressions: all facts gathered from a
//! description of 1 MB, beside one plain expression of the `regex` crate counting its finds in the same text.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use regex::Regex;
use serde_json::json;
use starwarden::config;
use starwarden::decide::facts::gather;
use starwarden::decide::facts::sources::Ids;
use starwarden::decide::policy::Policy;
use starwarden::decide::ticket::Reading;

/// How long the description is, bytes.
const SIZE: usize = 1_000_000;

/// How often each is timed; the fastest counts, for others may want the machine too.
const TIMES: usize = 9;

/// What is repeated to fill the description.
const SHAPES: [(&str, &str); 14] = [
    (
        "a customer's sentence",
        "Hello, our self-managed licence ends on 30 Nov 2026 and we need a short extension, please. ",
    ),
    ("opening brackets", "("),
    ("spaces", " "),
    ("empty lines", "\n"),
    ("dates", "2026-11-30 30/11/2026 Nov 30th "),
    ("dates that can be two days", "our licence expires on 03/04/2026 "),
    ("one line of one letter", "a"),
    ("short lines", "abc def\n"),
    ("words that nearly match", "extensio trialextend licens not received expir "),
    ("denials", "we do not not need no extension of our trial, "),
    ("letters with accents", "Verlängerung für größere Ümläute "),
    ("headings of quoted mails", "On Monday, Ann <ann@example.com>\n"),
    ("notes of ours", "starwarden · ref 7Q2FMHXA\n"),
    ("the first half of a phrase", "please extend "),
];

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let begun = Instant::now();
    let policy = config::policy::read(&root.join("config/policy/star.toml")).expect("the shipped policy");
    println!("the policy is read in {:.1} ms", millis(begun.elapsed()));
    let begun = Instant::now();
    gather(&policy, &reading("Hello"));
    println!(
        "the first ticket takes {:.1} ms, the second {:.3} ms",
        millis(begun.elapsed()),
        millis(timed(|| { gather(&policy, &reading("Hello")) }))
    );
    let plain = Regex::new(r"(?i)\b(trial|licen[cs]e|subscription|exten(d|sion)|expire[sd]?|receive[d]?|namespace)\b");
    let plain = plain.expect("an expression");
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(["1 MB of", "all facts, ms", "one expression, ms", "ratio"]);
    let mut slowest = Duration::ZERO;
    for (shape, text) in SHAPES {
        let text: String = text.chars().cycle().take(SIZE).collect();
        let reading = reading(&text);
        let facts = timed(|| gather(&policy, &reading));
        let peer = timed(|| {
            black_box(plain.find_iter(black_box(&text)).count());
        });
        slowest = slowest.max(facts);
        table.add_row([
            shape.to_owned(),
            format!("{:.1}", millis(facts)),
            format!("{:.1}", millis(peer)),
            format!("{:.1}", facts.as_secs_f64() / peer.as_secs_f64()),
        ]);
    }
    println!("{table}\nthe slowest takes {:.1} ms", millis(slowest));
}

fn gather(policy: &Policy, reading: &Reading) {
    let now: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().expect("an instant");
    let ids = Ids::new(&policy.binding, &Ids::default());
    black_box(gather::facts(policy, &ids, Some(black_box(reading)), &[], now));
}

fn reading(description: &str) -> Reading {
    let reading =
        json!({ "ticket": { "id": 1, "subject": "Help", "description": description, "status": "open", "tags": [] } });
    serde_json::from_value(reading).expect("a reading")
}

/// The fastest of several runs.
fn timed(mut run: impl FnMut()) -> Duration {
    let mut once = || {
        let begun = Instant::now();
        run();
        begun.elapsed()
    };
    (0..TIMES).map(|_| once()).min().unwrap_or_default()
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}
