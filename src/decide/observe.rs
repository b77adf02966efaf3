//! What the profile learns of an event itself.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::learn::lesson;
use crate::decide::room::{Traits, too_long};
use crate::decide::step::Effects;
use crate::decide::{features, outcomes};
use crate::domain::contact::Delivery;
use crate::domain::event::Kind;
use crate::domain::suppression::{Scope, Suppression};
use crate::domain::zone::NAME_BYTES_MAX;
use crate::domain::{Event, Fact, Profile, Timestamp, Value, cart, consent, name, suppression};
use crate::policy::Bundle;

/// Learns an event: its id, traits, features and the cart.
pub fn observe(bundle: &Bundle, profile: &Profile, event: &Event, now: Timestamp) -> Effects {
    let mut facts = vec![Fact::Now(now), Fact::Seen(event.id.fingerprint(), event.at)];
    traits(profile, event, now, &mut facts);
    zone(profile, event, &mut facts);
    facts.extend(guarded(event));
    facts.extend(outcomes::outcomes(bundle, profile, event, now));
    if let Some(change) = cart::Change::of(&event.name, &event.properties) {
        let currency = event
            .properties
            .get("currency")
            .and_then(Value::as_str)
            .map(Arc::from);
        facts.push(Fact::Cart(change, currency, event.at));
    }
    let env = Env {
        event: Some(event),
        ..Env::new(bundle, profile, now)
    };
    let mut unkept = Vec::new();
    for feature in concerned(bundle, &event.name) {
        let feature = &bundle.features[feature];
        if let Some(change) = features::change(feature, event, &env) {
            if features::is_too_long(feature, &change, profile) {
                unkept.push(features::called(feature));
            }
            facts.push(Fact::Folded(feature.id, change));
        }
    }
    facts.extend(too_long(&unkept, event, now));
    let updates = lesson::updates(bundle, profile, &facts);
    Effects {
        facts,
        updates,
        ..Effects::default()
    }
}

/// Learns what changes the guards of a send: consent, suppression, the feedback of channels.
fn guarded(event: &Event) -> Vec<Fact> {
    let said = |said: Vec<_>| said.into_iter().map(Fact::Consented).collect();
    let properties = &event.properties;
    match (event.kind, event.name.as_ref()) {
        (Kind::Identify, _) => {
            let consent = event.traits.get("consent");
            consent.map_or_else(Vec::new, |of| said(consent::of_trait(of, event.at)))
        }
        (Kind::Track, consent::CHANGED) => said(consent::of_event(properties, event.at)),
        (Kind::Track, suppression::SUPPRESSED) => {
            let entry = Suppression::read(properties, event.at);
            vec![Fact::Suppressed(entry)]
        }
        (Kind::Track, suppression::UNSUPPRESSED) => {
            vec![Fact::Unsuppressed(Scope::read(properties), event.at)]
        }
        (Kind::Track, name) => {
            let delivery = Delivery::read(name, properties).map(Fact::Delivered);
            delivery.into_iter().collect()
        }
        (Kind::Page | Kind::Screen | Kind::Group | Kind::Alias, _) => Vec::new(),
    }
}

/// Indexes of the features that an event of this name may change, each once.
fn concerned<'a>(bundle: &'a Bundle, event: &str) -> impl Iterator<Item = usize> + 'a {
    let listens = bundle.listens(event);
    let every = bundle.listeners.every.iter().copied();
    let own = listens
        .map_or(&[][..], |listens| &listens.features)
        .iter()
        .copied();
    every.chain(own.filter(|idx| !bundle.listeners.every.contains(idx)))
}

fn traits(profile: &Profile, event: &Event, now: Timestamp, facts: &mut Vec<Fact>) {
    if event.kind != Kind::Identify {
        return;
    }
    let told = event.traits.as_map().into_iter();
    let told = told.flat_map(crate::domain::Map::iter);
    // Consent has a place of its own.
    let told = told.filter(|(name, _)| *name != "consent");
    let traits = Traits::of(
        profile,
        told.map(|(name, value)| (trait_name(name), value.clone())),
    );
    let line = traits.line(event, now);
    facts.extend(traits.facts);
    facts.extend(line);
}

/// A dotted name would be read as a path; the trait is kept under a name that is none.
fn trait_name(name: &str) -> Arc<str> {
    if name.contains('.') {
        name::shared(&name.replace('.', "_"))
    } else {
        name::shared(name)
    }
}

/// Remembers where the device is, for customers who told no zone.
fn zone(profile: &Profile, event: &Event, facts: &mut Vec<Fact>) {
    let name = event.context.get("timezone").and_then(Value::as_str);
    let Some(name) = name.filter(|name| name.len() <= NAME_BYTES_MAX) else {
        return;
    };
    if profile.zone.as_deref() != Some(name) {
        facts.push(Fact::Zone(name.into()));
    }
}
