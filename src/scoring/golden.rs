//! Golden rows: a model is believed after it gave the scores its authors saw.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::{Cell, Error, InputSpec, Kind};
use crate::domain::Value;

/// Known rows and their scores; the contents of `golden.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// How much a score may differ, absolutely; scores beyond 1 may differ by this share of themselves.
    pub tolerance: f64,
    /// The rows; at least one.
    pub rows: Vec<GoldenRow>,
}

/// One known row.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenRow {
    /// The cells by column, all of them; `null` is unknown, booleans are 0 and 1.
    pub inputs: BTreeMap<String, Value>,
    /// The score.
    pub output: f64,
}

impl Golden {
    /// Returns the largest difference between scores and what they should be.
    pub(super) fn worst(&self, scores: &[f64]) -> f64 {
        let rows = self.rows.iter().zip(scores);
        rows.map(|(row, score)| (score - row.output).abs())
            .fold(0.0, f64::max)
    }

    /// Returns the rows as cells in the order of the columns.
    ///
    /// # Errors
    ///
    /// What does not fit, in words.
    pub fn cells(&self, columns: &[InputSpec]) -> Result<Vec<Vec<Cell>>, String> {
        if self.rows.is_empty() {
            return Err("there are none".to_owned());
        }
        if !(0.0..1.0).contains(&self.tolerance) {
            let tolerance = self.tolerance;
            return Err(format!(
                "`tolerance` is {tolerance}, a number from 0 to less than 1 is expected, such as 1e-5"
            ));
        }
        let rows = self.rows.iter().enumerate();
        rows.map(|(idx, row)| {
            row.cells(columns)
                .map_err(|why| format!("row {} {why}", idx + 1))
        })
        .collect()
    }

    /// Compares the scores of all rows with what they should be.
    pub(super) fn check(
        &self,
        model: &Arc<str>,
        scores: &[f64],
        run: &'static str,
    ) -> Result<(), Error> {
        for (idx, (row, score)) in self.rows.iter().zip(scores).enumerate() {
            let allowed = self.tolerance * row.output.abs().max(1.0);
            // Not a number is never within.
            if (score - row.output).abs() <= allowed {
                continue;
            }
            return Err(Error::Golden {
                model: model.clone(),
                row: idx + 1,
                expected: row.output,
                score: *score,
                run,
                tolerance: self.tolerance,
            });
        }
        Ok(())
    }
}

impl GoldenRow {
    fn cells(&self, columns: &[InputSpec]) -> Result<Vec<Cell>, String> {
        let known = |name: &String| columns.iter().any(|column| *column.column == **name);
        if let Some(name) = self.inputs.keys().find(|name| !known(name)) {
            return Err(format!("has `{name}`, which is no column"));
        }
        columns.iter().map(|column| self.cell(column)).collect()
    }

    fn cell(&self, column: &InputSpec) -> Result<Cell, String> {
        let InputSpec { column, kind } = column;
        let Some(value) = self.inputs.get(&**column) else {
            return Err(format!("has no `{column}`"));
        };
        match (kind, value) {
            (Kind::Number, Value::Null) => Ok(Cell::Number(f32::NAN)),
            (Kind::Number, Value::Bool(flag)) => Ok(Cell::Number(f32::from(u8::from(*flag)))),
            (Kind::Number, Value::Number(number)) => Ok(Cell::Number(narrow(*number))),
            (Kind::Text, Value::Null) => Ok(Cell::Text("".into())),
            (Kind::Text, Value::Text(text)) => Ok(Cell::Text(text.clone())),
            (Kind::Number, _) => Err(format!("has `{column}`: {value}, which is no number")),
            (Kind::Text, _) => Err(format!("has `{column}`: {value}, which is no text")),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "columns are 32-bit floats")]
fn narrow(number: f64) -> f32 {
    number as f32
}
