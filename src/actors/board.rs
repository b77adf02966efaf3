//! What all partitions of a node have learnt together: what decisions see.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::domain::Partition;
use crate::domain::learning::{Key, Tallies};

/// The least time between two refreshes of the sum.
const REFRESH_EVERY: Duration = Duration::from_millis(2);

/// A refresh is followed by a pause this many times as long as it took.
const PAUSE: u32 = 9;

/// The tallies of every partition, and their sum.
///
/// The sum that a batch sees is at most a few milliseconds behind the last commit. It is a view: what is kept are the tallies
/// of the partitions, each in its own checkpoint and log.
#[derive(Default)]
pub struct Board {
    view: RwLock<Arc<Tallies>>,
    parts: Mutex<Parts>,
    stale: AtomicBool,
}

#[derive(Default)]
struct Parts {
    /// By partition.
    of: BTreeMap<u16, Tallies>,
    /// What the sum does not have.
    stale: BTreeSet<Key>,
    /// Before this the sum is good enough.
    next: Option<Instant>,
}

impl Board {
    /// Takes what a partition begins with.
    pub fn begin(&self, id: Partition, tallies: &Tallies) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let old = parts.of.insert(id.0, tallies.clone()).unwrap_or_default();
        parts
            .stale
            .extend(old.keys().chain(tallies.keys()).cloned());
        parts.next = None;
        self.stale.store(true, Ordering::Release);
    }

    /// Takes what a commit of a partition has changed.
    pub fn put(&self, id: Partition, tallies: &Tallies, touched: &BTreeSet<Key>) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let part = parts.of.entry(id.0).or_default();
        for key in touched {
            part.copy(key, tallies);
        }
        part.copy_shares(tallies);
        if !touched.is_empty() {
            parts.stale.extend(touched.iter().cloned());
            self.stale.store(true, Ordering::Release);
        }
    }

    /// Returns the sum with the shares of the arms, which no decision needs: those who look at it pay for them.
    pub fn whole(&self) -> Tallies {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut whole = Tallies::default();
        for part in parts.of.values() {
            whole.add(part);
        }
        whole
    }

    /// Returns the sum of the evidence, brought up to date if it is time; without shares.
    pub fn view(&self) -> Arc<Tallies> {
        if self.stale.load(Ordering::Acquire) {
            self.refresh(Instant::now());
        }
        let view = self.view.read().unwrap_or_else(PoisonError::into_inner);
        view.clone()
    }

    fn refresh(&self, now: Instant) {
        // Another partition that refreshes does it for all of them.
        let Ok(mut parts) = self.parts.try_lock() else {
            return;
        };
        if parts.next.is_some_and(|next| now < next) {
            return;
        }
        let stale = std::mem::take(&mut parts.stale);
        let mut sum = {
            let view = self.view.read().unwrap_or_else(PoisonError::into_inner);
            Tallies::clone(&view)
        };
        sum.sum_of(&parts.of.values(), &stale);
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(sum);
        self.stale.store(false, Ordering::Release);
        parts.next = Some(now + REFRESH_EVERY.max(now.elapsed() * PAUSE));
    }
}
