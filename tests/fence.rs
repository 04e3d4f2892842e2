//! A replica that was only slow: stopped between its reading and its record, or between its record and its write, it comes
//! back with all that it needs, and the ticket is another's.
//!
//! It is held where it is to be stopped by a lock in the database, for a call to the helpdesk would only run out of time.

use std::sync::LazyLock;

use starwarden::demo::helpdesk::Publicity;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_postgres::Client;

use crate::support::{Bot, Desk, desk, event, postgres, serve_in, ticket, wait_for};

/// What a manager says first, and what stands on the ticket once the slow one has read it.
const FIRST: &str = "star: trial=no, in_grace=no, expires_at=2020-01-01";
const THEN: &str = "star: trial=yes, sales_assisted=no";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// A database that two replicas share, the helpdesk with the ticket, and the replica that is going to be slow.
struct Race {
    desk: Desk,
    url: String,
    folders: [TempDir; 2],
    locks: Client,
    /// One of its own, for within a transaction the server shows what was going on when it was first asked.
    watches: Client,
}

impl Race {
    fn new() -> Race {
        let (desk, url) = (desk(), RUNTIME.block_on(postgres::shared().database()));
        let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        let [locks, watches] = [(); 2].map(|()| RUNTIME.block_on(postgres::session(&url)));
        desk.helpdesk.add(ticket(1, &[]));
        desk.helpdesk.say(1, 7001, FIRST, Publicity::Internal);
        Race { desk, url, folders, locks, watches }
    }

    fn replica(&self, nth: usize) -> Bot {
        let extra =
            "[work]\nanswer_within = \"2s\"\nlease = \"4s\"\n[chat]\nwebhook_url = \"http://127.0.0.1:9/hook\"\n";
        serve_in(&self.desk, self.folders[nth].path(), extra, &[("STARWARDEN__STORE__URL", &self.url)])
    }

    /// Takes a lock, and keeps it until [`Race::let_go`].
    fn hold(&self, lock: &str) {
        RUNTIME.block_on(self.locks.batch_execute(&format!("BEGIN; {lock}"))).expect("the lock");
    }

    fn let_go(&self) {
        RUNTIME.block_on(self.locks.batch_execute("COMMIT")).expect("the end of the lock");
    }

    /// Waits until so many statements with these words wait for the lock.
    #[track_caller]
    fn wait_for_waiting(&self, words: &str, count: i64) {
        let waiting = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND strpos(query, $1) > 0";
        wait_for(&format!("{count} times `{words}` to wait for the lock"), || {
            let row = RUNTIME.block_on(self.watches.query_one(waiting, &[&words])).expect("an answer");
            (row.get::<_, i64>(0) == count).then_some(())
        });
    }

    /// The ticket changes so that whoever reads it from now on decides otherwise.
    fn ticket_changes(&self) {
        self.desk.helpdesk.change(1, |reading| drop(reading.comments.pop()));
        self.desk.helpdesk.say(1, 7001, THEN, Publicity::Internal);
    }

    fn writes(&self) -> usize {
        self.desk.helpdesk.writes()
    }
}

/// The verdicts recorded for the ticket, each with what became of it.
fn recorded(bot: &Bot) -> Vec<String> {
    let kept = bot.kept(1);
    let rows = kept["decisions"].as_array().expect("decisions").iter();
    rows.map(|row| format!("{} {}", row["decision"]["verdict"], row["carried"]).replace('"', "")).collect()
}

#[test]
fn one_that_comes_to_its_record_late_records_nothing() {
    let race = Race::new();
    let mut slow = race.replica(0);
    race.hold("LOCK TABLE decisions IN SHARE MODE");
    slow.deliver(&event("e1", 1, "tags_changed"), &[]);
    race.wait_for_waiting("UPDATE decisions SET carried", 1);
    slow.signal("STOP");
    race.ticket_changes();
    let bot = race.replica(1);
    race.wait_for_waiting("UPDATE decisions SET carried", 2); // The other has the ticket, for the lease has ended, and has read it.
    race.let_go();
    bot.notes(&race.desk, 1, 1);
    slow.signal("CONT");
    assert_eq!(slow.stop(), Some(0), "it ends what it had in hand");
    bot.at_rest(&race.desk, 1);
    assert_eq!((recorded(&bot), race.writes()), (vec!["no_need posted".to_owned()], 1));
}

#[test]
fn one_that_comes_to_its_write_late_writes_nothing() {
    let race = Race::new();
    let mut slow = race.replica(0);
    race.hold("LOCK TABLE follow_ups IN SHARE MODE");
    slow.deliver(&event("e1", 1, "tags_changed"), &[]);
    race.wait_for_waiting("INSERT INTO follow_ups", 1); // Its decision is recorded, and is to be heard of in the chat.
    slow.signal("STOP");
    race.ticket_changes();
    let bot = race.replica(1);
    bot.notes(&race.desk, 1, 1);
    race.let_go();
    bot.at_rest(&race.desk, 1);
    // The slow one asks twice whether the ticket is still its own: at its heartbeat, which may come too late, and before
    // it writes. Neither is answered before both have asked.
    race.hold("LOCK TABLE watches IN SHARE MODE");
    slow.signal("CONT");
    race.wait_for_waiting("UPDATE watches SET lease_until", 2);
    race.let_go();
    assert_eq!(slow.stop(), Some(0), "it ends what it had in hand");
    bot.at_rest(&race.desk, 1);
    assert_eq!((recorded(&bot), race.writes()), (vec!["ok_to_star overtaken".into(), "no_need posted".to_owned()], 1));
}
