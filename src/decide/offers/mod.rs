//! From candidates to a ranked answer, stage by stage.

mod arbitrate;
mod ask;
mod contact;
mod explain;
mod fallback;
mod propensity;
mod slots;
mod stages;

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::step::{Request, Scores};
use crate::domain::{Answer, Fact, Score};

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
    let mut answer = Answer {
        decision_id: question.id.clone(),
        customer: env.profile.id.clone(),
        placement: question.placement.clone(),
        offers: Vec::new(),
        losers: Vec::new(),
        degraded: false,
        fallback: false,
        decided_at: env.now,
    };
    let Some(placement) = env.bundle.placement(question.placement) else {
        return Ok(Ranked {
            answer,
            given: Vec::new(),
        });
    };
    if let Some(request) = propensity::shared(placement, env, scores) {
        return Err(vec![request]);
    }
    let eligible = stages::eligible(placement, env, &mut answer.losers);
    let propensities = propensity::propensities(placement, &eligible, env, scores)?;
    let mut candidates = Vec::with_capacity(eligible.len());
    for (offer, propensity) in eligible.into_iter().zip(propensities) {
        answer.degraded |= matches!(propensity, Some(Score::Unavailable(_)));
        match arbitrate::judge(placement, offer, propensity.as_ref(), env) {
            Ok(candidate) => candidates.push(candidate),
            Err(loser) => answer.losers.push(loser),
        }
    }
    let limit = question
        .limit
        .unwrap_or(placement.limit)
        .min(placement.limit)
        .min(LIMIT_MAX);
    let mut given = slots::choose(candidates, limit as usize, env.now, &mut answer);
    if answer.offers.is_empty() && limit > 0 {
        fallback::fall_back(placement, env, &mut answer);
    }
    given.extend(ask::remembered(placement, &answer));
    Ok(Ranked { answer, given })
}
