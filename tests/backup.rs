//! A copy of what is kept, made while the bot works, and a bot that starts from it.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::postgres::{self, programs};
use crate::support::tools::said;
use crate::support::{Bot, Desk, desk, event, serve_in, ticket, wait_for};

/// A ticket that is in hand when a copy is made is due again when its lease ends: here after seconds, not after a minute.
const LEASES: [(&str, &str); 2] = [("STARWARDEN__WORK__LEASE", "10s"), ("STARWARDEN__WORK__ANSWER_WITHIN", "5s")];

/// Starred tickets are looked for all the time.
const CATCH_UP: (&str, &str) = ("STARWARDEN__ACCOUNTS__GLOBAL__CATCH_UP_EVERY", "1s");

/// How many tickets are starred while copies are made.
const TICKETS: u64 = 60;

fn backup(folder: &Path, to: &Path, environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_starwarden"))
        .args(["backup", "--config"])
        .arg(folder.join("starwarden.toml"))
        .arg(to)
        .envs(environment.iter().copied())
        .output()
        .expect("the binary")
}

/// Delivers of every ticket, and makes `copies` meanwhile; how many deliveries were accepted before the first copy.
fn work_while(desk: &Desk, bot: &Bot, copies: impl FnOnce()) -> u64 {
    for id in 1..=TICKETS {
        desk.helpdesk.add(ticket(id, &["purchased_wrong_product"]));
    }
    let accepted = AtomicU64::new(0);
    let before = std::thread::scope(|scope| {
        let delivering = scope.spawn(|| {
            for id in 1..=TICKETS {
                assert_eq!(bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]).0, 200);
                accepted.store(id, Ordering::SeqCst);
            }
        });
        let before = wait_for("some deliveries", || Some(accepted.load(Ordering::SeqCst)).filter(|count| *count >= 20));
        copies();
        delivering.join().expect("all delivered");
        before
    });
    for id in 1..=TICKETS {
        bot.notes(desk, id, 1);
    }
    before
}

/// Every ticket is known to the bot and has nothing left to do, and has one note.
#[track_caller]
fn all_is_said_once(desk: &Desk, bot: &Bot) {
    for id in 1..=TICKETS {
        wait_for(&format!("ticket {id}, known and done with"), || {
            let (status, told) = bot.get(&format!("/api/v1/tickets/global/{id}"));
            (status == 200 && told["watch"]["state"] == "idle").then_some(())
        });
        assert_eq!(desk.helpdesk.notes(id).len(), 1, "ticket {id}");
    }
    desk.helpdesk.add(ticket(TICKETS + 1, &["purchased_wrong_product"]));
    assert_eq!(bot.deliver(&event("after", TICKETS + 1, "tags_changed"), &[]).0, 200);
    bot.notes(desk, TICKETS + 1, 1);
}

#[test]
fn a_bot_that_starts_from_a_copy_misses_nothing_and_says_nothing_twice() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let mut bot = serve_in(&desk, folder.path(), "", &LEASES);
    let copies = [1, 2, 3].map(|number| folder.path().join(format!("copy{number}.db")));
    let before = work_while(&desk, &bot, || {
        for copy in &copies {
            let done = backup(folder.path(), copy, &[]);
            assert!(done.status.success() && said(&done).contains("whole and checked"), "{}", said(&done));
        }
    });
    for copy in &copies {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(copy.metadata().expect("a copy").permissions().mode() & 0o777, 0o600);
    }
    let again = backup(folder.path(), &copies[0], &[]);
    assert!(again.status.code() == Some(1) && said(&again).contains("is there already"), "{}", said(&again));
    bot.kill();

    for lost in ["star.db", "star.db-wal", "star.db-shm"] {
        let _may_be_gone = std::fs::remove_file(folder.path().join(lost));
    }
    std::fs::rename(&copies[0], folder.path().join("star.db")).expect("the copy in its place");
    let bot = serve_in(&desk, folder.path(), "", &LEASES);
    for id in 1..=before {
        assert_eq!(bot.get(&format!("/api/v1/tickets/global/{id}")).0, 200, "accepted before the copy, and in it");
    }
    drop(bot);
    // What came after the copy is found by catch-up.
    let bot = serve_in(&desk, folder.path(), "", &[LEASES[0], LEASES[1], CATCH_UP]);
    all_is_said_once(&desk, &bot);
}

#[test]
fn a_servers_copy_is_made_and_restored_by_the_commands_it_names() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (first, second) =
        runtime.block_on(async { (postgres::shared().database().await, postgres::shared().database().await) });
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let in_first = [LEASES[0], LEASES[1], ("STARWARDEN__STORE__URL", first.as_str())];
    let mut bot = serve_in(&desk, folder.path(), "", &in_first);
    let copy = folder.path().join("copy.dump");
    work_while(&desk, &bot, || {
        let secretly = first.replace("starwarden@", "starwarden:a-password@");
        let told = backup(folder.path(), &copy, &[("STARWARDEN__STORE__URL", &secretly)]);
        assert!(told.status.code() == Some(1) && !said(&told).contains("a-password"), "{}", said(&told));
        carry_out(&said(&told), "pg_dump", "", "");
    });
    bot.kill();
    let told = backup(folder.path(), &copy, &in_first);
    let name = |url: &str| format!("--dbname {}", url.rsplit('/').next().expect("a name"));
    carry_out(&said(&told), "pg_restore", &name(&first), &name(&second));
    let environment = [LEASES[0], LEASES[1], ("STARWARDEN__STORE__URL", second.as_str()), CATCH_UP];
    all_is_said_once(&desk, &serve_in(&desk, folder.path(), "", &environment));
}

/// Runs the one line of `told` that calls `program`, with `from` in it replaced.
#[track_caller]
fn carry_out(told: &str, program: &str, from: &str, to: &str) {
    let line =
        told.lines().find(|line| line.trim().starts_with(program)).unwrap_or_else(|| panic!("no {program}: {told}"));
    let path = format!("{}:{}", programs().display(), std::env::var("PATH").expect("a path"));
    let done = Command::new("bash").args(["-c", &line.replace(from, to)]).env("PATH", path).output().expect("bash");
    assert!(done.status.success(), "{line}: {}", said(&done));
}
