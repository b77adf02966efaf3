//! The live policies: one immutable set, swapped as a whole.

use std::sync::{Arc, PoisonError, RwLock};

use crate::policy::Bundle;
use crate::policy::wanted::Wanted;
use crate::scoring::Scorer;

/// Everything that decides, as of one revision.
pub struct Policies {
    /// The number of the revision; 0 where no history is kept.
    pub revision: u64,
    /// The compiled policies.
    pub bundle: Arc<Bundle>,
    /// The events that they look into.
    pub wanted: Wanted,
    /// Their models.
    pub scorer: Arc<dyn Scorer>,
}

impl Policies {
    /// Puts a set together.
    pub fn new(revision: u64, bundle: Arc<Bundle>, scorer: Arc<dyn Scorer>) -> Arc<Self> {
        let wanted = Wanted::of(&bundle);
        Arc::new(Self {
            revision,
            bundle,
            wanted,
            scorer,
        })
    }
}

/// Where the live set is found.
///
/// A batch takes it once and keeps it to its end, so all its inputs are decided by one set.
pub struct Live(RwLock<Arc<Policies>>);

impl Live {
    /// Begins with a set.
    pub fn new(policies: Arc<Policies>) -> Self {
        Self(RwLock::new(policies))
    }

    /// Returns the live set.
    pub fn get(&self) -> Arc<Policies> {
        let live = self.0.read().unwrap_or_else(PoisonError::into_inner);
        live.clone()
    }

    /// Makes another set live: every batch that begins from here on takes it.
    pub fn set(&self, policies: Arc<Policies>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = policies;
    }
}
