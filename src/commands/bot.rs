//! The whole bot: receiver and loops over one store, until it is told to stop.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context;
use chrono::Utc;
use reqwest::Url;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::front::Front;
use super::health::{self, Health};
use super::loaded::{Loaded, Opened};
use super::reload::Refused;
use crate::console::account_ids::AccountIds;
use crate::console::gate::Gate;
use crate::console::sign_in::Admission;
use crate::console::{self, Console};
use crate::decide::policy::Policy;
use crate::helpdesk::addresses::Addresses;
use crate::helpdesk::auth::{API_TOKENS_END, Credentials};
use crate::helpdesk::client::Helpdesk;
use crate::receive::doors::{Door, Doors};
use crate::receive::{self, Receiver};
use crate::server::Server;
use crate::server::pages;
use crate::server::tls::Tls;
use crate::store::Store;
use crate::store::follow_ups::Destination;
use crate::store::policies::PolicyVersion;
use crate::work::anew::Anew;
use crate::work::clock::Clocks;
use crate::work::conditions::Conditions;
use crate::work::embedder::{Embedder, Embedders};
use crate::work::follow_ups::{self, Follower, To};
use crate::work::pace::Share;
use crate::work::preview::Previews;
use crate::work::recovery::Recovery;
use crate::work::rule::PolicyInForce;
use crate::work::standing::Standing;
use crate::work::tags::Tags;
use crate::work::troubles::Troubles;
use crate::work::{self, Account, Shared, Work, star_tags};

/// How long a ticket waits for the rest of a burst; also how old a stamp must be before it can guard a write.
const SETTLE_DELAY: Duration = Duration::from_secs(2);

/// How long tickets in hand are waited for at a stop, which may take 10 s in all.
const LAST_WORDS: Duration = Duration::from_secs(9);

/// What comes from outside while the bot runs.
pub(super) struct Outside {
    /// Configurations and policies read anew.
    pub changed: mpsc::Receiver<Loaded>,
    /// Why the newest change was refused.
    pub refused: Refused,
    /// Becomes true when the bot is to stop.
    pub stop: watch::Receiver<bool>,
}

/// Runs until `outside.stop` says so, and ends what is in hand.
pub(super) async fn run(
    server: Server,
    store: Store,
    loaded: Loaded,
    outside: Outside,
    front: Front,
) -> anyhow::Result<()> {
    let Outside { mut changed, refused, mut stop } = outside;
    let rule = PolicyInForce::new(loaded.rules.clone());
    let (standing, destinations) = (Standing::default(), Standing::default());
    let conditions = Conditions::default();
    let embedders = Embedders::default();
    let Front { sessions, public_url } = front;
    let shared = Arc::new(Shared {
        store: store.clone(),
        rule: rule.clone(),
        standing: standing.clone(),
        conditions: conditions.clone(),
        destinations: destinations.clone(),
        public_url: public_url.clone(),
    });
    let clocks = Clocks::default();
    let gate = Gate::new(Admission::Closed, sessions, store.clone());
    let (addresses, ids, previews) = (Addresses::default(), AccountIds::default(), Previews::default());
    let mut workers = Workers {
        shared,
        addresses: addresses.clone(),
        ids: ids.clone(),
        previews: previews.clone(),
        doors: Doors::default(),
        embedders: embedders.clone(),
        tls: server.tls.clone(),
        loops: JoinSet::new(),
        stop: watch::channel(false).0,
        gate: gate.clone(),
        clocks: clocks.clone(),
    };
    workers.adopt(loaded).await?;

    let receiver = Receiver { doors: workers.doors.clone(), store: store.clone(), settle_delay: SETTLE_DELAY };
    let doors = workers.doors.clone();
    let console = console::router(Console {
        store: store.clone(),
        rule: rule.clone(),
        wake: Box::new(move |account| {
            if let Some(door) = doors.of(account) {
                door.wake.notify_one();
            }
        }),
        addresses,
        ids,
        previews,
        gate: gate.clone(),
        embedders: embedders.clone(),
    });
    let health = health::router(Health {
        store,
        standing,
        conditions,
        destinations,
        embedders,
        rule,
        refused: refused.clone(),
        gate,
        clocks,
    });
    let mut serving =
        tokio::spawn(server.run(receive::router(receiver).merge(health).merge(pages::bounded(console)), stop.clone()));
    loop {
        tokio::select! {
            told = stop.changed() => if told.is_err() || *stop.borrow() { break; },
            served = &mut serving => return served.context("the receiver broke off")?,
            Some(loaded) = changed.recv() => if let Err(error) = workers.adopt(loaded).await {
                refused.because(&error);
            },
            Some(ended) = workers.loops.join_next() => ended.context("a loop broke off")?,
        }
    }
    let (served, ()) = tokio::join!(serving, workers.end());
    served.context("the receiver broke off")?
}

/// The loops, one an account, and the ways in that wake them.
struct Workers {
    shared: Arc<Shared>,
    addresses: Addresses,
    ids: AccountIds,
    previews: Previews,
    doors: Doors,
    embedders: Embedders,
    tls: Option<Tls>,
    loops: JoinSet<()>,
    gate: Gate,
    clocks: Clocks,
    /// Ends the loops that were begun last.
    stop: watch::Sender<bool>,
}

impl Workers {
    /// Works by `loaded` from here on, or not at all where it cannot be worked by. Loops of before end what they have in
    /// hand beside the new ones: a ticket in hand has its lease, so no two look at it.
    async fn adopt(&mut self, loaded: Loaded) -> anyhow::Result<()> {
        let (mut doors, mut accounts, mut helpdesks, mut ids) =
            (BTreeMap::new(), Vec::new(), BTreeMap::new(), BTreeMap::new());
        let by_token = |opened: &Opened| matches!(opened.credentials, Credentials::ApiToken { .. });
        let ends = |opened: &Opened| (opened.name.clone(), by_token(opened).then_some(API_TOKENS_END));
        let tokens = loaded.accounts.iter().map(ends).collect();
        let on: BTreeSet<Destination> = loaded.to.iter().map(To::destination).collect();
        for opened in loaded.accounts {
            let name = opened.name.clone();
            let no_address = || format!("accounts.{name}.base_url");
            helpdesks.insert(name.clone(), opened.base_url.parse::<Url>().with_context(no_address)?);
            ids.insert(name.clone(), opened.ids.clone());
            let embedder = loaded.reads.of(&name);
            let (door, account) =
                joined(opened, &loaded.rules.policy, &on, embedder, &self.shared.store).with_context(no_address)?;
            doors.insert(name, door);
            accounts.push(Arc::new(account));
        }
        let version = PolicyVersion {
            hash: loaded.rules.policy.hash.clone(),
            since: Utc::now(),
            binding: loaded.rules.policy.text.clone(),
            diagram: loaded.rules.policy.mermaid.clone(),
        };
        if let Err(error) = self.shared.store.record_policy(&version).await {
            tracing::warn!(%error, "the policy in force is not on record"); // It decides all the same.
        }
        loaded.rules.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
        let policies = std::iter::once(&loaded.rules.policy).chain(loaded.rules.candidate()).cloned().collect();
        self.shared.rule.replace(loaded.rules);
        self.gate.replace(loaded.admission);
        let server = loaded.reads.server.clone();
        self.embedders.replace(loaded.reads);
        self.addresses.replace(helpdesks);
        self.ids.replace(ids);
        self.shared.standing.expect(doors.keys());
        self.shared.conditions.expect(tokens);
        let on: Vec<String> = on.iter().map(|destination| destination.word().to_owned()).collect();
        self.shared.destinations.expect(on.iter());
        let clocks = accounts.iter().map(|account| (account.name.clone(), account.helpdesk.ahead().clone()));
        self.clocks.replace(clocks.collect());
        self.previews.replace(&accounts);
        self.doors.replace(doors);
        if let (Some(tls), Some(certified)) = (&self.tls, loaded.certified) {
            tls.replace(certified);
        }
        let (stop, stopping) = watch::channel(false);
        let _all_ended = std::mem::replace(&mut self.stop, stop).send(true);
        for account in accounts {
            self.loops.spawn(work::run(self.shared.clone(), account, stopping.clone()));
        }
        self.loops.spawn(server.keep_ready(policies, stopping.clone()));
        for to in loaded.to {
            let (tries, lease) = (loaded.work.tries, loaded.work.lease);
            let follower = Follower { to, addresses: self.addresses.clone(), tries, lease };
            self.loops.spawn(follow_ups::run(self.shared.clone(), follower, stopping.clone()));
        }
        Ok(())
    }

    async fn end(mut self) {
        let _all_ended = self.stop.send(true);
        let ended = tokio::time::timeout(LAST_WORDS, async { while self.loops.join_next().await.is_some() {} }).await;
        if ended.is_err() {
            tracing::warn!("some tickets were still in hand; they are due again when their leases end");
        }
    }
}

/// An account's way in and its loop's needs, which share who we are and what wakes the loop.
fn joined(
    opened: Opened,
    policy: &Policy,
    follow_ups: &BTreeSet<Destination>,
    embedder: Embedder,
    store: &Store,
) -> anyhow::Result<(Door, Account)> {
    let (own, wake) = (Arc::new(OnceLock::new()), store.wake(&opened.name));
    let door = Door {
        secrets: opened.secrets,
        account_id: opened.account_id,
        replay_window: opened.replay_window,
        star_tags: star_tags(policy),
        own: own.clone(),
        wake: wake.clone(),
    };
    let share = Share::new(store.clone(), &opened.name, opened.requests_per_minute);
    let pace = Arc::new(share.clone());
    let account = Account {
        helpdesk: Helpdesk::paced(&opened.base_url, opened.credentials, opened.work.answer_within, pace)?,
        work: Work { tries: opened.work.tries, lease: opened.work.lease, notes: opened.work.notes_in_ten_minutes },
        name: opened.name,
        ids: opened.ids,
        systems: opened.systems,
        embedder,
        mode: opened.mode,
        follow_ups: follow_ups.clone(),
        own,
        catch_up_every: opened.catch_up_every,
        share,
        troubles: Troubles::default(),
        tags: Tags::default(),
        recovery: Recovery::default(),
        anew: Anew::default(),
        wake,
    };
    Ok((door, account))
}
