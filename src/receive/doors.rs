//! An account's way in: what its deliveries must bear.

use crate::decide::ticket::OwnUsers;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::SecretString;
use tokio::sync::Notify;

/// One account's way in.
pub struct Door {
    /// What its webhooks are signed with; several while rotating.
    pub secrets: Vec<SecretString>,
    /// The helpdesk's own number, where deliveries must name it.
    pub account_id: Option<u64>,
    /// How old a signature may be.
    pub replay_window: Duration,
    /// Tags that show that a ticket may be ours; none of them means every ticket may.
    pub star_tags: Vec<String>,
    /// The helpdesk's id of ourselves, once known: what we did is no news.
    pub own: Arc<OnceLock<OwnUsers>>,
    /// Woken when something of the account is due.
    pub wake: Arc<Notify>,
}

/// Ways in, by account, swapped whole when the configuration is read anew; clones share them.
#[derive(Clone, Default)]
pub struct Doors(Arc<ArcSwap<BTreeMap<String, Arc<Door>>>>);

impl Doors {
    /// An account's way in; a delivery that has begun ends by the one it began with.
    pub fn of(&self, account: &str) -> Option<Arc<Door>> {
        self.0.load().get(account).cloned()
    }

    /// A way in that nothing comes through, for accounts that are not here: as many secrets as others have, which nobody knows.
    pub fn decoy(&self) -> Arc<Door> {
        let most = self.0.load().values().map(|door| door.secrets.len()).max().unwrap_or(1);
        let unknown = || {
            let mut bytes = [0_u8; 32];
            getrandom::fill(&mut bytes).ok().map(|()| SecretString::from(STANDARD.encode(bytes)))
        };
        let secrets = std::iter::repeat_with(unknown).take(most).flatten().collect();
        Arc::new(Door {
            secrets,
            account_id: None,
            replay_window: Duration::ZERO,
            star_tags: Vec::new(),
            own: Arc::default(),
            wake: Arc::default(),
        })
    }

    /// Puts these in the place of all there were.
    pub fn replace(&self, doors: BTreeMap<String, Door>) {
        self.0.store(Arc::new(doors.into_iter().map(|(account, door)| (account, Arc::new(door))).collect()));
    }
}
