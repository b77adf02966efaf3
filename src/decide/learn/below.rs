//! How likely a propensity is below a value, of a belief that is asked often: what depends on the belief alone is computed once.

use std::f64::consts::PI;

use crate::decide::learn::belief::Belief;
use crate::decide::learn::special::{fraction, ln_beta, normal_below};

/// From so much evidence on both sides a Beta distribution is as good as its saddlepoint approximation.
const SADDLE_FROM: f64 = 30.0;

/// Of a sum of many, the continued fraction ends here.
const ROUGH: f64 = 1e-7;

/// Further out than this, as a logarithm of Chernoff's bound, nearly everything is below; or nothing, beyond the second.
const FAR: [f64; 2] = [25.0, 45.0];

/// A distribution function.
pub enum Below {
    /// Of a belief that is compared with one other, to 1e-9; with its [`Belief::ln_norm`].
    Exact(Belief, f64),
    /// Of a Beta distribution among many.
    Beta(Beta),
    /// Of a normal distribution: its mean and standard deviation.
    Normal(f64, f64),
    /// Of a normal logit: its mean and standard deviation.
    Logit(f64, f64),
    /// Of what is known.
    Point(f64),
}

/// What depends on the parameters of a Beta distribution alone.
pub struct Beta {
    a: f64,
    b: f64,
    /// The logarithm of the beta function of both; 0 where it is not needed.
    ln_norm: f64,
    mean: f64,
    /// `a ln mean + b ln (1 - mean)`.
    peak: f64,
    /// `sqrt(mean (1 - mean) / (a + b))`.
    scale: f64,
}

/// A value that distribution functions are asked at, with its logarithms.
#[derive(Clone, Copy)]
pub struct Place {
    p: f64,
    ln: f64,
    /// `ln (1 - p)`.
    ln_rest: f64,
}

impl Place {
    /// Returns the place; outside `(0, 1)` it has no logarithms.
    pub fn of(p: f64) -> Self {
        Self {
            p,
            ln: p.ln(),
            ln_rest: (-p).ln_1p(),
        }
    }
}

impl Below {
    /// Returns the distribution function of a belief to 1e-9.
    pub fn exact(belief: Belief) -> Self {
        Self::Exact(belief, belief.ln_norm())
    }

    /// Returns the distribution function of a belief to a relative error of 3e-4, which is a hundredth of that where it is
    /// above 0.02.
    pub fn quick(belief: Belief) -> Self {
        match belief {
            Belief::Point(p) => Self::Point(p),
            Belief::Normal { mean, sd } => Self::Normal(mean, sd),
            Belief::Logit { mean, sd } => Self::Logit(mean, sd),
            Belief::Beta { a, b } => {
                let (n, mean) = (a + b, a / (a + b));
                Self::Beta(Beta {
                    a,
                    b,
                    // The approximation needs none.
                    ln_norm: if a.min(b) < SADDLE_FROM {
                        ln_beta(a, b)
                    } else {
                        0.0
                    },
                    mean,
                    peak: a * mean.ln() + b * (-mean).ln_1p(),
                    scale: (mean * (1.0 - mean) / n).sqrt(),
                })
            }
        }
    }

    /// Returns how likely the propensity is below a place.
    pub fn at(&self, place: &Place) -> f64 {
        let p = place.p;
        match self {
            Self::Exact(belief, ln_norm) => belief.below_with(p, 1.0, *ln_norm),
            Self::Point(point) => f64::from(u8::from(p >= *point)),
            Self::Normal(mean, sd) => normal_below((p - mean) / sd),
            Self::Beta(_) | Self::Logit(..) if p <= 0.0 => 0.0,
            Self::Beta(_) | Self::Logit(..) if p >= 1.0 => 1.0,
            Self::Logit(mean, sd) => normal_below((place.ln - place.ln_rest - mean) / sd),
            Self::Beta(beta) => beta.at(place),
        }
    }
}

impl Beta {
    fn at(&self, place: &Place) -> f64 {
        let (a, b, x) = (self.a, self.b, place.p);
        let power = a * place.ln + b * place.ln_rest;
        // Chernoff's bound of what is beyond the place, as a logarithm: the divergence of it from the mean.
        let far = (self.peak - power).max(0.0);
        if x > self.mean && far > FAR[0] {
            return 1.0;
        }
        if far > FAR[1] {
            return 0.0;
        }
        if a.min(b) >= SADDLE_FROM {
            return self.saddle(x, far);
        }
        let front = (power - self.ln_norm).exp();
        if x < (a + 1.0) / (a + b + 2.0) {
            front * fraction(a, b, x, ROUGH) / a
        } else {
            1.0 - front * fraction(b, a, 1.0 - x, ROUGH) / b
        }
    }

    /// The formula of Lugannani and Rice (1980).
    fn saddle(&self, x: f64, far: f64) -> f64 {
        let z = (2.0 * far).sqrt().copysign(x - self.mean);
        let density = (-far).exp() / (2.0 * PI).sqrt();
        let correction = if z.abs() < 1e-2 {
            // Its limit at the mean.
            (1.0 - 2.0 * self.mean) / (3.0 * (self.a + self.b) * self.scale)
        } else {
            1.0 / z - self.scale / (x - self.mean)
        };
        (normal_below(z) + density * correction).clamp(0.0, 1.0)
    }
}
