//! A step with everything that it asks of the outside: scores of models, and what budgets give.

use std::sync::Arc;

use crate::decide::inputs::complete;
pub use crate::decide::learn::NOTHING;
use crate::decide::step::{
    Budgets, Effects, Found, Input, Needs, Request, Said, Scores, Stage, Step, step,
};
use crate::domain::budget::{Boundless, Key, Purse};
use crate::domain::learning::Tallies;
use crate::domain::{Profile, Timestamp};
use crate::policy::Bundle;

/// Runs the models that a step asks for.
pub type Scoring<'a> = &'a dyn Fn(&[Request]) -> Scores;

/// What a decision asks of the outside.
#[derive(Clone, Copy)]
pub struct Outside<'a> {
    /// The models.
    pub scoring: Scoring<'a>,
    /// What all outcomes have taught so far.
    pub learnt: &'a Tallies,
    /// What budgets give.
    pub purse: &'a dyn Purse,
}

impl<'a> Outside<'a> {
    /// Returns models alone: nothing was learnt, and budgets have no end.
    pub const fn of(scoring: Scoring<'a>) -> Self {
        Self {
            scoring,
            learnt: &NOTHING,
            purse: &Boundless,
        }
    }
}

/// A step that is decided.
pub struct Decided {
    /// What follows from it.
    pub effects: Effects,
    /// What budgets have given for it, one each.
    pub spent: Vec<Key>,
}

/// Decides one stage, and asks the outside as often as the step needs it.
pub fn decide(
    bundle: &Bundle,
    profile: &Profile,
    stage: Stage<'_>,
    traceparent: Option<&Arc<str>>,
    outside: Outside<'_>,
    now: Timestamp,
) -> Decided {
    let (mut said, mut budgets) = (Said::new(), Budgets::new());
    loop {
        let input = Input {
            stage,
            said: &said,
            budgets: &budgets,
            learnt: outside.learnt,
            traceparent,
        };
        match step(bundle, profile, input, now) {
            Step::Needs(Needs::Scores(requests)) => {
                let answers = (outside.scoring)(&requests);
                let scored = requests
                    .into_iter()
                    .map(|request| complete(request, &answers));
                said.extend(scored.map(|of| (of.request.model.clone(), of)));
            }
            Step::Needs(Needs::Budgets(claims)) => {
                let refusals = outside.purse.look(&claims).into_iter();
                let found = |refusal: Option<_>| refusal.map_or(Found::Open, Found::Closed);
                let offers = claims.into_iter().map(|claim| claim.key.offer);
                budgets.extend(offers.zip(refusals.map(found)));
            }
            Step::Done(mut effects) => match spend(&mut effects, outside.purse) {
                Ok(spent) => return Decided { effects, spent },
                // Others were faster: what they have left is decided upon.
                Err(missed) => budgets.extend(missed),
            },
        }
    }
}

/// Lets budgets give what is claimed.
fn spend(effects: &mut Effects, purse: &dyn Purse) -> Result<Vec<Key>, Budgets> {
    if effects.claims.is_empty() {
        return Ok(Vec::new());
    }
    let claims = std::mem::take(&mut effects.claims);
    let Err(refused) = purse.take(&claims) else {
        return Ok(claims.into_iter().map(|claim| claim.key).collect());
    };
    let missed = refused.into_iter().filter_map(|(at, refusal)| {
        let offer = claims.get(at)?.key.offer.clone();
        Some((offer, Found::Missed(refusal)))
    });
    Err(missed.collect())
}
