//! From candidates to a ranked answer, stage by stage.

mod arbitrate;
mod ask;
mod contact;
mod explain;
mod fallback;
mod gate;
mod propensity;
mod scan;
mod slots;
mod stages;

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::step::{Request, Scores};
use crate::domain::{Answer, Fact};
use crate::policy::offer::Offer;
use gate::Gate;

pub use arbitrate::smooth;
pub use ask::ask;

/// The most offers an answer holds.
pub const LIMIT_MAX: u32 = 100;

/// What is asked of a placement.
pub struct Question<'a> {
    /// The decision's id.
    pub id: &'a Arc<str>,
    /// The placement's name.
    pub placement: &'a Arc<str>,
    /// At most so many, if fewer than the placement allows.
    pub limit: Option<u32>,
    /// What expressions can see.
    pub env: Env<'a>,
}

/// An answer and what the profile learns of it.
pub struct Ranked {
    /// The answer.
    pub answer: Answer,
    /// What was given, as the profile remembers it.
    pub given: Vec<Fact>,
}

/// Ranks the offers of a placement.
///
/// # Errors
///
/// The scores that are missing; call again with them.
pub fn rank(question: &Question<'_>, scores: &Scores) -> Result<Ranked, Vec<Request>> {
    let env = &question.env;
    let mut answer = nothing(question);
    let Some(placement) = env.bundle.placement(question.placement) else {
        let given = Vec::new();
        return Ok(Ranked { answer, given });
    };
    if let Some(request) = propensity::shared(placement, env, scores) {
        return Err(vec![request]);
    }
    let mut gate = Gate::new(placement, env);
    let passed = scan::qualify(placement, &mut gate, env, &mut answer);
    let offers: Vec<&Offer> = passed.iter().map(|passed| passed.offer).collect();
    let propensities = propensity::propensities(placement, &offers, env, scores)?;
    let mut candidates = Vec::with_capacity(passed.len());
    for (passed, propensity) in passed.iter().zip(propensities) {
        answer.degraded |= propensity.is_broken();
        match arbitrate::judge(placement, passed, propensity, env) {
            Ok(candidate) => candidates.push(candidate),
            Err(loser) => answer.losers.push(loser),
        }
    }
    let limit = question
        .limit
        .unwrap_or(placement.limit)
        .min(placement.limit)
        .min(LIMIT_MAX);
    let picked = slots::pick(placement, candidates, limit as usize);
    let mut given = slots::fill(picked, env.now, &mut answer);
    if answer.offers.is_empty() && limit > 0 {
        fallback::fall_back(placement, &mut gate, env, &mut answer);
    }
    given.extend(ask::remembered(placement, &answer));
    Ok(Ranked { answer, given })
}

/// The answer before anything is known.
fn nothing(question: &Question<'_>) -> Answer {
    let env = &question.env;
    Answer {
        decision_id: question.id.clone(),
        customer: env.profile.id.clone(),
        placement: question.placement.clone(),
        offers: Vec::new(),
        losers: Vec::new(),
        passed_over: Vec::new(),
        runner_up: None,
        degraded: false,
        fallback: false,
        decided_at: env.now,
    }
}
