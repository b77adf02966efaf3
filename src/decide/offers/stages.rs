//! The stages that a candidate must pass before it is ranked: eligible, applicable, suitable, and not too much of it.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::explain::first_not_true;
use crate::decide::offers::contact::{capped, held};
use crate::decide::offers::explain::lost;
use crate::decide::offers::gate::Gate;
use crate::domain::response::Of;
use crate::domain::{Loser, Reason, Zone};
use crate::policy::offer::{Date, Engagement, Offer};

/// Counts stages, from 0.
pub type Stage = usize;

/// How many stages there are.
pub const STAGES: Stage = 4;

/// A stage that was not passed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which one.
    pub stage: Stage,
    /// Its reason code.
    pub reason: Reason,
    /// The rule and the value that failed.
    pub detail: Arc<str>,
}

/// An offer that passed every stage.
pub struct Passed<'a> {
    /// The offer.
    pub offer: &'a Offer,
    /// Its levers in percent.
    pub levers: f64,
    /// The place of its group among those that are filled in order.
    pub order: usize,
}

/// Lets an offer through all stages, or says where it fell.
pub fn pass<'a>(gate: &mut Gate<'a>, offer: &'a Offer, env: &Env<'a>) -> Result<Passed<'a>, Loser> {
    if let Some((reason, detail)) = gate.bars(offer) {
        return Err(lost(offer, reason, detail));
    }
    let env = Env {
        offer: Some((offer, None)),
        ..*env
    };
    let standing = gate.standing(offer);
    // Of the group's and the offer's the earlier stage is the reason.
    let upto = standing
        .as_ref()
        .map_or_else(|failed| failed.stage, |_| STAGES);
    let of = || Of::Offer(offer.id.clone());
    let own = first_failure(&offer.engagement, of, upto, &env);
    let failed = own.or_else(|| standing.as_ref().err().cloned());
    if let Some(Failure { reason, detail, .. }) = failed {
        return Err(lost(offer, reason, detail));
    }
    if let Some(detail) = capped(offer, &env) {
        return Err(lost(offer, Reason::Cap, detail));
    }
    let (levers, order) = standing.unwrap_or((0.0, 0));
    Ok(Passed {
        offer,
        levers,
        order,
    })
}

/// Returns the first stage, of those before `upto`, that is not passed.
///
/// - `of`: what contact policies count.
pub fn first_failure(
    engagement: &Engagement,
    of: impl Fn() -> Of,
    upto: Stage,
    env: &Env<'_>,
) -> Option<Failure> {
    (0..upto).find_map(|stage| {
        let (reason, detail) = match stage {
            0 => {
                let over = dates(engagement, env);
                let failed = over.or_else(|| first_not_true(&engagement.eligible, env));
                (Reason::Ineligible, failed)
            }
            1 => (
                Reason::NotApplicable,
                first_not_true(&engagement.applicable, env),
            ),
            2 => (
                Reason::Unsuitable,
                first_not_true(&engagement.suitable, env),
            ),
            _ if engagement.contact.is_empty() => (Reason::ContactLimit, None),
            _ => (Reason::ContactLimit, held(&engagement.contact, &of(), env)),
        };
        detail.map(|detail| Failure {
            stage,
            reason,
            detail,
        })
    })
}

/// Returns what of the time, not of the customer, keeps something back: its dates, or its contact policies.
pub fn timely(engagement: &Engagement, of: &Of, env: &Env<'_>) -> Option<(Reason, Arc<str>)> {
    if let Some(detail) = dates(engagement, env) {
        return Some((Reason::Ineligible, detail));
    }
    let detail = held(&engagement.contact, of, env)?;
    Some((Reason::ContactLimit, detail))
}

/// Says why it is not the time.
pub fn dates(engagement: &Engagement, env: &Env<'_>) -> Option<Arc<str>> {
    if let Some(from) = engagement.from.as_ref().filter(|from| !is_past(from, env)) {
        return Some(format!("from {} [now {}]", from.text, env.now).into());
    }
    let until = engagement
        .until
        .as_ref()
        .filter(|until| is_past(until, env))?;
    Some(format!("until {} [now {}]", until.text, env.now).into())
}

/// Tells if a moment is past, on the clocks of the customer; the zone is looked up only where it matters.
fn is_past(date: &Date, env: &Env<'_>) -> bool {
    let surely =
        date.absolute || env.now >= date.utc + Date::ZONES || env.now < date.utc - Date::ZONES;
    if surely {
        return env.now >= date.utc;
    }
    let zone = Zone::of(env.profile, &env.bundle.zone).zone;
    let at = zone.read(&date.shown).unwrap_or(date.utc);
    env.now >= at
}
