//! The door to models: a row goes in, a score comes out, and a failure is a score too.
//!
//! ```text
//! Spec ──load──▶ Model ── signature  what the file takes and gives, against the spec
//!                  │   └─ trial      known rows, run before the first real one
//!                  └───── pool       one session a thread; `rows` in, `output` out
//! ```

mod error;
mod exact;
mod golden;
mod library;
mod model;
mod onnx;
mod output;
mod pool;
mod rows;
mod scripted;
mod signature;
mod spec;
mod trial;

#[cfg(test)]
mod tests;

pub use crate::domain::{Cell, Score};
pub use error::Error;
pub use golden::{Golden, GoldenRow};
pub use library::Library;
pub use model::{Model, Stats};
pub use onnx::Onnx;
pub use scripted::Scripted;
pub use spec::{InputSpec, Kind, OutputSpec, Source, Spec};

/// Runs models. Object safe, called from many threads; it blocks for the microseconds a run takes.
pub trait Scorer: Send + Sync + 'static {
    /// Scores one row of one model.
    ///
    /// - `row`: one cell a column, in the order of the manifest's inputs.
    fn score(&self, model: &str, row: &[Cell]) -> Score;

    /// Scores several rows in one run; the results are in the order of `rows` and the same to the bit as row by
    /// row.
    fn score_batch(&self, model: &str, rows: &[&[Cell]]) -> Vec<Score>;
}
