//! What holds for every candidate of a decision, asked once: the channel of the placement, its contact policies, the groups.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::guards::{Permit, permit};
use crate::decide::offers::contact::held;
use crate::decide::offers::stages::{Failure, STAGES, first_failure, timely};
use crate::domain::Reason;
use crate::domain::response::Of;
use crate::policy::offer::{Group, Offer, Placement};

/// The verdicts that candidates share.
pub struct Gate<'a> {
    placement: &'a Placement,
    env: Env<'a>,
    /// What keeps everything out.
    closed: Option<(Reason, Arc<str>)>,
    /// By purpose: what consent is missing.
    consents: BTreeMap<&'a str, Option<Arc<str>>>,
    /// By group: the first stage that it fails.
    groups: BTreeMap<&'a str, Option<Failure>>,
}

impl<'a> Gate<'a> {
    /// Asks what holds for the whole placement.
    pub fn new(placement: &'a Placement, env: &Env<'a>) -> Self {
        Self {
            placement,
            env: *env,
            closed: closed(placement, env),
            consents: BTreeMap::new(),
            groups: BTreeMap::new(),
        }
    }

    /// Returns what keeps every offer out: suppression, or fatigue of the whole placement.
    pub const fn closed(&self) -> Option<&(Reason, Arc<str>)> {
        self.closed.as_ref()
    }

    /// Returns what keeps an offer out whatever else it has: suppression, fatigue of the whole placement, consent.
    pub fn bars(&mut self, offer: &'a Offer) -> Option<(Reason, Arc<str>)> {
        if let Some(closed) = &self.closed {
            return Some(closed.clone());
        }
        let channel = self.placement.channel.as_deref()?;
        let own = offer
            .purpose
            .as_deref()
            .or(self.placement.purpose.as_deref());
        let purpose = own.unwrap_or(crate::domain::consent::MARKETING);
        let env = &self.env;
        let missing = self.consents.entry(purpose).or_insert_with(|| {
            let missing = permit(env, channel, purpose);
            missing.map(|Permit { purpose, status }| {
                format!("profile.consent.{channel}.{purpose} [{status}]").into()
            })
        });
        let detail = missing.clone()?;
        Some((Reason::NoConsent, detail))
    }

    /// Returns the first stage that a group fails.
    pub fn group(&mut self, name: &'a str) -> Option<Failure> {
        let env = &self.env;
        let verdict = self.groups.entry(name).or_insert_with(|| {
            let group = env.bundle.group(name)?;
            let of = || Of::Group(group.name.clone());
            let failure = first_failure(&group.engagement, of, STAGES, env)?;
            let detail = format!("group {name}: {}", failure.detail).into();
            Some(Failure { detail, ..failure })
        });
        verdict.clone()
    }

    /// Returns what of the time keeps every group of an offer back: their dates, or their contact policies.
    pub fn untimely(&self, offer: &Offer) -> Option<(Reason, Arc<str>)> {
        let groups = offer.groups.iter();
        let mut groups = groups.filter_map(|name| self.env.bundle.group(name));
        let first = groups.next()?;
        let of = |group: &Group| {
            let (reason, detail) =
                timely(&group.engagement, &Of::Group(group.name.clone()), &self.env)?;
            Some((reason, format!("group {}: {detail}", group.name).into()))
        };
        let barred = of(first)?;
        groups.all(|group| of(group).is_some()).then_some(barred)
    }

    /// Returns how strong the levers of an offer are, in percent, and which place it has among the ordered groups; or the
    /// first stage that all its groups fail.
    ///
    /// Of several groups that let it pass the strongest lever and the first place count.
    pub fn standing(&mut self, offer: &'a Offer) -> Result<(f64, usize), Failure> {
        let last = self.placement.groups.len();
        if offer.groups.is_empty() {
            return Ok((offer.weight, last));
        }
        let (mut weight, mut place, mut failure) = (None::<f64>, last, None);
        for name in &offer.groups {
            if let Some(failed) = self.group(name) {
                failure.get_or_insert(failed);
                continue;
            }
            let own = self
                .env
                .bundle
                .group(name)
                .map_or(0.0, |group| group.weight);
            weight = Some(weight.map_or(own, |known| known.max(own)));
            let mut ordered = self.placement.groups.iter();
            place = place.min(ordered.position(|group| group == name).unwrap_or(last));
        }
        match (weight, failure) {
            (None, Some(failure)) => Err(failure),
            (weight, _) => Ok((offer.weight + weight.unwrap_or(0.0), place)),
        }
    }
}

fn closed(placement: &Placement, env: &Env<'_>) -> Option<(Reason, Arc<str>)> {
    if let Some(channel) = placement.channel.as_deref()
        && let Some(detail) = crate::decide::guards::barred(env, channel)
    {
        return Some((Reason::Suppressed, detail));
    }
    if placement.contact.is_empty() {
        return None;
    }
    let of = Of::Placement(placement.name.clone());
    let detail = held(&placement.contact, &of, env)?;
    let detail = format!("placement {}: {detail}", placement.name);
    Some((Reason::ContactLimit, detail.into()))
}
