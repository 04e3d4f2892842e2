//! The rooms keep to themselves: pure rooms import no clock, no I/O, no async, and arrows point one way.

mod imports;

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

/// The rooms, lowest first: a room uses those below it alone, and of them these.
const ROOMS: [(&str, &[&str]); 13] = [
    ("decide", &[]),
    ("learn", &["decide"]),
    ("store", &["decide", "learn"]),
    ("metrics", &["decide", "store"]),
    ("helpdesk", &["decide", "metrics"]),
    ("elsewhere", &["decide", "helpdesk"]),
    ("config", &["decide", "elsewhere"]),
    ("receive", &["decide", "store", "metrics"]),
    ("work", &["decide", "learn", "store", "metrics", "helpdesk", "elsewhere", "config"]),
    ("server", &[]),
    // It reads the store and writes what people want there; the loop does it.
    ("console", &["decide", "learn", "store", "helpdesk", "elsewhere", "work", "server"]),
    ("demo", &["decide"]),
    (
        "commands",
        &[
            "decide",
            "learn",
            "store",
            "metrics",
            "helpdesk",
            "elsewhere",
            "config",
            "receive",
            "work",
            "server",
            "console",
            "demo",
        ],
    ),
];

/// What rooms must not know besides: of the room they may use, these parts.
const APART: [(&str, &[&str]); 7] = [
    ("decide::policy", &["decide::note"]),
    ("decide::facts", &["decide::note"]),
    ("helpdesk", &["decide::policy", "decide::facts", "decide::note", "decide::judge"]),
    ("receive", &["decide::policy", "decide::facts", "decide::note", "decide::judge"]),
    ("store", &["decide::policy", "decide::facts", "decide::note"]),
    ("elsewhere", &["decide::note"]),
    ("console", &["helpdesk::client", "helpdesk::auth"]),
];

/// Circles of files that are one idea in several files.
const CIRCLES: [&[&str]; 5] = [
    &["console::kept", "console::shadow"],
    &["console::oidc", "console::sign_in"],
    &["decide::facts::dates::numbers", "decide::facts::dates::spelled"],
    &["demo::helpdesk", "demo::limit", "demo::scopes", "demo::settings", "demo::troubles"],
    &["store::budget", "store::database", "store::postgres", "store::sqlite"],
];

#[test]
fn arrows_point_one_way() {
    let imports = imports::of_all();
    for (file, used) in &imports {
        let room = imports::room(file);
        let Some((_, may)) = ROOMS.iter().find(|(name, _)| *name == room) else { continue };
        for other in used.iter().map(|used| imports::room(used)).filter(|other| *other != room && !other.is_empty()) {
            assert!(may.contains(&other), "{file} uses {other}, which the room {room} must not");
        }
    }
    for (at, (room, may)) in ROOMS.iter().enumerate() {
        for other in *may {
            assert!(ROOMS[..at].iter().any(|(below, _)| below == other), "{room} stands below {other}");
        }
    }
    for file in imports.keys().filter(|file| !file.is_empty()) {
        assert!(ROOMS.iter().any(|(room, _)| *room == imports::room(file)), "{file} is in no room");
    }
    let is_in = |file: &str, part: &str| file == part || file.starts_with(&format!("{part}::"));
    for (part, apart) in APART {
        for (file, used) in imports.iter().filter(|(file, _)| is_in(file, part)) {
            let wrong = used.iter().find(|used| apart.iter().any(|other| is_in(used, other)));
            assert_eq!(wrong, None, "{file} uses what {part} must not");
        }
    }
    check("helpdesk", &["axum"]);
    check("store", &["axum", "reqwest"]);
    check("elsewhere", &["axum", "std::fs"]);
    check("receive", &["reqwest"]);
    check("work", &["axum", "rusqlite"]);
}

#[test]
fn no_files_go_round_in_a_circle() {
    let imports = imports::of_all();
    let circles = imports::circles(&imports);
    let known: Vec<Vec<String>> = CIRCLES.iter().map(|one| one.iter().map(|&file| file.to_owned()).collect()).collect();
    assert_eq!(circles, known, "files that use each other: move what both need below them");
}

#[test]
fn the_shipped_chart_is_the_handbooks_byte_for_byte() {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(include_bytes!("../config/policy/star.mmd"));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "50820c0158bc8ad52aa9acae7c6e46c826f8f589c5941e6ad3f62590491105f7");
}
