//! A crowd of strangers on many addresses who give and take nothing, and the helpdesk's deliveries between them.
//!
//! `STARWARDEN_SIEGE=10000` sets how many connections they hold; it is short by default.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::{desk, serve, signed};

/// How long deliveries come, and how many a second.
const LASTS: Duration = Duration::from_secs(5);
const A_SECOND: u32 = 100;

/// What the bot may hold, kB: the limit of deploy/kubernetes.
const MEMORY: u64 = 256 << 10;

#[test]
fn deliveries_come_through_a_crowd_that_holds_connections() {
    let strangers =
        std::env::var("STARWARDEN_SIEGE").map_or(1_500, |many| many.parse().expect("STARWARDEN_SIEGE is a number"));
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("as many files as may be open");
    let (desk, folder) = (desk(), tempfile::tempdir().expect("a folder"));
    let bot = serve(&desk, folder.path(), "");
    let address: SocketAddr = bot.url.trim_start_matches("http://").parse().expect("an address");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let (over, connected) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
    for nth in 0..strangers {
        runtime.spawn(stranger(nth, address, over.clone(), connected.clone()));
    }
    crate::support::wait_for("the crowd", || (connected.load(Ordering::Relaxed) >= u64::from(strangers)).then_some(()));
    let (begun, http) =
        (Instant::now(), reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client"));
    let mut took = runtime.block_on(async {
        let mut sent = tokio::task::JoinSet::new();
        let mut beat = tokio::time::interval(Duration::from_secs(1) / A_SECOND);
        while begun.elapsed() < LASTS {
            beat.tick().await;
            let call = signed(&http, &bot.url, &json!({ "ticket_id": sent.len() + 1 }), &[]);
            sent.spawn(async move {
                let begun = Instant::now();
                let answer = call.send().await.map(|answer| answer.status().as_u16());
                (answer, begun.elapsed())
            });
        }
        sent.join_all().await
    });
    over.store(true, Ordering::Relaxed);
    let lost: Vec<_> = took.iter().filter(|(answer, _)| !matches!(answer, Ok(200))).collect();
    assert!(lost.is_empty(), "{} of {} lost: {:?}", lost.len(), took.len(), lost.first());
    took.sort_by_key(|(_, took)| *took);
    let at = |part: usize| took[(took.len() * part / 1000).min(took.len() - 1)].1;
    let memory = bot.memory_peak();
    let _not_shown = writeln!(
        std::io::stderr(),
        "siege: {strangers} strangers connected {} times, {} deliveries, p50 {:?}, p99 {:?}, longest {:?}, {memory} kB",
        connected.load(Ordering::Relaxed),
        took.len(),
        at(500),
        at(990),
        at(1000),
    );
    assert!(memory < MEMORY, "{memory} kB");
    assert!(at(990) < Duration::from_secs(2), "{:?}", at(990));
}

/// One that connects from an address of its own kind again and again, half a second after it was closed.
async fn stranger(nth: u32, to: SocketAddr, over: Arc<AtomicBool>, connected: Arc<AtomicU64>) {
    let from = Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 1)) + nth);
    while !over.load(Ordering::Relaxed) {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from((from, 0))).expect("an address of this machine");
        socket.set_recv_buffer_size(4 << 10).expect("a small buffer");
        if let Ok(stream) = socket.connect(to).await {
            connected.fetch_add(1, Ordering::Relaxed);
            let _closed = hold(nth, stream).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Holds a connection in one of the ways there are, until it is closed.
async fn hold(nth: u32, mut stream: TcpStream) -> std::io::Result<()> {
    let forged = "POST /webhooks/zendesk/global HTTP/1.1\r\nHost: a\r\nX-Zendesk-Webhook-Signature: Quv38XAfu9ZaMGBsk0NSntquALrZBp815j0203kelQA=\r\nX-Zendesk-Webhook-Signature-Timestamp: 2026-11-26T10:00:00Z\r\n";
    match nth % 5 {
        0 => {}
        1 => stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ").await?,
        2 => {
            stream.write_all(format!("{forged}Content-Length: 900000\r\n\r\n{}", " ".repeat(30_000)).as_bytes()).await?
        }
        3 => {
            stream
                .write_all(format!("{forged}Transfer-Encoding: chunked\r\n\r\n{}", "1\r\nx\r\n".repeat(200)).as_bytes())
                .await?
        }
        _ => {
            // Asks for more than anything on the way has room for, and does not read.
            stream.write_all("GET /assets/console.css HTTP/1.1\r\nHost: a\r\n\r\n".repeat(500).as_bytes()).await?;
            std::future::pending::<()>().await;
        }
    }
    let mut told = [0; 1024];
    while stream.read(&mut told).await? > 0 {}
    Ok(())
}
