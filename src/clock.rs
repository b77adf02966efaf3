//! The time, and whose time it is.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;

/// Whose time an event is handled at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// The stream's: an event is handled at the time it was stored. For live traffic.
    #[default]
    Stream,
    /// The events' own: time goes on as far as the events have come. For replays of the past.
    Event,
}

/// Returns the time of this machine.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the clock"
)]
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
