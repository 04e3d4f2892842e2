//! How fast a backtest is: a million past tickets of about 1 kB decided by one policy and by two, beside `serde_json` merely
//! parsing the same lines on as many cores, into its own values and into the tickets that are decided; with the CPU each
//! took, which tells the same on a busy machine, and the most memory.
//!
//! `cargo build --profile dist && cargo run --release --manifest-path tests/bench/Cargo.toml --bin past [-- TICKETS]`

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use starwarden::commands::lines::{self, Lines};
use starwarden::decide::ticket::Ticket;

/// How many tickets where nothing else is said.
const TICKETS: u64 = 1_000_000;

fn main() {
    let asked = std::env::args().nth(1).map(|count| count.parse().expect("a number of tickets"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file = write(&root.join("target"), asked.unwrap_or(TICKETS));
    let bytes = std::fs::metadata(&file).expect("the tickets").len();
    println!("{} MB of tickets in {}", bytes / 1_000_000, file.display());
    let values = parsed(&file, |line| serde_json::from_slice::<serde_json::Value>(line).is_ok());
    let tickets = parsed(&file, |line| serde_json::from_slice::<Ticket>(line).is_ok());
    println!("parsed into serde_json::Value {values}");
    println!("parsed into tickets           {tickets}");
    let binary = root.join("target/dist/starwarden");
    let (policy, older) = (root.join("config/policy/star.toml"), root.join("tests/cases/older.toml"));
    let one = backtest(&binary, &file, &policy, &[]);
    let two = backtest(&binary, &file, &policy, &["--against", &older.display().to_string()]);
    for (what, (took, memory)) in [("one policy", one), ("two policies", two)] {
        let times = took.cpu / tickets.cpu;
        println!("{what:<29} {took}, {times:.1} × the CPU of parsing into tickets, {memory} MB at most");
    }
    println!("two policies cost {:.2} × the CPU of one", two.0.cpu / one.0.cpu);
    std::fs::remove_file(&file).expect("its removal");
}

/// What something took, seconds.
#[derive(Clone, Copy)]
struct Took {
    wall: f64,
    cpu: f64,
}

impl std::fmt::Display for Took {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:6.2} s, {:6.2} s of CPU", self.wall, self.cpu)
    }
}

/// A stretch of time, with the CPU that this process and the children it waited for took in it.
struct Stretch {
    begun: Instant,
    cpu: f64,
}

impl Stretch {
    fn begin() -> Stretch {
        Stretch { begun: Instant::now(), cpu: cpu() }
    }

    fn end(&self) -> Took {
        Took { wall: self.begun.elapsed().as_secs_f64(), cpu: cpu() - self.cpu }
    }
}

/// The CPU of this process and of the children it waited for, seconds; Linux counts them in hundredths.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, after_name) = stat.rsplit_once(')').expect("a name");
    let ticks = after_name.split_whitespace().skip(11).take(4).map(|ticks| ticks.parse::<f64>().expect("a number"));
    ticks.sum::<f64>() / 100.0
}

/// Tickets over the whole chart, the same on every run.
fn write(folder: &Path, count: u64) -> PathBuf {
    let file = folder.join("past.ndjson");
    let mut out = BufWriter::new(std::fs::File::create(&file).expect("a file"));
    let sentences = [
        "Hello team, our subscription expired last week and we would like to ask for a temporary licence while procurement finishes the renewal.",
        "We purchased the wrong product by mistake, please help us to exchange it.",
        "Could you please extend our trial by two weeks? Our evaluation is still going on.",
        "The instance runs self-managed on version 17.3 and shows a banner to all of our users.",
        "Please let us know what other information is needed from our side to proceed with this request.",
        "Kind regards, Alex from the platform team",
    ];
    let tags =
        ["trial", "com_sales_assisted_trial", "purchased_wrong_product", "transaction_issue_transfer", "a", "b", "c"];
    let ends = ["no_need_for_star", "star_escalation", "star_needs_facts", "d"];
    for id in 0..count {
        let mixed = (id + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let pick = |at: u32, of: usize| (mixed >> at) as usize % of;
        let words: Vec<&str> = (0..4).map(|nth| sentences[pick(4 * nth, sentences.len())]).collect();
        let day = 1 + pick(40, 28);
        let expires = (pick(48, 2) == 0).then(|| format!("2026-10-{:02}", 1 + pick(52, 28)));
        let empty = |id: u64| json!({ "id": id, "value": null });
        let ticket = json!({
            "id": 100_000 + id, "url": format!("https://example.zendesk.com/api/v2/tickets/{}.json", 100_000 + id),
            "created_at": format!("2026-09-{day:02}T08:00:00Z"), "updated_at": format!("2026-10-{day:02}T12:00:00Z"),
            "type": "problem", "subject": "Temporary licence needed", "raw_subject": "Temporary licence needed",
            "description": words.join("\n\n"), "priority": "high", "status": "closed", "requester_id": 5000, "assignee_id": 7000,
            "tags": ["star_submitted", "lr", tags[pick(32, tags.len())], ends[pick(36, ends.len())]],
            "custom_fields": [{ "id": 360000000001_u64, "value": expires }, empty(360020421853), empty(360000000002), empty(360000000003)],
            "ticket_form_id": 360000071293_u64, "allow_channelback": false,
        });
        writeln!(out, "{ticket}").expect("written");
    }
    out.flush().expect("written");
    file
}

/// How long it takes to parse every line on all cores.
fn parsed(file: &Path, parses: impl Fn(&[u8]) -> bool + Sync) -> Took {
    let mut input = std::io::BufReader::with_capacity(256 << 10, std::fs::File::open(file).expect("the tickets"));
    let stretch = Stretch::begin();
    let parse = |line: &[u8], _: &mut Vec<u8>| if parses(line) { Lines::AllGood } else { Lines::SomeBad };
    assert_eq!(lines::each(&mut input, &mut std::io::sink(), parse).expect("lines"), Lines::AllGood);
    stretch.end()
}

/// How long the release binary takes, and the most memory it had, MB.
fn backtest(binary: &Path, file: &Path, policy: &Path, arguments: &[&str]) -> (Took, u64) {
    let stretch = Stretch::begin();
    let mut child = Command::new(binary)
        .arg("backtest")
        .arg(file)
        .arg("--policy")
        .arg(policy)
        .args(arguments)
        .args(["--format", "json"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("target/dist/starwarden: build it with cargo build --profile dist");
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    let ended = loop {
        if let Some(ended) = child.try_wait().expect("a child") {
            break ended;
        }
        let told = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = told.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        most = most.max(peak.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(ended.success());
    (stretch.end(), most / 1024)
}
