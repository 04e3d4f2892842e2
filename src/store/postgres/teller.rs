//! Tells other replicas that something became due: once for a burst of deliveries, not for each.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tokio::sync::Notify;

use super::listener::CHANNEL;
use crate::store::StoreError;

/// How long a burst may go on before it is told of again.
const LULL: Duration = Duration::from_millis(50);

const TELL: &str = "SELECT count(pg_notify($1, account)) FROM unnest($2::text[]) AS account";

/// The accounts of which something became due since the others were last told.
#[derive(Default)]
pub(super) struct Teller {
    accounts: Mutex<BTreeSet<String>>,
    more: Notify,
}

impl Teller {
    /// Something of the account is due.
    pub(super) fn due(&self, account: &str) {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if !accounts.contains(account) {
            accounts.insert(account.to_owned());
            self.more.notify_one();
        }
    }

    /// Tells for ever. Where it cannot, the others find what is due by the clock.
    pub(super) async fn tell(&self, pool: Pool) {
        loop {
            self.more.notified().await;
            let accounts = std::mem::take(&mut *self.accounts.lock().unwrap_or_else(PoisonError::into_inner));
            if let Err(error) = send(&pool, accounts).await {
                tracing::warn!(%error, "other replicas cannot be told what is due");
            }
            tokio::time::sleep(LULL).await;
        }
    }
}

async fn send(pool: &Pool, accounts: BTreeSet<String>) -> Result<(), StoreError> {
    let client = super::connection(pool).await?;
    let told = async {
        let tell = client.prepare_cached(TELL).await?;
        client.execute(&tell, &[&CHANNEL, &Vec::from_iter(accounts)]).await
    };
    let Ok(told) = tokio::time::timeout(super::PATIENCE, told).await else {
        drop(Object::take(client));
        return Err(super::silent());
    };
    told?;
    Ok(())
}
