//! What an offer is ranked by: P × C × V × L, or what the placement says instead.
//!
//! P is the propensity, C = 1 + Σ matching context weights / 100, V the value, L = 1 + (weights of group and offer) / 100.
//! Source: Pega's arbitration formula.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::eval::{eval, truth};
use crate::decide::offers::explain::lost;
use crate::decide::offers::propensity::Propensity;
use crate::decide::offers::stages::Passed;
use crate::domain::answer::{Factors, Inputs};
use crate::domain::{Loser, Reason};
use crate::policy::Expr;
use crate::policy::offer::{Factor, Offer, Placement, Smoothing};

/// An offer that passed every rule.
pub struct Candidate<'a> {
    /// The offer.
    pub offer: &'a Offer,
    /// The place of its group among those that are filled in order.
    pub order: usize,
    /// What the model says; `None` without one and when it is not available.
    pub propensity: Option<f64>,
    /// What the model was asked.
    pub inputs: Option<Arc<Inputs>>,
    /// What the priority is made of.
    pub factors: Factors,
    /// What it is ranked by.
    pub priority: f64,
}

/// Computes the priority of an offer.
///
/// # Errors
///
/// The offer loses: what it is worth, or its rank, is not known.
pub fn judge<'a>(
    placement: &'a Placement,
    passed: &Passed<'a>,
    propensity: Propensity,
    env: &Env<'a>,
) -> Result<Candidate<'a>, Loser> {
    let offer = passed.offer;
    let known = propensity.known();
    let p = p(placement.smoothing, &propensity);
    let env = Env {
        offer: Some((offer, None)),
        propensity: Some(p),
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
    let or_one = |factor: Factor, x: f64| {
        if placement.factors.contains(&factor) {
            x
        } else {
            1.0
        }
    };
    let factors = Factors {
        p: or_one(Factor::Propensity, p),
        c: or_one(Factor::Context, context(placement, &env)),
        v: or_one(Factor::Value, v),
        l: or_one(Factor::Levers, (1.0 + passed.levers / 100.0).max(0.0)),
    };
    let priority = match &placement.rank {
        None => Some(factors.priority()),
        Some(rank) => number(rank, &env),
    };
    let Some(priority) = priority else {
        return Err(lost(offer, Reason::Unsuitable, "rank is unknown".into()));
    };
    Ok(Candidate {
        offer,
        order: passed.order,
        propensity: known,
        inputs: propensity.inputs,
        factors,
        priority,
    })
}

fn number<'a>(of: &'a Expr, env: &Env<'a>) -> Option<f64> {
    eval(&of.root, env).and_then(|value| value.as_f64())
}

/// Returns P: what is known, smoothed as far as the evidence for it is young; 1 without a model, and with a broken one,
/// so that the offers are ranked by value and levers.
fn p(smoothing: Option<Smoothing>, propensity: &Propensity) -> f64 {
    let p = propensity.known().unwrap_or(1.0);
    match (smoothing, propensity.evidence) {
        (Some(smoothing), Some(evidence)) => smooth(smoothing, p, evidence),
        (Some(_) | None, _) => p,
    }
}

/// Returns SE/(SE+ME+1)·SP + ME/(SE+ME+1)·P.
///
/// - `evidence`: ME, the outcomes that the propensity `p` comes from.
///
/// Source: Pega's smoothing of propensities by starting evidence.
pub fn smooth(start: Smoothing, p: f64, evidence: f64) -> f64 {
    let all = start.evidence + evidence + 1.0;
    start.evidence / all * start.propensity + evidence / all * p
}

/// Returns C, at least 0.
fn context<'a>(placement: &'a Placement, env: &Env<'a>) -> f64 {
    let weights = placement.context_weights.iter();
    let matching = weights.filter(|of| truth(&of.when.root, env) == Some(true));
    let sum: f64 = matching.map(|of| of.weight).sum();
    (1.0 + sum / 100.0).max(0.0)
}
