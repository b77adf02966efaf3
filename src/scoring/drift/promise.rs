//! Whether outcomes come as often as the scores promise: a sequential test that may be looked at after every outcome.
//!
//! A gambler bets that outcomes come more often than `p * (1 + tolerance)`, another that they come less often than
//! `p * (1 - tolerance)`, each with stakes from small to large. While the promise holds nobody grows rich: the fortune
//! `max(fortune, 1) * (1 + stake * surprise)` of a gambler who may always begin again with 1 is an e-detector, so the mean
//! of them reaches `run_length` once in `run_length` outcomes or less often, however often one looks.
//!
//! Source: J. Shin, A. Ramdas, A. Rinaldo, E-detectors: a nonparametric framework for sequential change detection (2022,
//! arXiv 2203.03532), the e-CUSUM; the bets are those of I. Waudby-Smith and A. Ramdas, Estimating means of bounded random
//! variables by betting (JRSS B, 2024).

/// Shares of the largest stake that leaves a gambler with something.
const STAKES: [f64; 5] = [0.01, 0.03, 0.1, 0.2, 0.4];
/// Scores are kept this far from 0 and 1.
const EDGE: f64 = 1e-6;
/// A fortune is cut at so many times the alarm, so that it is lost in time when the promise holds again.
const CUT: f64 = 10.0;

/// The test of one model.
#[derive(Clone, Debug)]
pub struct Promise {
    tolerance: f64,
    run_length: f64,
    /// Logarithms of fortunes: those who bet on more, then those who bet on less.
    fortunes: [[f64; STAKES.len()]; 2],
    n: u64,
    promised: f64,
    came: f64,
}

/// How outcomes stand against the promise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// Outcomes that are known.
    pub n: u64,
    /// How many of the last thousand or so the scores promised; older ones fade.
    pub promised: f64,
    /// How many of them came.
    pub came: f64,
    /// The mean fortune: evidence against the promise.
    pub evidence: f64,
    /// Whether the promise is broken.
    pub broken: bool,
}

impl Promise {
    /// Begins.
    pub fn new(tolerance: f64, run_length: f64) -> Self {
        Self {
            tolerance,
            run_length,
            fortunes: [[0.0; STAKES.len()]; 2],
            n: 0,
            promised: 0.0,
            came: 0.0,
        }
    }

    /// Takes in an outcome.
    ///
    /// - `score`: what the model promised, in `[0, 1]`; others are passed over.
    pub fn outcome(&mut self, score: f64, happened: bool) {
        if !(0.0..=1.0).contains(&score) {
            return;
        }
        let y = f64::from(u8::from(happened));
        let high = (score * (1.0 + self.tolerance)).clamp(EDGE, 1.0 - EDGE);
        let low = (score * (1.0 - self.tolerance)).clamp(EDGE, 1.0 - EDGE);
        let [more, less] = &mut self.fortunes;
        let most = (CUT * self.run_length).ln();
        for ((more, less), share) in more.iter_mut().zip(less).zip(STAKES) {
            let won = 1.0 + share / high * (y - high);
            *more = (more.max(0.0) + won.ln()).min(most);
            let won = 1.0 + share / (1.0 - low) * (low - y);
            *less = (less.max(0.0) + won.ln()).min(most);
        }
        self.n += 1;
        // Old outcomes fade, so that the ratio is that of the last thousand or so.
        self.promised = self.promised * FADE + score;
        self.came = self.came * FADE + y;
    }

    /// Returns how it stands.
    pub fn standing(&self) -> Standing {
        let all = self.fortunes.iter().flatten();
        let (sum, n) = all.fold((0.0, 0.0), |(sum, n), log| (sum + log.exp(), n + 1.0));
        let evidence = sum / n;
        Standing {
            n: self.n,
            promised: self.promised,
            came: self.came,
            evidence,
            broken: evidence >= self.run_length,
        }
    }
}

/// What an outcome counts after another one: half after about 700.
const FADE: f64 = 0.999;
