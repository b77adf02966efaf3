//! One input in, effects out: pure, so that tests, backtests and live run the same core.

mod absences;
mod admission;
mod contest;
mod draw;
pub mod drive;
mod entries;
pub mod env;
mod eval;
pub mod evaluate;
mod explain;
mod features;
mod function;
mod guards;
mod heed;
mod horizon;
pub mod inputs;
mod journeys;
pub mod learn;
mod migrate;
mod observe;
pub mod offers;
mod outcomes;
mod outside;
pub mod promises;
mod renewal;
mod room;
mod run;
mod schedule;
mod segments;
mod send;
mod step;
#[cfg(test)]
mod tests;
mod told;
mod unknown;
mod wait;
pub mod why;

pub use drive::{Cause, handle};
pub use env::Env;
pub use eval::eval;
pub use features::value as feature_value;
pub use outside::{NOTHING, Outside, Scoring};
pub use renewal::concerns;
pub use step::{
    Ask, Budgets, Effects, Found, Input, Needs, Request, Said, Scored, Scores, Step, step,
};
pub use unknown::{Unknown, answer};
