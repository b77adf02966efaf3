//! The live policies: one immutable set, swapped as a whole.

use std::sync::{Arc, PoisonError, RwLock};

use crate::policy::Bundle;
use crate::policy::model::Model;
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
    ///
    /// The bundle learns which files its models are, so that decisions can name them.
    pub fn new(revision: u64, bundle: Arc<Bundle>, scorer: Arc<dyn Scorer>) -> Arc<Self> {
        let bundle = with_versions(bundle, scorer.as_ref());
        let wanted = Wanted::of(&bundle);
        Arc::new(Self {
            revision,
            bundle,
            wanted,
            scorer,
        })
    }
}

/// Writes the versions of loaded models into a bundle.
fn with_versions(bundle: Arc<Bundle>, scorer: &dyn Scorer) -> Arc<Bundle> {
    let models = bundle.models.values().chain(bundle.archive.models.values());
    let loaded = |name: &str| scorer.card(name).map(|card| &card.sha256);
    let is_known = |model: &Model| loaded(&model.name).is_none_or(|it| *it == model.version);
    if models.into_iter().all(is_known) {
        return bundle;
    }
    let mut bundle = Bundle::clone(&bundle);
    let kept = bundle.archive.models.values_mut();
    for model in bundle.models.values_mut().chain(kept) {
        if let Some(version) = loaded(&model.name) {
            model.version = version.clone();
        }
    }
    Arc::new(bundle)
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
