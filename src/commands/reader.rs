//! Which vectors words are read by, where a command reads tickets without a bot.

use anyhow::Context;
use chrono::{DateTime, Utc};
use reqwest::Url;
use tokio::runtime::Runtime;

use super::progress;
use crate::config;
use crate::config::reader::{PATIENCE, USUAL_MODEL};
use crate::decide::facts::said::Words;
use crate::decide::facts::sources::Ids;
use crate::decide::policy::Policy;
use crate::decide::reader::embedding::Embeddings;
use crate::decide::reader::read::BUILT_IN;
use crate::decide::ticket::{OwnUsers, Reading, TicketKey};
use crate::elsewhere::embeddings::EmbeddingsServer;
use crate::store::Store;
use crate::work::embedder::Embedder;

// Which vectors. No doc comment: it would stand in the place of the verb's own text.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct ReaderChoice {
    /// Which vectors words are read by: built-in, or those of a server of embeddings, such as `http://127.0.0.1:8000/v1/embeddings`;
    /// the words are sent there
    #[arg(long, env = "STARWARDEN_READER", value_name = "built-in|URL", value_parser = which)]
    reader: Option<Which>,
    /// The model that the server is asked for
    #[arg(long, value_name = "NAME", default_value = USUAL_MODEL)]
    reader_model: String,
}

/// Which vectors.
#[derive(Debug, Clone)]
enum Which {
    BuiltIn,
    Server(Url),
}

fn which(text: &str) -> Result<Which, String> {
    if text == BUILT_IN {
        return Ok(Which::BuiltIn);
    }
    let no_address = || "write built-in, or an address like http://127.0.0.1:8000/v1/embeddings".to_owned();
    config::reader::address(text).map(Which::Server).ok_or_else(no_address)
}

impl ReaderChoice {
    /// Whether a choice was made.
    pub(super) fn is_made(&self) -> bool {
        self.reader.is_some()
    }

    /// What reads by it; vectors are kept in the user's cache folder.
    ///
    /// # Errors
    /// A cache folder that cannot be used.
    pub(super) fn embedder(&self) -> anyhow::Result<Embedder> {
        let Some(Which::Server(url)) = &self.reader else { return Ok(Embedder::default()) };
        let server = EmbeddingsServer::new(url.clone(), &self.reader_model, None, PATIENCE)?;
        Ok(Embedder::new(server, cached()?))
    }

    /// What reads by it, made ready for these policies.
    ///
    /// # Errors
    /// See [`ReaderChoice::embedder`].
    pub(super) fn open(&self, policies: &[&Policy]) -> anyhow::Result<Offline> {
        Offline::of(self.embedder()?, policies)
    }
}

/// Where vectors are kept without a bot's store: in the user's cache folder.
///
/// # Errors
/// A folder that cannot be used.
pub(super) fn cached() -> anyhow::Result<Store> {
    let folder = config::policy::cache().context("there is no cache folder: set HOME or XDG_CACHE_HOME")?;
    std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    Ok(Store::sqlite(&folder.join("vectors.db"))?)
}

/// What commands wait on.
///
/// # Errors
/// No threads.
pub(super) fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime cannot start")
}

/// An embedder for commands, which wait for it.
pub(super) struct Offline {
    embedder: Embedder,
    /// Whether it was told already why the server is not used.
    told: bool,
    /// None where there is no server to ask.
    runtime: Option<Runtime>,
}

impl Offline {
    /// Makes an embedder ready for these policies; a server that cannot be used is told on standard error.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub(super) fn of(embedder: Embedder, policies: &[&Policy]) -> anyhow::Result<Offline> {
        match embedder.is_configured() {
            true => Offline::on(runtime()?, embedder, policies),
            false => Ok(Offline { embedder, told: false, runtime: None }),
        }
    }

    /// The same on a runtime on which its store was opened.
    ///
    /// # Errors
    /// See [`Offline::of`].
    pub(super) fn on(runtime: Runtime, embedder: Embedder, policies: &[&Policy]) -> anyhow::Result<Offline> {
        let (mut told, bar) = (false, progress::of_examples());
        let moved = |done: usize, of: usize| progress::moved(&bar, done, of);
        for policy in policies {
            if let Err(error) = runtime.block_on(embedder.learn(policy, &moved)) {
                eprintln!("words are read by the built-in vectors: {error}");
                told = true;
            }
        }
        bar.finish_and_clear();
        Ok(Offline { embedder, told, runtime: Some(runtime) })
    }

    /// The server's vectors of a policy's examples; none where there is no server to ask.
    ///
    /// # Errors
    /// A server or a store that cannot be used.
    pub(super) fn of_examples(&self, policy: &Policy) -> anyhow::Result<Option<Embeddings>> {
        let Some(runtime) = &self.runtime else { return Ok(None) };
        let bar = progress::of_examples();
        let moved = |done: usize, of: usize| progress::moved(&bar, done, of);
        let embeddings = runtime.block_on(self.embedder.of_examples(policy, &moved));
        bar.finish_and_clear();
        Ok(embeddings?)
    }

    /// Whether there is a server to ask.
    pub(super) fn is_served(&self) -> bool {
        self.runtime.is_some()
    }

    /// Reads the words on a ticket; none where they are left to the built-in vectors.
    pub(super) fn words(&self, policy: &Policy, ids: &Ids, reading: &Reading, now: DateTime<Utc>) -> Option<Words> {
        let ticket = TicketKey { account: String::new(), id: reading.ticket.id };
        let nobody = OwnUsers::none();
        let heard = self.embedder.words(policy, ids, reading, &nobody, &ticket, now);
        match self.runtime.as_ref()?.block_on(heard) {
            Ok(heard) => heard.words,
            Err(error) => {
                eprintln!("ticket {}: its vectors cannot be kept: {error}", reading.ticket.id);
                None
            }
        }
    }

    /// Puts the words of a ticket beside it.
    pub(super) fn read(&self, policy: &Policy, ids: &Ids, reading: &mut Option<Reading>, now: DateTime<Utc>) {
        if let Some(reading) = reading {
            reading.words = self.words(policy, ids, reading, now);
        }
    }

    /// Says on standard error where the server could not be used for all words.
    pub(super) fn tell(&self) {
        if let Some(fault) = self.embedder.fault().filter(|_| !self.told) {
            eprintln!("{fault}; what it had not read before is read by the built-in vectors");
        }
    }
}
