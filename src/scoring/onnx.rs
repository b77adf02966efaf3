//! The scorer that runs ONNX models.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::{Card, Cell, Error, Library, Model, Score, Scorer, Spec, Stats, Watch};

/// Scores with ONNX models. A model can be shared with the scorer that follows when policies are reloaded.
#[derive(Default)]
pub struct Onnx {
    models: BTreeMap<Arc<str>, Arc<Model>>,
}

impl Onnx {
    /// Loads models; see [`Model::load`].
    ///
    /// # Errors
    ///
    /// Everything that is wrong, not only the first.
    pub fn load(
        library: &Library,
        specs: impl IntoIterator<Item = Spec>,
        threads: Option<NonZeroUsize>,
    ) -> Result<Self, Vec<Error>> {
        let mut models = Vec::new();
        let mut errors = Vec::new();
        for spec in specs {
            match Model::load(library, &spec, threads) {
                Ok(model) => models.push(Arc::new(model)),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            Ok(Self::new(models))
        } else {
            Err(errors)
        }
    }

    /// Scores with models that are loaded.
    pub fn new(models: impl IntoIterator<Item = Arc<Model>>) -> Self {
        let models = models
            .into_iter()
            .map(|model| (model.name().clone(), model));
        Self {
            models: models.collect(),
        }
    }

    /// Returns a model by its name.
    pub fn model(&self, name: &str) -> Option<&Arc<Model>> {
        self.models.get(name)
    }

    /// Returns what every model has done since it was loaded, sorted by name.
    pub fn stats(&self) -> Vec<(Arc<str>, Stats)> {
        let models = self.models.iter();
        models
            .map(|(name, model)| (name.clone(), model.stats()))
            .collect()
    }
}

impl Scorer for Onnx {
    fn score(&self, model: &str, row: &[Cell]) -> Score {
        match self.models.get(model) {
            Some(model) => model.score(row),
            None => absent(model),
        }
    }

    fn score_batch(&self, model: &str, rows: &[&[Cell]]) -> Vec<Score> {
        match self.models.get(model) {
            Some(model) => model.score_batch(rows),
            None => vec![absent(model); rows.len()],
        }
    }

    fn card(&self, model: &str) -> Option<&Card> {
        self.models.get(model).map(|model| model.card())
    }

    fn watch(&self, model: &str) -> Option<&Watch> {
        self.models.get(model).map(|model| model.watch())
    }
}

/// Returns the score of a model that is not there.
pub(super) fn absent(model: &str) -> Score {
    Score::unavailable(format!("there is no model `{model}`"))
}
