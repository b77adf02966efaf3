//! The special functions that beliefs need: log gamma, the incomplete beta function, the normal distribution.

use std::f64::consts::{PI, SQRT_2};

/// Lanczos coefficients for g = 7, n = 9 (Godfrey 2001): relative error below 1e-14 for positive arguments.
const LANCZOS: [f64; 9] = [
    0.999_999_999_999_809_9,
    676.520_368_121_885_1,
    -1_259.139_216_722_402_8,
    771.323_428_777_653_1,
    -176.615_029_162_140_6,
    12.507_343_278_686_905,
    -0.138_571_095_265_720_12,
    9.984_369_578_019_572e-6,
    1.505_632_735_149_311_6e-7,
];

/// Terms of the continued fraction: enough for parameters up to [`LARGE`].
const TERMS_MAX: u32 = 500;

/// The fraction ends when it changes by less.
const EXACT: f64 = 1e-10;

/// From so much evidence on both sides the integral is summed instead of the fraction.
const LARGE: f64 = 1_500.0;

/// Panels of that sum.
const PANELS: u32 = 4;

/// Nodes and weights of Gauss and Legendre with 8 points on `[-1, 1]`: the positive half (Abramowitz and Stegun, 25.4.30).
const GAUSS: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_5),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_3),
];

/// Integrates a function over an interval by Gauss and Legendre with 8 points on each of so many equal panels.
pub fn integral(from: f64, to: f64, panels: u32, of: impl Fn(f64) -> f64) -> f64 {
    let half = (to - from) / f64::from(panels) / 2.0;
    let mid = |panel: u32| from + half * f64::from(2 * panel + 1);
    let pair = |mid: f64, (node, weight): (f64, f64)| {
        weight * (of(mid - half * node) + of(mid + half * node))
    };
    let panels = (0..panels).map(mid);
    half * panels
        .map(|mid| GAUSS.iter().map(|at| pair(mid, *at)).sum::<f64>())
        .sum::<f64>()
}

/// Returns the logarithm of the gamma function, for a positive argument.
pub fn ln_gamma(x: f64) -> f64 {
    if x < 0.5 {
        // The reflection formula.
        return PI.ln() - (PI * x).sin().abs().ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let base = x + 7.5;
    let terms = LANCZOS.iter().skip(1).zip(1_u32..);
    let sum = terms.fold(LANCZOS[0], |sum, (c, idx)| sum + c / (x + f64::from(idx)));
    0.5 * (2.0 * PI).ln() + (x + 0.5) * base.ln() - base + sum.ln()
}

/// Returns the logarithm of the beta function.
pub fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// Returns the regularised incomplete beta function: the share of Beta(a, b) below `x`.
///
/// - `a`, `b`: positive.
/// - `ln_beta`: [`ln_beta`] of them, which callers keep.
///
/// The continued fraction 8.17.22 of the DLMF by Lentz's method, to 1e-10; of large parameters the density is summed up from
/// `x` outwards, to 1e-9.
pub fn beta_below(a: f64, b: f64, ln_beta: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    if a > LARGE && b > LARGE {
        return beta_integral(a, b, ln_beta, x);
    }
    let front = (a * x.ln() + b * (-x).ln_1p() - ln_beta).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x, EXACT) / a
    } else {
        1.0 - front * fraction(b, a, 1.0 - x, EXACT) / b
    }
}

/// The continued fraction of [`beta_below`], to so much.
pub fn fraction(a: f64, b: f64, x: f64, exact_to: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let kept = |x: f64| if x.abs() < TINY { TINY } else { x };
    let mut upper = 1.0;
    let mut lower = 1.0 / kept(1.0 - (a + b) * x / (a + 1.0));
    let mut value = lower;
    for term in 1..=TERMS_MAX {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for coefficient in [even, odd] {
            lower = 1.0 / kept(1.0 + coefficient * lower);
            upper = kept(1.0 + coefficient / upper);
            change = lower * upper;
            value *= change;
        }
        if (change - 1.0).abs() < exact_to {
            break;
        }
    }
    value
}

/// Sums the density from `x` to where nothing is left of it.
fn beta_integral(a: f64, b: f64, ln_beta: f64, x: f64) -> f64 {
    let mean = a / (a + b);
    let sd = (a * b / ((a + b) * (a + b) * (a + b + 1.0))).sqrt();
    let density = |at: f64| ((a - 1.0) * at.ln() + (b - 1.0) * (-at).ln_1p() - ln_beta).exp();
    if x > mean {
        let end = (x + 10.0 * sd).min(1.0);
        1.0 - integral(x, end, PANELS, density)
    } else {
        let end = (x - 10.0 * sd).max(0.0);
        integral(end, x, PANELS, density)
    }
}

/// Returns the share of the standard normal distribution below `z`.
pub fn normal_below(z: f64) -> f64 {
    0.5 * erfc(-z / SQRT_2)
}

/// Returns the complementary error function, to a relative error of 1.2e-7 (Press et al., Numerical Recipes, `erfcc`).
pub fn erfc(x: f64) -> f64 {
    const C: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let z = x.abs();
    let t = 1.0 / (1.0 + 0.5 * z);
    let poly = C.iter().rev().fold(0.0, |sum, c| sum * t + c);
    let tail = t * (-z * z + poly).exp();
    if x >= 0.0 { tail } else { 2.0 - tail }
}
