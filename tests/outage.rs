//! The store fails under the real binary and comes back: nothing that was accepted is lost, and nobody restarts anything.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::support::postgres::{self, Server};
use crate::support::wire::Wire;
use crate::support::{Bot, Desk, desk, serve, serve_in, ticket, wait_for};

/// Takes a delivery while all is well, breaks the store, mends it, and takes another.
fn check(desk: &Desk, bot: &Bot, break_it: impl FnOnce(), mend: impl FnOnce()) {
    let told = |id: u64| bot.deliver_for(&json!({ "ticket_id": id }), "retry-after");
    for id in 1..=2 {
        desk.helpdesk.add(ticket(id, &["purchased_wrong_product"]));
    }
    assert_eq!(told(1), (200, None));
    bot.notes(desk, 1, 1);
    break_it();
    let refused = wait_for("a delivery that is refused", || Some(told(3)).filter(|(status, _)| *status != 200));
    assert_eq!(refused, (503, Some("5".to_owned())));
    let faults = wait_for("a red /readyz", || Some(bot.get("/readyz")).filter(|(status, _)| *status == 503)).1;
    assert!(faults.to_string().contains("the store cannot be used"), "{faults}");
    assert_eq!(bot.get("/healthz").0, 200, "alive all the same");
    mend();
    wait_for("a delivery that is taken again", || (told(2).0 == 200).then_some(()));
    wait_for("a green /readyz", || (bot.get("/readyz").0 == 200).then_some(()));
    bot.notes(desk, 2, 1);
    assert_eq!((desk.helpdesk.notes(1).len(), desk.helpdesk.notes(2).len()), (1, 1), "one note each");
}

#[test]
fn a_full_disk_refuses_until_there_is_room() {
    let (desk, disk) = (desk(), SmallDisk::mount());
    let bot = serve(&desk, &disk.0, "");
    let filler = disk.0.join("filler");
    check(&desk, &bot, || fill(&filler), || std::fs::remove_file(&filler).expect("room again"));
}

#[test]
fn a_database_that_cannot_be_written_refuses_until_it_can() {
    let (desk, folder) = (desk(), tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    let files: Vec<PathBuf> = ["star.db", "star.db-wal"].map(|name| folder.path().join(name)).into();
    let fixed = Fixed(&files);
    check(&desk, &bot, || fixed.set("+i"), || fixed.set("-i"));
}

#[test]
fn a_server_that_only_reads_refuses_until_it_writes() {
    let (desk, folder, server) = (desk(), tempfile::tempdir().expect("a folder"), Server::start());
    let bot = serve_on(&desk, folder.path(), &server);
    let read_only = |on: &str| {
        let set = format!("ALTER SYSTEM SET default_transaction_read_only = {on}");
        block_on(async {
            server.execute("postgres", &set).await;
            server.execute("postgres", "SELECT pg_reload_conf()").await;
        });
    };
    check(&desk, &bot, || read_only("on"), || read_only("off"));
}

#[test]
fn a_server_that_is_gone_and_back_is_found_again() {
    let (desk, folder, server) = (desk(), tempfile::tempdir().expect("a folder"), Server::start());
    let bot = serve_on(&desk, folder.path(), &server);
    check(&desk, &bot, || server.stop(), || server.start_again());
}

#[test]
fn a_server_that_says_nothing_any_more_is_given_up() {
    let (desk, folder, server) = (desk(), tempfile::tempdir().expect("a folder"), Server::start());
    let (wire, url) = (Wire::to(server.port()), block_on(server.database()));
    let url = url.replace(&format!(":{}/", server.port()), &format!(":{}/", wire.port));
    let bot = serve_in(&desk, folder.path(), "", &[("STARWARDEN__STORE__URL", &url)]);
    (1..=3).for_each(|id| desk.helpdesk.add(ticket(id, &["purchased_wrong_product"])));
    assert_eq!(bot.deliver(&json!({ "ticket_id": 1 }), &[]).0, 200);
    bot.notes(&desk, 1, 1);
    // For a while nobody hears anything.
    wire.goes_dead();
    let begun = std::time::Instant::now();
    let status = bot.deliver(&json!({ "ticket_id": 2 }), &[]).0;
    assert!(status == 503 && begun.elapsed() < Duration::from_secs(15), "{status} after {:?}", begun.elapsed());
    wire.is_alive();
    wait_for("a delivery", || (bot.deliver(&json!({ "ticket_id": 2 }), &[]).0 == 200).then_some(()));
    bot.notes(&desk, 2, 1);
    bot.at_rest(&desk, 2);
    // What was connected stays dead: a server that was replaced behind its address.
    wire.forgets_them();
    let mut last = 0;
    wait_for("a delivery", || {
        last = bot.deliver(&json!({ "ticket_id": 3 }), &[]).0;
        (last == 200).then_some(())
    });
    bot.notes(&desk, 3, 1);
    assert_eq!(desk.helpdesk.notes(2).len(), 1);
}

#[test]
fn a_delivery_to_one_replica_wakes_another() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let url = block_on(postgres::shared().database());
    let _works = serve_in(&desk, folder.path(), "", &[("STARWARDEN__STORE__URL", &url)]);
    // One that reaches no helpdesk takes deliveries and looks at nothing.
    let other = tempfile::tempdir().expect("a folder");
    let takes =
        serve_in(&desk, other.path(), "base_url = \"http://127.0.0.1:9\"\n", &[("STARWARDEN__STORE__URL", &url)]);
    (1..=5).for_each(|id| desk.helpdesk.add(ticket(id, &["purchased_wrong_product"])));
    // By the clock alone a quarter of a minute would pass before each.
    let mut told = 0;
    wait_for("five tickets after each other, each told of by the other replica", || {
        if told > 0 && desk.helpdesk.notes(told).is_empty() {
            return None;
        }
        told += 1;
        (told > 5 || takes.deliver(&json!({ "ticket_id": told }), &[]).0 != 200).then_some(())
    });
    assert!((1..=5).all(|id| desk.helpdesk.notes(id).len() == 1));
}

#[test]
fn what_no_notification_told_of_is_found_by_the_clock() {
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let url = block_on(postgres::shared().database());
    let bot = serve_in(&desk, folder.path(), "", &[("STARWARDEN__STORE__URL", &url)]);
    desk.helpdesk.add(ticket(1, &["purchased_wrong_product"]));
    // Once it has looked at one it has asked for the next, and waits.
    assert_eq!(bot.deliver(&json!({ "ticket_id": 1 }), &[]).0, 200);
    bot.notes(&desk, 1, 1);
    bot.at_rest(&desk, 1);
    desk.helpdesk.add(ticket(2, &["purchased_wrong_product"]));
    let due = "INSERT INTO watches (account, ticket, state, due_at, marks) VALUES ('global', 2, 'due', 0, 1)";
    block_on(async { postgres::session(&url).await.batch_execute(due).await }).expect("done");
    bot.notes(&desk, 2, 1);
}

fn serve_on(desk: &Desk, folder: &Path, server: &Server) -> Bot {
    let url = block_on(server.database());
    serve_in(desk, folder, "", &[("STARWARDEN__STORE__URL", &url)])
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

/// A disk of 2 MiB, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount() -> SmallDisk {
        let disk = SmallDisk(tempfile::tempdir().expect("a folder").keep());
        as_root(&["mount", "-t", "tmpfs", "-o", "size=2m,mode=0777", "tmpfs", &disk.0.display().to_string()]);
        disk
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        as_root(&["umount", "--lazy", &self.0.display().to_string()]);
        let _may_stay = std::fs::remove_dir(&self.0);
    }
}

/// Files that can be made unchangeable, and are not when this is dropped.
struct Fixed<'a>(&'a [PathBuf]);

impl Fixed<'_> {
    fn set(&self, attribute: &str) {
        for file in self.0 {
            as_root(&["chattr", attribute, &file.display().to_string()]);
        }
    }
}

impl Drop for Fixed<'_> {
    fn drop(&mut self) {
        self.set("-i");
    }
}

fn fill(filler: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(filler).expect("a file");
    while file.write(&[0; 512]).is_ok_and(|written| written > 0) {}
}

/// Runs what only root may, by `sudo` where we are not.
fn as_root(command: &[&str]) {
    let sudo: &[&str] = if postgres::is_root() { &[] } else { &["sudo", "-n"] };
    let words: Vec<&str> = sudo.iter().chain(command).copied().collect();
    let done = Command::new(words[0]).args(&words[1..]).status().expect("a program");
    assert!(
        done.success(),
        "`{}` failed: this test needs root, or sudo without a password, on a machine that allows it",
        words.join(" ")
    );
}
