//! What a profile learns; the commit log is made of facts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::consent::Said;
use crate::domain::contact::Delivery;
use crate::domain::crossing::Way;
use crate::domain::decision::Decision;
use crate::domain::instance::{Instance, Wait};
use crate::domain::outcome::{Kind, Told};
use crate::domain::response::Of;
use crate::domain::suppression::{Scope, Suppression};
use crate::domain::timer::{Armed, Timer};
use crate::domain::{Duration, Timestamp, Trace, Value, cart, folded};

/// One thing a profile learns. Applying the same facts in the same order gives the same profile, whatever the policies say by then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fact {
    /// An event was handled: fingerprint of its id, when it happened.
    Seen(u64, Timestamp),
    /// Logical time went on to here.
    Now(Timestamp),
    /// A trait has this value; `Null` removes it. The path is dotted.
    Trait(Arc<str>, Value),
    /// A feature changed: its id.
    Folded(u64, folded::Change),
    /// The cart changed: how, the currency if the event names one, when.
    Cart(cart::Change, Option<Arc<str>>, Timestamp),
    /// A run of a journey began.
    Entered(Box<Instance>),
    /// The entry event of a run was replaced.
    Refreshed(u32, Box<Instance>),
    /// A run stands at a step, asleep or about to run.
    Moved(u32, Arc<str>, Option<Wait>),
    /// A result of a step of a run.
    Bound(u32, Arc<str>, Value),
    /// A run ended: when, why, and whether re-entry depends on it.
    Left(u32, Timestamp, Arc<str>, bool),
    /// An offer was given; times older than so long are forgotten.
    Given(Arc<str>, Timestamp, Duration),
    /// A line of the timeline.
    Traced(Trace),
    /// An event came from a device in this zone, as its context names it.
    Zone(Arc<str>),
    /// The customer said what is allowed.
    Consented(Said),
    /// Something is not to be sent to.
    Suppressed(Suppression),
    /// A suppression was lifted at this time.
    Unsuppressed(Scope, Timestamp),
    /// A send counts against the caps: its channel, fingerprint of the action's id, when; older ones than so long are forgotten.
    Contacted(Arc<str>, u64, Timestamp, Duration),
    /// A shadow would have sent something that counts against its caps: its journey, and as of [`Fact::Contacted`].
    WouldContact(Arc<str>, Arc<str>, u64, Timestamp, Duration),
    /// A channel said what became of an action.
    Delivered(Delivery),
    /// Segments and timers are as the policies with this hash of them say.
    Standing(u64),
    /// The customer crossed the edge of a segment; whether only shadows ask for it.
    Crossed(Arc<str>, Way, Timestamp, bool),
    /// A timer runs, or does not.
    Armed(Timer, Option<Box<Armed>>),
    /// A run goes on in this revision of its journey.
    Migrated(u32, u64),
    /// A decision gave something; what becomes of it will be told.
    Decided(Box<Decision>),
    /// What became of an offer that a remembered decision gave: it counts, once.
    Told(Box<Told>),
    /// A response that contact policies count: to what, when it happened; older ones than so long are forgotten.
    Responded(Of, Kind, Timestamp, Duration),
    /// A segment was entered without a word to others; whether only shadows ask for it.
    Quiet(Arc<str>, bool),
}

impl Fact {
    /// Returns the line of the timeline, if it is one.
    pub fn as_trace(&self) -> Option<&Trace> {
        if let Self::Traced(trace) = self {
            Some(trace)
        } else {
            None
        }
    }
}
