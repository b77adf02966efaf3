//! A model is tried before anyone relies on it.

use std::path::Path;

use super::forest::{self, Forest};
use super::model::{Model, ROWS_MAX};
use super::rows::fault;
use super::{About, Cell, Error, Kind, Proof, Spec};

impl Model {
    /// Runs the golden rows, or rows of zeros, alone and together; returns how golden ones came out.
    ///
    /// # Errors
    ///
    /// [`Error::Golden`], [`Error::GoldenRows`], [`Error::Trial`].
    pub(super) fn try_out(&self, spec: &Spec, path: &Path) -> Result<Option<Proof>, Error> {
        let (rows, words) = match &spec.golden {
            Some(golden) => (golden.cells(&spec.inputs), "its golden rows"),
            None => (Ok(vec![zeros(spec); 2]), "rows of zeros"),
        };
        let rows = rows.map_err(|reason| Error::GoldenRows {
            model: spec.name.clone(),
            reason,
        })?;
        let rows: Vec<&[Cell]> = rows.iter().map(Vec::as_slice).collect();
        let failed = |run| {
            move |reason| Error::Trial {
                model: spec.name.clone(),
                path: path.to_owned(),
                rows: format!("{words}, {run}"),
                reason,
            }
        };
        let alone: Result<Vec<_>, _> = rows.iter().map(|row| self.trial(&[row])).collect();
        let alone = alone.map_err(failed("alone"))?.concat();
        let batch = if self.signature.one_row {
            Ok(alone.clone())
        } else {
            self.trial(&rows)
        };
        let batch = batch.map_err(failed("in a batch"))?;
        let Some(golden) = &spec.golden else {
            return Ok(None);
        };
        golden.check(&spec.name, &alone, "alone")?;
        golden.check(&spec.name, &batch, "in a batch")?;
        Ok(Some(Proof {
            n_rows: golden.rows.len(),
            worst: golden.worst(&alone).max(golden.worst(&batch)),
            tolerance: golden.tolerance,
        }))
    }

    /// Reads the trees of a file, and returns them with the number of rows for which they give, to the bit, what ONNX Runtime
    /// gives; nothing if a single one differs.
    pub(super) fn own_forest(&self, spec: &Spec, file: &[u8]) -> Option<(Forest, usize)> {
        let [input] = self.card().inputs.as_slice() else {
            return None;
        };
        let forest = forest::read(file, &input.name, &self.signature)?;
        let thresholds = About::read(file).thresholds.by_column;
        let mut rows = forest::rows(&thresholds, self.columns.len());
        let golden = spec.golden.as_ref();
        rows.extend(
            golden
                .and_then(|golden| golden.cells(&spec.inputs).ok())
                .into_iter()
                .flatten(),
        );
        let rows: Vec<&[Cell]> = rows.iter().map(Vec::as_slice).collect();
        if !self.agrees(&forest, &rows) {
            let model = &*spec.name;
            tracing::debug!(
                model,
                "ONNX Runtime walks its trees: Attune would score otherwise"
            );
            return None;
        }
        Some((forest, rows.len()))
    }

    /// Tells if a forest gives what ONNX Runtime gives, to the bit, row by row and together.
    pub(super) fn agrees(&self, forest: &Forest, rows: &[&[Cell]]) -> bool {
        let size = if self.signature.one_row { 1 } else { ROWS_MAX };
        rows.chunks(size).all(|rows| {
            let mut theirs = vec![0.0; rows.len()];
            let run = self.pool.take().run(&self.signature, rows, &mut theirs);
            let (mut alone, mut together) = (theirs.clone(), theirs.clone());
            forest.score(rows, &mut together);
            for (row, score) in rows.iter().zip(&mut alone) {
                forest.score(&[row], std::slice::from_mut(score));
            }
            run.is_ok() && bits(&alone).eq(bits(&theirs)) && bits(&together).eq(bits(&theirs))
        })
    }

    pub(super) fn trial(&self, rows: &[&[Cell]]) -> Result<Vec<f64>, String> {
        let mut faults = rows
            .iter()
            .map(|row| fault(&self.signature.feeds, &self.columns, row));
        if let Some(reason) = faults.find_map(|fault| fault) {
            return Err(reason.to_string());
        }
        let mut scores = vec![0.0; rows.len()];
        self.run(rows, &mut scores)?;
        Ok(scores)
    }
}

fn bits(scores: &[f64]) -> impl Iterator<Item = u64> {
    scores.iter().map(|score| score.to_bits())
}

fn zeros(spec: &Spec) -> Vec<Cell> {
    let cells = spec.inputs.iter().map(|input| match input.kind {
        Kind::Number => Cell::Number(0.0),
        Kind::Text => Cell::Text("".into()),
    });
    cells.collect()
}
