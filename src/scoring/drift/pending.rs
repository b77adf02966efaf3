//! Decisions whose outcome is not known yet.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::Timestamp;

/// So many decisions of a model wait for their outcome; while there are as many, further ones are not followed.
pub const PENDING_MAX: usize = 65_536;

/// Decisions whose outcome is not known yet.
#[derive(Debug, Default)]
pub struct Pending {
    /// What was promised, until when, and whether it came.
    given: BTreeMap<u64, (f64, Timestamp, bool)>,
    /// Whose time is up when.
    due: BTreeSet<(Timestamp, u64)>,
}

impl Pending {
    /// Follows an offer that was given; the same one again changes nothing.
    ///
    /// - `key`: stands for the decision and the offer.
    pub fn given(&mut self, key: u64, score: f64, until: Timestamp) {
        if self.given.len() >= PENDING_MAX || self.given.contains_key(&key) {
            return;
        }
        self.given.insert(key, (score, until, false));
        self.due.insert((until, key));
    }

    /// Notes that it was taken.
    pub fn came(&mut self, key: u64) {
        if let Some((_, _, came)) = self.given.get_mut(&key) {
            *came = true;
        }
    }

    /// Takes out whose time is up: what was promised and whether it came.
    pub fn over(&mut self, now: Timestamp) -> Vec<(f64, bool)> {
        let mut over = Vec::new();
        while let Some((until, key)) = self.due.first().copied() {
            if until >= now {
                break;
            }
            self.due.remove(&(until, key));
            over.extend(
                self.given
                    .remove(&key)
                    .map(|(score, _, came)| (score, came)),
            );
        }
        over
    }
}
