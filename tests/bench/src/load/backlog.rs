//! A backlog worked off: tickets a second, calls a ticket, memory.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use serde_json::json;
use starwarden::decide::ticket::{Reading, TicketKey};
use starwarden::demo::helpdesk::StandIn;
use starwarden::store::Store;
use tokio::net::TcpListener;

use crate::postgres;
use crate::servers::{Server, folder};

/// How many tickets are due.
const TICKETS: u64 = 50_000;

/// A budget that is never the limit.
const PER_MINUTE: u32 = 10_000_000;

/// Measures it on every kind of store, and prints a table.
pub async fn measure() {
    println!("{TICKETS} tickets due, each of which gets a note; the helpdesk answers at once, in this process");
    let mut table = Table::new();
    let head = [
        "store",
        "tickets a second",
        "reads a ticket",
        "writes a ticket",
        "MiB at a tenth",
        "at half",
        "at the end",
        "peak",
    ];
    table.load_style(UTF8_FULL_CONDENSED).set_header(head);
    let folder = folder();
    let file = folder.path().join("star.db");
    fill(Store::sqlite(&file).expect("a store")).await;
    table.add_row(worked("SQLite", &format!("sqlite:{}", file.display())).await);
    let database = postgres::shared().database().await;
    fill(Store::postgres(&database).await.expect("a store")).await;
    table.add_row(worked("PostgreSQL", &database).await);
    println!("{table}");
}

/// Marks all tickets due.
async fn fill(store: Store) {
    let marking: Vec<_> = (0..64)
        .map(|nth| {
            let store = store.clone();
            tokio::spawn(async move {
                for id in (1..=TICKETS).filter(|id| id % 64 == nth) {
                    let ticket = TicketKey { account: "global".into(), id };
                    store.mark_due(&ticket, Utc::now()).await.expect("marked");
                }
            })
        })
        .collect();
    for one in marking {
        one.await.expect("a task");
    }
}

/// Has them worked off; a row of the table.
async fn worked(name: &str, store: &str) -> Vec<String> {
    let helpdesk = StandIn::new();
    (1..=TICKETS).for_each(|id| helpdesk.add(ticket(id)));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let router = helpdesk.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let own = folder();
    let server = Server::starwarden(own.path(), store, &url, PER_MINUTE);
    let (begun, mut memory) = (Instant::now(), Vec::new());
    for part in [TICKETS / 10, TICKETS / 2, TICKETS] {
        while (helpdesk.writes() as u64) < part {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        memory.push(server.memory());
    }
    let rate = TICKETS as f64 / begun.elapsed().as_secs_f64();
    let calls = helpdesk.calls();
    let of_tickets = |method: &str| {
        let calls = calls.iter().filter(|call| call.method == method && call.path.starts_with("/api/v2/tickets/"));
        format!("{:.4}", calls.count() as f64 / TICKETS as f64)
    };
    let peak = memory.last().expect("a figure").peak;
    let mut row = vec![name.to_owned(), format!("{rate:.0}"), of_tickets("GET"), of_tickets("PUT")];
    row.extend(memory.iter().map(|memory| format!("{:.1}", memory.now)));
    row.push(format!("{peak:.1}"));
    row
}

/// A starred ticket, last touched an hour ago.
pub fn ticket(id: u64) -> Reading {
    let at = Utc::now() - TimeDelta::hours(1);
    let ticket = json!({ "id": id, "subject": "Help", "description": "Please help.", "status": "open",
        "tags": ["star_submitted", "lr", "purchased_wrong_product"], "ticket_form_id": 360000071293_u64,
        "requester_id": 5001, "assignee_id": 7001, "created_at": at, "updated_at": at });
    Reading { ticket: serde_json::from_value(ticket).expect("a ticket"), ..Reading::default() }
}
