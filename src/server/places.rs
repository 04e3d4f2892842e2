//! Who has a connection: so many in all, a share for each address, and who has kept us waiting longest gives way.
//!
//! A connection waits for its peer while a head or a body arrives, while an answer is taken, and while it is idle; it is
//! at work while a handler has the whole request. One that was not read from yet waits for us, and stays. Where there is no place left, the one that has waited longest for its
//! peer is closed, and never one that is at work; where more than half come from one part of the net, one of
//! those. A delivery waits for its peer for milliseconds, so it stays.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::shares::{Full, Share, Shares, network};

/// The places there are; clones share them.
#[derive(Clone)]
pub(super) struct Places(Arc<Inner>);

struct Inner {
    shares: Shares,
    begun: Instant,
    taken: Mutex<Taken>,
    freed: Arc<Notify>,
}

#[derive(Default)]
struct Taken {
    next: u64,
    by_number: HashMap<u64, Holder>,
    /// How many come from each part of the net.
    by_part: HashMap<IpAddr, usize>,
}

struct Holder {
    address: IpAddr,
    phase: Arc<Phase>,
    share: Share,
    task: Option<AbortHandle>,
}

/// One connection's place; given back when it is dropped.
pub(super) struct Place {
    places: Places,
    number: u64,
    /// What it does.
    pub(super) phase: Arc<Phase>,
}

/// Whether a connection waits for its peer, and since when.
pub(super) struct Phase {
    begun: Instant,
    /// Milliseconds since `begun` plus one, or one of the three below.
    waits_since: AtomicU64,
    /// When it was taken, as above.
    taken: u64,
    /// Rung when it begins to wait, for then it may give way.
    freed: Arc<Notify>,
}

const AT_WORK: u64 = 0;
const CLOSED: u64 = u64::MAX;
/// Taken, and not read from yet: it waits for us.
const FRESH: u64 = u64::MAX - 1;

impl Phase {
    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX - 3) + 1
    }

    /// The whole request is here; the connection is ours to keep until it is answered.
    pub(super) fn works(&self) {
        self.turn(AT_WORK);
    }

    /// It was read from for the first time: it waits for its peer, and has since it was taken.
    pub(super) fn is_read(&self) {
        self.turn(self.taken);
        self.freed.notify_one();
    }

    /// The connection waits for its peer from now on.
    pub(super) fn waits(&self) {
        self.turn(self.now());
        self.freed.notify_one();
    }

    fn turn(&self, to: u64) {
        let _closed =
            self.waits_since.fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| (now != CLOSED).then_some(to));
    }

    /// Closes it, where it still waits since then.
    fn close(&self, since: u64) -> bool {
        self.waits_since.compare_exchange(since, CLOSED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

impl Places {
    pub(super) fn new(all: usize, each: usize) -> Places {
        let shares = Shares::new(all, each);
        Places(Arc::new(Inner { shares, begun: Instant::now(), taken: Mutex::default(), freed: Arc::default() }))
    }

    /// A place for an address, for which another connection may be closed; none where its share is at work.
    pub(super) async fn take(&self, address: IpAddr) -> Option<Place> {
        let address = network(address);
        loop {
            let freed = self.0.freed.notified();
            match self.try_take(address) {
                Ok(place) => return Some(place),
                Err(Full::ForAddress) => return None,
                Err(Full::ForAll) => freed.await,
            }
        }
    }

    fn try_take(&self, address: IpAddr) -> Result<Place, Full> {
        let mut taken = self.taken();
        let mut share = self.0.shares.of(address);
        while let Err(full) = share.grow(1) {
            let closed = match full {
                Full::ForAddress => taken.close_one(|holder| holder.address == address),
                Full::ForAll => match taken.crowd() {
                    Some(crowd) => taken.close_one(|holder| part(holder.address) == crowd) || taken.close_one(|_| true),
                    None => taken.close_one(|_| true),
                },
            };
            if !closed {
                // One that is fresh gives way as soon as it has been read from.
                return Err(if taken.has_fresh() { Full::ForAll } else { full });
            }
        }
        let (begun, freed) = (self.0.begun, self.0.freed.clone());
        let mut phase = Phase { begun, waits_since: AtomicU64::new(FRESH), taken: 0, freed };
        phase.taken = phase.now();
        let phase = Arc::new(phase);
        let number = taken.next;
        taken.next += 1;
        *taken.by_part.entry(part(address)).or_default() += 1;
        taken.by_number.insert(number, Holder { address, phase: phase.clone(), share, task: None });
        Ok(Place { places: self.clone(), number, phase })
    }

    /// The task that has a place, which ends with it.
    pub(super) fn held_by(&self, number: u64, task: AbortHandle) {
        match self.taken().by_number.get_mut(&number) {
            Some(holder) => holder.task = Some(task),
            None => task.abort(), // It was closed, or is over, already.
        }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Whether there is one that was not read from yet.
    fn has_fresh(&self) -> bool {
        self.by_number.values().any(|holder| holder.phase.waits_since.load(Ordering::Acquire) == FRESH)
    }

    /// The part of the net that more than half of all connections come from, if there is one.
    fn crowd(&self) -> Option<IpAddr> {
        self.by_part.iter().find(|(_, many)| 2 * **many > self.by_number.len()).map(|(part, _)| *part)
    }

    fn remove(&mut self, number: u64) -> Option<Holder> {
        let holder = self.by_number.remove(&number)?;
        let part = part(holder.address);
        match self.by_part.get_mut(&part) {
            Some(many) if *many > 1 => *many -= 1,
            Some(_) | None => drop(self.by_part.remove(&part)),
        }
        Some(holder)
    }

    /// Closes the connection that has waited longest for its peer among some; whether there was one.
    fn close_one(&mut self, among: impl Fn(&Holder) -> bool) -> bool {
        loop {
            let waiting = self.by_number.iter().filter(|(_, holder)| among(holder));
            let waiting = waiting.map(|(number, holder)| (holder.phase.waits_since.load(Ordering::Acquire), *number));
            let waiting = waiting.filter(|(since, _)| ![AT_WORK, FRESH].contains(since));
            let Some((since, number)) = waiting.min() else { return false };
            if self.by_number.get(&number).is_some_and(|holder| holder.phase.close(since)) {
                if let Some(Holder { task: Some(task), share, .. }) = self.remove(number) {
                    task.abort();
                    drop(share);
                }
                return true;
            }
        }
    }
}

impl Place {
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let held = self.places.taken().remove(self.number);
        drop(held);
        self.places.0.freed.notify_one();
    }
}

/// The part of the net that an address is in: one network has many, and whoever has it can use them all.
fn part(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(four) => Ipv4Addr::from_bits(four.to_bits() & (u32::MAX << 16)).into(),
        IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() & (u128::MAX << 96)).into(),
    }
}
