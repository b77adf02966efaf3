//! Rates, and how much higher one is than another, with the intervals in which they lie.

/// 95% of a normal distribution lie within so many standard deviations.
const Z: f64 = 1.959_963_984_540_054;

/// Something measured with the interval that holds it in 95% of all repetitions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The estimate.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Returns the rate of `k` in `n`, `None` of nothing: Wilson's score interval (Wilson 1927; Brown, Cai and others 2001).
pub fn rate(k: u64, n: u64) -> Option<Measured> {
    let (k, n) = (double(k.min(n)), double(n));
    if n == 0.0 {
        return None;
    }
    let p = k / n;
    let middle = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let spread = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    Some(Measured {
        value: p,
        low: (middle - spread).max(0.0),
        high: (middle + spread).min(1.0),
    })
}

/// Returns the lift of `k` in `n` over the control's: `(rate_T - rate_C) / rate_C`; `None` unless both had successes.
///
/// The interval is that of the ratio of two rates on the log scale (Katz, Baptista, Azen and Pike 1978). It takes decisions
/// for independent: where customers decide often it is too narrow.
pub fn lift(treated: (u64, u64), control: (u64, u64)) -> Option<Measured> {
    let [(k, n), (k_c, n_c)] = [treated, control].map(|(k, n)| (double(k.min(n)), double(n)));
    if k == 0.0 || k_c == 0.0 {
        return None;
    }
    let ratio = (k / n) / (k_c / n_c);
    let sd = (1.0 / k - 1.0 / n + 1.0 / k_c - 1.0 / n_c).sqrt();
    let end = |sign: f64| ratio * (sign * Z * sd).exp() - 1.0;
    Some(Measured {
        value: ratio - 1.0,
        low: end(-1.0),
        high: end(1.0),
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn double(n: u64) -> f64 {
    n as f64
}
