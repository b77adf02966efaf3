//! A pass over the marketing sends of all journeys: somebody has to ask whether the customer wants them.

use std::collections::BTreeMap;

use crate::policy::bundle::Bundle;
use crate::policy::compile::Desk;
use crate::policy::diagnostic::Source;
use crate::policy::expr::{Expr, Node, Root};
use crate::policy::journey::{Act, Class, Journey, On, Send};

/// Warns of marketing on a channel that asks for no consent and does not say why, where the journey asks for none either.
///
/// - `sources`: the files by name.
pub fn consent(desk: &mut Desk, bundle: &Bundle, sources: &BTreeMap<&str, &Source>) {
    for journey in &bundle.journeys {
        if asks(bundle, journey) {
            continue;
        }
        desk.source = sources.get(journey.place.file.as_ref()).copied().cloned();
        for step in &journey.flow {
            let Act::Send(send) = &step.act else { continue };
            if !is_open(bundle, journey, send) {
                continue;
            }
            let channel = &send.channel;
            let message = format!(
                "nobody asks whether the customer wants this: channel `{channel}` says `consent: not_required`"
            );
            let help = format!(
                "add `profile.consent.{channel} == 'granted'` to `where` of the entry, or say in `about` of the channel who asks"
            );
            desk.warn("unguarded_send", step.place.span.clone(), message, help);
        }
    }
}

fn is_open(bundle: &Bundle, journey: &Journey, send: &Send) -> bool {
    let channel = bundle.limits.channel(&send.channel);
    let class = send.class.unwrap_or(journey.class);
    class == Class::Marketing && !channel.asks_consent && channel.about.is_none()
}

/// Tells if any condition of a journey looks at consent.
fn asks(bundle: &Bundle, journey: &Journey) -> bool {
    let entry = journey.enter.filter.iter().chain(&journey.enter.unless);
    let exits = journey.exits.iter().flat_map(|exit| &exit.when);
    let arms = journey.flow.iter().flat_map(|step| match &step.act {
        Act::Branch { arms, .. } => arms.as_slice(),
        Act::Wait(_)
        | Act::HoldUntil { .. }
        | Act::Score { .. }
        | Act::Offer { .. }
        | Act::Send(_)
        | Act::WaitFor { .. }
        | Act::Split { .. }
        | Act::Set(_)
        | Act::Stop { .. } => &[],
    });
    let segment = match &journey.enter.on {
        On::Crossing(segment, _) => Some(segment),
        On::Schedule(schedule) => schedule.members.as_ref(),
        On::Event(_) | On::Absence(_) => None,
    };
    let conditions = entry.chain(exits).chain(arms.map(|(when, _)| when));
    segment.is_some_and(|name| segment_asks(bundle, name))
        || conditions.into_iter().any(|of| looks(bundle, of))
}

fn segment_asks(bundle: &Bundle, name: &str) -> bool {
    let segment = bundle.segment(name);
    segment.is_some_and(|(_, segment)| segment.when.iter().any(|of| looks(bundle, of)))
}

fn looks(bundle: &Bundle, of: &Expr) -> bool {
    of.root.any(&|node| match node {
        Node::Member(inner, name) => {
            name.as_ref() == "consent" && matches!(**inner, Node::Root(Root::Profile))
        }
        Node::InSegment(name) => segment_asks(bundle, name),
        Node::Literal(_)
        | Node::Root(_)
        | Node::Index(..)
        | Node::Not(_)
        | Node::Negate(_)
        | Node::Binary(..)
        | Node::If(..)
        | Node::List(_)
        | Node::Map(_)
        | Node::Has(_)
        | Node::Matches(..)
        | Node::Each(..)
        | Node::Call(..)
        | Node::Feature(..) => false,
    })
}
