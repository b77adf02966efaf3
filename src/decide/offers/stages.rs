//! The rules that an offer must pass before it is ranked.

use crate::decide::env::Env;
use crate::decide::explain::first_not_true;
use crate::decide::offers::contact::capped;
use crate::decide::offers::explain::lost;
use crate::domain::{Loser, Reason};
use crate::policy::offer::{Offer, Placement};

/// Returns the offers that pass every rule; the others lose.
pub fn eligible<'a>(
    placement: &Placement,
    env: &Env<'a>,
    losers: &mut Vec<Loser>,
) -> Vec<&'a Offer> {
    let mut eligible = Vec::with_capacity(placement.offers.len());
    for offer in placement
        .offers
        .iter()
        .filter_map(|id| env.bundle.offer(id))
    {
        let env = Env {
            offer: Some((offer, None)),
            ..*env
        };
        if let Some(detail) = first_not_true(&offer.when, &env) {
            losers.push(lost(offer, Reason::Ineligible, detail));
        } else if let Some(detail) = capped(offer, &env) {
            losers.push(lost(offer, Reason::Cap, detail));
        } else {
            eligible.push(offer);
        }
    }
    eligible
}
