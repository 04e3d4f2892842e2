//! Somebody between the bot and its helpdesk, who does to answers what clocks, networks and neighbours do to them.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use chrono::{TimeDelta, Utc};

use super::Desk;

/// What is done to the next answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meddling {
    /// How far the helpdesk's clock is ahead of the bot's.
    pub(crate) ahead: TimeDelta,
    /// How long each answer is kept back.
    pub(crate) slow: Duration,
    /// Of how many answers one is cut short; 0 for none.
    pub(crate) cut: u64,
    /// Of how many answers one has some of its bytes changed; 0 for none.
    pub(crate) damaged: u64,
    /// Calls are taken and never answered.
    pub(crate) away: bool,
}

/// The one between.
pub(crate) struct Middleman {
    /// A desk whose address is this one's, to serve a bot by.
    pub(crate) url: String,
    shared: Arc<Shared>,
    _runtime: tokio::runtime::Runtime,
}

struct Shared {
    to: String,
    http: reqwest::Client,
    meddling: Mutex<Meddling>,
    made: Mutex<BTreeMap<&'static str, u64>>,
    calls: std::sync::atomic::AtomicU64,
}

impl Middleman {
    pub(crate) fn before(desk: &Desk) -> Middleman {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let shared = Arc::new(Shared {
            to: desk.url.clone(),
            http: reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client"),
            meddling: Mutex::default(),
            made: Mutex::default(),
            calls: Default::default(),
        });
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(pass).with_state(shared.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Middleman { url, shared, _runtime: runtime }
    }

    /// The line of a configuration that sends the bot here.
    pub(crate) fn base_url(&self) -> String {
        format!("base_url = \"{}\"\n", self.url)
    }

    /// Meddles so from here on.
    pub(crate) fn meddle(&self, change: impl FnOnce(&mut Meddling)) {
        change(&mut self.shared.meddling.lock().expect("a lock"));
    }

    /// How often each kind of trouble was made.
    pub(crate) fn made(&self) -> BTreeMap<&'static str, u64> {
        self.shared.made.lock().expect("a lock").clone()
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let meddling = shared.meddling.lock().expect("a lock").clone();
    let made = |what| *shared.made.lock().expect("a lock").entry(what).or_default() += 1;
    if meddling.away {
        made("away");
        return std::future::pending().await;
    }
    let nth = 1 + shared.calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let of = |every: u64| every > 0 && nth.is_multiple_of(every);
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
    let url = format!("{}{}", shared.to, parts.uri.path_and_query().map_or("/", |it| it.as_str()));
    let mut call = shared.http.request(parts.method, url).body(body);
    for (name, value) in &parts.headers {
        call = call.header(name, value);
    }
    let Ok(answer) = call.send().await else {
        return Response::new(Body::new(Broken(None))); // The helpdesk broke off: so does this.
    };
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut bytes = answer.bytes().await.unwrap_or_default().to_vec();
    if !meddling.slow.is_zero() {
        made("slow");
        tokio::time::sleep(meddling.slow).await;
    }
    let length = bytes.len();
    if of(meddling.damaged) && length > 2 {
        made("damaged");
        bytes[length / 2..length / 2 + 2].fill(0xff);
    }
    let mut response = Response::builder().status(status);
    for (name, value) in
        headers.iter().filter(|(name, _)| !["date", "transfer-encoding", "connection"].contains(&name.as_str()))
    {
        response = response.header(name, value);
    }
    let now = Utc::now() + meddling.ahead;
    if !meddling.ahead.is_zero() {
        made("another time");
    }
    let response = response.header("date", now.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    let body = match of(meddling.cut) {
        true => {
            made("cut");
            bytes.truncate(length / 2);
            Body::new(Broken(Some(bytes)))
        }
        false => Body::from(bytes),
    };
    response.body(body).expect("an answer")
}

/// A body that breaks off after this.
struct Broken(Option<Vec<u8>>);

impl axum::body::HttpBody for Broken {
    type Data = axum::body::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        Poll::Ready(Some(match self.0.take() {
            Some(bytes) => Ok(hyper::body::Frame::data(bytes.into())),
            None => Err(std::io::ErrorKind::ConnectionReset.into()),
        }))
    }
}
