//! What is given when nothing qualifies: it still obeys consent, suppression and contact policies.

use crate::decide::env::Env;
use crate::decide::offers::contact::held;
use crate::decide::offers::explain::lost;
use crate::decide::offers::gate::Gate;
use crate::domain::response::Of;
use crate::domain::{Answer, Choice, Reason};
use crate::policy::offer::Placement;

/// Puts the placement's fallback into the answer, unless the customer is not to have it.
pub fn fall_back<'a>(
    placement: &'a Placement,
    gate: &mut Gate<'a>,
    env: &Env<'a>,
    answer: &mut Answer,
) {
    let Some(offer) = placement.fallback.as_ref() else {
        return;
    };
    let Some(offer) = env.bundle.offer(offer) else {
        return;
    };
    let of = Of::Offer(offer.id.clone());
    let fatigue = || {
        Some((
            Reason::ContactLimit,
            held(&offer.engagement.contact, &of, env)?,
        ))
    };
    if let Some((reason, detail)) = gate.bars(offer).or_else(fatigue) {
        if answer.losers.iter().all(|loser| loser.offer != offer.id) {
            answer.losers.push(lost(offer, reason, detail));
        }
        return;
    }
    answer.losers.retain(|loser| loser.offer != offer.id);
    answer.fallback = true;
    answer.offers.push(Choice {
        offer: offer.id.clone(),
        propensity: None,
        priority: None,
        value: None,
        probability: 1.0,
        explored: false,
        factors: None,
        inputs: None,
        data: offer.data.clone(),
        reasons: vec!["nothing qualified: the placement's fallback".into()],
    });
}
