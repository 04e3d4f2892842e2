//! How many files this process may have open, which connections are among.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is left for the store, calls to others, and what the system needs.
const OTHERS: u64 = 128;

/// As many of so many connections as this process can have open; its limit is raised for them where it may be.
///
/// More than that would fail in the middle of the work, at whatever opens a file next.
pub fn connections_within_limit(wanted: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let needed = u64::try_from(wanted).unwrap_or(u64::MAX).saturating_add(OTHERS);
    let Some(limit) = current.filter(|limit| *limit < needed) else { return wanted };
    let raised = maximum.map_or(needed, |maximum| needed.min(maximum));
    let new = Rlimit { current: Some(raised), maximum };
    let limit = if raised > limit && setrlimit(Resource::Nofile, new).is_ok() { raised } else { limit };
    let fitting = usize::try_from(limit.saturating_sub(OTHERS)).unwrap_or(usize::MAX).max(1).min(wanted);
    if fitting < wanted {
        tracing::warn!(
            wanted,
            fitting,
            limit,
            "server.connections is more than this process may open: raise LimitNOFILE (systemd) or `ulimit -n` to {needed}"
        );
    }
    fitting
}
