//! Which policies were live when, out of the ledger.

use std::sync::Arc;

use super::{Error, Ledger, Releases, Set};
use crate::actors::eras::{Era, Eras};
use crate::actors::live::Policies;
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::policy::{self, Bundle, Kept};

/// The most revisions that are compiled to look into the past: the last ones up to its end.
const ERAS_MAX: usize = 16;

impl Releases {
    /// Returns which policies were live when, up to a time. Where time is that of the events, nobody can tell: it is the live
    /// ones then.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    pub async fn eras(&self, at: Timestamp) -> Result<Eras, Error> {
        let live = self.live();
        if self.engine.clock == Clock::Event {
            return Ok(Eras::of(&live));
        }
        let ledger = self.ledger().await?;
        let compiling = tokio::task::spawn_blocking(move || eras(&ledger, &live, at));
        compiling.await.map_err(|error| Error::died(&error))
    }
}

/// Compiles what was live up to a time.
fn eras(ledger: &Ledger, live: &Policies, at: Timestamp) -> Eras {
    let mut sets: Vec<&Set> = ledger.sets.iter().filter(|set| set.at <= at).collect();
    // Before the first one nothing was decided: what came then was decided by it.
    sets.extend(ledger.sets.first().filter(|_| sets.is_empty()));
    sets.dedup_by(|later, earlier| later.bundle == earlier.bundle);
    let n_over = sets.len().saturating_sub(ERAS_MAX);
    sets.drain(..n_over);
    let cut = sets.first().filter(|_| n_over > 0).map(|set| set.at);
    let mut exact_since = unbroken_since(&ledger.sets, at).max(cut.unwrap_or(Timestamp::MIN));
    if sets.iter().all(|set| set.bundle == live.bundle.id) {
        let since = sets.first().filter(|_| exact_since > Timestamp::MIN);
        let since = since.map_or(Timestamp::MIN, |set| set.at);
        return Eras {
            first: Era::new(live.revision, since, live.bundle.clone()),
            later: Vec::new(),
            exact_since,
        };
    }
    let mut eras = Vec::new();
    for (idx, set) in sets.iter().enumerate() {
        match compile(ledger, set, &sets[..idx]) {
            Some(bundle) => eras.push(Era::new(set.revision, set.at, bundle)),
            // The one before stands for it until the next.
            None => {
                let next = sets.get(idx + 1).map_or(Timestamp::MAX, |next| next.at);
                exact_since = exact_since.max(next);
            }
        }
    }
    let mut eras = eras.into_iter();
    match eras.next() {
        Some(first) => Eras {
            first,
            later: eras.collect(),
            exact_since,
        },
        None => Eras {
            exact_since,
            ..Eras::of(live)
        },
    }
}

/// Returns from when on every set up to a time is kept: those that nobody can be in any more are not.
pub(super) fn unbroken_since(sets: &[Set], at: Timestamp) -> Timestamp {
    let (mut since, mut next) = (Timestamp::MIN, 1);
    for set in sets {
        let is_over = set.at > at;
        if set.revision > next {
            since = if is_over { Timestamp::MAX } else { set.at };
        }
        if is_over {
            break;
        }
        next = set.revision + 1;
    }
    since
}

/// Compiles a set with the journeys of those before it, in which somebody may have been; `None` if this build cannot.
fn compile(ledger: &Ledger, set: &Set, before: &[&Set]) -> Option<Arc<Bundle>> {
    let kept = before.iter().rev().filter_map(|set| {
        Some(Kept {
            sources: ledger.sources(set)?,
            journeys: set.journeys.values().map(|revision| revision.0).collect(),
        })
    });
    let kept: Vec<Kept> = kept.collect();
    let checked = policy::check_with(&ledger.sources(set)?, &kept);
    checked.bundle.map(Arc::new)
}
