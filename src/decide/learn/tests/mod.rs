//! The arithmetic of learning against closed forms, against chance, and in a simulated world.

mod beliefs;
mod choices;
mod lifts;
mod numbers;
mod posteriors;
mod simulation;

use proptest::prelude::Strategy;

/// Numbers between two positive ones, as many between 0.1 and 1 as between 1,000 and 10,000.
pub fn of_any_size(low: f64, high: f64) -> impl Strategy<Value = f64> {
    (low.ln()..high.ln()).prop_map(f64::exp)
}

/// Tells if two numbers are as near as a share of the larger one.
pub fn near(a: f64, b: f64, relative: f64) -> bool {
    (a - b).abs() <= relative * a.abs().max(b.abs())
}
