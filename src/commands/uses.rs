//! What each verb is used for: examples, exit status, environment and files, in `--help` and in the man pages.

use clap::{Command, CommandFactory};

use super::CommandLine;

/// Examples of a verb, by the words that call it; a line says what the next one does.
const EXAMPLES: [(&str, &str); 12] = [
    (
        "demo",
        "See twelve sample tickets decided, and stay for the console:\n  starwarden demo\nThe same without staying, for a script:\n  starwarden demo --once",
    ),
    ("serve", "Run the bot by a configuration:\n  starwarden serve --config /etc/starwarden/starwarden.toml"),
    (
        "setup",
        "Show what would be made at the helpdesk, then make it:\n  starwarden setup --account global\n  starwarden setup --account global --apply",
    ),
    ("doctor", "Check everything that can be checked, for a script:\n  starwarden doctor --format json"),
    (
        "check",
        "Check the configuration and its policy:\n  starwarden check --config starwarden.toml\nHold a policy to its cases, and say what they miss:\n  starwarden check --policy policy/star.toml --cases policy/star.cases.toml --coverage --mutants",
    ),
    (
        "decide",
        "Decide by facts alone:\n  starwarden decide --policy policy/star.toml --fact trial=no --fact expires_at=2026-11-30\nDecide many tickets, one JSON object a line:\n  starwarden decide --policy policy/star.toml --each tickets.ndjson --facts",
    ),
    (
        "backtest",
        "Decide last quarter's tickets by two policies and show where they part:\n  starwarden backtest past.ndjson.gz --policy policy/star.toml --against policy/next.toml\nFetch them from the helpdesk:\n  starwarden backtest --fetch global --since 2026-08-01 --output past.ndjson",
    ),
    (
        "policy",
        "See what a candidate would change, then put it in force:\n  starwarden policy status\n  starwarden policy promote sha256:1f2e3d --tickets past.ndjson",
    ),
    ("diagram", "Draw a flowchart:\n  starwarden diagram policy/star.mmd --format svg > star.svg"),
    (
        "tickets",
        "See what waits for a manager, and the whole history of one ticket:\n  starwarden tickets list --verdict needs_facts\n  starwarden tickets show 1234\nLook again at one, and forget what people wrote on another:\n  starwarden tickets recheck 1234\n  starwarden tickets forget global/1235",
    ),
    (
        "report",
        "Report on a quarter, for a spreadsheet:\n  starwarden report --since 2026-08-01 --format csv > stars.csv",
    ),
    ("backup", "Copy the store while the bot runs:\n  starwarden backup /var/backups/star-$(date +%F).db"),
];

/// What stands in every man page.
const SECTIONS: [(&str, &str); 3] = [
    (
        "EXIT STATUS",
        "0 where all went well; 1 where something is not as it should be; 2 for bad input, and for results that could not be \
         written; 3 where some lines of many were bad. The verb's own text says more.",
    ),
    (
        "ENVIRONMENT",
        "STARWARDEN_CONFIG names the configuration where --config is not given. STARWARDEN__SECTION__KEY sets one value over the \
         file. STARWARDEN_READER names the server of embeddings. RUST_LOG says how much serve logs. NO_COLOR turns colours off.",
    ),
    (
        "FILES",
        "./starwarden.toml is the configuration where none is named; the policy and the store stand where it says, relative to \
         it. What the reader learned is kept in $XDG_CACHE_HOME/starwarden, or ~/.cache/starwarden.",
    ),
];

/// The whole command line, with examples in the long help of its verbs.
pub(super) fn command() -> Command {
    EXAMPLES.iter().fold(CommandLine::command(), |command, (verb, examples)| {
        command.mut_subcommand(verb, |verb| verb.after_long_help(format!("Examples:\n\n{examples}")))
    })
}

/// What a man page has besides what the command line tells: its sections, each with its paragraphs.
pub(super) fn sections(name: &str) -> Vec<(&'static str, Vec<String>)> {
    let verb = name.trim_start_matches("starwarden-").split('-').next().unwrap_or_default();
    let examples = EXAMPLES.iter().find(|(of, _)| *of == verb).map(|(_, examples)| {
        ("EXAMPLES", examples.lines().map(|line| line.trim_start().to_owned()).collect::<Vec<_>>())
    });
    examples.into_iter().chain(SECTIONS.map(|(title, text)| (title, vec![text.to_owned()]))).collect()
}
