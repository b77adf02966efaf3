//! The recent decisions of a customer, so that what becomes of their offers is known to be theirs.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::action::stable_id;
use crate::domain::learning::{Arm, Credit};
use crate::domain::outcome::{Kind, Told};
use crate::domain::{Duration, Timestamp};

/// Returns the id of the decision that a call is: an equal call is the same decision.
///
/// - `key`: what tells calls of a customer for a placement apart.
pub fn id(customer: &str, placement: &str, key: &str) -> Arc<str> {
    stable_id(&[customer, placement, key])
}

/// A decision that gave something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Fingerprint of its id.
    pub id: u64,
    /// Where.
    pub placement: Arc<str>,
    /// When.
    pub at: Timestamp,
    /// How long after it outcomes count.
    pub attribution: Duration,
    /// Whose part of the customers it was for, where parts are compared.
    pub arm: Option<Arm>,
    /// What was given: the place in the answer is the place in the list.
    pub offers: Vec<Given>,
}

/// An offer that was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Given {
    /// Its id.
    pub offer: Arc<str>,
    /// The outcomes so far, by [`Kind::bit`].
    pub outcomes: u8,
    /// What a learner makes of them.
    pub credit: Option<Credit>,
}

impl Given {
    /// Returns an offer of which nothing has come back.
    pub const fn new(offer: Arc<str>) -> Self {
        Self {
            offer,
            outcomes: 0,
            credit: None,
        }
    }

    /// Tells if such an outcome has come back.
    pub const fn has(&self, kind: Kind) -> bool {
        self.outcomes & kind.bit() != 0
    }
}

impl Decision {
    /// Tells if what happens at this time is too late to count.
    pub fn is_over(&self, at: Timestamp) -> bool {
        at > self.at + self.attribution
    }
}

/// The recent decisions, the newest last: at most [`Decisions::MAX`], with at most [`Decisions::OFFERS_MAX`] offers together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Decisions(VecDeque<Decision>);

impl Decisions {
    /// How many decisions are remembered: outcomes of older ones are of an unknown decision.
    pub const MAX: usize = 32;
    /// How many offers of all of them together are remembered; the newest decision always is.
    pub const OFFERS_MAX: usize = 128;

    /// Remembers a decision; the same one again, as a call with an equal key is, takes the place of the first.
    pub fn add(&mut self, decision: &Decision) {
        let mut decision = decision.clone();
        if let Some(known) = self.get(decision.id) {
            for given in &mut decision.offers {
                let before = known.offers.iter().find(|known| known.offer == given.offer);
                given.outcomes = before.map_or(0, |known| known.outcomes);
            }
        }
        self.0.retain(|known| known.id != decision.id);
        self.0.push_back(decision);
        while self.0.len() > Self::MAX || (self.0.len() > 1 && self.n_offers() > Self::OFFERS_MAX) {
            self.0.pop_front();
        }
    }

    fn n_offers(&self) -> usize {
        self.0.iter().map(|decision| decision.offers.len()).sum()
    }

    /// Notes what came back.
    pub fn tell(&mut self, told: &Told) {
        let mut decisions = self.0.iter_mut();
        let decision = decisions.find(|decision| decision.id == told.decision);
        let given = decision.and_then(|decision| {
            let mut offers = decision.offers.iter_mut();
            offers.find(|given| given.offer == told.offer)
        });
        if let Some(given) = given {
            given.outcomes |= told.kind.bit();
        }
    }

    /// Returns a decision by the fingerprint of its id.
    pub fn get(&self, id: u64) -> Option<&Decision> {
        self.0.iter().rev().find(|decision| decision.id == id)
    }

    /// Returns the decisions, the newest last.
    pub fn iter(&self) -> impl Iterator<Item = &Decision> {
        self.0.iter()
    }
}
