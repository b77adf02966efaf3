//! Whether a model still lives in the world that it was trained in.
//!
//! ```text
//! rows, scores ──▶ counts by bin, a window at a time ──▶ stability index against the training
//! decisions ─────▶ pending until their outcome, or until it is too late ──▶ promise against what came
//! ```
//!
//! Everything is bounded, and lost when the process ends or the model is replaced: a new model begins afresh.

mod baseline;
mod bins;
mod pending;
mod promise;
mod stability;
mod watch;

#[cfg(test)]
mod tests;

pub use baseline::{Baseline, ColumnBaseline, Histogram};
pub use bins::Bins;
pub use promise::{Promise, Standing};
pub use watch::{Drifted, Watch};
