//! So much in all, and so much for one address: what strangers may hold of anything.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Something that there is only so much of; clones share it.
#[derive(Clone)]
pub(super) struct Shares(Arc<Divided>);

struct Divided {
    all: usize,
    each: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by: HashMap<IpAddr, usize>,
}

/// Why there is no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// All is taken.
    ForAll,
    /// This address has its share.
    ForAddress,
}

impl Shares {
    /// So much in all, and `each` for one address.
    pub(super) fn new(all: usize, each: usize) -> Shares {
        Shares(Arc::new(Divided { all, each, taken: Mutex::default() }))
    }

    /// Nothing yet of an address's share; it may [`Share::grow`].
    pub(super) fn of(&self, address: IpAddr) -> Share {
        Share { shares: self.clone(), address: network(address), amount: 0 }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one address has taken; given back when it is dropped.
pub(super) struct Share {
    shares: Shares,
    address: IpAddr,
    amount: usize,
}

impl Share {
    /// Takes so much more.
    pub(super) fn grow(&mut self, more: usize) -> Result<(), Full> {
        let mut taken = self.shares.taken();
        let own = taken.by.get(&self.address).copied().unwrap_or(0);
        if own.saturating_add(more) > self.shares.0.each {
            return Err(Full::ForAddress);
        }
        if taken.all.saturating_add(more) > self.shares.0.all {
            return Err(Full::ForAll);
        }
        taken.all += more;
        taken.by.insert(self.address, own + more);
        drop(taken);
        self.amount += more;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.shares.taken();
        taken.all = taken.all.saturating_sub(self.amount);
        let own = taken.by.get(&self.address).copied().unwrap_or(0).saturating_sub(self.amount);
        match own {
            0 => taken.by.remove(&self.address),
            own => taken.by.insert(self.address, own),
        };
    }
}

/// What counts as one address: of IPv6, where one machine has a whole network to choose from, the first 64 bits.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        four @ IpAddr::V4(_) => four,
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & (u128::MAX << 64))),
    }
}
