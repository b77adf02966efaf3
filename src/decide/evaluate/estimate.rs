//! The running sums behind the three estimates.

/// A value with what it is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Mean reward of one choice.
    pub value: f64,
    /// Its standard error; not a number for a single row.
    pub error: f64,
}

/// Mean and variance of numbers, one pass.
///
/// Source: B. P. Welford (1962), "Note on a method for calculating corrected sums of squares and products".
#[derive(Clone, Copy, Debug, Default)]
pub struct Moments {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Takes a number.
    pub fn add(&mut self, x: f64) {
        self.n += 1.0;
        let off = x - self.mean;
        self.mean += off / self.n;
        self.squares += off * (x - self.mean);
    }

    /// Returns the mean, with the standard error `s / √n`.
    pub fn estimate(&self) -> Estimate {
        let variance = self.squares / (self.n - 1.0);
        Estimate {
            value: self.mean,
            error: (variance / self.n).sqrt(),
        }
    }
}

/// Sums of weights and of weighted rewards.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weights {
    sum: f64,
    squares: f64,
    rewards: f64,
    squared_rewards: f64,
    rewards_squared: f64,
    /// The largest one.
    pub max: f64,
}

impl Weights {
    /// Takes the weight of a row.
    pub fn add(&mut self, weight: f64, reward: f64) {
        let weighted = weight * reward;
        self.sum += weight;
        self.squares += weight * weight;
        self.rewards += weighted;
        self.squared_rewards += weight * weighted;
        self.rewards_squared += weighted * weighted;
        self.max = self.max.max(weight);
    }

    /// Returns the mean of `n` weights, with its standard error.
    pub fn mean(&self, n: f64) -> Estimate {
        let value = self.sum / n;
        let variance = (self.squares / n - value * value).max(0.0);
        Estimate {
            value,
            error: (variance / n).sqrt(),
        }
    }

    /// Returns how many equally weighted rows would tell as much: `(Σw)² / Σw²`; 0 without any weight.
    ///
    /// Source: L. Kish (1965), "Survey Sampling", §11.2.
    pub fn effective_rows(&self) -> f64 {
        if self.squares > 0.0 {
            self.sum * self.sum / self.squares
        } else {
            0.0
        }
    }

    /// Returns the self-normalised mean `Σwr / Σw`, with the error of a ratio by the delta method:
    /// `√Σw²(r − V)² / Σw`. Not a number without any weight; nor is the error of a single row, which is the mean itself.
    ///
    /// - `n`: so many rows.
    ///
    /// Source: A. Swaminathan and T. Joachims (2015), "The self-normalized estimator for counterfactual learning";
    /// the error: A. B. Owen (2013), "Monte Carlo theory, methods and examples", §9.2.
    pub fn ratio(&self, n: f64) -> Estimate {
        let value = self.rewards / self.sum;
        let squares = self.rewards_squared - 2.0 * value * self.squared_rewards
            + value * value * self.squares;
        // What rounding leaves of nothing may be below it.
        let error = squares.max(0.0).sqrt() / self.sum;
        Estimate {
            value,
            error: if n < 2.0 { f64::NAN } else { error },
        }
    }
}
