//! What a customer allows, by channel and purpose.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::{Timestamp, Value};

/// The track event that changes consent: `channel`, `purpose` and `status`, or a list of them under `consents`.
pub const CHANGED: &str = "Consent Changed";
/// Stands for every channel, or for every purpose.
pub const ALL: &str = "all";
/// The purpose of a statement that names none.
pub const MARKETING: &str = "marketing";

/// What was said of a channel and a purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Status {
    /// Yes.
    Granted,
    /// Something that nobody can read: unknown from then on, so that no old yes stands against a new no.
    Unclear,
    /// No.
    Denied,
    /// No longer.
    Withdrawn,
}

impl Status {
    /// Reads `granted`, `denied`, `withdrawn`, `true` or `false`; everything else is unclear.
    fn read(value: &Value) -> Self {
        match value {
            Value::Bool(true) => Self::Granted,
            Value::Bool(false) => Self::Denied,
            Value::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "granted" => Self::Granted,
                "denied" => Self::Denied,
                "withdrawn" => Self::Withdrawn,
                _ => Self::Unclear,
            },
            Value::Null | Value::Number(_) | Value::List(_) | Value::Map(_) => Self::Unclear,
        }
    }

    /// Returns the word that expressions see; nothing if it is unclear.
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Granted => Some("granted"),
            Self::Unclear => None,
            Self::Denied => Some("denied"),
            Self::Withdrawn => Some("withdrawn"),
        }
    }

    /// Tells if it is a clear no.
    pub const fn is_no(self) -> bool {
        matches!(self, Self::Denied | Self::Withdrawn)
    }
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// The channel, or [`ALL`].
    pub channel: Arc<str>,
    /// The purpose, or [`ALL`].
    pub purpose: Arc<str>,
    /// What was said.
    pub status: Status,
    /// When it was said.
    pub at: Timestamp,
}

/// The last statement of each channel and purpose, at most [`Consent::SAID_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Consent(Vec<Said>);

impl Consent {
    /// How many statements are kept; beyond, the oldest yes makes room and is unknown from then on, which blocks.
    pub const SAID_MAX: usize = 64;
    /// The longest name of a channel or a purpose, in bytes; no send can have a longer one.
    const NAME_BYTES_MAX: usize = 64;

    /// Learns a statement: the later one counts, of two of the same time the stricter one.
    pub fn apply(&mut self, said: &Said) {
        let same =
            |known: &&mut Said| known.channel == said.channel && known.purpose == said.purpose;
        if let Some(known) = self.0.iter_mut().find(same) {
            if (said.at, said.status) > (known.at, known.status) {
                *known = said.clone();
            }
            return;
        }
        if self.0.len() >= Self::SAID_MAX {
            let oldest = self
                .0
                .iter()
                .enumerate()
                .min_by_key(|(_, it)| (it.status != Status::Granted, it.at));
            if let Some(idx) = oldest.map(|(idx, _)| idx) {
                self.0.remove(idx);
            }
        }
        self.0.push(said.clone());
    }

    /// Returns the strictest statement that concerns a channel and a purpose; `None` is unknown.
    pub fn of(&self, channel: &str, purpose: &str) -> Option<Status> {
        let concerns = |said: &&Said| {
            [channel, ALL].contains(&said.channel.as_ref())
                && [purpose, ALL].contains(&said.purpose.as_ref())
        };
        let strictest = self.0.iter().filter(concerns).map(|said| said.status).max();
        strictest.filter(|status| *status != Status::Unclear)
    }

    /// Returns the statements, in the order in which their channels and purposes were first named.
    pub fn iter(&self) -> impl Iterator<Item = &Said> {
        self.0.iter()
    }
}

/// Reads the statements of a [`CHANGED`] event.
pub fn of_event(properties: &Value, at: Timestamp) -> Vec<Said> {
    let list = properties.get("consents").and_then(Value::as_list);
    let one = std::slice::from_ref(properties);
    bounded(list.unwrap_or(one).iter().map(|it| {
        let name = |key, default: &str| {
            it.get(key)
                .and_then(Value::as_str)
                .map_or(default.into(), name)
        };
        let status = Status::read(it.get("status").unwrap_or(&Value::Null));
        Said {
            channel: name("channel", ALL),
            purpose: name("purpose", MARKETING),
            status,
            at,
        }
    }))
}

/// Reads the trait `consent` of an identify call: a status, a status by channel, or by channel and purpose.
pub fn of_trait(consent: &Value, at: Timestamp) -> Vec<Said> {
    let said = |channel: &str, purpose: &str, status: &Value| Said {
        channel: name(channel),
        purpose: name(purpose),
        status: Status::read(status),
        at,
    };
    let Some(channels) = consent.as_map() else {
        return vec![said(ALL, MARKETING, consent)];
    };
    bounded(channels.iter().flat_map(|(channel, value)| {
        match value.as_map() {
            Some(purposes) => purposes
                .iter()
                .map(|(purpose, status)| said(channel, purpose, status))
                .collect(),
            None => vec![said(channel, MARKETING, value)],
        }
    }))
}

fn name(text: &str) -> Arc<str> {
    text.trim().into()
}

fn bounded(all: impl Iterator<Item = Said>) -> Vec<Said> {
    let short = |text: &str| text.len() <= Consent::NAME_BYTES_MAX;
    all.filter(|said| short(&said.channel) && short(&said.purpose))
        .take(Consent::SAID_MAX)
        .collect()
}
