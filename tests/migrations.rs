//! Databases that an older version filled lose nothing when a newer one opens them.

use std::sync::Arc;

use starwarden::helpdesk::ticket::TicketKey;
use starwarden::store::Store;
use starwarden::store::decisions::Carried;
use starwarden::store::deliveries::{NewDelivery, Recorded, Relevance};
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

#[tokio::test]
async fn a_server_that_cannot_be_used_is_told_without_its_password() {
    for url in
        ["postgres://ann:hunter2@127.0.0.1:1/star", "postgres://ann:hunter2@", "postgres://ann:hunter2@h/d?sslmode=odd"]
    {
        let told = Postgres::open(url).await.err().expect("no server").to_string();
        assert!(told.contains("the store cannot be used") && !told.contains("hunter2"), "{told}");
    }
}
