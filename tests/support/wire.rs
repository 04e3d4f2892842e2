//! The way between a replica and its database, which can go dead without a word.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A wire to a server; whoever connects to it is connected there.
pub(crate) struct Wire {
    pub(crate) port: u16,
    /// Whether those that are connected now hear each other.
    open: Arc<Mutex<watch::Sender<bool>>>,
    _runtime: tokio::runtime::Runtime,
}

impl Wire {
    pub(crate) fn to(port: u16) -> Wire {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let own = listener.local_addr().expect("an address").port();
        let open = Arc::new(Mutex::new(watch::channel(true).0));
        let opened = open.clone();
        runtime.spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).await else { continue };
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                let open = opened.lock().expect("a lock").subscribe();
                tokio::spawn(carry(near_in, far_out, open.clone()));
                tokio::spawn(carry(far_in, near_out, open));
            }
        });
        Wire { port: own, open, _runtime: runtime }
    }

    /// Those that are connected hear nothing of each other from here on.
    pub(crate) fn goes_dead(&self) {
        self.open.lock().expect("a lock").send_replace(false);
    }

    /// They hear each other again.
    pub(crate) fn is_alive(&self) {
        self.open.lock().expect("a lock").send_replace(true);
    }

    /// Those that are connected hear nothing of each other for ever, and who connects from here on is heard.
    pub(crate) fn forgets_them(&self) {
        let mut open = self.open.lock().expect("a lock");
        open.send_replace(false);
        std::mem::forget(std::mem::replace(&mut *open, watch::channel(true).0));
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut open: watch::Receiver<bool>) {
    let mut bytes = vec![0; 16 << 10];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or_default();
        if open.wait_for(|open| *open).await.is_err() || read == 0 {
            return;
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
