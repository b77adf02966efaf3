//! Tells the watches over models what was promised and what came of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::actors::live::Policies;
use crate::decide::Cause;
use crate::decide::drive::Outcome;
use crate::decide::promises::{Promise, promises};
use crate::domain::outcome::{Kind, fingerprint};
use crate::domain::{Answer, Fact};
use crate::policy::Bundle;

/// Follows the offers of which a model promised something, by its own score, and notes those that were taken; what becomes of an offer to a
/// stranger is not known, so it is not followed.
pub fn follow(policies: &Policies, cause: &Cause, outcome: &Outcome) {
    let to_stranger = matches!(cause, Cause::Ask(ask) if ask.stranger);
    for answer in outcome.answers.iter().filter(|_| !to_stranger) {
        given(policies, answer, &outcome.facts);
    }
    for fact in &outcome.facts {
        if let Fact::Told(told) = fact
            && told.kind == Kind::Conversion
        {
            // The watch of a model that did not promise the offer passes over what it does not follow.
            let models = models_of(&policies.bundle, &told.placement, &told.offer);
            for watch in models.iter().filter_map(|name| policies.scorer.watch(name)) {
                watch.came(told.decision, &told.offer, told.at);
            }
        }
    }
}

fn given(policies: &Policies, answer: &Answer, facts: &[Fact]) {
    let Some(placement) = policies.bundle.placement(&answer.placement) else {
        return;
    };
    let (at, until) = (answer.decided_at, answer.decided_at + placement.attribution);
    let decision = fingerprint(&answer.decision_id);
    for Promise {
        model,
        offer,
        score,
    } in promises(answer, facts)
    {
        if let Some(watch) = policies.scorer.watch(&model) {
            watch.given(decision, &offer, score, at, until);
        }
    }
}

/// Returns the models that may have promised an offer: its own, the placement's and the challenger's.
fn models_of<'b>(bundle: &'b Bundle, placement: &str, offer: &str) -> BTreeSet<&'b Arc<str>> {
    let own = bundle.offer(offer).and_then(|offer| offer.model.as_ref());
    let place = bundle.placement(placement);
    let challenger = place.and_then(|of| of.learning.challenger.as_ref());
    let places = place
        .into_iter()
        .chain(challenger.map(|of| &of.placement))
        .filter_map(|of| of.model.as_ref());
    own.into_iter().chain(places).collect()
}
