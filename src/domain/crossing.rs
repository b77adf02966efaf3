//! A customer comes into a segment or goes out of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::domain::action::stable_id;
use crate::domain::{CustomerId, EventId, Timestamp};

/// One change of membership, once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Crossing {
    /// Equal for the same change of the same customer: the receiver's idempotency key.
    pub crossing_id: Arc<str>,
    /// Who.
    pub customer: CustomerId,
    /// The segment's name.
    pub segment: Arc<str>,
    /// In, or out.
    pub way: Way,
    /// When it was decided.
    pub at: Timestamp,
    /// The event that led to it, if one did.
    pub event: Option<EventId>,
    /// When the timer that led to it was due, if one did.
    pub due: Option<Timestamp>,
    /// The conditions with their values.
    pub detail: Arc<str>,
    /// W3C trace context of the event that led to it.
    pub traceparent: Option<Arc<str>>,
}

/// Which way a customer crosses the edge of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Comes in.
    Entered,
    /// Goes out.
    Exited,
}

impl Way {
    /// Returns the way as policies and subjects write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Entered => "entered",
            Self::Exited => "exited",
        }
    }
}

impl Crossing {
    /// Makes the id of a customer's crossing with this number; those of segments that only shadows ask for are numbered
    /// apart.
    pub fn id(customer: &CustomerId, number: u64, shadow: bool) -> Arc<str> {
        let kind = if shadow {
            "shadow crossing"
        } else {
            "crossing"
        };
        stable_id(&[kind, customer.as_str(), &number.to_string()])
    }

    /// Writes the crossing as subscribers see it, in JSON.
    pub fn to_json(&self) -> String {
        let shown = Shown {
            crossing_id: &self.crossing_id,
            customer: &self.customer,
            segment: &self.segment,
            transition: self.way,
            at: self.at,
            event_id: self.event.as_ref(),
            timer_due: self.due,
            detail: &self.detail,
        };
        // Text under text keys: there is nothing that could fail.
        serde_json::to_string(&shown).unwrap_or_default()
    }
}

/// A crossing as others see it.
#[derive(Serialize)]
struct Shown<'a> {
    crossing_id: &'a str,
    customer: &'a CustomerId,
    segment: &'a str,
    transition: Way,
    #[serde(serialize_with = "as_text")]
    at: Timestamp,
    event_id: Option<&'a EventId>,
    #[serde(serialize_with = "as_text_if_any")]
    timer_due: Option<Timestamp>,
    detail: &'a str,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out a reference"
)]
fn as_text<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

#[expect(clippy::ref_option, reason = "serde hands out a reference")]
fn as_text_if_any<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.collect_str(at),
        None => serializer.serialize_none(),
    }
}
