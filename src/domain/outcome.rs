//! What became of offers: impressions, clicks, conversions and rejections, told by events.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::domain::{Duration, Timestamp, Value};

/// The track events that tell an outcome: `decision_id`, `offer`, one of them or both.
pub const EVENTS: [(&str, Kind); 4] = [
    ("Offer Impression", Kind::Impression),
    ("Offer Clicked", Kind::Click),
    ("Offer Converted", Kind::Conversion),
    ("Offer Rejected", Kind::Rejection),
];

/// How long after a decision its outcomes count, unless the placement says so.
pub const ATTRIBUTION: Duration = Duration::from_secs(7 * 24 * 3_600);

/// The longest id of a decision or an offer that an event may name, in bytes.
pub const ID_BYTES_MAX: usize = 256;

/// What became of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// The customer saw it.
    Impression,
    /// The customer looked into it.
    Click,
    /// The customer took it.
    Conversion,
    /// The customer does not want it.
    Rejection,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Impression,
        Self::Click,
        Self::Conversion,
        Self::Rejection,
    ];

    /// Returns the word for one of them.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Impression => "impression",
            Self::Click => "click",
            Self::Conversion => "conversion",
            Self::Rejection => "rejection",
        }
    }

    /// Returns the bit of it in a set.
    pub const fn bit(self) -> u8 {
        match self {
            Self::Impression => 1,
            Self::Click => 2,
            Self::Conversion => 4,
            Self::Rejection => 8,
        }
    }
}

/// What an event says of an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What became of it.
    pub kind: Kind,
    /// The decision's id, if it is named.
    pub decision: Option<Arc<str>>,
    /// The offer's id, if it is named.
    pub offer: Option<Arc<str>>,
    /// An offer is named by what can be no id: which one it is about is not known.
    pub is_garbled: bool,
}

impl Said {
    /// Reads an event; `None` if its name is not that of an outcome.
    pub fn read(event: &str, properties: &Value) -> Option<Self> {
        let (_, kind) = EVENTS.into_iter().find(|(name, _)| *name == event)?;
        let text = |key| {
            let text = properties.get(key).and_then(Value::as_str).map(str::trim);
            text.filter(|text| !text.is_empty() && text.len() <= ID_BYTES_MAX)
                .map(Arc::from)
        };
        let offer: Option<Arc<str>> = text("offer");
        let is_blank = |value: &Value| value.as_str().is_some_and(|text| text.trim().is_empty());
        let is_empty = |value: &Value| *value == Value::Null || is_blank(value);
        let named = properties.get("offer").filter(|value| !is_empty(value));
        Some(Self {
            kind,
            decision: text("decision_id"),
            is_garbled: named.is_some() && offer.is_none(),
            offer,
        })
    }
}

/// An outcome that counts: of an offer that a remembered decision gave, in time and for the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Fingerprint of the decision's id.
    pub decision: u64,
    /// Where it was given.
    pub placement: Arc<str>,
    /// What was given.
    pub offer: Arc<str>,
    /// In which place of the answer, from 0.
    pub slot: u32,
    /// What became of it.
    pub kind: Kind,
    /// When it was given.
    pub given_at: Timestamp,
    /// When it happened.
    pub at: Timestamp,
}

/// Stands for a decision's id.
pub fn fingerprint(decision_id: &str) -> u64 {
    xxh3_64(decision_id.as_bytes())
}
