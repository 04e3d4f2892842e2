//! Databases that an older version filled lose nothing when a newer one opens them.

use starwarden::decide::ticket::TicketKey;
use starwarden::store::decisions::Carried;
use starwarden::store::deliveries::{NewDelivery, Recorded, Relevance};
use starwarden::store::watches::Watch;
use starwarden::store::{Schema, Store};

use crate::support::postgres;

/// What an older version left behind, in the words of either database.
const FILLED: &str = "
    INSERT INTO deliveries (account, ticket, key, kind, received_at) VALUES
        ('global', 1, 'k1', 'trigger', 1000), ('global', 1, NULL, 'trigger', 2000), ('us', 2, 'k1', 'trigger', 3000);
    INSERT INTO watches (account, ticket, state, due_at, why, failures, marks, last_error) VALUES
        ('global', 1, 'due', 5000, NULL, 2, 7, 'broken'), ('us', 2, 'dead', NULL, 'too often', 8, 1, 'too often');
    INSERT INTO decisions (account, ticket, reference, decided_at, verdict, fingerprint, decision, note, carried, kind, walked, basis) VALUES
        ('global', 1, 'A', 1500, 'no_need', 'f1', '{\"outcome_node\":\"No\"}', 'note A', 'posted', 1, '[]', '{}'),
        ('global', 1, 'B', 2500, 'ok_to_star', 'f2', '{\"outcome_node\":\"Ok\"}', 'note B', 'open', 2, '[]', '{}');
";

/// A later version, which would fail were it applied a second time; and one that fails half way.
const LATER: &str = "ALTER TABLE watches ADD COLUMN later BIGINT; UPDATE watches SET marks = marks + 100";
const BROKEN: &str = "UPDATE watches SET marks = 0; UPDATE nothing SET marks = 0";

async fn check(store: Store) {
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
    assert_eq!((claims.len(), claims[0].failures, claims[0].marks), (1, 2, 107));
    let again = NewDelivery {
        ticket: key("global", 1),
        key: Some("k1".into()),
        kind: "trigger".into(),
        happened_at: None,
        received_at: chrono::DateTime::from_timestamp_millis(9000).expect("an instant"),
        due_at: chrono::DateTime::from_timestamp_millis(9000).expect("an instant"),
        relevance: Relevance::Ours,
    };
    assert_eq!(store.record(again).await.expect("kept"), Recorded::Duplicate);
}

#[tokio::test]
async fn a_sqlite_file_of_an_older_version_is_brought_up_to_date_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("star.db");
    drop(Store::sqlite(&path).expect("a store"));
    rusqlite::Connection::open(&path).expect("the file").execute_batch(FILLED).expect("filled");
    let open = |path: &std::path::Path, more: &[&str]| {
        let versions: Vec<&str> = Schema::SQLITE.0.iter().chain(more).copied().collect();
        Store::sqlite_with(path, Schema(&versions))
    };
    assert!(open(&path, &[BROKEN]).is_err(), "a version that fails");
    drop(Store::sqlite(&path).expect("left as it was, and with nothing of it done"));
    let opening: Vec<_> =
        (0..4).map(|_| path.clone()).map(|path| std::thread::spawn(move || open(&path, &[LATER]).map(drop))).collect();
    for one in opening {
        one.join().expect("a thread").expect("opened");
    }
    check(open(&path, &[LATER]).expect("a store")).await;
    let newer = Store::sqlite(&path).err().expect("newer").to_string();
    assert!(newer.contains("newer version"), "{newer}");
}

#[tokio::test]
async fn a_postgres_database_of_an_older_version_is_brought_up_to_date_once() {
    let server = postgres::shared();
    let url = server.database().await;
    drop(Store::postgres(&url).await.expect("a store"));
    server.execute(url.rsplit('/').next().expect("a name"), FILLED).await;
    let open = async |url: &str, more: &[&str]| {
        let versions: Vec<&str> = Schema::POSTGRES.0.iter().chain(more).copied().collect();
        Store::postgres_with(url, Schema(&versions)).await
    };
    assert!(open(&url, &[BROKEN]).await.is_err(), "a version that fails");
    drop(Store::postgres(&url).await.expect("left as it was, and with nothing of it done"));
    let opened = tokio::join!(open(&url, &[LATER]), open(&url, &[LATER]), open(&url, &[LATER]), open(&url, &[LATER]));
    for one in [opened.0, opened.1, opened.2, opened.3] {
        one.expect("opened");
    }
    check(open(&url, &[LATER]).await.expect("a store")).await;
    let newer = Store::postgres(&url).await.err().expect("newer").to_string();
    assert!(newer.contains("newer version"), "{newer}");
}

#[tokio::test]
async fn a_server_that_cannot_be_used_is_told_without_its_password() {
    for url in
        ["postgres://ann:hunter2@127.0.0.1:1/star", "postgres://ann:hunter2@", "postgres://ann:hunter2@h/d?sslmode=odd"]
    {
        let told = Store::postgres(url).await.err().expect("no server").to_string();
        assert!(told.contains("the store cannot be used") && !told.contains("hunter2"), "{told}");
    }
}
