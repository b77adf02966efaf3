//! Rows that a forest must score as ONNX Runtime does before it is believed.

use std::collections::BTreeMap;

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
    let cell = |row: u64, column: usize| {
        let known = by_column.get(&column).map_or(&[][..], Vec::as_slice);
        Cell::Number(number(known, draw(row * width as u64 + column as u64)))
    };
    let row = |row| (0..width).map(|column| cell(row, column)).collect();
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

/// Returns the n-th of a fixed sequence of random numbers.
///
/// Source: `SplitMix64`, Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
fn draw(n: u64) -> u64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
