//! What is given when nothing qualifies.

use crate::decide::env::Env;
use crate::domain::{Answer, Choice};
use crate::policy::offer::Placement;

/// Puts the placement's fallback into the answer.
pub fn fall_back(placement: &Placement, env: &Env<'_>, answer: &mut Answer) {
    let Some(offer) = &placement.fallback else {
        return;
    };
    answer.fallback = true;
    answer.offers.push(Choice {
        offer: offer.clone(),
        propensity: None,
        priority: None,
        data: env
            .bundle
            .offers
            .get(offer)
            .map(|offer| offer.data.clone())
            .unwrap_or_default(),
        reasons: vec!["nothing qualified: the placement's fallback".into()],
    });
}
