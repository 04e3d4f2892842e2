//! Configuration and policy read anew while the bot runs: on SIGHUP, when one of their files has changed, and when a
//! policy was promoted.
//!
//! A fault leaves the old ones in force, and is told in the log, by `/readyz` and by `starwarden_reload_failed`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use arc_swap::ArcSwapOption;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::loaded::Loaded;
use crate::config::{self, Settings};
use crate::store::{Store, StoreError};
use crate::work::rule::first_line;

/// How often the files are looked at. Looking works where being told does not: on network mounts, and where a
/// container's volume is swapped by a link.
const EVERY: Duration = Duration::from_secs(2);

/// Why the newest change was refused, if it was; clones share it.
#[derive(Clone, Default)]
pub(super) struct Refused(Arc<ArcSwapOption<String>>);

impl Refused {
    /// A change is refused.
    pub(super) fn because(&self, error: &anyhow::Error) {
        let fault = format!("{error:#}");
        tracing::error!(fault, "the changed configuration is refused; the old one stays in force");
        self.0.store(Some(Arc::new(fault)));
    }

    /// The fault's first line, while a refused change waits to be mended; the log has all of it.
    pub(super) fn why(&self) -> Option<String> {
        self.0.load_full().map(|fault| first_line(&fault).to_owned())
    }
}

/// Watches the configuration `file` and all that it names, and sends on what was read anew.
pub(super) struct Watch {
    file: PathBuf,
    settings: Arc<Settings>,
    store: Store,
    /// As the files were when they were read last.
    known: Stamps,
    /// The newest promotion when the policy in force was read last.
    promotion: Option<i64>,
}

impl Watch {
    /// Over a configuration as it was just read, and what it names before that is read.
    pub(super) fn over(file: &Path, settings: Arc<Settings>, store: Store) -> Watch {
        let known = Stamps(Vec::new());
        let mut watch = Watch { file: file.to_owned(), settings, store, known, promotion: None };
        watch.known = Stamps::of(watch.files());
        watch
    }

    /// The same, for promotions after this one.
    pub(super) fn since(self, promotion: Option<i64>) -> Watch {
        Watch { promotion, ..self }
    }

    /// Watches for as long as somebody takes what is read; `refused` tells of what could not be.
    pub(super) async fn run(mut self, mut hung_up: Signal, changed: mpsc::Sender<Loaded>, refused: Refused) {
        let mut seen = self.known.clone();
        loop {
            let told = tokio::select! {
                _ = hung_up.recv() => true,
                () = tokio::time::sleep(EVERY) => false,
                () = changed.closed() => return,
            };
            let stamps = Stamps::of(self.files());
            // A file that is still being written is left to settle.
            let settled = stamps == std::mem::replace(&mut seen, stamps.clone());
            let promotion = self.store.newest_promotion().await.unwrap_or(self.promotion); // Asked again, where it cannot say.
            if !told && promotion == self.promotion && (stamps == self.known || !settled) {
                continue;
            }
            match self.read().await {
                Ok(loaded) => {
                    tracing::info!(policy = loaded.rules.policy.hash, "configuration and policy are read anew");
                    refused.0.store(None);
                    if changed.send(loaded).await.is_err() {
                        return;
                    }
                }
                Err(error) if error.downcast_ref::<StoreError>().is_some() => {
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "what has changed cannot be read yet; it is tried again"
                    );
                    continue;
                }
                Err(error) => refused.because(&error),
            }
            // As they were before they were read: what is written meanwhile is read next time. Where other files are
            // named now, these stamps fit none of them, and all is read once more.
            self.known = stamps;
            self.promotion = promotion;
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files = self.settings.files(self.home());
        files.push(self.file.clone());
        files
    }

    fn home(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("."))
    }

    async fn read(&mut self) -> anyhow::Result<Loaded> {
        let mut settings = config::read(&self.file, std::env::vars())?;
        let before = &self.settings;
        for (key, differs) in [("server", settings.server != before.server), ("store", settings.store != before.store)]
        {
            if differs {
                tracing::warn!("[{key}] has changed, which takes a restart");
            }
        }
        // What takes a restart stays as it is: who may come in hangs on where is listened.
        (settings.server, settings.store) = (before.server.clone(), before.store.clone());
        if settings.console.session_secret != before.console.session_secret {
            tracing::warn!("[console] session_secret has changed, which takes a restart");
        }
        self.settings = Arc::new(settings); // Also where what it names is at fault: then those files are waited for.
        Loaded::of(&self.settings, self.home(), &self.store).await
    }
}

/// SIGHUPs from here on; before this is called, one ends the program.
///
/// # Errors
/// They cannot be listened for.
pub(super) fn hang_ups() -> anyhow::Result<Signal> {
    signal(SignalKind::hangup()).context("SIGHUP cannot be listened for")
}

/// When each file was last written, and how long it is; nothing for one that is not there.
#[derive(Clone, PartialEq, Eq)]
struct Stamps(Vec<(PathBuf, Option<(SystemTime, u64)>)>);

impl Stamps {
    fn of(files: Vec<PathBuf>) -> Stamps {
        let stamp = |file: &Path| {
            let about = std::fs::metadata(file).ok()?;
            Some((about.modified().ok()?, about.len()))
        };
        Stamps(files.into_iter().map(|file| (file.clone(), stamp(&file))).collect())
    }
}
