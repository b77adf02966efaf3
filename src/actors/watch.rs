//! Tells the watches over models what was promised and what came of it.

use std::sync::Arc;

use crate::actors::live::Policies;
use crate::decide::Cause;
use crate::decide::drive::Outcome;
use crate::domain::outcome::{Kind, fingerprint};
use crate::domain::{Answer, Fact};
use crate::policy::Bundle;

/// Follows the offers that were given with a propensity, and notes those that were taken; what becomes of an offer to a
/// stranger is not known, so it is not followed.
pub fn follow(policies: &Policies, cause: &Cause, outcome: &Outcome) {
    let to_stranger = matches!(cause, Cause::Ask(ask) if ask.stranger);
    for answer in outcome.answers.iter().filter(|_| !to_stranger) {
        given(policies, answer);
    }
    for fact in &outcome.facts {
        if let Fact::Told(told) = fact
            && told.kind == Kind::Conversion
            && let Some(model) = model_of(&policies.bundle, &told.placement, &told.offer)
            && let Some(watch) = policies.scorer.watch(model)
        {
            watch.came(told.decision, &told.offer, told.at);
        }
    }
}

fn given(policies: &Policies, answer: &Answer) {
    let Some(placement) = policies.bundle.placement(&answer.placement) else {
        return;
    };
    let (at, until) = (answer.decided_at, answer.decided_at + placement.attribution);
    for choice in &answer.offers {
        if let Some(propensity) = choice.propensity
            && let Some(model) = model_of(&policies.bundle, &answer.placement, &choice.offer)
            && let Some(watch) = policies.scorer.watch(model)
        {
            let decision = fingerprint(&answer.decision_id);
            watch.given(decision, &choice.offer, propensity, at, until);
        }
    }
}

/// Returns the model of an offer's propensity: its own, else the placement's.
fn model_of<'b>(bundle: &'b Bundle, placement: &str, offer: &str) -> Option<&'b Arc<str>> {
    let own = bundle.offer(offer).and_then(|offer| offer.model.as_ref());
    own.or_else(|| bundle.placement(placement)?.model.as_ref())
}
