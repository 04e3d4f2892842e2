//! Takes connections, with TLS or without, and gives nobody more time or room than a delivery needs.
//!
//! Every wait has an end: a handshake and a head ([`Patience::head`]), a body and its handler ([`Patience::request`]),
//! the taking of an answer ([`stream`]), an idle connection, a stop ([`DRAIN`]). Every sender has a share: of connections
//! ([`places`]), of what bodies hold ([`bodies`]), of the pages at once ([`pages`]), of requests a second ([`rate`]).

mod bodies;
pub mod files;
pub mod pages;
mod places;
pub mod rate;
mod shares;
mod stream;
pub mod tls;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt;
use tower_http::timeout::TimeoutLayer;

use bodies::{Untaken, Whole};
use places::{Phase, Place, Places};
use rate::Rate;
use shares::Shares;
use stream::Bounded;
use tls::Tls;

/// The largest head of a request, bytes.
const LARGEST_HEAD: usize = 32 << 10;

/// What the bodies of all requests hold together beside their first 16 KiB, bytes, and of that those of one address.
const ALL_BODIES: usize = 24 << 20;
const BODIES_OF_EACH: usize = 12 << 20;

/// How long requests in hand are waited for at a stop.
const DRAIN: Duration = Duration::from_secs(8);

/// Who a request came from; behind a proxy, the proxy.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Where connections are taken, and how many.
pub struct Server {
    /// The port.
    pub listener: TcpListener,
    /// What the connection is secured with; none where a proxy does it.
    pub tls: Option<Tls>,
    /// How many connections are open at once, half of them for one address at most. Where all are taken, the one that has
    /// waited longest for its peer is closed for the next.
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
    /// For a whole request, its body and the making of its answer; and once more for the answer to be taken.
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
        let room = Room {
            places: Places::new(connections, connections.div_ceil(2)),
            bodies: Shares::new(ALL_BODIES, BODIES_OF_EACH),
            router,
            tls,
            patience,
        };
        let graceful = GracefulShutdown::new();
        while !*stop.borrow() {
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
            let place = tokio::select! {
                _ = stop.changed() => break,
                place = room.places.take(peer.ip()) => place,
            };
            let Some(place) = place else { continue }; // All the address may have is at work.
            let (number, talk) = (place.number(), Talk { peer: Peer(peer), room: room.clone(), place });
            let task = tokio::spawn(talk.over(stream, graceful.watcher()));
            room.places.held_by(number, task.abort_handle());
        }
        drop(listener);
        if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests were still in hand; whoever made them will make them again");
        }
        Ok(())
    }
}

/// What all connections share.
#[derive(Clone)]
struct Room {
    places: Places,
    bodies: Shares,
    router: Router,
    tls: Option<Tls>,
    patience: Patience,
}

/// One connection's requests, one after the other.
struct Talk {
    peer: Peer,
    room: Room,
    place: Place,
}

impl Talk {
    async fn over(self, stream: TcpStream, watcher: Watcher) {
        let Patience { head, request } = self.room.patience;
        let stream = Bounded::new(stream, request, self.place.phase.clone());
        let Some(tls) = &self.room.tls else { return self.requests(stream, watcher).await };
        match tokio::time::timeout(head, tls.accept(stream)).await {
            Ok(Ok(secured)) => self.requests(secured, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    async fn requests(self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static, watcher: Watcher) {
        let Talk { peer, room, place } = self;
        let one = One { peer, bodies: room.bodies, router: room.router, phase: place.phase.clone() };
        let service = tower::service_fn(move |request| one.clone().answer(request));
        let talk = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(room.patience.head)
            .max_buf_size(LARGEST_HEAD)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        if let Err(error) = watcher.watch(talk).await {
            tracing::debug!(%error, "a connection broke off");
        }
    }
}

/// What one request needs.
#[derive(Clone)]
struct One {
    peer: Peer,
    bodies: Shares,
    router: Router,
    phase: Arc<Phase>,
}

impl One {
    async fn answer(self, request: Request<Incoming>) -> Result<Response, std::convert::Infallible> {
        let One { peer, bodies, router, phase } = self;
        // Who sends many requests in one go has one answered in each round of all connections.
        tokio::task::yield_now().await;
        if let Some(refused) = misshapen(&request) {
            return Ok(refused);
        }
        let untaken = Arc::new(OnceLock::new());
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(peer);
        let body = Body::new(Whole::new(body, bodies.of(peer.0.ip()), phase.clone(), untaken.clone()));
        let answer = router.oneshot(Request::from_parts(parts, body)).await?;
        phase.waits();
        Ok(match untaken.get() {
            Some(Untaken::NoRoom) => refused(StatusCode::SERVICE_UNAVAILABLE, &Untaken::NoRoom.to_string()),
            Some(Untaken::TooLarge) => refused(StatusCode::PAYLOAD_TOO_LARGE, &Untaken::TooLarge.to_string()),
            Some(Untaken::Crumbs) => refused(StatusCode::BAD_REQUEST, &Untaken::Crumbs.to_string()),
            Some(Untaken::Broken) | None => answer,
        })
    }
}

/// What is answered to a request whose head is not one: too large, or for no host or for two.
fn misshapen(request: &Request<Incoming>) -> Option<Response> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let fields = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    if target + fields.sum::<usize>() + "GET  HTTP/1.1\r\n\r\n".len() > LARGEST_HEAD {
        return Some(refused(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "a request's head has at most 32 KiB"));
    }
    let hosts = request.headers().get_all(header::HOST).iter().count();
    let sound = hosts == 1 || (hosts == 0 && request.version() < Version::HTTP_11);
    (!sound).then(|| refused(StatusCode::BAD_REQUEST, "a request names one Host"))
}

fn refused(status: StatusCode, error: &str) -> Response {
    let mut response = (status, axum::Json(serde_json::json!({ "error": error }))).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
