//! The rooms keep to themselves: pure rooms import no clock, no I/O, no async, and arrows point one way.

use std::path::{Path, PathBuf};

fn files(room: &str) -> Vec<PathBuf> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room);
    let mut files = Vec::new();
    let mut ahead = vec![place];
    while let Some(place) = ahead.pop() {
        if place.is_dir() {
            ahead.extend(std::fs::read_dir(&place).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else if place.extension().is_some_and(|extension| extension == "rs") {
            files.push(place);
        }
    }
    assert!(!files.is_empty(), "the room {room} is empty");
    files
}

/// The code of a file without its comments.
fn code(file: &Path) -> String {
    let text = std::fs::read_to_string(file).expect("a file");
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The one file of the facts that asks over HTTP.
fn waits(file: &Path) -> bool {
    file.ends_with("src/facts/lookups.rs")
}

#[track_caller]
fn check(room: &str, forbidden: &[&str]) {
    for file in files(room).into_iter().filter(|file| file.is_file() && (room != "facts" || !waits(file))) {
        let code = code(&file);
        for word in forbidden {
            assert!(!code.contains(word), "{} uses `{word}`, which the room {room} must not", file.display());
        }
    }
}

#[test]
fn the_pure_rooms_know_no_clock_no_io_and_no_async() {
    let impure = [
        "Utc::now",
        "Instant::now",
        "SystemTime",
        "Local::now",
        "std::fs",
        "std::net",
        "std::env",
        "std::io",
        "std::thread",
        "tokio",
        "async ",
        ".await",
        "axum",
        "reqwest",
        "rusqlite",
        "tracing",
        "println!",
        "eprintln!",
        "crate::store",
        "crate::work",
        "crate::receive",
        "crate::config",
        "crate::commands",
        "crate::demo",
        "helpdesk::client",
        "helpdesk::auth",
    ];
    for room in ["policy", "facts", "note", "report", "charts.rs"] {
        check(room, &impure);
    }
    // A ticket is judged there as the loop judges it, and of the loop that is all it knows.
    let impure = impure.map(|word| if word == "crate::work" { "work::look" } else { word });
    check("backtest", &impure);
    check("backtest", &["work::candidate", "work::promotion", "work::status", "work::rule", "crate::console"]);
    check("work/rule.rs", &["crate::store", "crate::config", "std::fs", "tokio"]);
    for file in [
        "receive/verify.rs",
        "receive/delivery.rs",
        "helpdesk/ticket.rs",
        "work/feedback.rs",
        "work/follow_ups/named.rs",
        "work/follow_ups/plan.rs",
        "work/follow_ups/words.rs",
        "work/judge.rs",
        "work/reference.rs",
    ] {
        check(file, &["Utc::now", "tokio", "async ", "std::fs", "std::env"]);
    }
}

#[test]
fn arrows_point_one_way() {
    check("policy", &["crate::note", "crate::helpdesk"]);
    check("facts", &["crate::note"]);
    let apart =
        ["crate::note", "crate::store", "crate::work", "crate::receive", "crate::config", "Utc::now", "std::fs"];
    check("facts/lookups.rs", &apart);
    check(
        "helpdesk",
        &["crate::policy", "crate::facts", "crate::store", "crate::receive", "crate::work", "crate::note", "axum"],
    );
    check(
        "store",
        &[
            "crate::policy",
            "crate::facts",
            "crate::receive",
            "crate::work",
            "crate::note",
            "helpdesk::client",
            "axum",
            "reqwest",
        ],
    );
    check(
        "destinations",
        &["crate::policy", "crate::facts", "crate::store", "crate::receive", "crate::work", "crate::note", "axum"],
    );
    check("receive", &["crate::policy", "crate::facts", "crate::work", "crate::note", "helpdesk::client", "reqwest"]);
    for room in ["policy", "facts", "note", "helpdesk", "destinations", "store", "receive", "config"] {
        check(room, &["crate::work", "crate::commands", "crate::demo", "crate::console"]);
    }
    // It reads the store and writes what operators want there; the loop does it.
    check(
        "console",
        &["helpdesk::client", "helpdesk::auth", "helpdesk::{", "crate::receive", "crate::commands", "crate::demo"],
    );
    check("work", &["crate::receive", "crate::commands", "crate::demo", "axum", "rusqlite"]);
}

#[test]
fn the_shipped_chart_is_the_handbooks_byte_for_byte() {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(include_bytes!("../config/policy/star.mmd"));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "50820c0158bc8ad52aa9acae7c6e46c826f8f589c5941e6ad3f62590491105f7");
}
