//! Takes connections, with TLS or without, and gives nobody more time or room than a delivery needs.

pub mod rate;
pub mod tls;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;
use tower_http::timeout::TimeoutLayer;

use rate::Rate;
use tls::Tls;

/// The largest head of a request, bytes.
const LARGEST_HEAD: usize = 32 << 10;

/// How long requests in hand are waited for at a stop.
const DRAIN: Duration = Duration::from_secs(8);

/// Who a request came from; behind a proxy, the proxy.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Whether a host, by name or address, is the machine of whoever names it; an IPv6 address may be in brackets.
pub fn is_this_machine(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Where connections are taken, and how many.
pub struct Server {
    /// The port.
    pub listener: TcpListener,
    /// What the connection is secured with; none where a proxy does it.
    pub tls: Option<Tls>,
    /// How many connections are open at once; more wait.
    pub connections: usize,
    /// How many requests one address may make; none for any number.
    pub rate: Option<Rate>,
    /// How long things may take.
    pub patience: Patience,
}

/// How long a sender may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a TLS handshake, and for a request's head; also how long an idle connection is kept.
    pub head: Duration,
    /// For a whole request, its body and the answer to it.
    pub request: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { head: Duration::from_secs(10), request: Duration::from_secs(30) }
    }
}

impl Server {
    /// Serves until `stop` says so, then lets requests in hand end, for 8 s at most.
    ///
    /// # Errors
    /// None while it serves; a connection's troubles are its own.
    pub async fn run(self, router: Router, mut stop: watch::Receiver<bool>) -> anyhow::Result<()> {
        let Server { listener, tls, connections, rate, patience } = self;
        let router = match rate {
            Some(rate) => rate.over(router),
            None => router,
        };
        let router = router.layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, patience.request));
        let room = Arc::new(Semaphore::new(connections));
        let graceful = GracefulShutdown::new();
        while !*stop.borrow() {
            let place = tokio::select! {
                _ = stop.changed() => break,
                place = room.clone().acquire_owned() => place.context("the connections are closed")?,
            };
            let (stream, peer) = tokio::select! {
                _ = stop.changed() => break,
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be taken"); // Too many files open: wait for some to close.
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                },
            };
            let (router, tls, watcher) = (router.clone(), tls.clone(), graceful.watcher());
            tokio::spawn(async move {
                connection(stream, tls, Talk { peer: Peer(peer), router, watcher, head: patience.head }).await;
                drop(place);
            });
        }
        drop(listener);
        if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests were still in hand; whoever made them will make them again");
        }
        Ok(())
    }
}

async fn connection(stream: TcpStream, tls: Option<Tls>, talk: Talk) {
    let Some(tls) = tls else { return talk.over(stream).await };
    match tokio::time::timeout(talk.head, tls.accept(stream)).await {
        Ok(Ok(secured)) => talk.over(secured).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

/// One connection's requests, one after the other.
struct Talk {
    peer: Peer,
    router: Router,
    watcher: Watcher,
    head: Duration,
}

impl Talk {
    async fn over(self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static) {
        let Talk { peer, router, watcher, head } = self;
        let router = router.map_request(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            request
        });
        let talk = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head)
            .max_buf_size(LARGEST_HEAD)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
        if let Err(error) = watcher.watch(talk).await {
            tracing::debug!(%error, "a connection broke off");
        }
    }
}
