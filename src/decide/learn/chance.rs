//! Seeded chance: equal words give the same numbers, for ever, so every draw can be repeated.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::domain::Dice;

/// A sequence of numbers that looks random, begun at a hash of words.
#[derive(Clone, Debug)]
pub struct Chance(Dice);

impl Chance {
    /// Begins at words: the customer, the decision, the offer.
    pub fn of(words: &[&str]) -> Self {
        Self(Dice::new(xxh3_64(words.join("\u{0}").as_bytes())))
    }

    /// Returns a sequence of its own for one more word.
    #[must_use]
    pub fn branch(&self, word: &str) -> Self {
        let seed = xxh3_64_with_seed(word.as_bytes(), self.0.seed());
        Self(Dice::new(seed))
    }

    /// Returns a number in `(0, 1)`, evenly spread.
    #[expect(
        clippy::cast_precision_loss,
        reason = "52 bits and a half are what a double holds"
    )]
    pub fn uniform(&mut self) -> f64 {
        ((self.0.bits() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// Returns one of `0..n`, evenly spread; 0 if there are none.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a placement has far fewer offers than a double has whole numbers"
    )]
    pub fn below(&mut self, n: usize) -> usize {
        ((self.uniform() * n as f64) as usize).min(n.saturating_sub(1))
    }

    /// Returns a draw of the standard normal distribution (Marsaglia's polar method).
    pub fn normal(&mut self) -> f64 {
        loop {
            let (u, v) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                return u * (-2.0 * s.ln() / s).sqrt();
            }
        }
    }

    /// Returns the logarithm of a draw of the gamma distribution of scale 1 (Marsaglia and Tsang 2000).
    fn ln_gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            // A draw of the shape one higher, times a power of a uniform one; a logarithm does not run out of digits.
            let power = self.uniform().ln() / shape;
            return self.ln_gamma(shape + 1.0) + power;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v <= 0.0 {
                continue;
            }
            if self.uniform().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d.ln() + v.ln();
            }
        }
    }

    /// Returns a draw of Beta(a, b); both are positive.
    pub fn beta(&mut self, a: f64, b: f64) -> f64 {
        let (x, y) = (self.ln_gamma(a), self.ln_gamma(b));
        1.0 / (1.0 + (y - x).exp())
    }
}
