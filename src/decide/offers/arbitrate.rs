//! What an offer is ranked by.

use crate::decide::env::Env;
use crate::decide::eval::eval;
use crate::decide::offers::explain::lost;
use crate::domain::{Loser, Reason, Score};
use crate::policy::offer::{Offer, Placement};

/// An offer that passed every rule.
pub struct Candidate<'a> {
    /// The offer.
    pub offer: &'a Offer,
    /// What the model says; `None` without one and when it is not available.
    pub propensity: Option<f64>,
    /// What it is ranked by.
    pub priority: f64,
    /// V.
    pub value: f64,
}

/// Computes the priority of an offer: the placement's `rank`, else P × V.
pub fn judge<'a>(
    placement: &Placement,
    offer: &'a Offer,
    score: Option<&Score>,
    env: &Env<'a>,
) -> Result<Candidate<'a>, Loser> {
    let propensity = score.and_then(Score::known);
    // Without a model, and with a broken one, P is 1: the offers are ranked by value.
    let p = propensity.unwrap_or(1.0);
    let env = Env {
        offer: Some((offer, None)),
        propensity: Some(p),
        ..*env
    };
    let number = |of: &'a crate::policy::Expr, env: &Env<'a>| {
        eval(&of.root, env).and_then(|value| value.as_f64())
    };
    let Some(value) = number(&offer.value, &env) else {
        return Err(lost(
            offer,
            Reason::Unsuitable,
            format!("{} is unknown", offer.value.text).into(),
        ));
    };
    let env = Env {
        offer: Some((offer, Some(value))),
        ..env
    };
    let priority = match &placement.rank {
        None => Some(p * value),
        Some(rank) => eval(&rank.root, &env).and_then(|value| value.as_f64()),
    };
    match priority {
        Some(priority) => Ok(Candidate {
            offer,
            propensity,
            priority,
            value,
        }),
        None => Err(lost(offer, Reason::Unsuitable, "rank is unknown".into())),
    }
}
