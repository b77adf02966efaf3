//! What is believed of one offer's propensity: a distribution that can be drawn from and compared with others.

use crate::decide::learn::chance::Chance;
use crate::decide::learn::special::{beta_below, ln_beta, normal_below};
use crate::domain::answer::Spread;

/// A distribution of a propensity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Belief {
    /// It is known, or taken for known.
    Point(f64),
    /// Beta(a, b).
    Beta {
        /// Successes, with those of the prior.
        a: f64,
        /// Failures, with those of the prior.
        b: f64,
    },
    /// Normal; it may leave `[0, 1]`.
    Normal {
        /// Its mean.
        mean: f64,
        /// Its standard deviation, positive.
        sd: f64,
    },
    /// The logit is normal.
    Logit {
        /// The mean of the logit.
        mean: f64,
        /// The standard deviation of the logit, positive.
        sd: f64,
    },
}

/// A draw that is further than so many standard deviations from the mean does not come.
const SPAN: f64 = 9.0;

/// What is further than this below the peak of a density, as a logarithm, counts for nothing.
const DEPTH: f64 = 32.0;

impl Belief {
    /// Returns Beta(a, b); parameters below 1e-6 are raised to it.
    pub fn beta(a: f64, b: f64) -> Self {
        let (a, b) = (a.max(1e-6), b.max(1e-6));
        Self::Beta { a, b }
    }

    /// Returns a normal belief, or a point without a spread.
    pub fn normal(mean: f64, sd: f64) -> Self {
        if sd > 0.0 {
            Self::Normal { mean, sd }
        } else {
            Self::Point(mean)
        }
    }

    /// Reads what was believed; of a spread that is none, or less, the mean is left.
    pub fn of(spread: Spread) -> Self {
        match spread {
            Spread::Point(p) => Self::Point(p.into()),
            Spread::Beta(a, b) => Self::beta(a.into(), b.into()),
            Spread::Normal(mean, sd) => Self::normal(mean.into(), sd.into()),
            Spread::Logit(mean, sd) if sd > 0.0 => Self::Logit {
                mean: mean.into(),
                sd: sd.into(),
            },
            Spread::Logit(mean, _) => Self::Point(logistic(mean.into())),
        }
    }

    /// Returns it as it is written down.
    pub fn spread(&self) -> Spread {
        match *self {
            Self::Point(p) => Spread::Point(single(p)),
            Self::Beta { a, b } => Spread::Beta(single(a), single(b)),
            Self::Normal { mean, sd } => Spread::Normal(single(mean), single(sd)),
            Self::Logit { mean, sd } => Spread::Logit(single(mean), single(sd)),
        }
    }

    /// Returns the best guess: the mean, of a logit its middle.
    pub fn guess(&self) -> f64 {
        match *self {
            Self::Point(p) => p,
            Self::Beta { a, b } => a / (a + b),
            Self::Normal { mean, .. } => mean,
            Self::Logit { mean, .. } => logistic(mean),
        }
    }

    /// Draws a propensity.
    pub fn draw(&self, chance: &mut Chance) -> f64 {
        match *self {
            Self::Point(p) => p,
            Self::Beta { a, b } => chance.beta(a, b),
            Self::Normal { mean, sd } => mean + sd * chance.normal(),
            Self::Logit { mean, sd } => logistic(mean + sd * chance.normal()),
        }
    }

    /// Returns how likely the propensity is below `p`; of a point at `p` itself, `at_point`.
    pub fn below(&self, p: f64, at_point: f64) -> f64 {
        self.below_with(p, at_point, self.ln_norm())
    }

    /// Does so with [`Belief::ln_norm`], which callers keep.
    pub fn below_with(&self, p: f64, at_point: f64, ln_norm: f64) -> f64 {
        match *self {
            Self::Point(point) if p > point => 1.0,
            Self::Point(point) if p < point => 0.0,
            Self::Point(_) => at_point,
            Self::Beta { a, b } => below_beta(a, b, ln_norm, p),
            Self::Normal { mean, sd } => normal_below((p - mean) / sd),
            Self::Logit { .. } if p <= 0.0 => 0.0,
            Self::Logit { .. } if p >= 1.0 => 1.0,
            Self::Logit { mean, sd } => normal_below(((p / (1.0 - p)).ln() - mean) / sd),
        }
    }

    /// Returns the interval in which the middle `share` of the belief lies, to 1e-9.
    pub fn interval(&self, share: f64) -> (f64, f64) {
        if let Self::Point(p) = *self {
            return (p, p);
        }
        let (tail, ln_norm) = ((1.0 - share) / 2.0, self.ln_norm());
        let quantile = |q| self.quantile(q, ln_norm);
        (quantile(tail), quantile(1.0 - tail))
    }

    fn quantile(&self, q: f64, ln_norm: f64) -> f64 {
        let (mut low, mut high) = self.axis();
        for _ in 0..80 {
            let mid = low.midpoint(high);
            let below = self.below_with(self.at(mid), 0.5, ln_norm) < q;
            (low, high) = if below { (mid, high) } else { (low, mid) };
        }
        self.at(low.midpoint(high))
    }

    /// Returns the part of the axis of [`Belief::at`] that holds all but 1e-13 of the belief.
    pub fn axis(&self) -> (f64, f64) {
        match *self {
            Self::Point(_) => (0.0, 0.0),
            Self::Normal { .. } | Self::Logit { .. } => (-8.0, 8.0),
            Self::Beta { a, b } => {
                // In logits the density has one peak, and falls like a power on both sides.
                let peak = (a / b).ln();
                let step = ((a + b) / (a * b)).sqrt();
                (self.fall(peak, -step), self.fall(peak, step))
            }
        }
    }

    /// Goes from the peak until the density is negligible.
    fn fall(&self, peak: f64, step: f64) -> f64 {
        let floor = self.ln_shape(peak) - DEPTH;
        let mut far = step;
        for _ in 0..60 {
            if self.ln_shape(peak + far) < floor {
                break;
            }
            far *= 1.5;
        }
        peak + far
    }

    /// Returns the propensity at a place of the axis, on which every belief is smooth and has one peak.
    pub fn at(&self, t: f64) -> f64 {
        match *self {
            Self::Point(p) => p,
            Self::Beta { .. } => logistic(t),
            Self::Normal { mean, sd } => mean + sd * t,
            Self::Logit { mean, sd } => logistic(mean + sd * t),
        }
    }

    /// Returns the logarithm of the density on the axis, but for [`Belief::ln_norm`].
    pub fn ln_shape(&self, t: f64) -> f64 {
        match *self {
            Self::Point(_) => 0.0,
            Self::Beta { a, b } => {
                // ln (1 + exp(t)) is ln (1 + exp(-t)) + t.
                let rest = softplus(-t.abs());
                -a * (rest + (-t).max(0.0)) - b * (rest + t.max(0.0))
            }
            Self::Normal { .. } | Self::Logit { .. } => -0.5 * t * t,
        }
    }

    /// Returns what is subtracted from [`Belief::ln_shape`] so that the density integrates to 1: of a Beta distribution the
    /// logarithm of the beta function.
    pub fn ln_norm(&self) -> f64 {
        match *self {
            Self::Point(_) => 0.0,
            Self::Beta { a, b } => ln_beta(a, b),
            Self::Normal { .. } | Self::Logit { .. } => 0.5 * (2.0 * std::f64::consts::PI).ln(),
        }
    }
}

/// Far from the mean of a belief with much evidence there is nothing to compute.
fn below_beta(a: f64, b: f64, ln_beta: f64, p: f64) -> f64 {
    let (n, mean) = (a + b, a / (a + b));
    let sd = (mean * (1.0 - mean) / (n + 1.0)).sqrt();
    if a > 50.0 && b > 50.0 && (p - mean).abs() > SPAN * sd {
        return f64::from(u8::from(p > mean));
    }
    beta_below(a, b, ln_beta, p)
}

/// Returns `1 / (1 + exp(-t))`.
pub fn logistic(t: f64) -> f64 {
    1.0 / (1.0 + (-t).exp())
}

/// Returns `ln(p / (1 - p))`, of a probability that is kept 1e-6 away from 0 and 1.
pub fn logit(p: f64) -> f64 {
    let p = p.clamp(1e-6, 1.0 - 1e-6);
    (p / (1.0 - p)).ln()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "it is written down in single precision"
)]
fn single(number: f64) -> f32 {
    number as f32
}

/// Returns `ln(1 + exp(t))`, of a negative `t`.
fn softplus(t: f64) -> f64 {
    t.exp().ln_1p()
}
