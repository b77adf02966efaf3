//! What everybody together may have of an offer.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::offers::Question;
use crate::decide::offers::arbitrate::Candidate;
use crate::decide::offers::explain::lost;
use crate::decide::offers::stages::Passed;
use crate::decide::step::{Found, Needs};
use crate::domain::budget::{Claim, Key, Period, Refusal};
use crate::domain::learning::Arm;
use crate::domain::outcome::fingerprint;
use crate::domain::{Answer, Loser, Reason, Zone};
use crate::policy::offer::{Budget, Offer};

/// Returns what giving an offer would claim; `None`: it has no budget, or this very decision has given it before, as a call
/// that is repeated finds.
pub fn claim(offer: &Offer, question: &Question<'_>) -> Option<Claim> {
    let budget = offer.budget.as_ref()?;
    let env = &question.env;
    let zone = zone(budget, env);
    let period = Period::of(budget.per, zone, env.now);
    let known = env.profile.decisions.get(fingerprint(question.id));
    // Of somebody held out it is not known what was given and what would have been.
    let given = known.filter(|of| of.arm != Some(Arm::Holdout));
    let given = given.filter(|of| Period::of(budget.per, zone, of.at) == period);
    if given.is_some_and(|of| of.offers.iter().any(|given| given.offer == offer.id)) {
        return None;
    }
    let key = Key {
        offer: offer.id.clone(),
        period,
    };
    Some(Claim {
        key,
        limit: budget.limit,
    })
}

/// Returns what an answer claims.
pub fn claims(answer: &Answer, question: &Question<'_>) -> Vec<Claim> {
    let offers = answer.offers.iter();
    let offers = offers.filter_map(|choice| question.env.bundle.offer(&choice.offer));
    offers.filter_map(|offer| claim(offer, question)).collect()
}

/// Drops the offers of which nothing is left.
///
/// # Errors
///
/// It is not known of all.
pub fn drop_closed(
    passed: &mut Vec<Passed<'_>>,
    question: &Question<'_>,
    answer: &mut Answer,
) -> Result<(), Needs> {
    let unknown = passed.iter().map(|of| of.offer);
    let unknown = unknown.filter(|offer| !question.budgets.contains_key(&offer.id));
    let asked: Vec<Claim> = unknown.filter_map(|offer| claim(offer, question)).collect();
    if !asked.is_empty() {
        return Err(Needs::Budgets(asked));
    }
    passed.retain(|of| match question.budgets.get(&of.offer.id) {
        Some(Found::Closed(refusal)) => {
            answer.losers.push(refused(of.offer, *refusal, question));
            false
        }
        Some(Found::Open | Found::Missed(_)) | None => true,
    });
    Ok(())
}

/// Drops the candidates of which nothing was left when they were to be given.
pub fn drop_missed(
    candidates: &mut Vec<Candidate<'_>>,
    question: &Question<'_>,
    answer: &mut Answer,
) {
    candidates.retain(|of| match question.budgets.get(&of.offer.id) {
        Some(Found::Missed(refusal)) => {
            let loser = refused(of.offer, *refusal, question);
            let priority = Some(of.priority);
            answer.losers.push(Loser { priority, ..loser });
            false
        }
        Some(Found::Open | Found::Closed(_)) | None => true,
    });
}

/// Returns what the budget of a single offer says against it.
///
/// # Errors
///
/// It is not known.
pub fn bars(offer: &Offer, question: &Question<'_>) -> Result<Option<(Reason, Arc<str>)>, Needs> {
    let Some(claim) = claim(offer, question) else {
        return Ok(None);
    };
    match question.budgets.get(&offer.id) {
        None => Err(Needs::Budgets(vec![claim])),
        Some(Found::Open) => Ok(None),
        Some(Found::Closed(refusal) | Found::Missed(refusal)) => {
            let Loser { reason, detail, .. } = refused(offer, *refusal, question);
            Ok(Some((reason, detail)))
        }
    }
}

fn zone<'a>(budget: &'a Budget, env: &Env<'a>) -> &'a Zone {
    budget.zone.as_ref().unwrap_or(&env.bundle.zone)
}

/// Says how much was given, and when there is more.
fn refused(offer: &Offer, refusal: Refusal, question: &Question<'_>) -> Loser {
    let Some(budget) = &offer.budget else {
        return lost(offer, Reason::Budget, "".into());
    };
    let (limit, per) = (budget.limit, budget.per);
    let zone = zone(budget, &question.env);
    let end = Period::of(per, zone, question.env.now).end(zone);
    let renews = end.map_or_else(|| "never renews".into(), |end| format!("renews at {end}"));
    let detail = match refusal {
        Refusal::Spent { n, idle: 0 } => format!("{n}/{limit}{per}, {renews}"),
        Refusal::Spent { n, idle } => {
            format!("{n}/{limit}{per}, {idle} are leased elsewhere and called back, {renews}")
        }
        Refusal::Over => format!("{limit}{per}: the period was over too long ago"),
        Refusal::Unknown => format!("{limit}{per}: what is left is not known yet"),
        Refusal::Full => format!("{limit}{per}: there are too many budgets"),
    };
    lost(offer, Reason::Budget, detail.into())
}
