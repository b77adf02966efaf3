//! What a customer is to be woken for.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::{Event, Timestamp};

/// Everything that waits for a time. Of those that are due at the same time the first in this order goes first:
/// what a customer *is* is settled before anybody looks at it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Timer {
    /// The passing of time may change who is in the segment of this name.
    Edge(Arc<str>),
    /// Something has not happened for long enough to enter this journey, by key.
    Absence(Arc<str>, Arc<str>),
    /// The schedule of this journey.
    Schedule(Arc<str>),
    /// The sleep of the run with this number is over.
    Run(u32),
}

/// A timer that runs. The sleep of a run is not among them: it lies with the run, as [`crate::domain::instance::Wait`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Armed {
    /// When.
    pub due: Timestamp,
    /// The event that an absence counts from.
    pub event: Option<Box<Event>>,
}
