//! A model is tried before anyone relies on it.

use std::path::Path;

use super::model::Model;
use super::rows::fault;
use super::{Cell, Error, Kind, Proof, Spec};

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

fn zeros(spec: &Spec) -> Vec<Cell> {
    let cells = spec.inputs.iter().map(|input| match input.kind {
        Kind::Number => Cell::Number(0.0),
        Kind::Text => Cell::Text("".into()),
    });
    cells.collect()
}
