//! From candidates to a ranked answer, stage by stage.

mod arbitrate;
mod ask;
mod believe;
mod contact;
mod explain;
mod fallback;
mod gate;
mod propensity;
mod scan;
mod seat;
mod slots;
mod stages;

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::step::{Request, Scores};
use crate::domain::answer::Shadowed;
use crate::domain::learning::{Arm, Tallies, Update};
use crate::domain::outcome::fingerprint;
use crate::domain::{Answer, Fact};
use crate::policy::offer::Offer;
use believe::Believer;
use gate::Gate;
use seat::Seat;

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
    /// What all outcomes have taught so far.
    pub learnt: &'a Tallies,
}

/// An answer and what the profile learns of it.
pub struct Ranked {
    /// The answer.
    pub answer: Answer,
    /// What was given, as the profile remembers it.
    pub given: Vec<Fact>,
    /// What is added to tallies.
    pub updates: Vec<Update>,
}

/// Ranks the offers of a placement.
///
/// # Errors
///
/// The scores that are missing; call again with them.
pub fn rank(question: &Question<'_>, scores: &Scores) -> Result<Ranked, Vec<Request>> {
    let env = &question.env;
    let Some(placement) = env.bundle.placement(question.placement) else {
        return Ok(Ranked {
            answer: nothing(question),
            given: Vec::new(),
            updates: Vec::new(),
        });
    };
    let seat = Seat::of(placement, env, question.id);
    let mut ranked = rank_from(question, &seat, scores)?;
    if let Some(shadow) = seat.shadow() {
        let shadow = rank_from(question, &shadow, scores)?;
        ranked.answer.shadow = shadow.answer.offers.into_iter().map(Shadowed::of).collect();
    }
    let known = env.profile.decisions.get(fingerprint(question.id));
    let decided = seat.arm.filter(|_| known.is_none());
    let decided = decided.map(|arm| Update::Decided(placement.name.clone(), arm, env.now));
    ranked.updates.extend(decided);
    Ok(ranked)
}

/// Ranks by the means of a seat.
fn rank_from(
    question: &Question<'_>,
    seat: &Seat<'_>,
    scores: &Scores,
) -> Result<Ranked, Vec<Request>> {
    let (env, placement) = (&question.env, seat.placement);
    let mut answer = nothing(question);
    if let Some(request) = propensity::shared(placement, env, scores) {
        return Err(vec![request]);
    }
    let mut gate = Gate::new(placement, env);
    let passed = scan::qualify(placement, &mut gate, env, &mut answer);
    let offers: Vec<&Offer> = passed.iter().map(|passed| passed.offer).collect();
    let propensities = propensity::propensities(placement, &offers, env, scores)?;
    let learner = Believer::of(placement, env, question.learnt);
    answer.models = propensity::asked(placement, &offers, env);
    answer.arm = seat.arm;
    answer.learner = learner.as_ref().map(Believer::by);
    let mut candidates = Vec::with_capacity(passed.len());
    for (passed, propensity) in passed.iter().zip(propensities) {
        answer.degraded |= propensity.is_broken();
        let score = propensity.known();
        let believed = learner
            .as_ref()
            .and_then(|it| it.believe(passed.offer, score));
        match arbitrate::judge(seat, passed, propensity, believed, env) {
            Ok(candidate) => candidates.push(candidate),
            Err(loser) => answer.losers.push(loser),
        }
    }
    let limit = question
        .limit
        .unwrap_or(placement.limit)
        .min(placement.limit)
        .min(LIMIT_MAX);
    let picked = slots::pick(seat, candidates, limit as usize);
    let credits = picked.credits();
    let mut given = slots::fill(picked, env.now, &mut answer);
    if seat.arm == Some(Arm::Holdout) {
        given.clear();
        slots::hold_out(&mut answer);
    }
    if answer.offers.is_empty() && limit > 0 {
        fallback::fall_back(placement, &mut gate, env, &mut answer);
    }
    given.extend(ask::remembered(placement, &answer, credits));
    let updates = Vec::new();
    Ok(Ranked {
        answer,
        given,
        updates,
    })
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
        shadow: Vec::new(),
        arm: None,
        learner: None,
        models: Vec::new(),
        bundle: env.bundle.id.clone(),
        runner_up: None,
        degraded: false,
        fallback: false,
        decided_at: env.now,
    }
}
