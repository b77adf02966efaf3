//! From candidates to a ranked answer, stage by stage.

mod arbitrate;
mod ask;
mod believe;
mod budget;
mod chances;
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
use crate::decide::step::{Budgets, Needs, Said};
use crate::domain::answer::Shadowed;
use crate::domain::budget::Claim;
use crate::domain::learning::{Arm, Tallies, Update};
use crate::domain::outcome::fingerprint;
use crate::domain::{Answer, Fact};
use crate::policy::offer::Offer;
use believe::Believer;
use gate::Gate;
use propensity::Propensity;
use seat::Seat;

pub use ask::ask;
pub use chances::{
    Known, Past, Propensity as PropensityOf, Rival, chances, looks_at_customer, worth,
};
pub use stages::dates;

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
    /// What models were asked, and what they said.
    pub said: &'a Said,
    /// What is known of budgets.
    pub budgets: &'a Budgets,
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
    /// What budgets must give.
    pub claims: Vec<Claim>,
}

/// Ranks the offers of a placement.
///
/// # Errors
///
/// What is missing; call again with it.
pub fn rank(question: &Question<'_>) -> Result<Ranked, Needs> {
    let env = &question.env;
    let Some(placement) = env.bundle.placement(question.placement) else {
        return Ok(Ranked {
            answer: nothing(question),
            given: Vec::new(),
            updates: Vec::new(),
            claims: Vec::new(),
        });
    };
    let seat = Seat::of(placement, env, question.id);
    let shadow = seat.shadow();
    let seats = || std::iter::once(&seat).chain(&shadow);
    let missing = propensity::shared(seats().map(|seat| seat.placement), env, question.said);
    if !missing.is_empty() {
        return Err(Needs::Scores(missing));
    }
    // Both are asked before either is answered for, so that a model is waited for once.
    let shadow = shadow.map(|shadow| rank_from(question, &shadow));
    let (mut ranked, shadow) = both(rank_from(question, &seat), shadow.transpose())?;
    let shadowed = shadow.into_iter().flat_map(|shadow| shadow.answer.offers);
    ranked.answer.shadow = shadowed.map(Shadowed::of).collect();
    let decided = counted(&ranked, question).then_some(seat.arm).flatten();
    let decided = decided.map(|arm| Update::Decided(placement.name.clone(), arm, env.now));
    ranked.updates.extend(decided);
    Ok(ranked)
}

/// Returns two results, or what both need: budgets before scores, and of requests to the same model, which are equal, one.
fn both<A, B>(one: Result<A, Needs>, other: Result<B, Needs>) -> Result<(A, B), Needs> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(needs), Ok(_)) | (Ok(_), Err(needs)) => Err(needs),
        (Err(needs), Err(more)) => Err(match (needs, more) {
            (Needs::Scores(mut requests), Needs::Scores(more)) => {
                for request in more {
                    if requests.iter().all(|known| known.model != request.model) {
                        requests.push(request);
                    }
                }
                Needs::Scores(requests)
            }
            (Needs::Budgets(mut claims), Needs::Budgets(more)) => {
                claims.extend(more);
                Needs::Budgets(claims)
            }
            (Needs::Budgets(claims), Needs::Scores(_))
            | (Needs::Scores(_), Needs::Budgets(claims)) => Needs::Budgets(claims),
        }),
    }
}

/// Tells if a decision counts for its arm: once, if it gave something or would have, to somebody who is remembered.
fn counted(ranked: &Ranked, question: &Question<'_>) -> bool {
    let Question { id, env, .. } = question;
    let is_decided = |fact: &Fact| matches!(fact, Fact::Decided(_));
    let known = env.profile.decisions.get(fingerprint(id));
    !env.stranger && known.is_none() && ranked.given.iter().any(is_decided)
}

/// Ranks by the means of a seat.
fn rank_from(question: &Question<'_>, seat: &Seat<'_>) -> Result<Ranked, Needs> {
    let (env, placement) = (&question.env, seat.placement);
    let mut answer = nothing(question);
    let mut gate = Gate::new(placement, env);
    let mut passed = scan::qualify(placement, &mut gate, env, &mut answer);
    budget::drop_closed(&mut passed, question, &mut answer)?;
    let offers: Vec<&Offer> = passed.iter().map(|passed| passed.offer).collect();
    let propensities = propensity::propensities(placement, &offers, env, question.said);
    let propensities = propensities.map_err(Needs::Scores)?;
    let learner = Believer::of(placement, &offers, env, question.learnt);
    answer.models = propensity::asked(placement, &offers, env);
    answer.arm = seat.arm;
    answer.learner = learner.as_ref().map(Believer::by);
    // An offer without its propensity would have the highest there is: all have one, or none.
    answer.degraded = propensities.iter().any(Propensity::is_broken);
    let learner = learner.filter(|_| !answer.degraded);
    let mut candidates = Vec::with_capacity(passed.len());
    for (passed, mut propensity) in passed.iter().zip(propensities) {
        if answer.degraded {
            propensity.score = None;
        }
        let score = propensity.known();
        let believed = learner
            .as_ref()
            .and_then(|it| it.believe(passed.offer, score));
        match arbitrate::judge(seat, passed, propensity, believed, env) {
            Ok(candidate) => candidates.push(candidate),
            Err(loser) => answer.losers.push(loser),
        }
    }
    budget::drop_missed(&mut candidates, question, &mut answer);
    let limit = question
        .limit
        .unwrap_or(placement.limit)
        .min(placement.limit)
        .min(LIMIT_MAX);
    let picked = slots::pick(seat, candidates, limit as usize);
    let credits = picked.credits();
    let mut given = slots::fill(picked, env.now, &mut answer);
    let mut withheld = Vec::new();
    if seat.arm == Some(Arm::Holdout) {
        given.clear();
        withheld = slots::hold_out(&mut answer);
    }
    if answer.offers.is_empty() && limit > 0 {
        let learnt = fallback::fall_back(placement, &mut gate, question, &mut answer)?;
        given.extend(learnt);
    }
    given.extend(ask::remembered(placement, &answer, credits, withheld));
    Ok(Ranked {
        claims: budget::claims(&answer, question),
        answer,
        given,
        updates: Vec::new(),
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
