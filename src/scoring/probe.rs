//! Asks a loaded model what its owner wants to know before anyone relies on it.

use super::Cell;
use super::error::said;
use super::model::Model;
use super::output::Form;

/// The shape that a file declares for an output, and the one that came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The output.
    pub output: String,
    /// What the file says; -1 is free.
    pub declared: Vec<i64>,
    /// What came out.
    pub real: Vec<i64>,
}

impl Model {
    /// Scores rows in one run, also where [`Model::score_batch`] takes them one by one; finite or not.
    ///
    /// # Errors
    ///
    /// A row cannot be fed, or ONNX Runtime refuses them, in words.
    pub fn together(&self, rows: &[&[Cell]]) -> Result<Vec<f64>, String> {
        self.trial(rows)
    }

    /// Runs rows together, and returns the shapes of all outputs that are tensors.
    ///
    /// # Errors
    ///
    /// ONNX Runtime refuses them, in words.
    pub fn shapes(&self, rows: &[&[Cell]]) -> Result<Vec<Shape>, String> {
        let shapes = self.pool.take().shapes(&self.signature, rows);
        shapes.map_err(|error| said(&error))
    }

    /// Returns the name of the output that has the score.
    pub fn output(&self) -> &str {
        &self.signature.output.name
    }

    /// Tells if the score comes out of a list of maps (`ZipMap`), which costs an allocation a row.
    pub fn is_zipped(&self) -> bool {
        match self.signature.output.form {
            Form::NumberedMaps | Form::NamedMaps => true,
            Form::Float | Form::Double => false,
        }
    }

    /// Tells if the file was exported for exactly one row.
    pub fn is_for_one_row(&self) -> bool {
        self.signature.one_row
    }
}
