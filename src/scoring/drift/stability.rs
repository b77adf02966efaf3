//! The population stability index, and what of it is chance.

/// Added to every count, so that an empty bin is not infinitely far away.
const SMOOTH: f64 = 0.5;

/// A bin count that is a standard normal quantile: one in ten thousand windows exceeds it by chance.
const Z: f64 = 3.719;

/// Returns how far counts are from those that are expected: `sum((a - e) * ln(a / e))` over the shares of all bins.
///
/// Source: N. Siddiqi, Credit Risk Scorecards (2006): below 0.1 nothing has moved, above 0.25 much has.
pub fn index(expected: &[u64], actual: &[u64]) -> f64 {
    let (expected, actual) = (shares(expected), shares(actual));
    let pairs = expected.zip(actual);
    pairs.map(|(e, a)| (a - e) * (a / e).ln()).sum()
}

/// Returns the index that chance alone exceeds once in ten thousand windows.
///
/// Where nothing has moved, the index is distributed as `(1/n + 1/m) * chi-square` with one degree of freedom less than
/// there are bins. Source: B. Yurdakul and J. Naranjo, Statistical properties of the population stability index, Journal
/// of Risk Model Validation 14(4), 2020; the quantile is that of E. Wilson and M. Hilferty (1931).
pub fn chance(expected: &[u64], actual: &[u64]) -> f64 {
    let degrees = number(expected.len().saturating_sub(1).max(1) as u64);
    let (n, m) = (total(expected), total(actual));
    let part = 2.0 / (9.0 * degrees);
    let quantile = degrees * (1.0 - part + Z * part.sqrt()).powi(3);
    (1.0 / n.max(1.0) + 1.0 / m.max(1.0)) * quantile
}

fn shares(counts: &[u64]) -> impl Iterator<Item = f64> + '_ {
    let all = total(counts) + SMOOTH * number(counts.len() as u64);
    counts.iter().map(move |n| (number(*n) + SMOOTH) / all)
}

fn total(counts: &[u64]) -> f64 {
    number(counts.iter().sum())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a window are far below 2^52"
)]
fn number(n: u64) -> f64 {
    n as f64
}
