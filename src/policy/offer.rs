//! Offers and placements: what can be shown and where.

use std::sync::Arc;

use crate::domain::{Duration, Value};
use crate::policy::bundle::Place;
use crate::policy::expr::Expr;

/// Something that can be shown.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Unique among offers.
    pub id: Arc<str>,
    /// Where it may be shown.
    pub placements: Vec<Arc<str>>,
    /// All must be true; unknown counts as false.
    pub when: Vec<Expr>,
    /// What it is worth when accepted: V.
    pub value: Expr,
    /// The model of its propensity, if not the placement's.
    pub model: Option<Arc<str>>,
    /// At most so many for a customer in any window of that length; exact.
    pub cap: Option<Cap>,
    /// What the receiver gets with it.
    pub data: Value,
    /// Where it stands.
    pub place: Place,
}

/// `3 per 7d`: at most `n` within any `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// How many; 0 means none.
    pub n: u32,
    /// The length of the sliding window.
    pub per: Duration,
}

/// Where offers compete.
#[derive(Clone, Debug)]
pub struct Placement {
    /// Unique among placements; a token of NATS subjects.
    pub name: Arc<str>,
    /// The model of the propensity; without one P is 1.
    pub model: Option<Arc<str>>,
    /// The priority of an offer, over `p`, `offer`, `profile`, `context`; default `p * offer.value`.
    pub rank: Option<Expr>,
    /// At most so many offers in an answer; default 1.
    pub limit: u32,
    /// How long after a decision its outcomes count.
    pub attribution: Duration,
    /// The offer to give when nothing qualifies.
    pub fallback: Option<Arc<str>>,
    /// Indexes are not kept: ids of the offers that name this placement, sorted.
    pub offers: Vec<Arc<str>>,
    /// Where it stands.
    pub place: Place,
}
