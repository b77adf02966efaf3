//! Rows that a forest must score as ONNX Runtime does before it is believed.

use std::collections::BTreeMap;

use crate::domain::Dice;
use crate::scoring::Cell;

/// How many rows are tried.
const N: u64 = 512;

/// Returns rows whose cells are at, just below and just above thresholds, unknown, or extreme; always the same.
///
/// - `by_column`: the thresholds of each column.
/// - `width`: how many columns a row has.
pub(in crate::scoring) fn rows(
    by_column: &BTreeMap<usize, Vec<f32>>,
    width: usize,
) -> Vec<Vec<Cell>> {
    let mut dice = Dice::new(0);
    let mut cell = |column: usize| {
        let known = by_column.get(&column).map_or(&[][..], Vec::as_slice);
        Cell::Number(number(known, dice.bits()))
    };
    let row = |_| (0..width).map(&mut cell).collect();
    (0..N).map(row).collect()
}

/// Returns a number that is worth a try.
fn number(known: &[f32], drawn: u64) -> f32 {
    let at = |drawn: u64| {
        let place = usize::try_from(drawn % known.len().max(1) as u64).unwrap_or(0);
        known.get(place).copied().unwrap_or(0.0)
    };
    let (kind, drawn) = (drawn % 16, drawn / 16);
    match kind {
        0 => f32::NAN,
        1 => 0.0,
        2 => -0.0,
        3 => f32::MAX,
        4 => f32::NEG_INFINITY,
        5..8 => at(drawn),
        8..10 => at(drawn).next_up(),
        10..12 => at(drawn).next_down(),
        _ => f32::midpoint(at(drawn), at(drawn / 1_024)),
    }
}
