//! Why something was done, or not.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::crossing::Way;
use crate::domain::{EventId, Timestamp, name};

/// One line of a customer's timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// When it was decided.
    pub at: Timestamp,
    /// The event that led to it; `None` for a timer or a decide call.
    pub event: Option<EventId>,
    /// The journey or placement it is about.
    #[serde(deserialize_with = "name::read")]
    pub subject: Arc<str>,
    /// The run of the journey, from 1; 0 if it is not about one. Of a shadow, as [`crate::domain::instance::SHADOW`] says.
    pub instance: u32,
    /// The step, or empty.
    #[serde(deserialize_with = "name::read")]
    pub step: Arc<str>,
    /// What was decided.
    pub what: What,
    /// How often in a row.
    pub times: u32,
}

/// What was decided, with its reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum What {
    /// A run of the journey began.
    Entered,
    /// The event did not enter, by this reason code, and the detail.
    Refused(Arc<str>, Arc<str>),
    /// It sleeps until then.
    Waits(Timestamp),
    /// It runs on.
    Woke,
    /// A model said so, or why not.
    Scored(Arc<str>, Result<f64, Arc<str>>),
    /// The branch went this way; the condition with its values.
    Took(Arc<str>, Arc<str>),
    /// Offers were ranked: the chosen ones; the reason codes, each with offers it kept out: `CAP a, b; OUTRANKED c, d, e, f and 9 more`.
    Ranked(Vec<Arc<str>>, Arc<str>),
    /// An action left: its id, channel and template.
    Sent(Arc<str>, Arc<str>, Arc<str>),
    /// An action was held back, by this reason code, and the detail.
    Blocked(Arc<str>, Arc<str>),
    /// Traits were written: their names.
    Set(Vec<Arc<str>>),
    /// The run ended, by this reason.
    Left(Arc<str>),
    /// It sleeps until then, as clocks or a date say: which, in whose zone.
    Aimed(Timestamp, Arc<str>),
    /// The date to sleep until is past or unknown: what was done (`now`, `skip`, `exit`), and the date.
    Missed(Arc<str>, Arc<str>),
    /// An arm was met while it sleeps on, by this event.
    Met(Arc<str>, Arc<str>),
    /// The customer was dealt to an arm: its name, and the draw.
    Dealt(Arc<str>, Arc<str>),
    /// The edge of the segment was crossed; the conditions with their values.
    Crossed(Way, Arc<str>),
    /// A shadow comes to where an action would leave: the channel and the template.
    WouldSend(Arc<str>, Arc<str>),
    /// A shadow comes to where traits would be written: their names.
    WouldSet(Vec<Arc<str>>),
    /// The run goes on in another revision of the journey; the step where it was.
    Migrated(Arc<str>),
    /// An outcome of offers came in and counts: its word (`click`), and the offers.
    Told(Arc<str>, Vec<Arc<str>>),
    /// An outcome came in and does not count, by this reason code, and the detail.
    Untold(Arc<str>, Arc<str>),
    /// Something is not kept, by this reason code: it is unknown from then on; what it is.
    Unkept(Arc<str>, Arc<str>),
}
