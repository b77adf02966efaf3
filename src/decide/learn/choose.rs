//! Chooses an offer for a slot, and says how likely that choice was.

use std::cmp::Ordering;

use crate::decide::learn::chance::Chance;
use crate::decide::learn::win::{self, Contender};
use crate::policy::learner::Explore;

/// A choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Pick {
    /// The contender's index.
    pub idx: usize,
    /// How likely this contender was to be chosen, in `(0, 1]`.
    pub probability: f64,
    /// Whether another one than that with the highest score at the best guess was chosen.
    pub explored: bool,
    /// The score of each contender that decided: drawn, or at the best guess.
    pub scores: Vec<f64>,
}

/// Chooses one of the contenders; `None` if there are none.
///
/// Equal arguments choose the same. Each contender's draw depends on its id and on `chance` alone, not on who else is there.
pub fn choose(contenders: &[Contender<'_>], explore: Explore, chance: &Chance) -> Option<Pick> {
    let guesses: Vec<f64> = contenders.iter().map(Contender::guess).collect();
    let best = highest(contenders, &guesses)?;
    let n = contenders.len();
    let pick = |idx, probability, scores| Pick {
        idx,
        probability,
        explored: idx != best,
        scores,
    };
    Some(match explore {
        Explore::Never => pick(best, 1.0, guesses),
        Explore::Epsilon(share) => {
            let mut coin = chance.branch("epsilon");
            let explores = coin.uniform() < share;
            let idx = if explores { coin.below(n) } else { best };
            let best_has = if idx == best { 1.0 - share } else { 0.0 };
            pick(idx, best_has + share / count(n), guesses)
        }
        Explore::Thompson => {
            let scores: Vec<f64> = contenders.iter().map(|of| drawn(of, chance)).collect();
            let idx = highest(contenders, &scores)?;
            pick(idx, win::probability(contenders, idx), scores)
        }
        Explore::Uniform => pick(chance.branch("uniform").below(n), 1.0 / count(n), guesses),
    })
}

fn drawn(of: &Contender<'_>, chance: &Chance) -> f64 {
    of.score(of.belief.draw(&mut chance.branch(of.id)))
}

/// Returns the index of the highest score; of equal ones that with the least id.
fn highest(contenders: &[Contender<'_>], scores: &[f64]) -> Option<usize> {
    let order = |a: &usize, b: &usize| -> Ordering {
        let by_score = scores[*a].total_cmp(&scores[*b]);
        by_score.then_with(|| contenders[*b].id.cmp(contenders[*a].id))
    };
    (0..contenders.len()).max_by(order)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a placement has far fewer offers than a double has whole numbers"
)]
fn count(n: usize) -> f64 {
    n as f64
}
