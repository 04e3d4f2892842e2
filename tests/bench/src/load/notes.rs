//! STARs evenly over a minute: how long each waits for its note.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use secrecy::SecretString;
use starwarden::demo::helpdesk::StandIn;
use tokio::net::TcpListener;

use crate::backlog::ticket;
use crate::deliveries::{Signed, connect, send};
use crate::postgres;
use crate::servers::{SECRET, Server, folder};

/// How many STARs come in a minute.
const STARS: u64 = 60;

/// Our share of the helpdesk's API limit, calls a minute.
const PER_MINUTE: u32 = 400;

/// How many updates of tickets the helpdesk takes in a minute.
const UPDATES: u32 = 100;

/// How long the helpdesk takes for a call.
const ANSWERS_IN: Duration = Duration::from_millis(200);

const MINUTE: Duration = Duration::from_secs(60);

/// Measures it on every kind of store, and prints a table.
pub async fn measure() {
    println!(
        "{STARS} STARs evenly over a minute, a budget of {PER_MINUTE} calls a minute; the helpdesk takes {UPDATES} updates a minute and {} ms a call",
        ANSWERS_IN.as_millis()
    );
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(["store", "p50 s", "p99 s", "slowest s", "refused updates"]);
    let own = folder();
    table.add_row(minute("SQLite", &format!("sqlite:{}", own.path().join("star.db").display())).await);
    table.add_row(minute("PostgreSQL", &postgres::shared().database().await).await);
    println!("{table}");
}

/// Stars tickets for a minute, and waits for the last note; a row of the table.
async fn minute(name: &str, store: &str) -> Vec<String> {
    let helpdesk = StandIn::new();
    (1..=STARS).for_each(|id| helpdesk.add(ticket(id)));
    let limit = Arc::new(Limit { updates: Mutex::new((Instant::now(), 0)), refused: Mutex::new(0) });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let router = helpdesk.router().layer(middleware::from_fn_with_state(limit.clone(), limited));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let own = folder();
    let server = Server::starwarden(own.path(), store, &url, PER_MINUTE);
    let secret = SecretString::from(SECRET);
    let begun = Instant::now();
    let (mut starred, mut noted) = (BTreeMap::new(), BTreeMap::new());
    while (noted.len() as u64) < STARS {
        let next = starred.len() as u64;
        if next < STARS && begun.elapsed() >= MINUTE.mul_f64(next as f64 / STARS as f64) {
            let id = next + 1;
            starred.insert(id, Instant::now());
            let delivery = Signed::of(id, &format!("star-{id}"), Utc::now(), &secret);
            send(connect(server.address).await, vec![delivery]).await;
        }
        for (id, at) in &starred {
            if !noted.contains_key(id) && !helpdesk.notes(*id).is_empty() {
                noted.insert(*id, at.elapsed());
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut waits: Vec<f64> = noted.into_values().map(|wait| wait.as_secs_f64()).collect();
    waits.sort_by(f64::total_cmp);
    let within = |part: f64| waits[((waits.len() as f64 * part).ceil() as usize).saturating_sub(1)];
    let mut row = vec![name.to_owned()];
    row.extend([0.5, 0.99, 1.0].map(|part| format!("{:.2}", within(part))));
    row.push(limit.refused.lock().expect("a count").to_string());
    row
}

/// The helpdesk's limit on updates.
struct Limit {
    /// Since when is counted, and how many there were.
    updates: Mutex<(Instant, u32)>,
    refused: Mutex<u32>,
}

/// Answers as late as a helpdesk does, and takes so many updates a minute.
async fn limited(State(limit): State<Arc<Limit>>, request: Request, next: Next) -> Response {
    tokio::time::sleep(ANSWERS_IN).await;
    if request.method() != Method::PUT {
        return next.run(request).await;
    }
    let (taken, resets) = {
        let mut updates = limit.updates.lock().expect("a count");
        if updates.0.elapsed() > MINUTE {
            *updates = (Instant::now(), 0);
        }
        updates.1 += 1;
        (updates.1, MINUTE.saturating_sub(updates.0.elapsed()).as_secs() + 1)
    };
    let mut response = if taken > UPDATES {
        *limit.refused.lock().expect("a count") += 1;
        (StatusCode::TOO_MANY_REQUESTS, [("retry-after", resets.to_string())]).into_response()
    } else {
        next.run(request).await
    };
    let told = format!("total={UPDATES}; remaining={}; resets={resets}", UPDATES.saturating_sub(taken));
    let told = HeaderValue::from_str(&told).expect("a header");
    response.headers_mut().insert("zendesk-ratelimit-tickets-update", told);
    response
}
