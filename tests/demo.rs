//! The demo: what a visitor sees in a terminal of any width, and does in a browser.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::tools::run;
use crate::support::wait_for;

const BINARY: &str = env!("CARGO_BIN_EXE_starwarden");

/// What the demo prints on a terminal of so many columns, with its colours.
fn on_a_terminal(columns: usize, environment: &[(&str, &str)]) -> String {
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command"])
        .arg(format!("stty rows 40 cols {columns}; exec {BINARY} demo --once --listen 127.0.0.1:0"))
        .arg("/dev/null")
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("script");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).expect("UTF-8").replace('\r', "")
}

/// A line without its colours.
fn bare(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |bare, part| bare + part.split_once('m').map_or("", |(_, rest)| rest))
}

#[test]
fn what_it_prints_fits_every_terminal_and_is_coloured_where_that_is_wanted() {
    for columns in [40, 80, 200] {
        let shown = on_a_terminal(columns, &[]);
        let widest = shown.lines().map(|line| bare(line).chars().count()).max().unwrap_or_default();
        assert!(widest <= columns, "{widest} on {columns} columns");
        assert!(shown.contains('\u{1b}') && bare(&shown).contains("12 of 12 samples"), "{shown}");
    }
    let plain = on_a_terminal(100, &[("NO_COLOR", "1")]);
    assert!(!plain.contains('\u{1b}') && plain.contains("12 of 12 samples"), "{plain}");
}

#[test]
fn where_nobody_looks_it_prints_no_colours_and_ends_well() {
    let output = Command::new(BINARY).args(["demo", "--once"]).output().expect("the demo");
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{shown}");
    assert!(!shown.contains('\u{1b}') && shown.contains("12 of 12 samples ended as their files say"), "{shown}");
}

/// A demo that goes on until it is dropped.
struct Demo {
    child: Child,
    /// A ticket with an open question, at its helpdesk.
    ticket: String,
    /// The console's address.
    console: String,
}

impl Demo {
    fn start() -> Demo {
        let mut child = Command::new(BINARY)
            .args(["demo", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the demo");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
        let address = |line: &str| line.split_whitespace().last().unwrap_or_default().to_owned();
        let ticket = lines.find(|line| line.starts_with("Answer a note")).map(|line| address(&line)).expect("a ticket");
        let console = lines.find(|line| line.starts_with("Open ")).map(|line| address(&line)).expect("the last line");
        Demo { child, ticket, console }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A visitor closes the loop in the browser: reads a ticket, answers its note, and finds the bot's new note.
#[test]
fn a_visitor_answers_a_note_in_the_browser() {
    let demo = Demo::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let http = reqwest::Client::new();
    let read = |url: &str| {
        let call = http.get(url).send();
        runtime.block_on(async { call.await.expect("an answer").text().await.expect("text") })
    };
    assert!(read(&demo.console).contains("<html"), "the console");
    let page = read(&demo.ticket);
    assert!(page.contains("Customer is waiting.") && page.contains("star_needs_facts"), "{page}");
    let written = http.post(&demo.ticket).form(&[("words", "star: trial=no, expires_at=2020-01-01")]).send();
    assert!(runtime.block_on(written).expect("an answer").status().is_success());
    wait_for("the bot's answer", || read(&demo.ticket).contains("star_escalation").then_some(()));
}

/// The pictures of the papers are what the demo shows; `STARWARDEN_PICTURES=1` takes them anew.
#[test]
fn the_papers_show_the_console_as_it_is() {
    let (demo, folder) = (Demo::start(), tempfile::tempdir().expect("a folder"));
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/pictures");
    for (name, path, size) in [("today", "", (1200, 760)), ("ticket", "tickets/demo/106", (1200, 760))] {
        let shot = folder.path().join(format!("{name}.png"));
        run(Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg(format!("--window-size={},{}", size.0, size.1))
            .arg(format!("--screenshot={}", shot.display()))
            .arg(format!("{}{path}", demo.console)));
        let kept = kept.join(format!("{name}.png"));
        if std::env::var_os("STARWARDEN_PICTURES").is_some() {
            std::fs::copy(&shot, &kept).expect("a copy");
        }
        assert_eq!((dimensions(&shot), dimensions(&kept)), (size, size), "{name}");
    }
}

/// How wide and high a PNG is, pixels.
fn dimensions(png: &Path) -> (u32, u32) {
    let bytes = std::fs::read(png).expect("a picture");
    assert!(bytes.starts_with(b"\x89PNG"), "{} is no PNG", png.display());
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    (number(16), number(20))
}
