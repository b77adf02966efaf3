//! Documents of many things by name: offers, groups and placements; limits and channels stand beside them.

use std::sync::Arc;

use crate::policy::bundle::Bundle;
use crate::policy::compile::Names;
use crate::policy::compile::desk::Desk;
use crate::policy::compile::group::group;
use crate::policy::compile::offer::offer;
use crate::policy::compile::placement::placement;
use crate::policy::compile::{learner, learning, limits};
use crate::policy::eligibility::Index;
use crate::policy::yaml::Yaml;

/// The keys of such a document.
pub const KEYS: [&str; 8] = [
    "features",
    "learners",
    "segments",
    "offers",
    "groups",
    "placements",
    "limits",
    "channels",
];

/// Compiles the offers, groups and placements of a document into the bundle; its features are compiled already.
pub fn compile(desk: &mut Desk, names: &Names, root: &Yaml, bundle: &mut Bundle) {
    if desk.fields(root, "the document", &KEYS, &[]).is_none() {
        return;
    }
    limits::compile(desk, names, root, &mut bundle.limits);
    let learners = section(desk, root, "learners");
    learner::compile_all(desk, learners, bundle);
    for (key, node) in section(desk, root, "placements") {
        let placement = placement(desk, names, key, node);
        bundle
            .placements
            .extend(placement.map(|placement| (placement.name.clone(), placement)));
    }
    for (key, node) in section(desk, root, "groups") {
        let group = group(desk, key, node);
        bundle
            .groups
            .extend(group.map(|group| (group.name.clone(), group)));
    }
    for (key, node) in section(desk, root, "offers") {
        let offer = offer(desk, names, key, node);
        bundle
            .offers
            .extend(offer.map(|offer| (offer.id.clone(), Arc::new(offer))));
    }
}

/// Tells every placement its offers.
pub fn link(bundle: &mut Bundle) {
    for placement in bundle.placements.values_mut() {
        let offers = bundle.offers.values();
        placement.offers = offers
            .filter(|offer| offer.placements.contains(&placement.name))
            .cloned()
            .collect();
        let offers = placement.offers.iter();
        placement.index = Index::of(offers.map(|offer| offer.engagement.eligible.as_slice()));
        learning::link(placement);
    }
}

fn section<'y>(desk: &mut Desk, root: &'y Yaml, key: &str) -> &'y [(Yaml, Yaml)] {
    let Some((_, node)) = root.entry(key).filter(|(_, node)| !node.is_nothing()) else {
        return &[];
    };
    let Some(entries) = node.entries() else {
        desk.wrong_type(
            node,
            &format!("`{key}` is a map by name"),
            &format!("write `{key}: {{NAME: {{..}}}}`"),
        );
        return &[];
    };
    entries
}
