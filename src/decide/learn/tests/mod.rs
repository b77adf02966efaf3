//! The arithmetic of learning against closed forms, against chance, and in a simulated world.

mod beliefs;
mod choices;
mod lifts;
mod numbers;
mod posteriors;
mod simulation;

/// Tells if two numbers are as near as a share of the larger one.
pub fn near(a: f64, b: f64, relative: f64) -> bool {
    (a - b).abs() <= relative * a.abs().max(b.abs())
}
