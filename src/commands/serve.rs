//! `serve`: the bot.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{mpsc, watch};

use super::bot::{self, Outside};
use super::front::Front;
use super::loaded::Loaded;
use super::log::{Log, LogFormat};
use super::reload::{Refused, Watch, hang_ups};
use super::{ConfigFile, Done, ExitAs, print, store};
use crate::config::{self, Settings};
use crate::server::files;
use crate::server::rate::Rate;
use crate::server::tls::Tls;
use crate::server::{Patience, Server};
use crate::work::{integrity, retention};

/// Run the bot: take deliveries, decide tickets, leave notes
///
/// It listens on [server] listen for the helpdesk's deliveries, and serves the console and /metrics there. Changed files
/// and SIGHUP read configuration, policy and secrets anew; a faulty change is refused and the old one stays in force.
/// SIGTERM ends it within 10 s, with nothing lost. The log is on standard error; `RUST_LOG` says how much.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    #[command(flatten)]
    file: ConfigFile,
    /// How the log is written; absent: text on a terminal, else JSON
    #[arg(long, value_enum, value_name = "FORMAT")]
    log: Option<LogFormat>,
}

impl Serve {
    pub(super) fn run(&self) -> Done {
        self.file.file().and_then(|file| serve(&file, self.log)).exit_as(1)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn serve(file: &Path, log: Option<LogFormat>) -> anyhow::Result<()> {
    let _log = Log::begin(log)?;
    let settings = Arc::new(config::read(file, std::env::vars())?);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime cannot start")?;
    runtime.block_on(async {
        let (store, about_it) = store::open_for_bot(&settings.store).await?;
        let watch = Watch::over(file, settings.clone(), store.clone());
        let loaded = Loaded::of(&settings, file.parent().unwrap_or(Path::new(".")), &store).await?;
        tracing::info!("{about_it}"); // What stops the start before is an error and no log.
        let watch = watch.since(loaded.rules.promotion);
        if let Some(keep) = settings.store.keep {
            tokio::spawn(retention::run(store.clone(), keep));
        }
        tokio::spawn(retention::erase(store.clone()));
        tokio::spawn(integrity::run(store.clone()));
        let hung_up = hang_ups()?;
        let listener = listen(&settings)?;
        let address = listener.local_addr().context("the address is not known")?;
        let tls = loaded.certified.clone().map(Tls::new);
        print(&format!("listening on {}://{address}\n", if tls.is_some() { "https" } else { "http" }));
        let server = Server {
            listener,
            tls,
            connections: files::connections_within_limit(settings.server.connections.get()),
            rate: settings.server.requests_per_second_per_address.map(Rate::new),
            patience: Patience { head: settings.server.head_timeout, request: settings.server.request_timeout },
        };
        let front = Front::of(&settings, file.parent().unwrap_or(Path::new(".")))?;
        let (tell, stop) = watch::channel(false);
        tokio::spawn(async move {
            signal().await;
            let _all_ended = tell.send(true);
        });
        let (changes, changed) = mpsc::channel(1);
        let refused = Refused::default();
        let watching = tokio::spawn(watch.run(hung_up, changes, refused.clone()));
        bot::run(server, store, loaded, Outside { changed, refused, stop }, front).await?;
        watching.await.context("the watch over the configuration broke off")
    })
}

/// How many connections wait to be taken, as far as the system lets them. Who finds no room there tries again after a
/// second and more, and a crowd of strangers comes at once.
const BACKLOG: u32 = 4096;

fn listen(settings: &Settings) -> anyhow::Result<TcpListener> {
    let address = settings.server.listen;
    let told = || format!("server.listen: {address} cannot be listened on");
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.with_context(told)?;
    socket.set_reuseaddr(true).and_then(|()| socket.bind(address)).with_context(told)?;
    socket.listen(BACKLOG).with_context(told)
}

/// Waits for SIGTERM or SIGINT.
pub(super) async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => {
            let _interrupted = tokio::signal::ctrl_c().await;
        }
    }
}
