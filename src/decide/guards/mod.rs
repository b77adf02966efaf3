//! The guards of a send, in their order: consent, suppression, reachability, quiet hours, frequency caps.
//!
//! Exits and the holdout come before them, the contest with other journeys behind.

pub mod caps;
mod consent;
pub mod quiet;
mod reach;

use std::borrow::Cow;
use std::sync::Arc;

use crate::decide::env::Env;
use crate::domain::{Profile, Timestamp, Value};
use crate::policy::Place;
use crate::policy::journey::{Class, Journey, Send};
use crate::policy::limits::Channel;

pub use consent::{Permit, permit};
pub use reach::barred;

/// A send that wants to leave.
pub struct Asked<'a> {
    /// The customer and the policies.
    pub env: Env<'a>,
    /// Its journey.
    pub journey: &'a Journey,
    /// The send.
    pub send: &'a Send,
    /// What its channel needs.
    pub channel: Channel,
    /// Stands for the action: equal ones wait equally long.
    pub action_id: &'a str,
    /// Whether it would only be sent: then what this shadow would have sent before counts, too.
    pub shadow: bool,
}

/// Why a send does not leave now.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The reason code.
    pub code: &'static str,
    /// The rule and the value that failed.
    pub detail: Arc<str>,
    /// When the guard lets go, if anybody knows.
    pub frees_at: Option<Timestamp>,
    /// The send waits for that, whatever it says of being blocked.
    pub holds: bool,
}

impl Block {
    fn new(code: &'static str, detail: String, frees_at: Option<Timestamp>) -> Self {
        let detail = detail.into();
        Self {
            code,
            detail,
            frees_at,
            holds: false,
        }
    }
}

/// Something that may hold a send back.
pub struct Guard {
    /// Its word, as [`crate::policy::explain`] has it.
    pub part: &'static str,
    /// Says why a send does not leave.
    pub blocks: fn(&Asked<'_>) -> Option<Block>,
    /// Writes the values that it looks at.
    pub looks_at: fn(&Asked<'_>) -> String,
    /// Returns where its rule stands, if it has one of its own.
    pub place: fn(&Asked<'_>) -> Option<Place>,
}

/// The guards in the order in which they are asked.
pub const ALL: [Guard; 5] = [
    Guard {
        part: "consent",
        blocks: consent::check,
        looks_at: consent::values,
        place: |_| None,
    },
    Guard {
        part: "suppression",
        blocks: reach::suppressed,
        looks_at: reach::listed,
        place: |_| None,
    },
    Guard {
        part: "address",
        blocks: reach::unreachable,
        looks_at: reach::known,
        place: |_| None,
    },
    Guard {
        part: "quiet_hours",
        blocks: quiet::check,
        looks_at: quiet::values,
        place: quiet::place,
    },
    Guard {
        part: "limits",
        blocks: caps::check,
        looks_at: caps::values,
        place: caps::place,
    },
];

/// Returns the first guard that blocks a send.
pub fn check(asked: &Asked<'_>) -> Option<Block> {
    ALL.iter().find_map(|guard| (guard.blocks)(asked))
}

impl Asked<'_> {
    /// Returns how guards treat the send.
    pub fn class(&self) -> Class {
        self.send.class.unwrap_or(self.journey.class)
    }

    /// Returns what consent the send needs.
    pub fn purpose(&self) -> &str {
        let own = self.send.purpose.as_deref();
        own.unwrap_or(self.class().as_str())
    }

    /// Returns the address of the customer on the channel; of several the first.
    fn address(&self) -> Option<Cow<'_, str>> {
        address(&self.channel, self.env.profile)
    }
}

/// Returns the address of a customer on a channel; of several the first.
fn address<'a>(channel: &Channel, profile: &'a Profile) -> Option<Cow<'a, str>> {
    let (first, rest) = channel.address.split_first()?;
    let mut value = profile.traits.get(first)?;
    for segment in rest {
        value = value.get(segment)?;
    }
    if let Value::List(list) = value {
        value = list.first()?;
    }
    match value {
        Value::Text(text) if !text.trim().is_empty() => Some(Cow::Borrowed(text)),
        Value::Number(_) => Some(Cow::Owned(value.to_string())),
        Value::Text(_) | Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => None,
    }
}
