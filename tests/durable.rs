//! A delivery that was answered with 200 is on disk: the flush comes first, and not by luck.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::json;
use tokio::runtime::Runtime;

use crate::support::{desk, event, postgres, serve_in, serve_under, wait_for};

/// How far a delivery has come, by the calls to the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Come {
    NotYet,
    Read,
    Written,
    Flushed,
}

/// How far each delivery had come when the answer to it was given, as strace tells.
///
/// A call that is in hand while another thread makes one has two lines, `… <unfinished ...>` and `<... resumed> …`; only
/// the second tells that it is over.
fn when_answered(trace: &str) -> Vec<Come> {
    let (mut come, mut answered, mut flushing) = (Come::NotYet, Vec::new(), BTreeSet::new());
    for line in trace.lines() {
        let (thread, call) = line.split_once(' ').unwrap_or_default();
        let call = call.trim_start();
        let is_one_of = |names: &[&str]| names.iter().any(|name| call.split('(').next() == Some(name));
        let of_the_log = call.contains("star.db-wal>");
        let flushes = of_the_log && is_one_of(&["fsync", "fdatasync"]);
        if flushes && call.contains("<unfinished") {
            flushing.insert(thread);
        }
        let over = flushes || (call.contains("sync resumed>") && flushing.remove(thread));
        come = match come {
            _ if call.contains("POST /webhooks/") => Come::Read,
            Come::Read if of_the_log && is_one_of(&["pwrite64"]) => Come::Written,
            Come::Written if over && call.ends_with("= 0") => Come::Flushed,
            as_before @ (Come::NotYet | Come::Read | Come::Written | Come::Flushed) => as_before,
        };
        // What is read with these words is the helpdesk's answer to the bot.
        let answers = is_one_of(&["write", "writev", "sendto"]) && call.contains("HTTP/1.1 200");
        if answers && come > Come::NotYet {
            answered.push(std::mem::replace(&mut come, Come::NotYet));
        }
    }
    answered
}

#[test]
fn sqlite_flushes_a_delivery_before_it_is_answered() {
    let (desk, folder) = (desk(), tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder"));
    let trace = folder.path().join("trace");
    let mut strace = Command::new("strace"); // `-D`: it runs beside the bot, which is the process that is started.
    strace.args(["-D", "-f", "-yy", "-s", "40", "-o"]).arg(&trace);
    strace.args(["-e", "trace=read,recvfrom,write,writev,sendto,pwrite64,fsync,fdatasync"]);
    let mut bot = serve_under(&mut strace, &desk, folder.path(), "");
    for id in 1..=3 {
        assert_eq!(bot.deliver(&event(&format!("e{id}"), id, "tags_changed"), &[]).0, 200);
    }
    assert_eq!(bot.stop(), Some(0));
    let trace = wait_for("the end of the trace", || {
        std::fs::read_to_string(&trace).ok().filter(|trace| trace.contains("+++ exited with 0 +++"))
    });
    let told = trace.lines().filter(|line| line.contains("star.db-wal>") || line.contains("HTTP/1.1"));
    assert_eq!(when_answered(&trace), [Come::Flushed; 3], "{:#?}", told.collect::<Vec<_>>());
}

#[test]
fn postgres_is_asked_to_flush_whatever_the_server_does_by_default() {
    let (desk, folder, runtime) = (desk(), tempfile::tempdir().expect("a folder"), Runtime::new().expect("a runtime"));
    let url = runtime.block_on(postgres::shared().database());
    let asked = |statement: &str| -> Vec<String> {
        let rows = runtime.block_on(async { postgres::session(&url).await.query(statement, &[]).await });
        rows.expect("an answer").iter().map(|row| row.get(0)).collect()
    };
    let database = url.rsplit('/').next().expect("its name").to_owned();
    asked(&format!("ALTER DATABASE {database} SET synchronous_commit = off"));
    assert_eq!(asked("SHOW synchronous_commit"), ["off"], "the server's default");
    let bot = serve_in(&desk, folder.path(), "", &[("STARWARDEN__STORE__URL", &url)]);
    // What holds in the very transaction that records a delivery is kept beside it.
    let see = "CREATE TABLE seen (setting TEXT);
        CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
        CREATE TRIGGER see AFTER INSERT ON deliveries FOR EACH ROW EXECUTE FUNCTION see()";
    runtime.block_on(async { postgres::session(&url).await.batch_execute(see).await }).expect("a trigger");
    assert_eq!(bot.deliver(&json!({ "ticket_id": 1 }), &[]).0, 200);
    assert_eq!(asked("SELECT setting FROM seen"), ["on"]);
}
