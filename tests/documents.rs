//! What the documents in deploy/ tell people to type, typed as it stands.

use std::path::Path;
use std::process::Command;

use crate::support::tools::said;

/// The blocks of a document that are marked `sh`, in order.
fn blocks(document: &str) -> String {
    let blocks: Vec<&str> = document.split("```").skip(1).step_by(2).filter_map(|it| it.strip_prefix("sh\n")).collect();
    assert!(blocks.len() >= 3, "it has commands");
    blocks.concat()
}

/// Types a script in a folder that looks like a checkout, with the program on the path; all it said.
#[track_caller]
fn typed(script: &str) -> String {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["config", "tests"] {
        std::os::unix::fs::symlink(home.join(name), folder.path().join(name)).expect("a link");
    }
    let binaries = Path::new(env!("CARGO_BIN_EXE_starwarden")).parent().expect("a folder");
    let path = format!("{}:{}", binaries.display(), std::env::var("PATH").expect("a path"));
    let done = Command::new("timeout")
        .args(["120", "bash", "-c", &format!("set -euo pipefail\ntrap 'jobs -p | xargs -r kill' EXIT\n{script}")])
        .current_dir(folder.path())
        .env("PATH", path)
        .env("RUST_LOG", "off")
        .output()
        .expect("bash");
    assert!(done.status.success(), "{}", said(&done));
    said(&done)
}

/// README's bot, on ports of its own.
fn demo() -> String {
    let readme = include_str!("../README.md");
    let section = readme.split("\n## ").find(|section| section.starts_with("Ten minutes")).expect("the section");
    let first = section.split("```").nth(1).and_then(|block| block.strip_prefix("sh\n")).expect("the block");
    format!("{first}bot=$!\n")
}

/// The same with ports that no other test has.
fn elsewhere(script: &str) -> String {
    let other = script.replace("18080", "28080").replace("18090", "28090");
    other.replace("starwarden setup", "sed -i s/18080/28080/ star-demo.toml\nstarwarden setup")
}

#[test]
fn a_policy_is_written_as_the_document_says() {
    let said = typed(&blocks(include_str!("../deploy/policy.md")));
    assert!(said.contains("\"verdict\"") && said.contains("these cases were about 24 hours"), "{said}");
}

#[test]
fn a_bot_is_run_as_the_document_says() {
    let script = format!("{}{}", demo(), blocks(include_str!("../deploy/running.md")));
    let said = typed(&elsewhere(&script));
    for told in ["\"well\": true", "whole and checked", "starwarden_tickets_dead", "\"status\":\"ready\""] {
        assert!(said.contains(told), "{told}: {said}");
    }
}

#[test]
fn every_alert_has_its_line_in_the_document() {
    let alerts = include_str!("../deploy/alerts.yaml").lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    let document = include_str!("../deploy/running.md");
    let names: Vec<&str> = alerts.collect();
    assert!(names.len() >= 8);
    for name in names {
        assert!(document.contains(&format!("| {name} |")), "{name}");
    }
}

#[test]
fn every_threat_has_a_test() {
    let rows = include_str!("../deploy/threat-model.md").lines().filter(|line| line.starts_with('|')).skip(2);
    for row in rows {
        let named: Vec<&str> = row.split('`').filter(|it| it.contains("::") && !it.contains(' ')).collect();
        assert!(!named.is_empty(), "{row}");
        for name in named {
            let (module, test) = name.split_once("::").expect("a test");
            let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
            let file = [format!("{module}.rs"), format!("{module}/mod.rs")].map(|file| home.join(file));
            let text = file.iter().find_map(|file| std::fs::read_to_string(file).ok()).expect(module);
            assert!(text.contains(&format!("fn {test}(")), "{name}");
        }
    }
}

#[test]
fn every_link_leads_to_a_file() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    for document in ["README.md", "deploy/running.md", "deploy/policy.md", "deploy/threat-model.md"] {
        let text = std::fs::read_to_string(home.join(document)).expect(document);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let place = home.join(document).parent().expect("a folder").join(link);
            assert!(place.exists(), "{document} leads to {link}");
        }
    }
}
