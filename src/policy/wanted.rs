//! Which events somebody looks into, so that the rest need not be read.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::{cart, consent, contact, outcome, suppression};
use crate::policy::Bundle;
use crate::policy::journey::Journey;

/// Events that change what may be sent.
const GUARDS: [&str; 5] = [
    consent::CHANGED,
    suppression::SUPPRESSED,
    suppression::UNSUPPRESSED,
    contact::CONFIRMED,
    contact::FAILED,
];

/// The names of events whose properties and context matter.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    names: BTreeSet<Arc<str>>,
    /// An exit without an event looks at every event.
    all: bool,
}

impl Wanted {
    /// Collects the events that any policy of a bundle names.
    pub fn of(bundle: &Bundle) -> Self {
        let mut wanted = Self::default();
        wanted
            .names
            .extend(bundle.listeners.by_event.keys().cloned());
        wanted
            .names
            .extend(bundle.features.iter().map(|feature| feature.event.clone()));
        for journey in bundle.journeys.iter().chain(&bundle.archive.journeys) {
            wanted.journey(journey);
        }
        wanted
    }

    fn journey(&mut self, journey: &Journey) {
        self.names
            .extend(journey.enter.events().into_iter().cloned());
        self.names
            .extend(journey.goal.iter().map(|goal| goal.event.clone()));
        for exit in &journey.exits {
            match &exit.event {
                Some(event) => drop(self.names.insert(event.clone())),
                None => self.all |= exit.when.iter().any(|of| of.text.contains("event.")),
            }
        }
        for step in &journey.flow {
            let heard = step.act.triggers().map(|trigger| trigger.event.clone());
            self.names.extend(heard);
        }
    }

    /// Adds the events that the policies of another bundle name.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.names.extend(other.names);
        self.all |= other.all;
        self
    }

    /// Adds an event.
    #[must_use]
    pub fn with(mut self, event: &str) -> Self {
        self.names.insert(event.into());
        self
    }

    /// Adds all events.
    #[must_use]
    pub fn all(mut self) -> Self {
        self.all = true;
        self
    }

    /// Tells if anybody looks into events of this name.
    pub fn has(&self, event: &str) -> bool {
        self.all
            || self.names.contains(event)
            || cart::Change::may(event)
            || GUARDS.contains(&event)
            || outcome::EVENTS.iter().any(|(name, _)| *name == event)
    }
}
