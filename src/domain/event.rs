//! Something a customer did.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::{EventId, Timestamp, Value};

/// One event, parsed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The sender's `messageId`, or one made from its place in the stream.
    pub id: EventId,
    /// What kind of call it was.
    pub kind: Kind,
    /// The name policies listen to: of a track event its `event`, else the kind in lower case.
    pub name: Arc<str>,
    /// When it happened, corrected for the sender's clock.
    pub at: Timestamp,
    /// `properties`; `Null` if there are none or nobody listens.
    pub properties: Value,
    /// `traits`; `Null` if there are none.
    pub traits: Value,
    /// `context`; `Null` if there is none or nobody listens.
    pub context: Value,
}

impl Event {
    /// Returns about how many bytes it takes where it is kept.
    pub fn n_bytes(&self) -> usize {
        let data = [&self.properties, &self.traits, &self.context];
        data.map(Value::n_bytes).iter().sum::<usize>() + self.name.len() + 32
    }
}

/// The calls of Segment's specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Did something.
    Track,
    /// Is somebody, with traits.
    Identify,
    /// Saw a page.
    Page,
    /// Saw a screen of an app.
    Screen,
    /// Belongs to a group.
    Group,
    /// Was known by another id.
    Alias,
}

impl Kind {
    /// Reads `track`, `identify`, ...
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "track" => Self::Track,
            "identify" => Self::Identify,
            "page" => Self::Page,
            "screen" => Self::Screen,
            "group" => Self::Group,
            "alias" => Self::Alias,
            _ => return None,
        })
    }

    /// Returns the kind as Segment writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::Identify => "identify",
            Self::Page => "page",
            Self::Screen => "screen",
            Self::Group => "group",
            Self::Alias => "alias",
        }
    }
}
