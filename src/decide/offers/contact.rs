//! How often an offer may be given, and how much of it is too much.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::domain::outcome::Kind;
use crate::domain::response::Of;
use crate::domain::{Fact, Timestamp};
use crate::policy::offer::{ContactPolicy, Offer};

/// Returns the contact policy that something falls under, with what it counted and when it lets go.
///
/// - `of`: what the responses are to.
pub fn held(policies: &[ContactPolicy], of: &Of, env: &Env<'_>) -> Option<Arc<str>> {
    let responses = env.profile.responses.of(of);
    policies.iter().find_map(|policy| {
        let until = held_until(policy, responses).filter(|until| *until > env.now)?;
        let (text, place) = (&policy.text, &policy.place);
        Some(format!("{text} [reached, frees at {until}] {place}").into())
    })
}

/// Returns until when a policy holds something back, be it past.
///
/// The last responses that were too many within the time count, unless one that lifts it came since the first of them.
fn held_until(policy: &ContactPolicy, responses: &[(Timestamp, Kind)]) -> Option<Timestamp> {
    let of = |kind: Kind| responses.iter().filter(move |(_, of)| *of == kind);
    let times: Vec<Timestamp> = of(policy.kind).map(|(at, _)| *at).collect();
    let lifted = policy.without.and_then(|kind| of(kind).next_back());
    let n = policy.n as usize;
    let reached = times.windows(n.max(1)).rev().find(|window| {
        let (first, last) = (window[0], window[window.len() - 1]);
        last - policy.per < first
    })?;
    if lifted.is_some_and(|(at, _)| *at >= reached[0]) {
        return None;
    }
    reached.last().map(|last| *last + policy.suppress)
}

/// Returns how often the offer was given, if that is as often as it may be: `1/1, frees at …`.
pub fn capped(offer: &Offer, env: &Env<'_>) -> Option<Arc<str>> {
    let cap = offer.cap?;
    if env.stranger {
        return Some("nobody remembers how often a stranger got it".into());
    }
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
