//! What an event tells of the outcome of offers: what counts, and why the rest does not.

use std::sync::Arc;

use crate::domain::decision::{Decision, Given};
use crate::domain::event::Kind as Call;
use crate::domain::outcome::{ID_BYTES_MAX, Kind, Said, Told, fingerprint};
use crate::domain::response::Of;
use crate::domain::{Event, Fact, Profile, Timestamp, Trace, What};
use crate::policy::Bundle;
use crate::policy::offer::ContactPolicy;

/// The subject of lines about an outcome that names no placement that is known.
const OFFERS: &str = "offers";

/// Learns the outcome that an event tells, if it tells one.
pub fn outcomes(bundle: &Bundle, profile: &Profile, event: &Event, now: Timestamp) -> Vec<Fact> {
    let said = match event.kind {
        Call::Track => Said::read(&event.name, &event.properties),
        Call::Identify | Call::Page | Call::Screen | Call::Group | Call::Alias => None,
    };
    let Some(said) = said else {
        return Vec::new();
    };
    let id = said.decision.as_deref().map(fingerprint);
    let decision = id.and_then(|id| profile.decisions.get(id));
    let mut facts = Vec::new();
    let (subject, what) = if said.is_garbled {
        (OFFERS.into(), garbled(&said))
    } else if let Some(decision) = decision {
        let (told, what) = of_decision(decision, &said, event.at);
        let placement = &decision.placement;
        let count =
            |offer: &Arc<str>| responses(bundle, offer, Some(placement), said.kind, event.at);
        for told in told {
            facts.extend(count(&told.offer));
            facts.push(Fact::Told(told.into()));
        }
        if decision.is_over(event.at) {
            // Whoever says no late has said no all the same.
            let about = sole(decision, &said).filter(|given| !given.has(said.kind));
            facts.extend(about.into_iter().flat_map(|given| count(&given.offer)));
        }
        (placement.clone(), what)
    } else {
        let offer = said.offer.iter();
        facts.extend(offer.flat_map(|offer| responses(bundle, offer, None, said.kind, event.at)));
        (OFFERS.into(), alone(&said))
    };
    facts.push(Fact::Traced(Trace {
        at: now,
        event: Some(event.id.clone()),
        subject,
        instance: 0,
        step: "".into(),
        what,
        times: 1,
    }));
    facts
}

/// Returns what contact policies count of a response: for the offer, for its groups, and for where it was given.
fn responses(
    bundle: &Bundle,
    offer: &Arc<str>,
    placement: Option<&Arc<str>>,
    kind: Kind,
    at: Timestamp,
) -> Vec<Fact> {
    let own = bundle.offer(offer);
    let groups = own.map_or(&[][..], |offer| &offer.groups).iter();
    let groups = groups.filter_map(|name| bundle.group(name));
    let place = placement.and_then(|name| bundle.placement(name));
    let own = own.map(|it| (Of::Offer(it.id.clone()), &it.engagement.contact));
    let groups = groups.map(|it| (Of::Group(it.name.clone()), &it.engagement.contact));
    let place = place.map(|it| (Of::Placement(it.name.clone()), &it.contact));
    let counted = own.into_iter().chain(groups).chain(place);
    let fact = |(of, policies): (Of, &Vec<ContactPolicy>)| {
        let counting = policies.iter().filter(|policy| policy.counts(kind));
        counting.clone().next()?;
        // Whatever the policies of the same thing count must be remembered together.
        let keep = policies.iter().map(ContactPolicy::keep).max()?;
        Some(Fact::Responded(of, kind, at, keep))
    };
    counted.filter_map(fact).collect()
}

/// Returns the one offer of a decision that an outcome can be about.
fn sole<'a>(decision: &'a Decision, said: &Said) -> Option<&'a Given> {
    let mut offers = decision.offers.iter();
    match &said.offer {
        Some(named) => offers.find(|given| given.offer == *named),
        None => offers.next().filter(|_| decision.offers.len() == 1),
    }
}

/// Finds the offers of a remembered decision that an outcome is about.
fn of_decision(decision: &Decision, said: &Said, at: Timestamp) -> (Vec<Told>, What) {
    let not = |code: &str, detail: String| (Vec::new(), What::Untold(code.into(), detail.into()));
    let word = said.kind.word();
    if decision.is_over(at) {
        let (after, within) = (at.since(decision.at), decision.attribution);
        return not(
            "LATE",
            format!(
                "{word} {after} after the decision, {within} count: it counts for contact policies alone"
            ),
        );
    }
    let given = decision.offers.iter().zip(0_u32..);
    let named = |offer: &Arc<str>| said.offer.as_ref().is_none_or(|named| named == offer);
    let about: Vec<_> = given.filter(|(given, _)| named(&given.offer)).collect();
    if let (true, Some(offer)) = (about.is_empty(), &said.offer) {
        return not("NOT_GIVEN", format!("the decision did not give {offer}"));
    }
    if about.len() > 1 && said.kind != Kind::Impression {
        let n = about.len();
        return not(
            "AMBIGUOUS",
            format!("{word} of one of {n} offers: `offer` says which"),
        );
    }
    let fresh: Vec<_> = about
        .into_iter()
        .filter(|(given, _)| !given.has(said.kind))
        .collect();
    if fresh.is_empty() {
        return not("DUPLICATE", format!("the {word} was told before"));
    }
    let told = |(given, slot): &(&Given, u32)| Told {
        decision: decision.id,
        placement: decision.placement.clone(),
        offer: given.offer.clone(),
        slot: *slot,
        kind: said.kind,
        given_at: decision.at,
        at,
    };
    let offers = fresh.iter().map(|(given, _)| given.offer.clone()).collect();
    (
        fresh.iter().map(told).collect(),
        What::Told(word.into(), offers),
    )
}

/// Says what becomes of an outcome of nobody knows what.
fn garbled(said: &Said) -> What {
    let word = said.kind.word();
    What::Untold(
        "UNNAMED".into(),
        format!("{word} of an `offer` that is no text of at most {ID_BYTES_MAX} bytes").into(),
    )
}

/// Says what becomes of an outcome without a decision that is known: it counts for contact policies, if it names an offer.
fn alone(said: &Said) -> What {
    let word = said.kind.word();
    match (&said.decision, &said.offer) {
        (Some(_), Some(offer)) => What::Untold(
            "UNKNOWN_DECISION".into(),
            format!("{word} of {offer}: it counts for contact policies alone").into(),
        ),
        (Some(_), None) => What::Untold("UNKNOWN_DECISION".into(), word.into()),
        (None, Some(offer)) => What::Told(word.into(), vec![offer.clone()]),
        (None, None) => What::Untold(
            "UNNAMED".into(),
            format!("{word} without `decision_id` and `offer`").into(),
        ),
    }
}
