//! Databases that an older version filled lose nothing when a newer one opens them.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use starwarden::decide::ticket::TicketKey;
use starwarden::learn::report::Sum;
use starwarden::store::Store;
use starwarden::store::decisions::Carried;
use starwarden::store::deliveries::{NewDelivery, Recorded, Relevance};
use starwarden::store::feedback::{Feedback, Opinion, Way};
use starwarden::store::postgres::Postgres;
use starwarden::store::sqlite::Sqlite;
use starwarden::store::watches::Watch;

use crate::support::postgres;

/// What the first version left behind, in the words of either database.
const FILLED: &str = "
    INSERT INTO deliveries (account, ticket, key, kind, received_at) VALUES
        ('global', 1, 'k1', 'trigger', 1000), ('global', 1, NULL, 'trigger', 2000), ('us', 2, 'k1', 'trigger', 3000);
    INSERT INTO watches (account, ticket, state, due_at, why, failures, marks, last_error) VALUES
        ('global', 1, 'due', 5000, NULL, 2, 7, 'broken'), ('us', 2, 'dead', NULL, 'too often', 8, 1, 'too often');
    INSERT INTO decisions (account, ticket, reference, decided_at, verdict, fingerprint, decision, note, carried) VALUES
        ('global', 1, 'A', 1500, 'no_need', 'f1', '{\"outcome_node\":\"No\"}', 'note A', 'posted'),
        ('global', 1, 'B', 2500, 'ok_to_star', 'f2', '{\"outcome_node\":\"Ok\"}', 'note B', 'open');
";

async fn check(store: Arc<dyn Store>) {
    let key = |account: &str, id| TicketKey { account: account.into(), id };
    let history = store.history(&key("global", 1)).await.expect("read").expect("a ticket");
    assert_eq!(history.watch, Watch::Due { at: chrono::DateTime::from_timestamp_millis(5000).expect("an instant") });
    assert_eq!(history.last_error.as_deref(), Some("broken"));
    let received: Vec<_> = history.deliveries.iter().map(|row| row.received_at.timestamp_millis()).collect();
    assert_eq!(received, [1000, 2000]);
    let decisions: Vec<_> =
        history.decisions.iter().map(|row| (row.reference.as_str(), row.note.as_str(), row.carried)).collect();
    assert_eq!(decisions, [("A", "note A", Carried::Posted), ("B", "note B", Carried::Open)]);
    let last = store.last_decision(&key("global", 1)).await.expect("read").expect("a decision");
    assert_eq!((last.reference.as_str(), last.verdict.as_str()), ("A", "no_need"));
    let dead = store.history(&key("us", 2)).await.expect("read").expect("a ticket");
    assert_eq!(dead.watch, Watch::Dead { error: "too often".into() });
    let claims =
        store.claim("global", chrono::Utc::now(), std::time::Duration::from_secs(60), 10).await.expect("claimed");
    assert_eq!((claims.len(), claims[0].failures, claims[0].marks), (1, 2, 7));
    let again = NewDelivery {
        ticket: key("global", 1),
        key: Some("k1".into()),
        kind: "trigger".into(),
        received_at: chrono::DateTime::from_timestamp_millis(9000).expect("an instant"),
        due_at: chrono::DateTime::from_timestamp_millis(9000).expect("an instant"),
        relevance: Relevance::Ours,
    };
    assert_eq!(store.record(again).await.expect("kept"), Recorded::Duplicate);
}

#[tokio::test]
async fn a_sqlite_file_of_the_first_version_is_brought_up_to_date() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("star.db");
    let old = rusqlite::Connection::open(&path).expect("a file");
    old.execute_batch(include_str!("../src/store/migrations/sqlite/0001_deliveries_watches_decisions.sql"))
        .expect("made");
    old.execute_batch(FILLED).expect("filled");
    old.pragma_update(None, "user_version", 1).expect("a version");
    drop(old);
    let opening: Vec<_> =
        (0..4).map(|_| path.clone()).map(|path| std::thread::spawn(move || Sqlite::open(&path).map(drop))).collect();
    for one in opening {
        one.join().expect("a thread").expect("opened");
    }
    check(Arc::new(Sqlite::open(&path).expect("a store"))).await;
}

#[tokio::test]
async fn a_postgres_database_of_the_first_version_is_brought_up_to_date() {
    let server = postgres::shared();
    let url = server.database().await;
    let name = url.rsplit('/').next().expect("a name");
    server.execute(name, include_str!("../src/store/migrations/postgres/0001_deliveries_watches_decisions.sql")).await;
    server
        .execute(name, "CREATE TABLE migrations (version BIGINT PRIMARY KEY); INSERT INTO migrations VALUES (1)")
        .await;
    server.execute(name, FILLED).await;
    let opening: Vec<_> = (0..4)
        .map(|_| url.clone())
        .map(|url| tokio::spawn(async move { Postgres::open(&url).await.map(drop) }))
        .collect();
    for one in opening {
        one.await.expect("a task").expect("opened");
    }
    check(Arc::new(Postgres::open(&url).await.expect("a store"))).await;
    server.execute(name, "INSERT INTO migrations VALUES (1000)").await;
    let newer = Postgres::open(&url).await.err().expect("newer").to_string();
    assert!(newer.contains("newer version"), "{newer}");
}

/// What the version before the sums left behind: two tickets, opinions, a decision of an older shape, one that quotes a NUL.
const DECIDED: &str = r#"
    INSERT INTO deliveries (account, ticket, kind, received_at) VALUES ('global', 1, 'trigger', 86400000), ('global', 2, 'trigger', 86400000);
    INSERT INTO decisions (account, ticket, reference, decided_at, verdict, fingerprint, decision, note, carried, posted_at) VALUES
        ('global', 1, 'A', 86401000, 'needs_facts', 'f', '{"path":[],"missing":[{"fact":"trial","question":"For a trial?"}],"workflow":null}', '', 'posted', 86402000),
        ('global', 1, 'B', 86500000, 'no_need', 'f', '{"path":[{"node":"A","text":"Which?","fact":"request","answer":"plan_license","trust":"recorded","source":"nothing on the ticket: says otherwise"},{"node":"T","text":"Trial?","fact":"trial","answer":"yes","trust":"stated","source":"Ann, note"}],"beyond":[{"node":"H","text":"24 h?","fact":"expires_at","answer":"no","trust":"inferred","source":"words","quote":{"text":"a\u0000b"}}],"missing":[],"workflow":"saas_extension"}', '', 'posted', 86520000),
        ('global', 1, 'C', 172900000, 'ok_to_star', 'f', '{"path":[{"node":"G","text":"Grace?","fact":"in_grace","answer":"no","trust":"recorded","source":"expired 19 Nov + 14 days of grace"},{"node":"X","text":"X?","fact":"x","answer":"no","trust":"recorded","source":"tag trial (of two)"}],"missing":[]}', '', 'posted', 172910000),
        ('global', 2, 'D', 86600000, 'no_need', 'f', '{}', '', 'overtaken', NULL),
        ('global', 2, 'E', 86700000, 'no_need', 'f', '{}', '', 'shadow', NULL);
    INSERT INTO feedback (account, ticket, reference, verdict, decided_at, key, opinion, detail, who, said_at, way) VALUES
        ('global', 1, 'B', 'no_need', 86500000, 'k1', 'disagree', 'no', 'ann', 90000000, 'console'),
        ('global', 1, 'B', 'no_need', 86500000, 'k2', 'agree', '', 'bob', 91000000, 'console'),
        ('global', 2, 'E', 'no_need', 86700000, 'k3', 'corrected', 'ok_to_star', 'cid', 92000000, 'tag');
"#;

async fn check_sums(store: Arc<dyn Store>) {
    let sums = store.sums(None).await.expect("read");
    let told: Vec<_> = sums.gists.iter().map(|(gist, sum)| (gist.verdict.as_str(), *sum)).collect();
    let sum = |tickets, saved, agreed, disagreed| Sum { decisions: 1, tickets, saved, agreed, disagreed };
    let expected = [
        ("needs_facts", sum(1, 0, 0, 0)),
        ("no_need", sum(0, 1, 1, 0)),
        ("no_need", sum(1, 0, 0, 1)),
        ("ok_to_star", sum(0, 0, 0, 0)),
    ];
    assert_eq!(told, expected);
    let pair = |name: &str, label: &str| (name.to_owned(), label.to_owned());
    let gist = &sums.gists[1].0;
    assert_eq!((gist.request.as_deref(), gist.workflow.as_deref()), (Some("plan_license"), Some("saas_extension")));
    assert_eq!(gist.nodes, [pair("A", "Which?"), pair("T", "Trial?"), pair("H", "24 h?")]);
    let sources = |nth: usize| sums.gists[nth].0.sources.iter().map(String::as_str).collect::<BTreeSet<_>>();
    assert_eq!(sources(1), BTreeSet::from(["nothing on the ticket", "a manager's answer", "the customer's words"]));
    assert_eq!(sources(3), BTreeSet::from(["reckoned from the expiry", "tag trial"]));
    assert_eq!(sums.gists[0].0.asked, [pair("trial", "For a trial?")]);
    assert_eq!(sums.waits, [(120, 1)]);
    let listed = store.disagreements(None, 9).await.expect("read");
    assert_eq!(listed.iter().map(|it| it.feedback.reference.as_str()).collect::<Vec<_>>(), ["E"]);
    // What was there before goes on being counted: an opinion, and what comes next on a ticket.
    let ticket = TicketKey { account: "global".into(), id: 2 };
    let said_at = chrono::DateTime::from_timestamp_millis(99_000_000).expect("an instant");
    let agree = Feedback {
        ticket,
        reference: "E".into(),
        opinion: Opinion::Agree,
        who: "ann".into(),
        said_at,
        way: Way::Console,
    };
    store.record_feedback(&[agree]).await.expect("kept");
    assert_eq!(store.sums(None).await.expect("read").gists[2].1, sum(1, 1, 1, 0));
}

#[tokio::test]
async fn what_was_decided_before_there_were_sums_is_in_them() {
    let folder = tempfile::tempdir().expect("a folder");
    for store in filled_before(folder.path(), "0013_sums.sql", DECIDED).await {
        check_sums(store).await;
    }
}

/// A delivery that was taken again once its key was forgotten, as versions did that kept keys for two weeks.
const TAKEN_TWICE: &str = "
    INSERT INTO deliveries (account, ticket, key, kind, received_at) VALUES
        ('global', 1, 'k1', 'trigger', 1000), ('global', 1, 'k1', 'trigger', 2000), ('global', 2, 'k1', 'trigger', 3000);
    INSERT INTO heard (account, week, key) VALUES ('global', 0, 'k1');
    INSERT INTO watches (account, ticket, state, due_at) VALUES ('global', 1, 'due', 5000), ('global', 2, 'due', 5000);
";

async fn keeps_both_and_knows_the_next(store: Arc<dyn Store>) {
    for (id, times) in [(1, 2), (2, 1)] {
        let ticket = TicketKey { account: "global".into(), id };
        let at = chrono::DateTime::from_timestamp_millis(9000).expect("an instant");
        let (kind, key) = ("trigger".into(), Some("k1".into()));
        let again =
            NewDelivery { ticket: ticket.clone(), key, kind, received_at: at, due_at: at, relevance: Relevance::Ours };
        assert_eq!(store.record(again).await.expect("known"), Recorded::Duplicate);
        let history = store.history(&ticket).await.expect("read").expect("a ticket");
        assert_eq!(history.deliveries.len(), times);
    }
}

#[tokio::test]
async fn deliveries_that_were_taken_twice_stay_and_are_known_from_then_on() {
    let folder = tempfile::tempdir().expect("a folder");
    for store in filled_before(folder.path(), "0014_repeats_by_ticket.sql", TAKEN_TWICE).await {
        keeps_both_and_knows_the_next(store).await;
    }
}

/// A store of each kind that was filled before there was a migration, and is opened now.
async fn filled_before(folder: &Path, migration: &str, fill: &str) -> [Arc<dyn Store>; 2] {
    let path = folder.join("star.db");
    let old = rusqlite::Connection::open(&path).expect("a file");
    let migrations = migrations_before("sqlite", migration);
    for migration in &migrations {
        old.execute_batch(migration).expect("made");
    }
    old.execute_batch(fill).expect("filled");
    old.pragma_update(None, "user_version", u32::try_from(migrations.len()).expect("few")).expect("a version");
    drop(old);

    let server = postgres::shared();
    let url = server.database().await;
    let name = url.rsplit('/').next().expect("a name");
    let migrations = migrations_before("postgres", migration);
    for migration in &migrations {
        server.execute(name, migration).await;
    }
    server.execute(name, "CREATE TABLE migrations (version BIGINT PRIMARY KEY)").await;
    server.execute(name, &format!("INSERT INTO migrations VALUES ({})", migrations.len())).await;
    server.execute(name, fill).await;
    [Arc::new(Sqlite::open(&path).expect("a store")), Arc::new(Postgres::open(&url).await.expect("a store"))]
}

fn migrations_before(database: &str, next: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/migrations").join(database);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path()).collect();
    files.sort();
    let files = files.iter().take_while(|file| !file.ends_with(next));
    files.map(|file| std::fs::read_to_string(file).expect("a migration")).collect()
}

#[tokio::test]
async fn a_server_that_cannot_be_used_is_told_without_its_password() {
    for url in
        ["postgres://ann:hunter2@127.0.0.1:1/star", "postgres://ann:hunter2@", "postgres://ann:hunter2@h/d?sslmode=odd"]
    {
        let told = Postgres::open(url).await.err().expect("no server").to_string();
        assert!(told.contains("the store cannot be used") && !told.contains("hunter2"), "{told}");
    }
}
