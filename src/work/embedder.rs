//! Words read by a server's embeddings, where one is configured, is there, and was learned from; else by the built-in
//! vectors.
//!
//! Vectors are kept by text, so that no text is sent twice and what was read once is read alike while the server is away. A
//! server that is away, or answers nonsense, is told of once and left in peace for a while.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use crate::config;
use crate::decide::facts::said::Words;
use crate::decide::facts::sources::Ids;
use crate::decide::judge;
use crate::decide::policy::Policy;
use crate::decide::reader::Reader;
use crate::decide::reader::embedding::{self, Embeddings};
use crate::decide::reader::read::Text;
use crate::decide::ticket::{OwnUsers, Reading, TicketKey};
use crate::elsewhere::CallError;
use crate::elsewhere::embeddings::{EmbeddingsServer, batches};
use crate::metrics::{self, Ready};
use crate::store::vectors::TextHash;
use crate::store::{Store, StoreError};

/// How long a server that failed is left in peace.
const REST: Duration = Duration::from_secs(10);

/// How many calls are made to a server at once: a small one works on one at a time, and the others' time runs.
const AT_ONCE: usize = 2;

/// How long one ticket's vectors may take; what came until then is kept.
const LONGEST: Duration = Duration::from_secs(60);

/// Readers that learned from a server's vectors of their examples, with the server: a configuration that is read anew does
/// not learn anew.
static LEARNED: Mutex<Vec<(String, Arc<Reader>)>> = Mutex::new(Vec::new());

/// How many of these are remembered: of the policy in force, of the candidate, and of those before.
const MOST_LEARNED: usize = 4;

/// Reads words by a server's embeddings; without one, all is left to the built-in vectors. Clones share it.
#[derive(Clone, Default)]
pub struct Embedder {
    served: Option<Arc<Served>>,
    keeps: Keeps,
}

/// Whether what a server makes of texts is kept in the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keeps {
    /// Vectors are kept by their texts.
    #[default]
    Vectors,
    /// Nothing is.
    Nothing,
}

/// What reads each account's words, swapped whole; clones share it.
#[derive(Clone, Default)]
pub struct Embedders(Arc<ArcSwap<Reads>>);

/// What reads each account's words.
#[derive(Clone, Default)]
pub struct Reads {
    /// The server, where one is configured.
    pub server: Embedder,
    /// Accounts whose words are not sent there.
    pub built_in: BTreeSet<String>,
}

impl Reads {
    /// What reads the words of this account.
    pub fn of(&self, account: &str) -> Embedder {
        if self.built_in.contains(account) { Embedder::default() } else { self.server.clone() }
    }
}

impl Embedders {
    /// These from here on.
    pub fn replace(&self, reads: Reads) {
        self.0.store(Arc::new(reads));
    }

    /// Those of now.
    pub fn now(&self) -> Arc<Reads> {
        self.0.load_full()
    }
}

/// A server and what came of it.
struct Served {
    server: EmbeddingsServer,
    store: Store,
    /// Taken for each call.
    calls: Semaphore,
    /// Held while examples are learned from.
    learning: tokio::sync::Mutex<()>,
    /// How many numbers its vectors have, once that is known.
    length: Mutex<Option<usize>>,
    /// Why it cannot be used, and when it was last found so.
    away: Mutex<Option<(String, Instant)>>,
}

/// Hears how many of how many texts there are vectors of.
pub type Told<'a> = dyn Fn(usize, usize) + Sync + 'a;

/// What an embedder read on a ticket.
#[derive(Debug, Default)]
pub struct Heard {
    /// What it read; none where that is left to the built-in vectors.
    pub words: Option<Words>,
    /// Where the server was needed and could not be used.
    pub away: Option<Away>,
}

/// A server that could not be used for all of a ticket.
#[derive(Debug)]
pub struct Away {
    /// Why, in words that fit behind a colon.
    pub why: String,
    /// What the texts say whose vectors are kept; none where nothing was learned from the server's vectors yet.
    pub kept: Option<Words>,
    /// When the oldest of the others was written.
    pub unread_since: DateTime<Utc>,
}

/// Why nothing was learned from a server's vectors.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// It cannot be used; in words that fit behind a colon.
    #[error("{0}")]
    Away(String),
    /// Its vectors could not be kept or found again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Embedder {
    /// Asks this server, and keeps its vectors there.
    pub fn new(server: EmbeddingsServer, store: Store) -> Embedder {
        let served = Served {
            server,
            store,
            calls: Semaphore::new(AT_ONCE),
            learning: tokio::sync::Mutex::default(),
            length: Mutex::default(),
            away: Mutex::default(),
        };
        Embedder { served: Some(Arc::new(served)), keeps: Keeps::Vectors }
    }

    /// The same, which keeps this from here on.
    pub fn that(self, keeps: Keeps) -> Embedder {
        Embedder { keeps, ..self }
    }

    /// Whether there is a server to ask.
    pub fn is_configured(&self) -> bool {
        self.served.is_some()
    }

    /// Why the server cannot be used, where it could not last.
    pub fn fault(&self) -> Option<String> {
        let served = self.served.as_ref()?;
        let away = lock(&served.away);
        away.as_ref().map(|(why, _)| format!("{}: {why}", served.place()))
    }

    /// Reads what people wrote on a ticket that the policy speaks of.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub async fn words(
        &self,
        policy: &Policy,
        ids: &Ids,
        reading: &Reading,
        own: &OwnUsers,
        ticket: &TicketKey,
        now: DateTime<Utc>,
    ) -> Result<Heard, StoreError> {
        let Some(served) = &self.served else { return Ok(Heard::default()) };
        let texts = judge::texts(policy, ids, reading, own);
        if texts.is_empty() {
            return Ok(Heard::default());
        }
        let Some(reader) = served.learned(policy) else {
            let why = self.fault().unwrap_or_else(|| format!("{}: the examples are still learned", served.place()));
            let away = Away { why, kept: None, unread_since: oldest(texts.iter(), now) };
            return Ok(Heard { words: None, away: Some(away) });
        };
        let parts = texts.iter().flat_map(|text| embedding::parts(&text.words)).collect();
        let keep = (self.keeps == Keeps::Vectors).then_some(ticket);
        let (embeddings, failed) = served.embeddings(parts, keep, (Some(LONGEST), &|_, _| {}), now).await?;
        let read = |texts: &[Text]| reader.read(texts, Some(&embeddings));
        let away = failed.map(|why| {
            let (kept, unread): (Vec<Text>, Vec<Text>) =
                texts.iter().cloned().partition(|text| embeddings.has_all_of(&text.words));
            let why = format!("{}: {why}", served.place());
            Away { why, kept: Some(read(&kept)), unread_since: oldest(unread.iter(), now) }
        });
        Ok(Heard { words: Some(read(&texts)), away })
    }

    /// Learns from the server's vectors of a policy's examples, where that was not done before; `told` hears how many of how
    /// many texts it has the vectors of.
    ///
    /// # Errors
    /// A server that cannot be used, or a store.
    pub async fn learn(&self, policy: &Policy, told: &Told<'_>) -> Result<(), LearnError> {
        let (Some(served), Some(reader)) = (&self.served, policy.reader()) else { return Ok(()) };
        let _one_at_a_time = served.learning.lock().await;
        if served.learned(policy).is_some() {
            return Ok(());
        }
        let embeddings = self.of_examples(policy, told).await?.unwrap_or_default();
        let reader = reader.clone();
        let learn = move || {
            let name = format!("reader-{}", Reader::key_with(reader.examples(), &embeddings));
            let read = |bytes: &[u8]| reader.with_bytes(bytes, &embeddings);
            config::policy::kept(&name, read, || reader.with(&embeddings), Reader::meaning_to_bytes)
        };
        let learned = tokio::task::spawn_blocking(learn).await.ok().flatten();
        let learned = learned.ok_or_else(|| LearnError::Away("its vectors are not of one length".to_owned()))?;
        let mut all = lock(&LEARNED);
        if all.len() >= MOST_LEARNED {
            all.remove(0);
        }
        all.push((served.name(), Arc::new(learned)));
        tracing::info!(policy = policy.hash, "words are read by {} of {}", served.server.model(), served.place());
        Ok(())
    }

    /// The server's vectors of a policy's examples; none where there is no server to ask.
    ///
    /// # Errors
    /// A server that cannot be used, or a store.
    pub async fn of_examples(&self, policy: &Policy, told: &Told<'_>) -> Result<Option<Embeddings>, LearnError> {
        let Some(served) = &self.served else { return Ok(None) };
        let parts: BTreeSet<String> = policy.examples.iter().flat_map(embedding::of_example).collect();
        let nobodys = TicketKey { account: String::new(), id: 0 };
        let (embeddings, failed) = served.embeddings(parts, Some(&nobodys), (None, told), Utc::now()).await?;
        match failed {
            None => Ok(Some(embeddings)),
            Some(why) => Err(LearnError::Away(why)),
        }
    }

    /// Learns from the examples of these policies as soon as the server can be used, and asks a server that was away
    /// whether it is back, until `stop` says so.
    pub async fn keep_ready(self, policies: Vec<Arc<Policy>>, mut stop: watch::Receiver<bool>) {
        let Some(served) = self.served.clone() else { return };
        while !*stop.borrow() {
            for policy in &policies {
                match self.learn(policy, &|_, _| {}).await {
                    Ok(()) | Err(LearnError::Away(_)) => {} // Of that is told where it is found.
                    Err(LearnError::Store(error)) => tracing::warn!(%error, "vectors cannot be kept"),
                }
            }
            tokio::select! {
                _ = stop.changed() => {}
                () = tokio::time::sleep(REST) => {}
            }
            if self.fault().is_some() {
                let _told = served.ask(&["hello".to_owned()]).await;
            }
        }
    }
}

impl Served {
    /// The reader of a policy, where it has learned.
    fn learned(&self, policy: &Policy) -> Option<Arc<Reader>> {
        let name = self.name();
        let all = lock(&LEARNED);
        let own = all.iter().filter(|(of, _)| *of == name).map(|(_, reader)| reader);
        own.into_iter().find(|reader| reader.examples() == policy.examples).cloned()
    }

    /// The server and the model, in one.
    fn name(&self) -> String {
        format!("{} {}", self.server.url(), self.server.model())
    }

    /// Where it is, as people know it.
    fn place(&self) -> String {
        let url = self.server.url();
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("the embeddings server at {}{port}", url.host_str().unwrap_or_default())
    }

    /// Vectors of these texts, kept or asked for, which is given up after `longest`; and why some are missing, where they
    /// are. What is asked for is kept as the ticket's, where one is given.
    async fn embeddings(
        &self,
        texts: BTreeSet<String>,
        ticket: Option<&TicketKey>,
        (longest, told): (Option<Duration>, &Told<'_>),
        now: DateTime<Utc>,
    ) -> Result<(Embeddings, Option<String>), StoreError> {
        let model = self.server.model();
        let hashed: Vec<(TextHash, String)> = texts.into_iter().map(|text| (TextHash::of(&text), text)).collect();
        let hashes: Vec<TextHash> = hashed.iter().map(|(hash, _)| hash.clone()).collect();
        let (mut kept, all) = (self.store.vectors(model, &hashes).await?, hashes.len());
        let (mut there, mut missing) = (Vec::new(), Vec::new());
        for (hash, text) in hashed {
            match kept.remove(&hash) {
                Some(vector) => there.push((text, vector)),
                None => missing.push(text),
            }
        }
        if let Some((_, vector)) = there.first() {
            lock(&self.length).get_or_insert(vector.len());
        }
        let (mut failed, begun) = (None, Instant::now());
        for batch in batches(missing) {
            if longest.is_some_and(|longest| begun.elapsed() > longest) {
                failed = Some(format!("the ticket's vectors took more than {} s", LONGEST.as_secs()));
                break;
            }
            let vectors = match self.ask(&batch).await {
                Ok(vectors) => vectors,
                Err(why) => {
                    failed = Some(why);
                    break;
                }
            };
            let hashes = batch.iter().map(|text| TextHash::of(text));
            let keep: Vec<(TextHash, Vec<f32>)> = hashes.zip(vectors.iter().cloned()).collect();
            if let Some(ticket) = ticket {
                self.store.keep_vectors(ticket, model, &keep, now).await?;
            }
            there.extend(batch.into_iter().zip(vectors));
            told(there.len(), all);
        }
        Ok((Embeddings::of(model, there), failed))
    }

    /// Asks the server, unless it failed a moment ago.
    async fn ask(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, String> {
        if let Some((why, at)) = &*lock(&self.away)
            && at.elapsed() < REST
        {
            return Err(why.clone());
        }
        let Ok(_call) = self.calls.acquire().await else { return Err("it is not called any more".to_owned()) };
        let answered = self.server.embed(texts).await.and_then(|vectors| self.of_one_length(vectors));
        let place = self.place();
        let mut away = lock(&self.away);
        match answered {
            Ok(vectors) => {
                metrics::reader(Ready::Yes);
                if away.take().is_some() {
                    tracing::info!("{place} can be used again");
                }
                Ok(vectors)
            }
            Err(error) => {
                let why = error.to_string();
                metrics::reader(Ready::No);
                if away.is_none() {
                    tracing::warn!("{place} cannot be used, words are read by the built-in vectors: {why}");
                }
                *away = Some((why.clone(), Instant::now()));
                Err(why)
            }
        }
    }

    /// The vectors, where they are as long as those before.
    fn of_one_length(&self, vectors: Vec<Vec<f32>>) -> Result<Vec<Vec<f32>>, CallError> {
        let length = vectors.first().map_or(0, Vec::len);
        let known = *lock(&self.length).get_or_insert(length);
        if length == known {
            return Ok(vectors);
        }
        Err(CallError::Unreadable(format!(
            "its vectors had {known} numbers and now have {length}: give another model another name"
        )))
    }
}

fn oldest<'a>(texts: impl Iterator<Item = &'a Text>, now: DateTime<Utc>) -> DateTime<Utc> {
    texts.map(|text| text.at).min().unwrap_or(now)
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
