//! Hears at once what other replicas made due, and finds its way back when the server was gone.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::{AsyncMessage, Client, Config, Connection, Socket};

use super::tls::{Rustls, Secret};
use crate::store::bells::Bells;

/// The channel on which an account's name says that something of it is due.
pub(super) const CHANNEL: &str = "starwarden_due";

/// How long to wait before a lost connection is made again.
const PATIENCE: Duration = Duration::from_secs(1);

/// Listens for ever. What is missed while there is no connection is found by the clock, and by the ring after it.
pub(super) async fn listen(config: Config, tls: Rustls, bells: Arc<Bells>) {
    loop {
        match config.connect(tls.clone()).await {
            Ok((client, connection)) => hear(&client, connection, &bells).await,
            Err(error) => tracing::warn!(error = super::chain(&error), "the store cannot be listened to"),
        }
        tokio::time::sleep(PATIENCE).await;
    }
}

/// Rings the accounts' bells until the connection ends.
async fn hear(client: &Client, mut connection: Connection<Socket, Secret<Socket>>, bells: &Bells) {
    let listen = format!("LISTEN {CHANNEL}");
    let asking = async {
        if let Err(error) = client.batch_execute(&listen).await {
            tracing::warn!(error = super::chain(&error), "the store cannot be listened to");
        }
        bells.ring_all();
        std::future::pending::<()>().await;
    };
    let hearing = async {
        loop {
            match std::future::poll_fn(|cx| connection.poll_message(cx)).await {
                Some(Ok(AsyncMessage::Notification(told))) => bells.of(told.payload()).notify_one(),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            }
        }
    };
    tokio::select! {
        () = asking => {}
        () = hearing => {}
    }
}
