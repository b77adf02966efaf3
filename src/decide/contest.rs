//! Sends of several journeys that compete in one moment for one channel: the weightiest goes.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::Timestamp;
use crate::policy::journey::Class;

/// A send that every guard lets pass; it waits until all runs of the moment have walked.
#[derive(Clone, Debug, PartialEq)]
pub struct Parked {
    /// The run.
    pub run: u32,
    /// The label of the step.
    pub step: Arc<str>,
    /// The journey.
    pub journey: Arc<str>,
    /// The channel.
    pub channel: Arc<str>,
    /// How guards treat it.
    pub class: Class,
    /// What the journey weighs; `None` is unknown and weighs least.
    pub score: Option<f64>,
}

/// Who got a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Winner {
    /// The journey.
    pub journey: Arc<str>,
    /// What it weighs.
    pub score: Option<f64>,
}

/// Who got which channel in a moment.
#[derive(Debug, Default)]
pub struct Contest {
    moment: Option<Timestamp>,
    won: BTreeMap<Arc<str>, Winner>,
}

impl Contest {
    /// Begins a moment, unless it is still the same.
    pub fn begin(&mut self, now: Timestamp) {
        if self.moment != Some(now) {
            self.moment = Some(now);
            self.won.clear();
        }
    }

    /// Returns who stands in the way of a send; runs of one journey do not stand in each other's.
    pub fn winner(&self, parked: &Parked) -> Option<&Winner> {
        let winner = self.won.get(&parked.channel);
        winner.filter(|winner| winner.journey != parked.journey)
    }

    /// Gives the channel to a send that has left, unless its journey has it already.
    pub fn win(&mut self, parked: &Parked) {
        let (journey, score) = (parked.journey.clone(), parked.score);
        let place = self.won.entry(parked.channel.clone());
        place.or_insert(Winner { journey, score });
    }
}

/// Sorts sends, the weightiest first; of equal ones what is not marketing, then by the journey's name and the run's number.
pub fn sort(parked: &mut [Parked]) {
    let weight = |of: &Parked| of.score.unwrap_or(f64::NEG_INFINITY);
    let order = |a: &Parked, b: &Parked| -> Ordering {
        let marketing = |of: &Parked| of.class == Class::Marketing;
        weight(b)
            .total_cmp(&weight(a))
            .then(marketing(a).cmp(&marketing(b)))
            .then(a.journey.cmp(&b.journey))
            .then(a.run.cmp(&b.run))
    };
    parked.sort_by(order);
}
