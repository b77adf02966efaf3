//! The door to models: a row goes in, a score comes out, and a failure is a score too.
//!
//! ```text
//! Spec ──load──▶ Model ── signature  what the file takes and gives, against the spec
//!                  ├───── trial      known rows, run before the first real one
//!                  ├───── pool       one session a thread; `rows` in, `output` out
//!                  └───── forest     trees walked here, where that gives the same to the bit
//! ```

mod card;
mod drift;
mod error;
mod exact;
mod file;
mod forest;
mod golden;
mod library;
mod model;
mod node;
mod onnx;
mod output;
mod pool;
mod probe;
mod proto;
mod rows;
mod scripted;
mod signature;
mod spec;
mod trial;

#[cfg(test)]
pub(crate) mod tests;

pub use crate::domain::{Cell, Score};
pub use card::{Card, Port, Proof};
pub use drift::{Baseline, Drifted, Standing, Watch};
pub use error::Error;
pub use file::{About, Thresholds};
pub use golden::{Golden, GoldenRow};
pub use library::Library;
pub use model::{FILE_BYTES_MAX, Model, ROWS_MAX, Stats};
pub use onnx::Onnx;
pub use probe::Shape;
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

    /// Returns what was found out about a model when it was loaded; nothing where models are not files.
    fn card(&self, _model: &str) -> Option<&Card> {
        None
    }

    /// Returns the watch over a model, for whoever decides to tell it what was scored; nothing where models are not files.
    fn watch(&self, _model: &str) -> Option<&Watch> {
        None
    }
}
