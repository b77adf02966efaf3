//! How often an offer may be given.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::domain::{Fact, Timestamp};
use crate::policy::offer::Offer;

/// Returns how often the offer was given, if that is as often as it may be: `1/1, frees at …`.
pub fn capped(offer: &Offer, env: &Env<'_>) -> Option<Arc<str>> {
    let cap = offer.cap?;
    let edge = env.now - cap.per;
    let times = env
        .profile
        .given
        .get(&offer.id)
        .map_or(&[][..], Vec::as_slice);
    let inside: Vec<_> = times.iter().filter(|time| **time > edge).collect();
    if inside.len() < cap.n as usize {
        return None;
    }
    let free = inside
        .len()
        .checked_sub(cap.n as usize)
        .and_then(|idx| inside.get(idx));
    let frees_at = free.map_or_else(|| "never".into(), |time| (**time + cap.per).to_string());
    Some(
        format!(
            "{}/{} per {}, frees at {frees_at}",
            inside.len(),
            cap.n,
            cap.per
        )
        .into(),
    )
}

/// Returns what the profile learns when the offer is given.
pub fn given(offer: &Offer, now: Timestamp) -> Option<Fact> {
    offer
        .cap
        .map(|cap| Fact::Given(offer.id.clone(), now, cap.per))
}
