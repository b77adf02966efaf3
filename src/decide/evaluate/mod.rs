//! What a policy would have earned, told from a log of another one: off-policy evaluation.
//!
//! A log holds what was chosen, with which probability, and what came of it. Two passes: [`Seen`] counts what is
//! there, [`Valuation`] weighs every row by how much likelier the valued policy makes it.

mod estimate;
mod reward;
mod support;
#[cfg(test)]
mod tests;
mod valuation;

pub use estimate::Estimate;
pub use reward::Seen;
pub use support::{Concern, concerns};
pub use valuation::{Report, Valuation};

/// One choice of a log. Names stand as numbers from 0, given by the reader.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Where, and for whom: choices of equal situations are compared.
    pub situation: Situation,
    /// What was chosen.
    pub action: u32,
    /// What came of it: any finite number.
    pub reward: f64,
    /// How likely the choice was when it was made, in `(0, 1]`.
    pub probability: f64,
}

/// Where and for whom something was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Situation {
    /// The position, or slot.
    pub position: u32,
    /// The values of the context columns, one number for each combination.
    pub context: u32,
}

/// What a policy does in a situation: actions with their probabilities. What they lack to 1 is what cannot be done there.
pub type Choices = [(u32, f64)];
