//! What the outcome of an offer teaches, and what of it is counted.

use std::sync::Arc;

use crate::domain::decision::{Decision, Given};
use crate::domain::learning::{Lesson, Update};
use crate::domain::outcome::Told;
use crate::domain::{Fact, Profile};
use crate::policy::Bundle;

/// Returns what follows for tallies from outcomes that count.
///
/// - `profile`: the customer before the facts.
pub fn updates(bundle: &Bundle, profile: &Profile, facts: &[Fact]) -> Vec<Update> {
    let mut updates = Vec::new();
    for told in facts.iter().filter_map(as_told) {
        let Some(decision) = profile.decisions.get(told.decision) else {
            continue;
        };
        updates.extend(came(decision, told).filter(|came| !updates.contains(came)));
        let given = decision.offers.iter();
        let given = given.clone().find(|given| given.offer == told.offer);
        let lesson = given.and_then(|given| lesson(bundle, decision, given, told));
        updates.extend(lesson.map(|lesson| Update::Learnt(lesson.into())));
    }
    updates
}

fn as_told(fact: &Fact) -> Option<&Told> {
    if let Fact::Told(told) = fact {
        Some(told)
    } else {
        None
    }
}

/// Counts the first outcome of its kind that any offer of a decision has.
fn came(decision: &Decision, told: &Told) -> Option<Update> {
    let arm = decision.arm?;
    let had = decision.offers.iter().any(|given| given.has(told.kind));
    let placement = || decision.placement.clone();
    (!had).then(|| Update::Came(placement(), arm, decision.at, told.kind))
}

/// Returns by how much the reward of an offer has grown. Every offer of a decision is one trial, from its first outcome that
/// the learner looks at; its reward is that of its best outcome.
fn lesson(bundle: &Bundle, decision: &Decision, given: &Given, told: &Told) -> Option<Lesson> {
    let credit = given.credit.as_ref()?;
    let learner = bundle.learner_of(credit.version)?;
    let late = |within| told.at > decision.at + within;
    if learner.within.is_some_and(late) {
        return None;
    }
    let before = learner.reward(|kind| given.has(kind));
    let after = learner.reward(|kind| given.has(kind) || kind == told.kind)?;
    let reward = after - before.unwrap_or(0.0);
    (before.is_none() || reward > 0.0).then(|| Lesson {
        version: credit.version,
        placement: Arc::clone(&decision.placement),
        offer: given.offer.clone(),
        at: decision.at,
        half_life: learner.half_life,
        trial: before.is_none(),
        reward,
        sample: credit.sample.clone(),
    })
}
