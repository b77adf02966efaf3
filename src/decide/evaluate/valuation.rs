//! The second pass: every row weighed, and what comes out.

use std::collections::BTreeMap;

use crate::decide::evaluate::estimate::{Moments, Weights};
use crate::decide::evaluate::{Choices, Estimate, Row, Seen, Situation};

/// A policy being valued.
pub struct Valuation<'a> {
    seen: &'a Seen,
    /// What is expected of the policy in a situation, if it does the same in all of its rows.
    fixed: Option<BTreeMap<Situation, Expected>>,
    logged: Moments,
    weighted: Moments,
    robust: Moments,
    weights: Weights,
    unseen: f64,
    n: f64,
}

/// What is known of the choices of a policy in a situation.
#[derive(Clone, Copy)]
struct Expected {
    /// What the reward model says of them.
    reward: f64,
    /// The probability of choosing what the log never chose there.
    unseen: f64,
}

/// What a policy would have earned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// Rows of the log.
    pub n: f64,
    /// What the log's own policy earned.
    pub logged: Estimate,
    /// Inverse propensity score: the mean of `w r`, with `w` the policy's probability over the logged one. Not biased if
    /// the log supports the policy.
    ///
    /// Source: D. G. Horvitz and D. J. Thompson (1952), "A generalization of sampling without replacement".
    pub ips: Estimate,
    /// Self-normalised: `Σwr / Σw`, not biased in the long run, and steadier.
    ///
    /// Source: A. Swaminathan and T. Joachims (2015), "The self-normalized estimator for counterfactual learning".
    pub snips: Estimate,
    /// Doubly robust: the mean of `Σ π(a) q(a) + w (r − q(chosen))`, right if either the probabilities or the reward
    /// model `q` ([`Seen::expected`]) are.
    ///
    /// Source: M. Dudík, J. Langford and L. Li (2011), "Doubly robust policy evaluation and learning".
    pub dr: Estimate,
    /// How many equally weighted rows would tell as much.
    pub effective_rows: f64,
    /// The largest weight.
    pub weight_max: f64,
    /// The mean weight: about 1 if the probabilities of the log are right and it supports the policy.
    pub weight: Estimate,
    /// The share of the policy's choices that the log never made at that position, in `[0, 1]`.
    pub unseen: f64,
}

impl<'a> Valuation<'a> {
    /// Starts.
    ///
    /// - `is_fixed`: the policy does the same in all rows of a situation, so that it is looked at once.
    pub fn new(seen: &'a Seen, is_fixed: bool) -> Self {
        Self {
            seen,
            fixed: is_fixed.then(BTreeMap::new),
            logged: Moments::default(),
            weighted: Moments::default(),
            robust: Moments::default(),
            weights: Weights::default(),
            unseen: 0.0,
            n: 0.0,
        }
    }

    /// Weighs a row.
    ///
    /// - `choices`: what the policy does there.
    /// - `of_chosen`: its probability for what the log chose.
    pub fn add(&mut self, row: &Row, choices: &Choices, of_chosen: f64) {
        let expected = self.expected(row.situation, choices);
        let weight = of_chosen / row.probability;
        let off = row.reward - self.seen.expected(row.situation, row.action);
        self.logged.add(row.reward);
        self.weighted.add(weight * row.reward);
        self.robust.add(expected.reward + weight * off);
        self.weights.add(weight, row.reward);
        self.unseen += expected.unseen;
        self.n += 1.0;
    }

    fn expected(&mut self, situation: Situation, choices: &Choices) -> Expected {
        let seen = self.seen;
        let Some(fixed) = &mut self.fixed else {
            return expected(seen, situation, choices);
        };
        *fixed
            .entry(situation)
            .or_insert_with(|| expected(seen, situation, choices))
    }

    /// Returns what came out.
    pub fn report(&self) -> Report {
        Report {
            n: self.n,
            logged: self.logged.estimate(),
            ips: self.weighted.estimate(),
            snips: self.weights.ratio(self.n),
            dr: self.robust.estimate(),
            effective_rows: self.weights.effective_rows(),
            weight_max: self.weights.max,
            weight: self.weights.mean(self.n),
            unseen: self.unseen / self.n,
        }
    }
}

fn expected(seen: &Seen, situation: Situation, choices: &Choices) -> Expected {
    let (mut reward, mut supported) = (0.0, 0.0);
    for (action, probability) in choices {
        reward += probability * seen.expected(situation, *action);
        if seen.has(situation.position, *action) {
            supported += probability;
        }
    }
    let unseen = f64::max(1.0 - supported, 0.0);
    Expected { reward, unseen }
}
