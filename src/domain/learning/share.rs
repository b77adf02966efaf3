//! How an arm of a placement fares, month by month.

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;
use crate::domain::outcome::Kind;

/// A month of the calendar in UTC: months since the year 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Month(pub i32);

impl Month {
    /// Returns the month that a time lies in.
    pub fn of(at: Timestamp) -> Self {
        let date = jiff::Timestamp::from_millisecond(at.as_millis());
        let date = date.map(|at| jiff::tz::Offset::UTC.to_datetime(at).date());
        Self(date.map_or(0, |date| {
            i32::from(date.year()) * 12 + i32::from(date.month()) - 1
        }))
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:04}-{:02}",
            self.0.div_euclid(12),
            self.0.rem_euclid(12) + 1
        )
    }
}

/// Decisions and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// How many decisions.
    pub n: u64,
    /// How many of them had an outcome of each kind, in the order of [`Kind::ALL`].
    pub with: [u64; 4],
}

impl Share {
    /// Returns how many decisions had an outcome of a kind.
    pub fn with(&self, kind: Kind) -> u64 {
        let at = Kind::ALL.iter().position(|of| *of == kind);
        at.map_or(0, |at| self.with[at])
    }

    /// Counts a decision's first outcome of a kind.
    pub fn note(&mut self, kind: Kind) {
        if let Some(at) = Kind::ALL.iter().position(|of| *of == kind) {
            self.with[at] += 1;
        }
    }

    /// Adds another share.
    pub fn add(&mut self, other: &Self) {
        self.n += other.n;
        for (own, other) in self.with.iter_mut().zip(other.with) {
            *own += other;
        }
    }
}
