//! Whom not to write to: a list in the profile, by everything, a channel or an address.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::{Timestamp, Value, name};

/// The track event that suppresses: `address` or `channel` or neither, `until`, `reason`.
pub const SUPPRESSED: &str = "Suppressed";
/// The track event that lifts it: `address` or `channel`; without both everything.
pub const UNSUPPRESSED: &str = "Unsuppressed";

/// The longest address or name of a channel, in bytes; a longer one is known by its hash.
const TEXT_BYTES_MAX: usize = 512;

fn known_as(text: &str) -> Arc<str> {
    name::bounded(text, TEXT_BYTES_MAX)
}

/// Reads what an earlier build kept at its full length as it is known.
fn read_known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(known_as(&text))
}

/// What is suppressed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// Every send.
    All,
    /// One channel.
    Channel(#[serde(deserialize_with = "read_known")] Arc<str>),
    /// One address, whatever the channel; in lower case.
    Address(#[serde(deserialize_with = "read_known")] Arc<str>),
}

impl Scope {
    /// Reads the scope of an event.
    pub fn read(properties: &Value) -> Self {
        let text = |key| {
            properties
                .get(key)
                .and_then(Value::as_str)
                .map(str::trim)
                .filter(|text| !text.is_empty())
        };
        match (text("address"), text("channel")) {
            (Some(address), _) => Self::Address(known_as(&address.to_lowercase())),
            (None, Some("all") | None) => Self::All,
            (None, Some(channel)) => Self::Channel(known_as(channel)),
        }
    }
}

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// What is suppressed.
    pub scope: Scope,
    /// Until when; `None`: for ever.
    pub until: Option<Timestamp>,
    /// The reason as it was given.
    pub by: Arc<str>,
    /// When it was said.
    pub at: Timestamp,
}

impl Suppression {
    /// Reads a [`SUPPRESSED`] event; an `until` that nobody can read is for ever.
    pub fn read(properties: &Value, at: Timestamp) -> Self {
        let until = properties.get("until").and_then(|until| match until {
            Value::Text(text) => Timestamp::parse(text),
            Value::Number(millis) => Some(of_millis(*millis)),
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => None,
        });
        let reason = properties
            .get("reason")
            .and_then(Value::as_str)
            .unwrap_or("event");
        let by = reason.chars().take(BY_CHARS_MAX).collect::<String>().into();
        Self {
            scope: Scope::read(properties),
            until,
            by,
            at,
        }
    }

    /// Tells if it still holds.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// The longest reason, in characters.
const BY_CHARS_MAX: usize = 80;

#[expect(
    clippy::cast_possible_truncation,
    reason = "what is out of range saturates, and the fraction of a millisecond is nothing"
)]
fn of_millis(millis: f64) -> Timestamp {
    Timestamp::from_millis(millis as i64)
}

/// The list of one customer, at most [`Suppressions::MAX`] entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressions(Vec<Suppression>);

impl Suppressions {
    /// How many entries are kept; one more, and everything is suppressed for ever: the strict side.
    pub const MAX: usize = 32;

    /// Adds an entry; of two for the same the longer one stays.
    pub fn add(&mut self, entry: &Suppression, now: Timestamp) {
        self.0.retain(|known| known.holds(now));
        let lasts = |entry: &Suppression| entry.until.unwrap_or(Timestamp::MAX);
        if let Some(known) = self.0.iter_mut().find(|known| known.scope == entry.scope) {
            if lasts(entry) >= lasts(known) {
                *known = entry.clone();
            }
            return;
        }
        if self.0.len() < Self::MAX {
            return self.0.push(entry.clone());
        }
        let by = format!("more than {} suppressions", Self::MAX).into();
        self.0 = vec![Suppression {
            scope: Scope::All,
            until: None,
            by,
            at: entry.at,
        }];
    }

    /// Takes away what an event lifts; what was said after it stays.
    pub fn lift(&mut self, scope: &Scope, at: Timestamp) {
        self.0
            .retain(|known| known.at > at || (*scope != Scope::All && known.scope != *scope));
    }

    /// Returns the entry that forbids a send on a channel to an address: the one that lasts longest.
    pub fn against(
        &self,
        channel: &str,
        address: Option<&str>,
        now: Timestamp,
    ) -> Option<&Suppression> {
        if self.0.is_empty() {
            return None;
        }
        let address = address.map(|address| known_as(&address.trim().to_lowercase()));
        let forbids = |entry: &&Suppression| match &entry.scope {
            Scope::All => true,
            Scope::Channel(of) => of.as_ref() == channel,
            Scope::Address(of) => address.as_ref() == Some(of),
        };
        let holding = self.0.iter().filter(|entry| entry.holds(now));
        holding
            .filter(forbids)
            .max_by_key(|entry| entry.until.unwrap_or(Timestamp::MAX))
    }

    /// Returns the entries, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Suppression> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_was_kept_at_its_full_length_is_still_suppressed() {
        let now = Timestamp::from_millis(7);
        for n_bytes in [TEXT_BYTES_MAX, TEXT_BYTES_MAX + 1] {
            let address = "a".repeat(n_bytes);
            let kept = Suppressions(vec![Suppression {
                scope: Scope::Address(address.as_str().into()),
                until: None,
                by: "event".into(),
                at: now,
            }]);
            let kept = postcard::to_stdvec(&kept).unwrap();
            let mut read: Suppressions = postcard::from_bytes(&kept).unwrap();
            assert!(read.against("push", Some(&address), now).is_some());
            assert!(read.against("push", Some("b"), now).is_none());
            let told = format!(r#"{{"address":"{address}"}}"#);
            let told: Value = serde_json::from_str(&told).unwrap();
            read.lift(&Scope::read(&told), now);
            assert_eq!(read, Suppressions::default());
        }
    }
}
