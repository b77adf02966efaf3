//! Passes over the offers and placements of all files.

use std::collections::BTreeMap;

use crate::policy::bundle::Bundle;
use crate::policy::compile::Desk;
use crate::policy::diagnostic::Source;
use crate::policy::expr::Root;
use crate::policy::learner::Kind;
use crate::policy::offer::{Engagement, Group, Offer, Placement};

/// Warns of everything in the offers and placements that is most likely not meant.
///
/// - `sources`: the files by name.
pub fn catalogue(desk: &mut Desk, bundle: &Bundle, sources: &BTreeMap<&str, &Source>) {
    let source = |file: &str| sources.get(file).map(|source| (*source).clone());
    for placement in bundle.placements.values() {
        desk.source = source(&placement.place.file);
        empty_placement(desk, placement);
        blind_rank(desk, placement);
        idle_smoothing(desk, bundle, placement);
    }
    for group in bundle.groups.values() {
        desk.source = source(&group.place.file);
        lint_group(desk, bundle, group);
    }
    for offer in bundle.offers.values() {
        desk.source = source(&offer.place.file);
        lint_offer(desk, offer);
    }
}

fn empty_placement(desk: &mut Desk, placement: &Placement) {
    if placement.offers.is_empty() {
        let name = &placement.name;
        let message = format!("placement `{name}` has no offers: nothing can be shown there");
        let help = format!("name it in `placements: [{name}]` of an offer, or remove it");
        desk.warn(
            "empty_placement",
            placement.place.span.clone(),
            message,
            help,
        );
    }
}

fn blind_rank(desk: &mut Desk, placement: &Placement) {
    let Some(rank) = &placement.rank else { return };
    if placement.offers.len() > 1
        && !rank.root.uses(&Root::Offer)
        && !rank.root.uses(&Root::Propensity)
    {
        let message = "every offer gets the same rank: it looks at neither `offer` nor `p`";
        let help = "write for example `p * offer.value`";
        desk.warn("blind_rank", rank.place.span.clone(), message, help);
    }
}

/// Where no learner begins there, smoothing changes nothing.
fn idle_smoothing(desk: &mut Desk, bundle: &Bundle, placement: &Placement) {
    if placement.smoothing.is_none() {
        return;
    }
    let learning = &placement.learning;
    let challenger = learning.challenger.as_ref();
    let challenger = challenger.map(|of| &of.placement.learning);
    let mut names = std::iter::once(learning).chain(challenger);
    let begins = names.any(|of| {
        let learner = of.learner.as_ref();
        let learner = learner.and_then(|name| bundle.learners.get(name));
        learner.is_some_and(|learner| !matches!(learner.kind, Kind::Calibrate))
    });
    if !begins {
        let message = "`smoothing` changes nothing: no learner of the placement begins there";
        let help = "name a `learner` of `kind: beta` or `linear`, or remove it";
        let span = learning.places.smoothing.span.clone();
        desk.warn("idle_smoothing", span, message, help);
    }
}

fn stages(desk: &mut Desk, engagement: &Engagement) {
    let stages = [
        &engagement.eligible,
        &engagement.applicable,
        &engagement.suitable,
    ];
    for conditions in stages.into_iter().filter(|stage| stage.len() > 1) {
        super::together(desk, conditions);
    }
}

fn lint_group(desk: &mut Desk, bundle: &Bundle, group: &Group) {
    stages(desk, &group.engagement);
    let mut offers = bundle.offers.values();
    if !offers.any(|offer| offer.groups.contains(&group.name)) {
        let name = &group.name;
        let message = format!("group `{name}` has no offers");
        let help = format!("write `group: {name}` in an offer, or remove it");
        desk.warn("empty_group", group.place.span.clone(), message, help);
    }
}

fn lint_offer(desk: &mut Desk, offer: &Offer) {
    if offer.cap.is_some_and(|cap| cap.n == 0) {
        let message = format!("offer `{}` can never be shown: its cap is 0", offer.id);
        let help = "raise the cap, or remove the offer";
        desk.warn("unreachable", offer.place.span.clone(), message, help);
    }
    if offer
        .budget
        .as_ref()
        .is_some_and(|budget| budget.limit == 0)
    {
        let message = format!("offer `{}` can never be shown: its budget is 0", offer.id);
        let help = "raise the budget, or remove the offer";
        desk.warn("unreachable", offer.place.span.clone(), message, help);
    }
    stages(desk, &offer.engagement);
}
