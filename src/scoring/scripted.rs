//! A scorer that says what it was told to, for tests and rehearsals.

use std::collections::BTreeMap;

use super::onnx::absent;
use super::{Cell, Score, Scorer};

type Script = Box<dyn Fn(&[Cell]) -> Score + Send + Sync>;

/// Scores by script.
#[derive(Default)]
pub struct Scripted {
    models: BTreeMap<String, Script>,
}

impl Scripted {
    /// Adds a model that gives every row the same score.
    #[must_use]
    pub fn with(self, model: &str, score: Score) -> Self {
        self.with_fn(model, move |_| score.clone())
    }

    /// Adds a model that computes the score of a row.
    #[must_use]
    pub fn with_fn(
        mut self,
        model: &str,
        score: impl Fn(&[Cell]) -> Score + Send + Sync + 'static,
    ) -> Self {
        self.models.insert(model.to_owned(), Box::new(score));
        self
    }
}

impl Scorer for Scripted {
    fn score(&self, model: &str, row: &[Cell]) -> Score {
        self.models
            .get(model)
            .map_or_else(|| absent(model), |script| script(row))
    }

    fn score_batch(&self, model: &str, rows: &[&[Cell]]) -> Vec<Score> {
        rows.iter().map(|row| self.score(model, row)).collect()
    }
}
