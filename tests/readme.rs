//! The README's own commands, run as they stand.

use std::path::Path;
use std::process::Command;

#[test]
fn whoever_follows_the_readme_has_a_green_doctor_and_sees_the_note() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(home.join("README.md")).expect("the README");
    let section = readme.split("\n## ").find(|section| section.starts_with("Ten minutes")).expect("the section");
    let blocks: Vec<&str> = section.split("```").skip(1).step_by(2).filter_map(|it| it.strip_prefix("sh\n")).collect();
    assert_eq!(blocks.len(), 2, "what is started, and the delivery");

    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(home.join("config"), folder.path().join("config")).expect("a link");
    let binaries = Path::new(env!("CARGO_BIN_EXE_starwarden")).parent().expect("a folder");
    let path = format!("{}:{}", binaries.display(), std::env::var("PATH").expect("a path"));
    // And the note's link to its details, as somebody on this machine opens it.
    let details = "curl -sSf http://127.0.0.1:18080/tickets/demo/104\n";
    let script = format!("set -euo pipefail\ntrap 'kill $(jobs -p)' EXIT\n{}{details}", blocks.concat());
    let output = Command::new("timeout")
        .args(["60", "bash", "-c", &script])
        .current_dir(folder.path())
        .env("PATH", path)
        .env("RUST_LOG", "off")
        .output()
        .expect("bash");
    let said = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{told}");
    assert!(said.contains("all is well"), "{said}");
    assert!(said.contains("{\"status\":\"accepted\"}"), "{said}");
    assert!(said.contains("No need for STAR.") && said.contains("starwarden · ref "), "the note: {said}");
    assert!(said.contains("The way through the chart"), "the note's details: {said}");
    // What follows from the expiry stands among the facts as it stands on the way.
    assert!(said.contains("in_grace</span></th><td>Yes"), "{said}");
}
