//! The baseline: what the training saw, in counts; the contents of `baseline.json`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Bins;
use crate::domain::Cell;
use crate::scoring::InputSpec;

/// The format that this build writes.
const VERSION: u32 = 1;

/// What the training saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The format.
    pub version: u32,
    /// How many rows were counted.
    pub rows: u64,
    /// The columns, in the order of the manifest.
    pub columns: Vec<ColumnBaseline>,
    /// The scores that the model gives these rows.
    pub scores: Histogram,
}

/// What the training saw in one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnBaseline {
    /// The column.
    pub column: Arc<str>,
    /// How often which values came.
    pub histogram: Histogram,
}

/// How often which values came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Histogram {
    /// Where they are counted.
    pub bins: Bins,
    /// One a bin.
    pub counts: Vec<u64>,
}

impl Histogram {
    fn of(cells: &[&Cell]) -> Self {
        let bins = Bins::of(cells.iter().copied());
        let mut counts = vec![0; bins.n()];
        for cell in cells {
            counts[bins.place(cell)] += 1;
        }
        Self { bins, counts }
    }

    fn fault(&self) -> Option<&'static str> {
        if self.counts.len() != self.bins.n() {
            return Some("has another number of counts than of bins");
        }
        self.bins.fault()
    }
}

impl Baseline {
    /// Counts the rows of the training and the scores of the model.
    ///
    /// - `scores`: one a row, in order; those that are missing are unknown.
    pub fn of(columns: &[InputSpec], rows: &[Vec<Cell>], scores: &[Option<f64>]) -> Self {
        let column = |(idx, input): (usize, &InputSpec)| {
            let cells: Vec<&Cell> = rows.iter().map(|row| &row[idx]).collect();
            ColumnBaseline {
                column: input.column.clone(),
                histogram: Histogram::of(&cells),
            }
        };
        let cells: Vec<Cell> = scores.iter().map(|score| cell(*score)).collect();
        let cells: Vec<&Cell> = cells.iter().collect();
        Self {
            version: VERSION,
            rows: rows.len() as u64,
            columns: columns.iter().enumerate().map(column).collect(),
            scores: Histogram::of(&cells),
        }
    }

    /// Reads `baseline.json`.
    ///
    /// # Errors
    ///
    /// It is not one, or not of these columns, in words.
    pub fn read(text: &[u8], columns: &[InputSpec]) -> Result<Self, String> {
        let read: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if read.version != VERSION {
            return Err(format!(
                "its version is {}, this build reads {VERSION}",
                read.version
            ));
        }
        let same = read.columns.iter().map(|it| &it.column);
        if !same.eq(columns.iter().map(|it| &it.column)) {
            return Err("its columns are not those of the manifest".to_owned());
        }
        for column in &read.columns {
            if let Some(fault) = column.histogram.fault() {
                return Err(format!("column `{}` {fault}", column.column));
            }
        }
        match read.scores.fault() {
            Some(fault) => Err(format!("the scores: it {fault}")),
            None => Ok(read),
        }
    }
}

/// Returns a score as the cell that is counted.
#[expect(
    clippy::cast_possible_truncation,
    reason = "bins have edges in single precision"
)]
pub(super) fn cell(score: Option<f64>) -> Cell {
    Cell::Number(score.map_or(f32::NAN, |score| score as f32))
}
