//! How long scoring takes, alone and in batches.

use std::time::{Duration, Instant};

use super::batches::SIZES;
use super::report::Latency;
use crate::scoring::{Cell, Model};

/// Calls that are measured, at most.
const CALLS_MAX: usize = 2_000;
/// How long one size is measured, at most.
const TIME_MAX: Duration = Duration::from_millis(250);
/// Calls before the clock runs.
const WARM: usize = 20;

/// Measures one row, and batches of [`SIZES`].
///
/// - `rows`: at least as many as the largest batch.
pub fn latency(model: &Model, rows: &[&[Cell]]) -> Vec<Latency> {
    let sizes = [1].into_iter().chain(SIZES);
    sizes.map(|n_rows| measure(model, rows, n_rows)).collect()
}

fn measure(model: &Model, rows: &[&[Cell]], n_rows: usize) -> Latency {
    let call = |idx: usize| match n_rows {
        1 => drop(model.score(rows[idx % rows.len()])),
        _ => drop(model.score_batch(&rows[..n_rows.min(rows.len())])),
    };
    (0..WARM).for_each(call);
    let begin = Instant::now();
    let mut times = Vec::new();
    while times.len() < CALLS_MAX && begin.elapsed() < TIME_MAX {
        let start = Instant::now();
        call(times.len());
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    Latency {
        n_rows,
        p50_us: quantile(&times, 50),
        p99_us: quantile(&times, 99),
    }
}

/// Returns the value that so many of a hundred are below; `times` is sorted and not empty.
fn quantile(times: &[f64], percent: usize) -> f64 {
    let idx = times.len().saturating_sub(1) * percent / 100;
    times.get(idx).copied().unwrap_or_default()
}
