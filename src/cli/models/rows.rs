//! Rows to try a model on.

use crate::scoring::{Cell, Kind, Spec};

/// What cells are made of without golden rows: whole numbers, so that every kind of column takes them.
const NUMBERS: [f32; 2] = [0.0, 1.0];

/// Returns so many rows: the golden ones first, then mixtures of them column by column; without any, zeros and ones.
pub fn rows(spec: &Spec, n: usize) -> Vec<Vec<Cell>> {
    let golden = spec.golden.as_ref();
    let golden = golden.and_then(|golden| golden.cells(&spec.inputs).ok());
    let mut rows = golden.unwrap_or_default();
    if rows.is_empty() {
        rows.push(plain(spec, 0));
        rows.push(plain(spec, 1));
    }
    let n_first = rows.len();
    for idx in n_first..n {
        let cells = 0..spec.inputs.len();
        // Steps that differ from column to column meet every pair of values sooner or later.
        let row = cells
            .map(|column| rows[(idx * (2 * column + 1) + idx / n_first) % n_first][column].clone());
        rows.push(row.collect());
    }
    rows.truncate(n);
    rows
}

fn plain(spec: &Spec, idx: usize) -> Vec<Cell> {
    let inputs = spec.inputs.iter();
    let cells = inputs.map(|input| match input.kind {
        Kind::Number => Cell::Number(NUMBERS[idx % NUMBERS.len()]),
        Kind::Text => Cell::Text(if idx == 0 { "" } else { "a" }.into()),
    });
    cells.collect()
}
