//! What leaves: actions for channels and answers to decide calls.

use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_128;

use crate::domain::{CustomerId, EventId, Map, Timestamp, Value};

/// Something a channel is to do, once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// Equal for equal customer, journey, run and step: the receiver's idempotency key.
    pub action_id: Arc<str>,
    /// For whom.
    pub customer: CustomerId,
    /// The journey's name.
    pub journey: Arc<str>,
    /// The run of the journey, from 1.
    pub instance: u32,
    /// The value of the journey's key; empty without one.
    pub key: Arc<str>,
    /// The label of the step.
    pub step: Arc<str>,
    /// The channel's name.
    pub channel: Arc<str>,
    /// The template's name.
    pub template: Arc<str>,
    /// What `with` says.
    pub data: Map,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// The event that entered the journey.
    pub event_id: EventId,
    /// Why, in lines of the timeline since the run began.
    pub trace: Vec<Arc<str>>,
    /// W3C trace context of the event that led to it.
    pub traceparent: Option<Arc<str>>,
}

/// Returns 32 hex digits that stand for the parts.
pub fn stable_id(parts: &[&str]) -> Arc<str> {
    let mut bytes = Vec::with_capacity(64);
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    format!("{:032x}", xxh3_128(&bytes)).into()
}

/// A ranked choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Equal for the same question.
    pub decision_id: Arc<str>,
    /// For whom.
    pub customer: CustomerId,
    /// Where.
    pub placement: Arc<str>,
    /// The best first.
    pub offers: Vec<Choice>,
    /// Who lost and why.
    pub losers: Vec<Loser>,
    /// A model was not available: ranked without its propensity.
    pub degraded: bool,
    /// Nothing qualified and the fallback was given.
    pub fallback: bool,
    /// When it was decided.
    pub decided_at: Timestamp,
}

impl Answer {
    /// Writes the answer as callers and subscribers see it, in JSON.
    ///
    /// - `explain`: with the offers that lost, and why.
    ///
    /// # Panics
    ///
    /// Never: every key is text and the writer is memory.
    pub fn to_json(&self, explain: bool) -> String {
        let shown = Shown {
            decision_id: &self.decision_id,
            customer: &self.customer,
            placement: &self.placement,
            offers: &self.offers,
            losers: explain.then_some(&self.losers),
            degraded: self.degraded,
            fallback: self.fallback,
            decided_at: self.decided_at,
        };
        let mut json = Vec::with_capacity(1_024);
        let written = serde_json::to_writer(&mut json, &shown);
        // INVARIANT: an answer can be written; see above.
        assert!(written.is_ok(), "an answer is not JSON");
        String::from_utf8(json).unwrap_or_default()
    }
}

/// An answer as others see it.
#[derive(Serialize)]
struct Shown<'a> {
    decision_id: &'a str,
    customer: &'a CustomerId,
    placement: &'a str,
    offers: &'a [Choice],
    #[serde(skip_serializing_if = "Option::is_none")]
    losers: Option<&'a Vec<Loser>>,
    degraded: bool,
    fallback: bool,
    #[serde(serialize_with = "as_text")]
    decided_at: Timestamp,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out a reference"
)]
fn as_text<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

/// An offer that was chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Its id.
    pub offer: Arc<str>,
    /// What the model says, in `[0, 1]`; absent without a model or when it is not available.
    pub propensity: Option<f64>,
    /// What it was ranked by; absent for a fallback.
    pub priority: Option<f64>,
    /// What the receiver gets with it.
    pub data: Value,
    /// Why, one sentence each.
    pub reasons: Vec<Arc<str>>,
}

/// An offer that was not chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loser {
    /// Its id.
    pub offer: Arc<str>,
    /// The rule that kept it out.
    pub reason: Reason,
    /// The rule and the value that failed, or who was better.
    pub detail: Arc<str>,
    /// What it was ranked by; absent when it did not come to that.
    pub priority: Option<f64>,
}

/// The reason code of an offer that was not chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// The customer may not have it.
    Ineligible,
    /// The customer has had it as often as may be.
    Cap,
    /// Others were better.
    Outranked,
    /// Its value or rank is not known.
    Unsuitable,
}

impl Reason {
    /// All of them, in the order in which offers are dropped.
    pub const ALL: [Self; 4] = [
        Self::Ineligible,
        Self::Cap,
        Self::Unsuitable,
        Self::Outranked,
    ];

    /// Returns the code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Ineligible => "INELIGIBLE",
            Self::Cap => "CAP",
            Self::Outranked => "OUTRANKED",
            Self::Unsuitable => "UNSUITABLE",
        }
    }
}
