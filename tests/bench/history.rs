//! Whether the size of history slows the receiver: deliveries a second that are kept, into an empty store and into one
//! that holds millions, for both stores. `cargo bench --bench history -- 5000000`; without a number, 100,000.

#![allow(clippy::expect_used, clippy::print_stdout, dead_code, reason = "a benchmark may fail loudly, and prints")]

#[path = "../support/postgres.rs"]
mod postgres;

use std::time::Instant;

use chrono::Utc;
use starwarden::decide::ticket::TicketKey;
use starwarden::store::Store;
use starwarden::store::deliveries::{NewDelivery, Recorded, Relevance};

/// How many senders there are, and how many deliveries each sends for one figure.
const SENDERS: u64 = 32;
const EACH: u64 = 1_000;

/// A history of 400 days: five deliveries for each ticket, and keys without an order as the helpdesk's have none.
const SQLITE_FILL: &str = "
    BEGIN;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ROWS)
    INSERT INTO deliveries (account, ticket, key, kind, received_at)
    SELECT 'global', i / 5, lower(hex(randomblob(16))), 'zen:event-type:ticket.tags_changed', NOW - (ROWS - i) * 34560000000 / ROWS FROM n;
    INSERT INTO watches (account, ticket, state, marks) SELECT 'global', ticket, 'idle', count(*) FROM deliveries GROUP BY ticket;
    COMMIT;";

const POSTGRES_FILL: &str = "
    INSERT INTO deliveries (account, ticket, key, kind, received_at)
    SELECT 'global', i / 5, gen_random_uuid()::text, 'zen:event-type:ticket.tags_changed', NOW - (ROWS - i) * 34560000000 / ROWS
    FROM generate_series(1::bigint, ROWS) AS i;
    INSERT INTO watches (account, ticket, state, marks) SELECT 'global', ticket, 'idle', count(*) FROM deliveries GROUP BY ticket;
    VACUUM ANALYZE;";

#[tokio::main(worker_threads = 2)]
async fn main() {
    let rows: u64 = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(100_000);
    let filled =
        |fill: &str| fill.replace("ROWS", &rows.to_string()).replace("NOW", &Utc::now().timestamp_millis().to_string());
    println!("{SENDERS} senders, {} deliveries for each figure, a history of {rows}", SENDERS * EACH);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let path = folder.path().join("star.db");
    let sqlite = || Store::sqlite(&path).expect("a store");
    let empty = rate(sqlite(), rows).await;
    let file = rusqlite::Connection::open(&path).expect("a file");
    file.execute_batch("DELETE FROM deliveries; DELETE FROM watches").expect("emptied");
    file.execute_batch(&filled(SQLITE_FILL)).expect("filled");
    drop(file);
    print("SQLite", empty, rate(sqlite(), rows).await);

    let server = postgres::shared();
    let (url, full) = (server.database().await, server.database().await);
    let empty = rate(Store::postgres(&url).await.expect("a store"), rows).await;
    let store = Store::postgres(&full).await.expect("a store");
    let name = full.rsplit('/').next().expect("a name");
    for statement in filled(POSTGRES_FILL).split(';').filter(|text| !text.trim().is_empty()) {
        server.execute(name, statement).await;
    }
    print("PostgreSQL", empty, rate(store, rows).await);
}

fn print(store: &str, empty: f64, full: f64) {
    println!("{store}: {empty:.0} a second when empty, {full:.0} with its history: {:.2} of it", full / empty);
}

/// Deliveries a second that `store` keeps, of new tickets and of the few hundred before them.
async fn rate(store: Store, rows: u64) -> f64 {
    let begun = Instant::now();
    let senders: Vec<_> = (0..SENDERS).map(|sender| tokio::spawn(send(store.clone(), sender, rows))).collect();
    for sender in senders {
        sender.await.expect("a sender");
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let sent = (SENDERS * EACH) as f64;
    sent / begun.elapsed().as_secs_f64()
}

async fn send(store: Store, sender: u64, rows: u64) {
    for nth in 0..EACH {
        let mixed = (sender * EACH + nth).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let now = Utc::now();
        let delivery = NewDelivery {
            ticket: TicketKey {
                account: "global".into(),
                id: rows / 5 + 200 + (sender * EACH + nth) / 5 - mixed % 200,
            },
            key: Some(format!("{mixed:016x}{:016x}", mixed.rotate_left(32))),
            kind: "zen:event-type:ticket.tags_changed".into(),
            happened_at: None,
            received_at: now,
            due_at: now,
            relevance: Relevance::Ours,
        };
        assert_eq!(store.record(delivery).await.expect("kept"), Recorded::Accepted);
    }
}
