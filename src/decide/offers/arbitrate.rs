//! What an offer is ranked by: P × C × V × L, or what the placement says instead.
//!
//! P is the propensity, C = 1 + Σ matching context weights / 100, V the value, L = 1 + (weights of group and offer) / 100.
//! Source: Pega's arbitration formula.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::eval::{eval, truth};
use crate::decide::learn::{Belief, Contender, Explore};
use crate::decide::offers::believe::Believed;
use crate::decide::offers::explain::lost;
use crate::decide::offers::propensity::Propensity;
use crate::decide::offers::seat::Seat;
use crate::decide::offers::stages::Passed;
use crate::domain::answer::{Factors, Inputs, Spread};
use crate::domain::learning::Credit;
use crate::domain::{Loser, Reason};
use crate::policy::Expr;
use crate::policy::offer::{Factor, Offer, Placement};

/// An offer that passed every rule.
pub struct Candidate<'a> {
    /// The offer.
    pub offer: &'a Offer,
    /// The place of its group among those that are filled in order.
    pub order: usize,
    /// What the model says; `None` without one and when it is not available.
    pub propensity: Option<f64>,
    /// What a learner believes of the propensity.
    pub belief: Option<Spread>,
    /// What the model was asked.
    pub inputs: Option<Arc<Inputs>>,
    /// What it is worth when accepted.
    pub value: f64,
    /// What the priority is made of.
    pub factors: Factors,
    /// What it is ranked by: at the best guess of its propensity, or at what was drawn in the last contest that it was in.
    pub priority: f64,
    /// What its priority is drawn from; `None` where it is not drawn.
    pub drawn: Option<Box<Drawn>>,
    /// What a learner makes of its outcome.
    pub credit: Option<Box<Credit>>,
    /// How likely it was to be chosen for its place, given the places before.
    pub probability: f64,
    /// Whether it was chosen although another one is better as far as anybody knows.
    pub explored: bool,
    /// Why it is not chosen, if not for its priority.
    pub barred: Option<Arc<str>>,
}

/// A priority that depends on what is drawn: `base + slope * p`.
pub struct Drawn {
    /// What is believed of `p`.
    pub belief: Belief,
    /// The priority at 0.
    pub base: f64,
    /// By how much it grows up to 1.
    pub slope: f64,
}

impl<'a> Candidate<'a> {
    /// Returns what it enters the contest for a place with.
    pub fn contender(&self) -> Contender<'a> {
        let id = &self.offer.id;
        match &self.drawn {
            None => Contender::known(id, self.priority),
            Some(drawn) => drawn.contender(id),
        }
    }
}

impl Drawn {
    /// Returns what an offer enters the contest for a place with.
    pub fn contender<'i>(&self, id: &'i str) -> Contender<'i> {
        Contender {
            id,
            belief: self.belief,
            base: self.base,
            slope: self.slope,
        }
    }
}

/// Computes the priority of an offer.
///
/// # Errors
///
/// The offer loses: what it is worth, or its rank, is not known.
pub fn judge<'a>(
    seat: &Seat<'a>,
    passed: &Passed<'a>,
    propensity: Propensity,
    believed: Option<Believed>,
    env: &Env<'a>,
) -> Result<Candidate<'a>, Loser> {
    let (offer, placement) = (passed.offer, seat.placement);
    let guess = believed
        .as_ref()
        .map(|it| it.belief.guess().clamp(0.0, 1.0));
    let known = guess.or_else(|| propensity.known());
    // Without a model P is 1; so it is of all offers where a model is broken, which are then ranked by value and levers.
    let p = known.unwrap_or(1.0);
    let env = Env {
        offer: Some((offer, None)),
        ..*env
    };
    let Some(v) = number(&offer.value, &env) else {
        let detail = format!("{} is unknown", offer.value.text);
        return Err(lost(offer, Reason::Unsuitable, detail.into()));
    };
    let env = Env {
        offer: Some((offer, Some(v))),
        ..env
    };
    let price = Price {
        placement,
        env,
        c: context(placement, &env),
        v,
        l: (1.0 + passed.levers / 100.0).max(0.0),
    };
    let unknown = || lost(offer, Reason::Unsuitable, "rank is unknown".into());
    let (belief, credit) = believed.map(|it| (it.belief, it.credit)).unzip();
    let spread = belief.as_ref().map(Belief::spread);
    let belief = belief.filter(|_| seat.explore == Explore::Thompson);
    let drawn = belief.map(|belief| price.drawn(belief).ok_or_else(unknown));
    Ok(Candidate {
        offer,
        order: passed.order,
        propensity: known,
        belief: spread,
        inputs: propensity.inputs,
        value: v,
        factors: price.factors(p),
        priority: price.priority(p).ok_or_else(unknown)?,
        drawn: drawn.transpose()?.map(Box::new),
        credit: credit.map(Box::new),
        probability: 1.0,
        explored: false,
        barred: None,
    })
}

/// What an offer is ranked by, but for its propensity.
pub struct Price<'a> {
    /// The means.
    pub placement: &'a Placement,
    /// What expressions can see, with the offer.
    pub env: Env<'a>,
    /// C.
    pub c: f64,
    /// V.
    pub v: f64,
    /// L.
    pub l: f64,
}

impl Price<'_> {
    /// Returns the factors; those that do not count are 1.
    fn factors(&self, p: f64) -> Factors {
        let or_one = |factor: Factor, x: f64| {
            if self.placement.factors.contains(&factor) {
                x
            } else {
                1.0
            }
        };
        Factors {
            p: or_one(Factor::Propensity, p),
            c: or_one(Factor::Context, self.c),
            v: or_one(Factor::Value, self.v),
            l: or_one(Factor::Levers, self.l),
        }
    }

    /// Returns the priority at a propensity.
    pub fn priority(&self, p: f64) -> Option<f64> {
        let Some(rank) = &self.placement.rank else {
            return Some(self.factors(p).priority());
        };
        let env = Env {
            propensity: Some(p),
            ..self.env
        };
        eval(&rank.root, &env).and_then(|value| value.as_f64())
    }

    /// Returns the priority as a line over a propensity that is drawn.
    pub fn drawn(&self, belief: Belief) -> Option<Drawn> {
        let base = self.priority(0.0)?;
        let slope = self.priority(1.0)? - base;
        Some(Drawn {
            belief,
            base,
            slope,
        })
    }
}

fn number<'a>(of: &'a Expr, env: &Env<'a>) -> Option<f64> {
    eval(&of.root, env).and_then(|value| value.as_f64())
}

/// Returns C, at least 0.
pub fn context<'a>(placement: &'a Placement, env: &Env<'a>) -> f64 {
    let weights = placement.context_weights.iter();
    let matching = weights.filter(|of| truth(&of.when.root, env) == Some(true));
    let sum: f64 = matching.map(|of| of.weight).sum();
    (1.0 + sum / 100.0).max(0.0)
}
