//! The policy in force.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::policy::Policy;

/// The policy in force, swapped whole; clones share it.
///
/// Whoever decides takes it once and keeps it to the end, so that no decision is made by half of each of two policies.
#[derive(Clone)]
pub struct PolicyInForce(Arc<ArcSwap<Policy>>);

impl PolicyInForce {
    /// This one, to begin with.
    pub fn new(policy: Arc<Policy>) -> PolicyInForce {
        PolicyInForce(Arc::new(ArcSwap::new(policy)))
    }

    /// The one in force now.
    pub fn now(&self) -> Arc<Policy> {
        self.0.load_full()
    }

    /// Puts another in force for every look that begins from here on.
    pub fn replace(&self, policy: Arc<Policy>) {
        self.0.store(policy);
    }
}
