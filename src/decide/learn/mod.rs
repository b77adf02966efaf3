//! Learning: what outcomes say about propensities, and how to choose so that more is learnt.
//!
//! Everything here is arithmetic over [`crate::domain::learning::Tallies`], which are an argument of a step as the scores are.

mod adaptive;
pub mod belief;
mod below;
mod chance;
pub mod choose;
pub mod lesson;
pub mod lift;
mod linear;
pub mod posterior;
mod shift;
mod special;
#[cfg(test)]
mod tests;
pub mod win;

pub use belief::Belief;
pub use chance::Chance;
pub use choose::{Pick, choose};

pub use crate::policy::learner::Explore;

use crate::domain::learning::Tallies;
pub use posterior::Posterior;
pub use win::Contender;

/// Where nobody decides about offers, nothing need be known of them.
pub static NOTHING: Tallies = Tallies::new();
