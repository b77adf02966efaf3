//! Bayesian linear regression in few dimensions: what a reward is expected to be at a point, and how sure that is.

use crate::decide::learn::belief::Belief;
use crate::domain::learning::Sums;

/// The standard deviation of a reward in `[0, 1]` is at most this.
pub const NOISE: f64 = 0.5;

/// The factor of a positive definite matrix: `L` with `L L' = A`, the lower half, row by row.
struct Factor(Vec<f64>);

/// Returns the mean of the weights: `(ridge I + Σ x x')⁻¹ (ridge m + Σ x y)`.
///
/// - `prior`: the mean `m` of the weights before anything was seen, `d` numbers.
/// - `ridge`: how many observations that prior counts for, positive.
pub fn weights(prior: &[f64], ridge: f64, seen: Option<&Sums>) -> Vec<f64> {
    let Some(seen) = seen else {
        return prior.to_vec();
    };
    let factor = Factor::of(ridge, seen);
    let target = prior.iter().zip(&seen.xy).map(|(m, xy)| ridge * m + xy);
    factor.solve(target.collect())
}

/// Returns what is believed of the reward at `x`: normal with mean `x' w` and deviation `NOISE sqrt(x' A⁻¹ x)`, which is
/// the posterior of the weights (Bishop, Pattern Recognition and Machine Learning, 3.49 to 3.54), used for Thompson
/// sampling by Agrawal and Goyal (2013).
pub fn belief(prior: &[f64], ridge: f64, seen: Option<&Sums>, x: &[f64]) -> Belief {
    let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    let Some(seen) = seen else {
        let spread = (dot(x, x) / ridge).sqrt();
        return Belief::normal(dot(prior, x), NOISE * spread);
    };
    let factor = Factor::of(ridge, seen);
    let target = prior.iter().zip(&seen.xy).map(|(m, xy)| ridge * m + xy);
    let mean = dot(&factor.solve(target.collect()), x);
    let half = factor.forward(x.to_vec());
    Belief::normal(mean, NOISE * dot(&half, &half).sqrt())
}

impl Factor {
    /// Factors `ridge I + Σ x x'` (Cholesky); a pivot that rounding made too small is kept at the ridge.
    fn of(ridge: f64, seen: &Sums) -> Self {
        let d = seen.xy.len();
        let mut l = seen.xx.clone();
        for row in 0..d {
            let of_row = start(row);
            for column in 0..=row {
                let of_column = start(column);
                let known: f64 = (0..column).map(|k| l[of_row + k] * l[of_column + k]).sum();
                let rest = l[of_row + column] - known;
                let pivot = (rest + ridge).max(ridge * 1e-6).sqrt();
                let scaled = rest / l[of_column + column];
                l[of_row + column] = [scaled, pivot][usize::from(row == column)];
            }
        }
        Self(l)
    }

    /// Solves `L z = b`.
    fn forward(&self, mut b: Vec<f64>) -> Vec<f64> {
        for row in 0..b.len() {
            let of_row = start(row);
            let known: f64 = (0..row).map(|k| self.0[of_row + k] * b[k]).sum();
            b[row] = (b[row] - known) / self.0[of_row + row];
        }
        b
    }

    /// Solves `L L' z = b`.
    fn solve(&self, b: Vec<f64>) -> Vec<f64> {
        let mut z = self.forward(b);
        for row in (0..z.len()).rev() {
            let known: f64 = (row + 1..z.len())
                .map(|k| self.0[start(k) + row] * z[k])
                .sum();
            z[row] = (z[row] - known) / self.0[start(row) + row];
        }
        z
    }
}

/// Where a row of a lower half begins.
const fn start(row: usize) -> usize {
    row * (row + 1) / 2
}
