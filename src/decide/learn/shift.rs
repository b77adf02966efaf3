//! Corrects a model online: one shift of its log-odds for each offer.

use crate::decide::learn::belief::{Belief, logistic, logit};
use crate::domain::learning::Bin;

/// How surely there is no shift before anything was seen: the shift is normal around the group's with this precision, so a
/// model that is off by a factor of e is no surprise.
const PRECISION: f64 = 1.0;

/// Steps of Newton's method; the likelihood is concave and the shift is bounded.
const STEPS: u32 = 12;

/// A shift is at most so large.
const SHIFT_MAX: f64 = 12.0;

/// Returns the most likely shift and its variance: the mode of `Σ log Bernoulli(reward | logistic(logit(score) + shift))` with
/// a normal prior, and the curvature there (logistic recalibration of the intercept, Cox 1958; Laplace's approximation, Bishop,
/// Pattern Recognition and Machine Learning, 4.4).
///
/// - `around`: the shift that is expected, of the group.
pub fn fit(around: f64, seen: &[Bin]) -> (f64, f64) {
    let mut shift = around;
    let mut precision = PRECISION;
    for _ in 0..STEPS {
        let mut slope = -PRECISION * (shift - around);
        precision = PRECISION;
        for bin in seen.iter().filter(|bin| bin.n > 0.0) {
            let p = logistic(logit(bin.scores / bin.n) + shift);
            slope += bin.rewards - bin.n * p;
            precision += bin.n * p * (1.0 - p);
        }
        // A step of more than one log-odd would leave the part in which the curvature is known.
        let step = (slope / precision).clamp(-1.0, 1.0);
        shift = (shift + step).clamp(-SHIFT_MAX, SHIFT_MAX);
        if step.abs() < 1e-9 {
            break;
        }
    }
    (shift, 1.0 / precision)
}

/// Returns what is believed of an offer's propensity that a model scores so.
pub fn belief(around: f64, seen: &[Bin], score: f64) -> Belief {
    let (shift, variance) = fit(around, seen);
    Belief::Logit {
        mean: logit(score) + shift,
        sd: variance.sqrt(),
    }
}
