//! A customer on the way through a journey, or of a shadow on the way through one that only says what it would do.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::{Event, Timestamp, Value, name};

/// Runs from this number on are shadows: they are numbered apart, so that they are in no other run's way.
pub const SHADOW: u32 = 1 << 31;

/// Tells if a run with this number only says what it would do.
pub const fn is_shadow(number: u32) -> bool {
    number >= SHADOW
}

/// Returns the number as people read it: shadows count from 1, too.
pub const fn shown(number: u32) -> u32 {
    number & !SHADOW
}

/// One run of a customer through a journey.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// Which run of this customer it is, over all journeys, from 1; of shadows, from [`SHADOW`] + 1. Never used twice.
    pub number: u32,
    /// The journey's name.
    #[serde(deserialize_with = "name::read")]
    pub journey: Arc<str>,
    /// The value of the journey's `key`; empty without one.
    pub key: Arc<str>,
    /// Hash of the journey as it was at the entry.
    pub revision: u64,
    /// When it began.
    pub entered_at: Timestamp,
    /// The id of the event that entered.
    pub event: crate::domain::EventId,
    /// The event that entered, if the journey looks at it.
    pub entry: Option<Box<Event>>,
    /// Label of the step it is at.
    #[serde(deserialize_with = "name::read")]
    pub step: Arc<str>,
    /// Until when it sleeps; `None`: it is about to run.
    pub wait: Option<Wait>,
    /// Results of earlier steps.
    pub locals: Vec<(Arc<str>, Value)>,
}

impl Instance {
    /// Tells if the run only says what it would do.
    pub const fn is_shadow(&self) -> bool {
        is_shadow(self.number)
    }
}

/// A sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// When it began: what `max` of a hold counts from.
    pub since: Timestamp,
    /// When it ends.
    pub due: Timestamp,
    /// The highest-ranked arm that was met so far, of a sleep that waits for events to its end.
    pub met: Option<u32>,
}

/// What is remembered of runs that ended, for re-entry: the last one of each journey and key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// The journey's name.
    #[serde(deserialize_with = "name::read")]
    pub journey: Arc<str>,
    /// The key.
    pub key: Arc<str>,
    /// When it ended.
    pub left_at: Timestamp,
    /// How it ended.
    #[serde(deserialize_with = "name::read")]
    pub reason: Arc<str>,
    /// It was a shadow: only shadows remember it.
    pub shadow: bool,
}
