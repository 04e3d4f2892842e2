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

#[track_caller]
fn check(room: &str, forbidden: &[&str]) {
    for file in files(room) {
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
    for room in ["decide", "learn"] {
        check(room, &impure);
    }
    check("work/rule.rs", &["crate::store", "crate::config", "std::fs", "tokio"]);
    for file in [
        "receive/verify.rs",
        "receive/delivery.rs",
        "work/feedback.rs",
        "work/follow_ups/named.rs",
        "work/follow_ups/plan.rs",
        "work/follow_ups/words.rs",
    ] {
        check(file, &["Utc::now", "tokio", "async ", "std::fs", "std::env"]);
    }
}

#[test]
fn arrows_point_one_way() {
    let above = ["crate::work", "crate::commands", "crate::demo", "crate::console", "crate::receive", "crate::config"];
    check("decide", &above);
    check("decide", &["crate::helpdesk", "crate::store", "crate::elsewhere", "crate::learn", "crate::metrics"]);
    check("learn", &above);
    check("learn", &["crate::helpdesk", "crate::store", "crate::elsewhere"]);
    check("decide/policy", &["crate::decide::note"]);
    check("decide/facts", &["crate::decide::note"]);
    let the_rule = ["crate::decide::policy", "crate::decide::facts", "crate::decide::note", "decide::judge"];
    check("helpdesk", &above);
    check("helpdesk", &the_rule);
    check("helpdesk", &["crate::store", "axum"]);
    check("store", &["crate::work", "crate::commands", "crate::console", "crate::receive", "helpdesk::client"]);
    check("store", &["crate::decide::policy", "crate::decide::facts", "crate::decide::note", "axum", "reqwest"]);
    check("elsewhere", &above);
    check("elsewhere", &["crate::store", "crate::decide::note", "axum", "std::fs"]);
    check("receive", &["crate::work", "crate::commands", "crate::demo", "crate::console", "crate::config"]);
    check("receive", &the_rule);
    check("receive", &["helpdesk::client", "reqwest"]);
    check("config", &["crate::work", "crate::commands", "crate::demo", "crate::console"]);
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
