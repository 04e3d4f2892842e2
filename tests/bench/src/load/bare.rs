//! What everything is measured beside: a handler that only reads the body.

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use tokio::net::TcpListener;

/// With this as its argument the benchmark is the bare handler.
pub const ARGUMENT: &str = "bare";

/// Serves until it is killed.
pub async fn serve() {
    let handler = async |body: Bytes| if body.is_empty() { "empty" } else { "accepted" };
    let router = Router::new().route("/webhooks/zendesk/{account}", post(handler));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("listening on http://{}", listener.local_addr().expect("an address"));
    axum::serve(listener, router).await.expect("to serve");
}
