//! Which policies were live when.

use std::sync::Arc;

use crate::actors::live::Policies;
use crate::domain::Timestamp;
use crate::domain::segment::Depth;
use crate::policy::Bundle;
use crate::policy::wanted::Wanted;

/// The reign of one revision of the policies.
pub struct Era {
    /// Its number.
    pub revision: u64,
    /// When it began.
    pub since: Timestamp,
    /// The policies.
    pub bundle: Arc<Bundle>,
    /// The events that they look into.
    wanted: Wanted,
}

/// The revisions up to a time, one after the other.
pub struct Eras {
    /// The first one; it stands for those before it.
    pub first: Era,
    /// The others, in order.
    pub later: Vec<Era>,
    /// From when on each of them was live at its time; before, others may have been.
    pub exact_since: Timestamp,
}

impl Era {
    /// Takes policies that became live at a time.
    pub fn new(revision: u64, since: Timestamp, bundle: Arc<Bundle>) -> Self {
        let wanted = Wanted::of(&bundle);
        Self {
            revision,
            since,
            bundle,
            wanted,
        }
    }
}

impl Eras {
    /// Takes the live policies for all times.
    pub fn of(live: &Policies) -> Self {
        Self {
            first: Era::new(live.revision, Timestamp::MIN, live.bundle.clone()),
            later: Vec::new(),
            exact_since: Timestamp::MIN,
        }
    }

    /// Returns all of them, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Era> + Clone {
        std::iter::once(&self.first).chain(&self.later)
    }

    /// Returns how far any of them looks into an event.
    pub fn depth(&self, event: &str) -> Depth {
        let depths = self.iter().map(|era| era.wanted.depth(event));
        depths.max().unwrap_or_default()
    }

    /// Returns the revisions that were live between two times, and since when; there always is one.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> Vec<(u64, Timestamp)> {
        let later = self.later.iter().filter(|era| era.since <= to);
        let begun = std::iter::once(&self.first).chain(later);
        let n_over = begun.clone().filter(|era| era.since <= from).count();
        let some = begun.skip(n_over.saturating_sub(1));
        some.map(|era| (era.revision, era.since)).collect()
    }
}
