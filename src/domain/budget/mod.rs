//! Budgets: how often everybody together gets an offer within a period, and who has how much of it.

mod market;
mod period;
#[cfg(test)]
mod tests;
mod till;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use market::{Holder, Market, Status};
pub use period::{Per, Period};
pub use till::Till;

/// What is counted: an offer in a period.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// The offer's id.
    pub offer: Arc<str>,
    /// The period.
    pub period: Period,
}

/// What a partition has of a budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// As much as it may give.
    pub leased: u64,
    /// As much of that as it has given.
    pub used: u64,
}

/// What a partition has of every budget.
pub type Ledger = BTreeMap<Key, Quota>;

/// One more of an offer is to be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Of what.
    pub key: Key,
    /// The most that may be given in the period.
    pub limit: u64,
}

/// Why no more is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// So many were given; those that are idle are leased to partitions that have no use for them, and on their way back.
    Spent {
        /// Given.
        n: u64,
        /// Leased and not given.
        idle: u64,
    },
    /// The period was over too long ago: what was given in it is forgotten.
    Over,
    /// It is not known yet what every partition has.
    Unknown,
    /// The partition has as many quotas as it may: [`Market::ROWS_MAX`].
    Full,
}

/// Gives what budgets allow.
pub trait Purse {
    /// Says of each claim why one more would not be given; `None` if it would.
    fn look(&self, claims: &[Claim]) -> Vec<Option<Refusal>>;

    /// Gives one of everything that is claimed, or nothing.
    ///
    /// # Errors
    ///
    /// The places of the claims that are refused, each with the reason.
    fn take(&self, claims: &[Claim]) -> Result<(), Vec<(usize, Refusal)>>;
}

/// A purse without a bottom, for those who look at one customer alone.
pub struct Boundless;

impl Purse for Boundless {
    fn look(&self, claims: &[Claim]) -> Vec<Option<Refusal>> {
        vec![None; claims.len()]
    }

    fn take(&self, _: &[Claim]) -> Result<(), Vec<(usize, Refusal)>> {
        Ok(())
    }
}
