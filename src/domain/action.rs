//! What leaves for channels.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use crate::domain::{CustomerId, EventId, Map, Timestamp};

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
