//! The JSON Schemas that editors complete and check by: made from the types, true of what is shipped.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::tools::{run, said, tool};

/// What checks TOML by a schema, at a version that is known to work.
const CHECKER: &str = "check-jsonschema==0.33.3";

/// Each file with the schema it names in its first line.
const FILES: [(&str, &str); 5] = [
    ("config/starwarden.toml", "configuration"),
    ("deploy/compose.toml", "configuration"),
    ("config/policy/star.toml", "policy"),
    ("config/policy/examples/en.toml", "examples"),
    ("config/policy/examples/ja.toml", "examples"),
];

fn at(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn schema(name: &str) -> PathBuf {
    at(&format!("config/schema/{name}.json"))
}

fn checked(name: &str, file: &Path) -> Output {
    let checker = tool("check-jsonschema", CHECKER);
    Command::new(checker).arg("--schemafile").arg(schema(name)).arg(file).output().expect("the checker")
}

#[test]
fn the_files_are_what_the_types_say() {
    for name in ["configuration", "policy", "examples"] {
        let made = run(Command::new(env!("CARGO_BIN_EXE_starwarden")).args(["schema", name]));
        let kept = std::fs::read_to_string(schema(name)).expect("the file");
        assert!(made == kept, "write it anew: starwarden schema {name} > config/schema/{name}.json");
    }
}

#[test]
fn what_is_shipped_names_its_schema_and_holds_to_it() {
    for (file, name) in FILES {
        let text = std::fs::read_to_string(at(file)).expect("the file");
        let named = text.lines().next().and_then(|line| line.strip_prefix("#:schema ")).expect("a schema is named");
        let there = at(file).parent().expect("a folder").join(named).canonicalize().expect("it is there");
        assert_eq!(there, schema(name).canonicalize().expect("the schema"), "{file}");
        let output = checked(name, &at(file));
        assert!(output.status.success(), "{file}: {}", said(&output));
    }
}

#[test]
fn a_slip_is_shown_where_it_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    for (file, name, from, to, says) in [
        ("config/starwarden.toml", "configuration", "\nlisten = ", "\nlistn = ", "listn"),
        ("config/starwarden.toml", "configuration", "mode = \"live\"", "mode = \"lvie\"", "lvie"),
        ("config/policy/star.toml", "policy", "dismisses = true", "dismisses = \"yes\"", "dismisses"),
        ("config/policy/star.toml", "policy", "yes_no = ", "yes_on = ", "yes_on"),
        ("config/policy/examples/en.toml", "examples", "by = \"customer\"", "by = \"costumer\"", "costumer"),
    ] {
        let text = std::fs::read_to_string(at(file)).expect("the file");
        assert!(text.contains(from), "{from}");
        let wrong = folder.path().join("wrong.toml");
        std::fs::write(&wrong, text.replacen(from, to, 1)).expect("a file");
        let output = checked(name, &wrong);
        assert!(!output.status.success() && said(&output).contains(says), "{to}: {}", said(&output));
    }
}
