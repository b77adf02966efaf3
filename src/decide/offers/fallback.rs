//! What is given when nothing qualifies: it still obeys consent, suppression, its dates, contact policies, its cap and its
//! budget.

use crate::decide::offers::contact::{capped, given};
use crate::decide::offers::explain::lost;
use crate::decide::offers::gate::Gate;
use crate::decide::offers::stages::timely;
use crate::decide::offers::{Question, budget};
use crate::decide::step::Needs;
use crate::domain::response::Of;
use crate::domain::{Answer, Choice, Fact, Reason};
use crate::policy::offer::Placement;

/// Puts the placement's fallback into the answer, unless the customer is not to have it; returns what the profile learns of it.
///
/// # Errors
///
/// It is not known if its budget has something left.
pub fn fall_back<'a>(
    placement: &'a Placement,
    gate: &mut Gate<'a>,
    question: &Question<'a>,
    answer: &mut Answer,
) -> Result<Option<Fact>, Needs> {
    let env = &question.env;
    let offer = placement.fallback.as_ref();
    let Some(offer) = offer.and_then(|offer| env.bundle.offer(offer)) else {
        return Ok(None);
    };
    let of = Of::Offer(offer.id.clone());
    let own = || timely(&offer.engagement, &of, env);
    let cap = || capped(offer, env).map(|detail| (Reason::Cap, detail));
    let barred = gate.bars(offer).or_else(own);
    let barred = barred.or_else(|| gate.untimely(offer)).or_else(cap);
    let barred = barred.map_or_else(|| budget::bars(offer, question), |why| Ok(Some(why)))?;
    if let Some((reason, detail)) = barred {
        if answer.losers.iter().all(|loser| loser.offer != offer.id) {
            answer.losers.push(lost(offer, reason, detail));
        }
        return Ok(None);
    }
    answer.losers.retain(|loser| loser.offer != offer.id);
    answer.fallback = true;
    answer.offers.push(Choice {
        offer: offer.id.clone(),
        propensity: None,
        belief: None,
        priority: None,
        value: None,
        probability: 1.0,
        explored: false,
        factors: None,
        inputs: None,
        data: offer.data.clone(),
        reasons: vec!["nothing qualified: the placement's fallback".into()],
    });
    Ok(given(offer, env.now))
}
