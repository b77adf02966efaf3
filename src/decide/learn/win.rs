//! How likely a contender has the highest score, when every score is drawn from what is believed.

use crate::decide::learn::adaptive::integral;
use crate::decide::learn::belief::Belief;
use crate::decide::learn::below::{Below, Place};

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

/// Parts at whose ends the integrand is looked for first.
const LOOKS: u32 = 16;

/// What is so much smaller than the peak of the integrand is left out.
const NEGLIGIBLE: f64 = 1e-9;

/// The doubt about the sum, as a share of it; see [`integral`].
const DOUBT: f64 = 2e-6;

/// Parts that the sum begins with: of fewer, both rules agree by chance more often where they are wrong.
const EDGES: u32 = 4;

/// Parts of the sum at most.
const PARTS_MAX: usize = 40;

/// Who is so surely below everywhere that counts is not looked at.
const SURELY: f64 = 1e-10;

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

    /// Equal bits have equal chances; those that share a line of scores stand together.
    fn bits(&self) -> [u64; 5] {
        let (kind, x, y) = match self.belief {
            Belief::Point(p) => (0, p, 0.0),
            Belief::Beta { a, b } => (1, a, b),
            Belief::Normal { mean, sd } => (2, mean, sd),
            Belief::Logit { mean, sd } => (3, mean, sd),
        };
        let [x, y, base, slope] = [x, y, self.base, self.slope].map(f64::to_bits);
        [base, slope, kind, x, y]
    }
}

/// Returns how likely the contender of this index has the highest score: the integral, over its own score, of how likely
/// all others are below.
///
/// Summed by Gauss and Kronrod, at most 1,200 points, where the integrand counts and denser where it turns. Against one rival
/// the relative error stays below 3e-4 for probabilities above 1e-6 (tested against the closed form of two Beta distributions: of
/// 300,000 random pairs two were off by more than 1e-4).
/// Against more, distributions of much evidence are approximated (Lugannani and Rice); the sum over all contenders is 1 to within
/// 1e-3 for beliefs of one kind, sure ones among them. At least [`PROBABILITY_MIN`].
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
        None => drawn(own, Rivals::of(others)),
    };
    probability.clamp(PROBABILITY_MIN, 1.0)
}

/// Those who may be above a contender.
struct Rivals {
    /// Those whose scores are drawn, by line.
    lines: Vec<Line>,
    /// The highest sure score.
    sure: f64,
}

/// Rivals whose scores are on one line over their propensities.
struct Line {
    base: f64,
    slope: f64,
    /// Each with how many there are of it.
    rivals: Vec<(Below, f64)>,
}

impl Rivals {
    fn of<'o, 'a: 'o>(others: impl Iterator<Item = &'o Contender<'a>>) -> Self {
        let mut sure = f64::NEG_INFINITY;
        let mut drawn = Vec::new();
        for other in others {
            match other.sure() {
                Some(score) => sure = sure.max(score),
                None => drawn.push((other.bits(), other)),
            }
        }
        drawn.sort_unstable_by_key(|(bits, _)| *bits);
        let make = if drawn.len() > 1 {
            Below::quick
        } else {
            Below::exact
        };
        let mut lines: Vec<Line> = Vec::new();
        for same in drawn.chunk_by(|(a, _), (b, _)| a == b) {
            let of = same[0].1;
            let rival = (make(of.belief), count(same.len()));
            let (base, slope) = (of.base, of.slope);
            match lines.last_mut() {
                Some(line) if line.is(base, slope) => line.rivals.push(rival),
                Some(_) | None => lines.push(Line {
                    base,
                    slope,
                    rivals: vec![rival],
                }),
            }
        }
        Self { lines, sure }
    }

    /// Leaves out those who are surely below a score.
    fn forget_below(&mut self, score: f64) {
        for line in &mut self.lines {
            let Line {
                base,
                slope,
                rivals,
            } = line;
            let place = Place::of((score - *base) / *slope);
            rivals.retain(|(of, _)| share(of, &place, *slope) < 1.0 - SURELY);
        }
        self.lines.retain(|line| !line.rivals.is_empty());
    }

    /// Returns how likely all are below a score; where that is less than `least`, anything up to `least`.
    fn below(&self, score: f64, least: f64) -> f64 {
        if score < self.sure {
            return 0.0;
        }
        let mut below = 1.0;
        for line in &self.lines {
            below = line.below(score, below, least);
            if below < least {
                return 0.0;
            }
        }
        below
    }
}

impl Line {
    /// Returns a chance times that of all to be below a score; less than `least` as soon as it is so.
    fn below(&self, score: f64, mut chance: f64, least: f64) -> f64 {
        let place = Place::of((score - self.base) / self.slope);
        for (of, n) in &self.rivals {
            let own = share(of, &place, self.slope);
            chance *= if *n > 1.0 { own.powf(*n) } else { own };
            if chance < least {
                break;
            }
        }
        chance
    }

    fn is(&self, base: f64, slope: f64) -> bool {
        self.base.to_bits() == base.to_bits() && self.slope.to_bits() == slope.to_bits()
    }
}

/// Returns how likely a rival is below the score that it has at a place.
fn share(of: &Below, place: &Place, slope: f64) -> f64 {
    let below = of.at(place);
    if slope > 0.0 { below } else { 1.0 - below }
}

fn drawn(own: &Contender<'_>, mut rivals: Rivals) -> f64 {
    let norm = own.belief.ln_norm();
    let score = |t: f64| own.score(own.belief.at(t));
    let at = |rivals: &Rivals, t: f64| {
        (own.belief.ln_shape(t) - norm).exp() * rivals.below(score(t), 1e-200)
    };
    let (low, high) = above(own, rivals.sure);
    if high <= low {
        return 0.0;
    }
    let step = (high - low) / f64::from(LOOKS);
    let place = |idx: u32| low + step * f64::from(idx);
    let looks: Vec<f64> = (0..=LOOKS).map(|idx| at(&rivals, place(idx))).collect();
    let peak = looks.iter().copied().fold(0.0, f64::max);
    let mut counting = (0..=LOOKS)
        .zip(&looks)
        .filter(|(_, of)| **of > peak * NEGLIGIBLE);
    let Some((first, _)) = counting.next() else {
        return 0.0;
    };
    let last = counting.last().map_or(first, |(last, _)| last);
    let (from, to) = (place(first.saturating_sub(1)), place((last + 1).min(LOOKS)));
    rivals.forget_below(score(from).min(score(to)));
    let edges: Vec<f64> = (0..=EDGES)
        .map(|idx| from + (to - from) * f64::from(idx) / f64::from(EDGES))
        .collect();
    integral(&edges, DOUBT, PARTS_MAX, |t| at(&rivals, t))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a placement has far fewer offers"
)]
fn count(n: usize) -> f64 {
    n as f64
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
