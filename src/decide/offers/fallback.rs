//! What is given when nothing qualifies: it still obeys consent, suppression, its dates, contact policies and its cap.

use crate::decide::env::Env;
use crate::decide::offers::contact::{capped, given};
use crate::decide::offers::explain::lost;
use crate::decide::offers::gate::Gate;
use crate::decide::offers::stages::timely;
use crate::domain::response::Of;
use crate::domain::{Answer, Choice, Fact, Reason};
use crate::policy::offer::Placement;

/// Puts the placement's fallback into the answer, unless the customer is not to have it; returns what the profile learns of it.
pub fn fall_back<'a>(
    placement: &'a Placement,
    gate: &mut Gate<'a>,
    env: &Env<'a>,
    answer: &mut Answer,
) -> Option<Fact> {
    let offer = env.bundle.offer(placement.fallback.as_ref()?)?;
    let of = Of::Offer(offer.id.clone());
    let own = || timely(&offer.engagement, &of, env);
    let cap = || capped(offer, env).map(|detail| (Reason::Cap, detail));
    let barred = gate.bars(offer).or_else(own);
    let barred = barred.or_else(|| gate.untimely(offer)).or_else(cap);
    if let Some((reason, detail)) = barred {
        if answer.losers.iter().all(|loser| loser.offer != offer.id) {
            answer.losers.push(lost(offer, reason, detail));
        }
        return None;
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
    given(offer, env.now)
}
