//! At which moments a row is written.

use std::str::FromStr;

use crate::domain::{Duration, Timestamp};

/// The least time between two moments of a grid.
const EVERY_MIN: Duration = Duration::from_secs(60);

/// `EVENT`, or `every TIME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moments {
    /// Right after the customer did this.
    After(String),
    /// For everybody who is known, at whole multiples of a time since 1970 (UTC): `every 1d` is midnight.
    Every(Duration),
}

impl FromStr for Moments {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("write the name of an event, or `every 1d`".into());
        }
        let Some(every) = text.strip_prefix("every ") else {
            return Ok(Self::After(text.to_owned()));
        };
        let every = Duration::parse(every)?;
        if every < EVERY_MIN {
            return Err(format!("`{text}`: at least `every {EVERY_MIN}`"));
        }
        Ok(Self::Every(every))
    }
}

/// Returns the first moment of a grid at or after a time.
pub fn first_at_or_after(every: Duration, at: Timestamp) -> Timestamp {
    let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
    let before = at.as_millis().div_euclid(every) * every;
    if before == at.as_millis() {
        return at;
    }
    Timestamp::from_millis(before.saturating_add(every))
}
