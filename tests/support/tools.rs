//! Public tools from the Python package index, each in an environment of its own under target/, made once.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

/// A tool's program, from this package at a version that is known to work.
pub(crate) fn tool(program: &str, package: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools").join(package);
    once(&place, || {
        run(Command::new("python3").args(["-m", "venv"]).arg(&place));
        run(Command::new(place.join("bin/pip")).args(["install", "--quiet", package]));
    });
    place.join("bin").join(program)
}

/// A library from the JavaScript package index at a version that is known to work, with what it needs; where it is.
pub(crate) fn library(package: &str, version: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools").join(format!("{package}@{version}"));
    once(&place, || {
        std::fs::create_dir_all(&place).expect("a folder");
        let mut install = Command::new("npm");
        install.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]).arg(&place);
        run(install.arg(format!("{package}@{version}")));
    });
    place.join("node_modules").join(package)
}

/// Has a folder made once, by whichever test of whichever run comes first; the others wait for it. One that was left half
/// made is made anew, and so is one that was made elsewhere: an environment holds its own path.
fn once(place: &Path, make: impl FnOnce()) {
    let lock = PathBuf::from(format!("{}.lock", place.display()));
    std::fs::create_dir_all(lock.parent().expect("a folder")).expect("a folder");
    let lock = File::create(lock).expect("a file");
    lock.lock().expect("the lock"); // Until it is dropped, or this process ends.
    let (marker, made) = (place.join("made"), place.display().to_string());
    if std::fs::read_to_string(&marker).is_ok_and(|at| at == made) {
        return;
    }
    if place.exists() {
        std::fs::remove_dir_all(place).expect("what was left half made");
    }
    make();
    std::fs::write(marker, made).expect("a file");
}

#[test]
fn a_tool_is_made_once_and_anew_where_it_was_left_half_made_or_made_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, elsewhere) = (folder.path().join("tools/tool==1.2.3"), folder.path().join("tools/tool==1.2.4"));
    let made = AtomicU32::new(0);
    let make = |place: &Path| {
        std::fs::create_dir(place).expect("nothing there");
        made.fetch_add(1, Ordering::Relaxed);
        std::fs::write(place.join("program"), "").expect("a file");
    };
    let interrupted =
        || once(&place, || std::fs::create_dir(&place).map(|()| panic!("interrupted")).expect("a folder"));
    assert!(std::panic::catch_unwind(interrupted).is_err());
    std::thread::scope(|scope| {
        let asks = || {
            once(&place, || make(&place));
            assert!(place.join("program").exists(), "it is there for whoever asked");
        };
        (0..8).for_each(|_| drop(scope.spawn(asks)));
    });
    assert_eq!(made.load(Ordering::Relaxed), 1);
    std::fs::rename(&place, &elsewhere).expect("a move");
    once(&elsewhere, || make(&elsewhere));
    assert_eq!(made.load(Ordering::Relaxed), 2);
}

/// Runs a command that must do well; what it printed.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let done =
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; tests/run installs what it needs"));
    assert!(done.status.success(), "{command:?} failed:\n{}", said(&done));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// All that a command printed.
pub(crate) fn said(done: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

/// A clock that a program goes by in the place of its machine's, and that can be set while it runs; how long things take
/// it still knows.
pub(crate) struct WrongClock {
    shows: PathBuf,
}

impl WrongClock {
    /// A clock that is right so far, kept in a folder.
    pub(crate) fn in_folder(folder: &Path) -> WrongClock {
        let clock = WrongClock { shows: folder.join("clock") };
        clock.is_ahead(0);
        clock
    }

    /// Is ahead by so many seconds from here on; behind where they are negative.
    pub(crate) fn is_ahead(&self, seconds: i64) {
        let fresh = self.shows.with_extension("new");
        std::fs::write(&fresh, format!("{seconds:+}\n")).expect("a file");
        std::fs::rename(fresh, &self.shows).expect("a file");
    }

    /// The variables by which a program goes by it.
    pub(crate) fn variables(&self) -> [(&'static str, String); 5] {
        let mut libraries = std::fs::read_dir("/usr/lib").expect("libraries").filter_map(Result::ok);
        let library = libraries.find_map(|folder| {
            let library = folder.path().join("faketime/libfaketimeMT.so.1");
            library.exists().then_some(library)
        });
        [
            ("LD_PRELOAD", library.expect("the Debian package faketime").display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.shows.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("NO_FAKE_STAT", "1".into()), // What a file says of itself is by the machine's own.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        ]
    }
}
