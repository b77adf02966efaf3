//! Where people are: how many runs stand at which step of which revision of which journey.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::{Profile, name};

/// A step of a revision of a journey.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Spot {
    /// The journey's name.
    #[serde(deserialize_with = "name::read")]
    pub journey: Arc<str>,
    /// Hash of the journey as it was at the entry.
    pub revision: u64,
    /// The step's label.
    #[serde(deserialize_with = "name::read")]
    pub step: Arc<str>,
}

/// How many runs are where, shadows included; a customer may have several runs in a journey with a `key`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People(BTreeMap<Spot, u64>);

impl Profile {
    /// Returns where the customer's runs are, each once.
    pub fn spots(&self) -> Box<[Spot]> {
        let runs = self.journeys.iter();
        let spots = runs.map(|run| Spot {
            journey: run.journey.clone(),
            revision: run.revision,
            step: run.step.clone(),
        });
        spots.collect()
    }
}

impl People {
    /// Counts runs that came.
    pub fn add(&mut self, spot: Spot, n: u64) {
        if n > 0 {
            *self.0.entry(spot).or_default() += n;
        }
    }

    /// Counts one customer's runs anew: where they were, and where they are.
    pub fn moved(&mut self, from: &[Spot], to: &[Spot]) {
        for spot in to {
            self.add(spot.clone(), 1);
        }
        for spot in from {
            self.leave(spot);
        }
    }

    /// Counts a run that left.
    fn leave(&mut self, spot: &Spot) {
        let Some(n) = self.0.get_mut(spot) else {
            return;
        };
        *n -= 1;
        if *n == 0 {
            self.0.remove(spot);
        }
    }

    /// Adds what others counted.
    pub fn merge(&mut self, others: &Self) {
        for (spot, n) in &others.0 {
            self.add(spot.clone(), *n);
        }
    }

    /// Returns how many runs are at a step.
    pub fn at(&self, spot: &Spot) -> u64 {
        self.0.get(spot).copied().unwrap_or(0)
    }

    /// Returns how many runs are in a revision of a journey.
    pub fn n_in(&self, journey: &str, revision: u64) -> u64 {
        let is = |spot: &Spot| spot.journey.as_ref() == journey && spot.revision == revision;
        self.0
            .iter()
            .filter(|(spot, _)| is(spot))
            .map(|it| it.1)
            .sum()
    }

    /// Returns every step where somebody is, sorted, and how many.
    pub fn iter(&self) -> impl Iterator<Item = (&Spot, u64)> {
        self.0.iter().map(|(spot, n)| (spot, *n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(journey: &str, revision: u64, step: &str) -> Spot {
        let (journey, step) = (journey.into(), step.into());
        Spot {
            journey,
            revision,
            step,
        }
    }

    #[test]
    fn who_moves_is_counted_once_and_a_step_that_is_empty_goes() {
        let (one, two) = (spot("a", 1, "0"), spot("a", 1, "1"));
        let mut people = People::default();
        people.moved(&[], &[one.clone(), one.clone()]);
        people.moved(&[one.clone(), one.clone()], &[one.clone(), two.clone()]);
        assert_eq!((people.at(&one), people.at(&two)), (1, 1));
        assert_eq!(people.n_in("a", 1), 2);
        people.moved(&[one.clone(), two], &[]);
        assert_eq!(people, People::default());
        // What was never counted cannot leave.
        people.moved(&[one], &[]);
        assert_eq!(people.n_in("a", 1), 0);
    }

    #[test]
    fn counts_of_partitions_add_up() {
        let mut all = People::default();
        for n in [2, 3] {
            let mut part = People::default();
            part.add(spot("a", n, "0"), n);
            part.add(spot("b", 1, "0"), 1);
            all.merge(&part);
        }
        let counts: Vec<_> = all.iter().map(|(spot, n)| (spot.revision, n)).collect();
        assert_eq!(counts, [(2, 2), (3, 3), (1, 2)]);
    }
}
