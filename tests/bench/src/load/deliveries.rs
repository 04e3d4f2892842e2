//! Deliveries a second, and how long each waits for its answer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use secrecy::SecretString;
use serde_json::json;
use starwarden::demo::helpdesk::StandIn;
use starwarden::receive::verify::{sign, timestamp};
use tokio::net::{TcpListener, TcpStream};

use crate::postgres;
use crate::servers::{SECRET, Server, folder};

/// How many connections are kept open, and how many deliveries are sent over them in one round.
const LOADS: [(usize, usize); 3] = [(1, 1_500), (32, 15_000), (256, 15_000)];

/// Peers take turns, so that a moment in which the machine is busy befalls all.
const ROUNDS: usize = 5;

/// What a round showed.
struct Round {
    rate: f64,
    /// What the peer's own process spent on each delivery, µs of CPU; a database's server is not in it.
    spent: f64,
    /// Each delivery's wait, shortest first.
    waits: Vec<Duration>,
}

/// Measures all peers under all loads, and prints a table.
pub async fn measure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let helpdesk = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, StandIn::new().router()).await });
    println!(
        "deliveries of {} B with an event id each, over kept connections; the median of {ROUNDS} rounds",
        body(1, &"0".repeat(33), at()).len()
    );
    let mut table = Table::new();
    let head = ["connections", "who", "a second", "of bare", "CPU µs", "p50 ms", "p99 ms", "longest ms", "peak MiB"];
    table.load_style(UTF8_FULL_CONDENSED).set_header(head);
    let mut first = 0;
    for (connections, deliveries) in LOADS {
        let folder = folder();
        let database = postgres::shared().database().await;
        let sqlite = format!("sqlite:{}", folder.path().join("star.db").display());
        let start = |store: &str| Server::starwarden(folder.path(), store, &helpdesk, 60);
        let peers = [
            ("bare handler", Server::bare()),
            ("starwarden, SQLite", start(&sqlite)),
            ("starwarden, PostgreSQL", start(&database)),
        ];
        let mut rounds: Vec<Vec<Round>> = peers.iter().map(|_| Vec::new()).collect();
        for nth in 0..=ROUNDS {
            for ((_, server), rounds) in peers.iter().zip(&mut rounds) {
                let round = round(server, connections, deliveries, first).await;
                first += deliveries;
                if nth > 0 {
                    rounds.push(round); // The first only warms up.
                }
            }
        }
        let bare = median(rounds[0].iter().map(|round| round.rate));
        for ((who, server), rounds) in peers.iter().zip(&rounds) {
            let rate = median(rounds.iter().map(|round| round.rate));
            let wait = |part: f64| format!("{:.2}", median(rounds.iter().map(|round| wait(round, part))));
            table.add_row([
                connections.to_string(),
                (*who).to_owned(),
                format!("{rate:.0}"),
                format!("{:.2}", rate / bare),
                format!("{:.1}", median(rounds.iter().map(|round| round.spent))),
                wait(0.5),
                wait(0.99),
                wait(1.0),
                format!("{:.1}", server.memory().peak),
            ]);
        }
    }
    println!("{table}");
}

/// The wait that such a part of a round's deliveries did not exceed, ms.
fn wait(round: &Round, part: f64) -> f64 {
    let last = round.waits.len() - 1;
    round.waits[(last as f64 * part).round() as usize].as_secs_f64() * 1e3
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Sends deliveries over so many connections at once; the first has the number `first`.
async fn round(server: &Server, connections: usize, deliveries: usize, first: usize) -> Round {
    let secret = SecretString::from(SECRET);
    let mut shares: Vec<Vec<Signed>> = (0..connections).map(|_| Vec::new()).collect();
    for nth in 0..deliveries {
        shares[nth % connections].push(Signed::new(first + nth, &secret));
    }
    let mut senders = Vec::new();
    for share in shares {
        let sender = connect(server.address).await;
        senders.push((sender, share));
    }
    let (begun, spent) = (Instant::now(), server.spent());
    let sending: Vec<_> = senders.into_iter().map(|(sender, share)| tokio::spawn(send(sender, share))).collect();
    let mut waits = Vec::with_capacity(deliveries);
    for share in sending {
        waits.extend(share.await.expect("a sender"));
    }
    let rate = deliveries as f64 / begun.elapsed().as_secs_f64();
    let spent = (server.spent() - spent) / deliveries as f64;
    waits.sort();
    Round { rate, spent, waits }
}

pub async fn connect(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("a connection");
    tokio::spawn(connection);
    sender
}

/// Sends one after the other, each when the one before it is answered; how long each waited.
pub async fn send(mut sender: SendRequest<Full<Bytes>>, deliveries: Vec<Signed>) -> Vec<Duration> {
    let mut waits = Vec::with_capacity(deliveries.len());
    for delivery in deliveries {
        let request = delivery.request();
        let begun = Instant::now();
        sender.ready().await.expect("a connection");
        let answer = sender.send_request(request).await.expect("an answer");
        let status = answer.status();
        let answer = answer.into_body().collect().await.expect("an answer").to_bytes();
        waits.push(begun.elapsed());
        let said = answer.windows(8).any(|word| word == b"accepted");
        assert!(status == 200 && said, "{status}: {answer:?}");
    }
    waits
}

/// A delivery, signed before anything is measured.
pub struct Signed {
    body: Bytes,
    signature: String,
    timestamp: String,
}

impl Signed {
    fn new(number: usize, secret: &SecretString) -> Signed {
        let mixed = (number as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Signed::of(number as u64 / 5 + 1, &format!("{mixed:016x}-{number:016x}"), at(), secret)
    }

    /// The event with this id on a ticket, which happened then.
    pub fn of(ticket: u64, event: &str, happened: DateTime<Utc>, secret: &SecretString) -> Signed {
        let (body, timestamp) = (body(ticket, event, happened), timestamp(Utc::now()));
        let signature = sign(secret, &timestamp, body.as_bytes());
        Signed { body: body.into(), signature, timestamp }
    }

    fn request(self) -> Request<Full<Bytes>> {
        Request::post("/webhooks/zendesk/global")
            .header("Host", "localhost")
            .header("Content-Type", "application/json")
            .header("User-Agent", "Zendesk Webhook")
            .header("X-Zendesk-Webhook-Signature", self.signature)
            .header("X-Zendesk-Webhook-Signature-Timestamp", self.timestamp)
            .body(Full::new(self.body))
            .expect("a request")
    }
}

/// When measured events happened.
fn at() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().expect("an instant")
}

/// An event as a subscription sends it.
fn body(ticket: u64, event: &str, happened: DateTime<Utc>) -> String {
    json!({
        "type": "zen:event-type:ticket.tags_changed", "account_id": 22129848, "id": event,
        "time": happened.to_rfc3339_opts(SecondsFormat::Millis, true), "zendesk_event_version": "2022-11-06", "subject": format!("zen:ticket:{ticket}"),
        "detail": { "actor_id": "7001", "assignee_id": "7001", "brand_id": "360000000001", "created_at": "2026-11-24T08:00:00Z",
            "custom_status": "1500000000001", "description": "Our licence ends tonight and the renewal is not through yet. Could you help us out?",
            "external_id": null, "form_id": "360000071293", "group_id": "360000000002", "id": ticket.to_string(), "is_public": true,
            "organization_id": "360000000003", "priority": "HIGH", "requester_id": "5001", "status": "OPEN", "subject": "Licence ends tonight",
            "submitter_id": "5001", "tags": ["lr", "self_managed", "star_submitted", "transaction_issue"], "type": "PROBLEM",
            "updated_at": "2026-11-24T12:00:00Z", "via": { "channel": "web" } },
        "event": { "added": { "tags": ["star_submitted"] }, "removed": { "tags": [] },
            "meta": { "sequence": { "id": "01HZX0000000000000000000", "position": 1 } } },
    })
    .to_string()
}
