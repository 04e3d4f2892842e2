//! What the command line tells of itself: `--help`, completions and man pages.

use std::path::Path;
use std::process::Command;

use crate::support::tools::{run, said};

const VERBS: [&str; 16] = [
    "schema",
    "policy",
    "tickets",
    "demo",
    "serve",
    "setup",
    "doctor",
    "check",
    "decide",
    "hash-password",
    "backtest",
    "diagram",
    "report",
    "backup",
    "completions",
    "man",
];

fn starwarden(arguments: &[&str]) -> String {
    run(Command::new(env!("CARGO_BIN_EXE_starwarden")).args(arguments).env_remove("STARWARDEN_CONFIG"))
}

#[test]
fn every_verb_and_option_says_what_it_does() {
    let all = starwarden(&["--help"]);
    for verb in VERBS {
        assert!(all.contains(&format!("\n  {verb} ")), "{verb} is not told of: {all}");
        let (short, long) = (starwarden(&[verb, "-h"]), starwarden(&[verb, "--help"]));
        let first = short.lines().next().expect("a line");
        assert!(first.len() > 20 && !first.ends_with('.'), "{verb}: {first}");
        assert!(long.starts_with(first), "{verb}: the long text begins with the short one");
        for option in short.lines().filter(|line| line.trim_start().starts_with("--")) {
            let told = option.trim_start().split_once("  ").map_or("", |(_, told)| told);
            assert!(!told.trim().is_empty(), "{verb}: nothing is said of {option}");
        }
    }
    for (verb, told) in [
        ("setup", "makes nothing twice"),
        ("doctor", "In order: configuration, policy, store"),
        ("backup", "-wal"),
        ("serve", "SIGHUP"),
        ("decide", "exit code is 3"),
    ] {
        let long = starwarden(&[verb, "--help"]).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(long.contains(told), "{verb}: {long}");
    }
}

#[test]
fn a_long_work_shows_its_progress_on_a_terminal_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let tickets = folder.path().join("tickets");
    std::fs::write(&tickets, "{\"facts\":{\"trial\":\"no\"}}\n".repeat(20_000)).expect("a file");
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/policy/star.toml");
    let decide = format!(
        "'{}' decide --policy '{}' --each '{}' > decided",
        env!("CARGO_BIN_EXE_starwarden"),
        policy.display(),
        tickets.display()
    );
    // `script` gives the command a terminal of its own.
    let on_a_terminal = run(Command::new("script").args(["-qec", &decide, "/dev/null"]).current_dir(folder.path()));
    assert!(on_a_terminal.contains(" %  "), "{on_a_terminal:?}");
    let decided = std::fs::read_to_string(folder.path().join("decided")).expect("the decisions");
    assert_eq!(decided.lines().count(), 20_000, "and none of it among the results");
    let piped = Command::new("bash").args(["-c", &decide]).current_dir(folder.path()).output().expect("bash");
    assert!(piped.status.success() && said(&piped).is_empty(), "{}", said(&piped));
}

#[test]
fn a_shell_takes_its_completions() {
    let script = starwarden(&["completions", "bash"]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("starwarden");
    std::fs::write(&file, script).expect("a file");
    // As bash asks when TAB is pressed after `starwarden doctor --format j`.
    let asked = "source \"$1\"; COMP_WORDS=(starwarden doctor --format j) COMP_CWORD=3; _starwarden starwarden j --format; echo \"${COMPREPLY[@]}\"";
    let offered = run(Command::new("bash").args(["--norc", "-c", asked, "bash"]).arg(&file));
    assert_eq!(offered, "json\n");
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        assert!(starwarden(&["completions", shell]).contains("helpdesk-only"), "{shell}");
    }
}

#[test]
fn man_shows_a_page_for_every_verb_without_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    starwarden(&["man", &folder.path().display().to_string()]);
    for page in std::iter::once("starwarden.1".to_owned()).chain(VERBS.map(|verb| format!("starwarden-{verb}.1"))) {
        let shown = Command::new("man")
            .args(["--warnings", "-E", "UTF-8", "-l"])
            .arg(folder.path().join(&page))
            .env("MANWIDTH", "100")
            .output()
            .expect("man: tests/run installs it");
        assert!(shown.status.success() && shown.stderr.is_empty(), "{page}: {}", said(&shown));
        for section in ["SYNOPSIS", "EXIT STATUS", "ENVIRONMENT", "FILES"] {
            assert!(said(&shown).contains(section), "{page}: {}", said(&shown));
        }
        let has_examples = ![
            "starwarden.1",
            "starwarden-hash-password.1",
            "starwarden-completions.1",
            "starwarden-schema.1",
            "starwarden-man.1",
        ]
        .contains(&page.as_str());
        assert_eq!(said(&shown).contains("EXAMPLES"), has_examples, "{page}: {}", said(&shown));
    }
}
