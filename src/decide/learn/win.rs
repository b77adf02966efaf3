//! How likely a contender has the highest score, when every score is drawn from what is believed.

use std::collections::BTreeMap;

use crate::decide::learn::belief::Belief;
use crate::decide::learn::special::integral;

/// Somebody in the contest for a slot: its score is `base + slope * p`, where `p` is drawn from the belief.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contender<'a> {
    /// Breaks ties: the lesser id wins.
    pub id: &'a str,
    /// What is believed of its propensity.
    pub belief: Belief,
    /// The score at a propensity of 0.
    pub base: f64,
    /// How much the score grows from a propensity of 0 to 1.
    pub slope: f64,
}

/// A smaller probability is written as this: what was drawn was not impossible.
pub const PROBABILITY_MIN: f64 = 1e-9;

/// Places at which the integrand is looked for first.
const LOOKS: u32 = 32;

/// What is so much smaller than the peak of the integrand is left out.
const NEGLIGIBLE: f64 = 1e-9;

/// Panels of 8 points over the rest.
const PANELS: u32 = 10;

/// Panels of each part between two places of [`SHARES`] at least, however short it is.
const PANELS_OF_PART: u32 = 3;

/// Where the chance that all rivals are below passes these, a part of the sum ends.
const SHARES: [f64; 7] = [1e-12, 1e-3, 0.1, 0.5, 0.9, 0.999, 1.0 - 1e-12];

/// How often the search for such a place halves the interval.
const HALVINGS: u32 = 24;

impl<'a> Contender<'a> {
    /// Returns a contender whose score is known.
    pub const fn known(id: &'a str, score: f64) -> Self {
        let belief = Belief::Point(0.0);
        Self {
            id,
            belief,
            base: score,
            slope: 0.0,
        }
    }

    /// Returns the score at a propensity.
    pub fn score(&self, p: f64) -> f64 {
        self.base + self.slope * p
    }

    /// Returns the score at the best guess of the propensity.
    pub fn guess(&self) -> f64 {
        self.score(self.belief.guess())
    }

    /// Returns the score if it is sure.
    fn sure(&self) -> Option<f64> {
        match self.belief {
            Belief::Point(p) => Some(self.score(p)),
            _ if self.slope == 0.0 => Some(self.base),
            Belief::Beta { .. } | Belief::Normal { .. } | Belief::Logit { .. } => None,
        }
    }

    /// Returns how likely the score is below `score`; `at` if it is sure and equal.
    fn below(&self, score: f64, at: f64) -> f64 {
        if let Some(sure) = self.sure() {
            return if sure < score {
                1.0
            } else if sure > score {
                0.0
            } else {
                at
            };
        }
        let below = self.belief.below((score - self.base) / self.slope, 1.0);
        if self.slope > 0.0 { below } else { 1.0 - below }
    }

    /// Equal bits have equal chances.
    fn bits(&self) -> [u64; 5] {
        let (kind, x, y) = match self.belief {
            Belief::Point(p) => (0, p, 0.0),
            Belief::Beta { a, b, .. } => (1, a, b),
            Belief::Normal { mean, sd } => (2, mean, sd),
            Belief::Logit { mean, sd } => (3, mean, sd),
        };
        let [x, y, base, slope] = [x, y, self.base, self.slope].map(f64::to_bits);
        [kind, x, y, base, slope]
    }
}

/// Returns how likely the contender of this index has the highest score: the integral, over its own score, of how likely
/// all others are below.
///
/// Summed by Gauss and Legendre, at most 272 points around the peak of the integrand, denser where the chance of the others turns: the relative
/// error stays below 1e-4 for probabilities above 1e-6 of two Beta distributions (tested against the closed form), and the sum over all contenders is 1 to
/// within 1e-3 for beliefs of one kind, sure ones among them. At least [`PROBABILITY_MIN`].
pub fn probability(contenders: &[Contender<'_>], idx: usize) -> f64 {
    let Some(own) = contenders.get(idx) else {
        return 0.0;
    };
    let others = contenders.iter().enumerate();
    let others = others.filter(|(other, _)| *other != idx).map(|(_, of)| of);
    let probability = match own.sure() {
        Some(score) => {
            let chance = |of: &Contender<'_>| of.below(score, f64::from(u8::from(own.id < of.id)));
            others.map(chance).product()
        }
        None => drawn(own, &Rivals::of(own, others)),
    };
    probability.clamp(PROBABILITY_MIN, 1.0)
}

/// Those who may be above a contender.
struct Rivals<'a> {
    /// Each with how many there are of it.
    drawn: Vec<(Contender<'a>, f64)>,
    /// The highest sure score.
    sure: f64,
}

impl<'a> Rivals<'a> {
    fn of<'o>(own: &Contender<'_>, others: impl Iterator<Item = &'o Contender<'a>>) -> Self
    where
        'a: 'o,
    {
        let mut sure = f64::NEG_INFINITY;
        let mut drawn = BTreeMap::<[u64; 5], (Contender<'a>, f64)>::new();
        let (low, high) = own.belief.axis();
        let (low, high) = (own.belief.at(low), own.belief.at(high));
        let least = own.score(low).min(own.score(high));
        for other in others {
            match other.sure() {
                Some(score) => sure = sure.max(score),
                None => drawn.entry(other.bits()).or_insert((*other, 0.0)).1 += 1.0,
            }
        }
        let mut drawn: Vec<_> = drawn.into_values().collect();
        drawn.retain(|(of, _)| of.below(least, 1.0) < 1.0 - 1e-13);
        Self { drawn, sure }
    }

    /// Returns how likely all are below a score; where that is less than `least`, anything up to `least`.
    fn below(&self, score: f64, least: f64) -> f64 {
        if score < self.sure {
            return 0.0;
        }
        let mut below = 1.0;
        for (of, n) in &self.drawn {
            below *= of.below(score, 1.0).powf(*n);
            if below < least {
                return 0.0;
            }
        }
        below
    }
}

fn drawn(own: &Contender<'_>, rivals: &Rivals<'_>) -> f64 {
    let at =
        |t: f64| own.belief.ln_density(t).exp() * rivals.below(own.score(own.belief.at(t)), 1e-200);
    let (low, high) = above(own, rivals.sure);
    if high <= low {
        return 0.0;
    }
    let step = (high - low) / f64::from(LOOKS);
    let looks: Vec<f64> = (0..=LOOKS).map(|n| at(low + step * f64::from(n))).collect();
    let peak = looks.iter().copied().fold(0.0, f64::max);
    let counts = |value: &f64| *value > peak * NEGLIGIBLE;
    let (first, last) = (
        looks.iter().position(counts),
        looks.iter().rposition(counts),
    );
    let (Some(first), Some(last)) = (first, last) else {
        return 0.0;
    };
    let place = |idx: usize| low + step * f64::from(u32::try_from(idx).unwrap_or(LOOKS));
    let from = place(first.saturating_sub(1));
    let to = place(last + 1).min(high);
    let edges = edges(own, rivals, from, to);
    let parts = edges.windows(2).map(|part| (part[0], part[1]));
    let parts = parts.map(|(low, high)| {
        let panels = panels((high - low) / (to - from));
        integral(low, high, panels, at)
    });
    parts.sum()
}

/// Returns how many panels a part gets that is such a share of the whole: the belief itself may be narrow within a long one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share is from 0 to 1"
)]
fn panels(share: f64) -> u32 {
    PANELS_OF_PART.max((share * f64::from(PANELS)).ceil() as u32)
}

/// Returns the ends of the parts that are summed one by one: where the chance that all rivals are below passes some shares. Rivals
/// who are believed in far more narrowly are a step, which points between its two sides would miss.
fn edges(own: &Contender<'_>, rivals: &Rivals<'_>, from: f64, to: f64) -> Vec<f64> {
    let grows = own.slope > 0.0;
    let place = |share: f64| {
        let (mut low, mut high) = (from, to);
        for _ in 0..HALVINGS {
            let mid = low.midpoint(high);
            let is_over = rivals.below(own.score(own.belief.at(mid)), share) > share;
            (low, high) = if is_over == grows {
                (low, mid)
            } else {
                (mid, high)
            };
        }
        low.midpoint(high)
    };
    let mut edges = vec![from, to];
    if !rivals.drawn.is_empty() {
        edges.extend(SHARES.map(place));
    }
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    edges
}

/// Returns the part of the axis on which a score is above a sure one.
fn above(own: &Contender<'_>, sure: f64) -> (f64, f64) {
    let (low, high) = own.belief.axis();
    let is_above = |t: f64| own.score(own.belief.at(t)) > sure;
    if is_above(low) == is_above(high) {
        return if is_above(low) {
            (low, high)
        } else {
            (low, low)
        };
    }
    let (mut below, mut over) = if is_above(high) {
        (low, high)
    } else {
        (high, low)
    };
    for _ in 0..60 {
        let mid = below.midpoint(over);
        if is_above(mid) {
            over = mid;
        } else {
            below = mid;
        }
    }
    if over < below || is_above(low) {
        (low, over)
    } else {
        (over, high)
    }
}
