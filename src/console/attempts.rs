//! Refused sign-ins of late, by address: guessing is slow, and keeps nobody out but the guesser's own address.
//!
//! Nothing is counted for everybody together, or for a name from wherever it is tried: either would let a stranger lock
//! people out. Beyond the usual number an address's attempts are checked one after the other, with a wait each; a right
//! password still gets in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

/// How many refusals an address may have in [`WINDOW`] for one name, and for all names.
const FOR_NAME: u32 = 5;
const FOR_ADDRESS: u32 = 30;
const WINDOW: Duration = Duration::from_secs(60);

/// How long each attempt waits beyond that, and how many of an address wait at once.
const WAIT: Duration = Duration::from_secs(2);
const WAITING: usize = 8;

/// How many addresses are remembered.
const ADDRESSES: usize = 10_000;

/// How often a name's refusals are written down.
const WRITTEN_EVERY: Duration = Duration::from_secs(3600);

/// Refused sign-ins of late, and those under way.
#[derive(Default)]
pub struct Attempts {
    of_late: Mutex<HashMap<IpAddr, Address>>,
    written: Mutex<HashMap<String, Instant>>,
}

struct Address {
    since: Instant,
    all: u32,
    names: HashMap<String, u32>,
    lane: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// Whether an attempt may be checked.
#[derive(Debug, Clone)]
pub enum Turn {
    /// At once.
    Now,
    /// After a wait, when those before it are done.
    Slowly(Lane),
}

/// Where an address's attempts wait for each other.
#[derive(Debug, Clone)]
pub struct Lane {
    lane: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// Too many attempts wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

impl Lane {
    /// Waits for its turn, 16 s at most.
    ///
    /// # Errors
    /// Where as many wait already.
    pub async fn turn(&self) -> Result<(), TooMany> {
        let Ok(_waits) = self.waiting.try_acquire() else { return Err(TooMany) };
        let Ok(_first) = self.lane.acquire().await else { return Err(TooMany) };
        tokio::time::sleep(WAIT).await;
        Ok(())
    }
}

impl Attempts {
    /// Counts an attempt as refused, so that many at once are not one too many; when it may be checked.
    pub fn turn(&self, from: IpAddr, name: &str, now: Instant) -> Turn {
        let mut all = self.of_late.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ADDRESSES && !all.contains_key(&from) {
            all.retain(|_, address| now.duration_since(address.since) < WINDOW);
            if all.len() >= ADDRESSES {
                all.clear(); // Ten thousand addresses at once: what is counted of each is worth nothing.
            }
        }
        let address = all.entry(from).or_insert_with(|| Address::new(now));
        if now.duration_since(address.since) >= WINDOW {
            (address.since, address.all) = (now, 0);
            address.names.clear();
        }
        address.all += 1;
        // No more names are counted than an address may try.
        let of_name = match address.names.get_mut(name) {
            Some(of_name) => {
                *of_name += 1;
                *of_name
            }
            None if address.all <= FOR_ADDRESS => *address.names.entry(name.to_owned()).or_insert(1),
            None => 1,
        };
        match address.all <= FOR_ADDRESS && of_name <= FOR_NAME {
            true => Turn::Now,
            false => Turn::Slowly(Lane { lane: address.lane.clone(), waiting: address.waiting.clone() }),
        }
    }

    /// An attempt was right: it counts no more, nor do the name's others from there.
    pub fn succeeded(&self, from: IpAddr, name: &str) {
        let mut all = self.of_late.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(address) = all.get_mut(&from) {
            let of_name = address.names.remove(name).unwrap_or(1);
            address.all = address.all.saturating_sub(of_name);
        }
    }

    /// Whether a refusal is to be written down: the first of an hour for a name that is known, and for all others together.
    pub(super) fn is_written(&self, name: &str, now: Instant) -> bool {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let last = written.insert(name.to_owned(), now);
        let again = last.is_some_and(|last| now.duration_since(last) < WRITTEN_EVERY);
        if again && let Some(last) = last {
            written.insert(name.to_owned(), last);
        }
        !again
    }
}

impl Address {
    fn new(now: Instant) -> Address {
        let (lane, waiting) = (Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(WAITING)));
        Address { since: now, all: 0, names: HashMap::new(), lane, waiting }
    }
}
