//! How far events have to be read: what nobody looks at is passed over.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::segment::Depth;
use crate::domain::{cart, consent, contact, outcome, suppression};
use crate::policy::expr::{Expr, Node, Root};
use crate::policy::feature::Feature;
use crate::policy::journey::{Journey, On};
use crate::policy::{Bundle, asked};

/// Events that change what may be sent.
const GUARDS: [&str; 5] = [
    consent::CHANGED,
    suppression::SUPPRESSED,
    suppression::UNSUPPRESSED,
    contact::CONFIRMED,
    contact::FAILED,
];

/// How far somebody looks into events, by their names.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    names: BTreeMap<Arc<str>, Depth>,
    /// How far somebody looks into every event.
    every: Depth,
}

impl Wanted {
    /// Collects what any policy of a bundle looks at.
    pub fn of(bundle: &Bundle) -> Self {
        let mut wanted = Self::default();
        for name in bundle.listeners.by_event.keys() {
            wanted.note(name, Depth::Body);
        }
        for feature in &bundle.features {
            wanted.note(&feature.event, of_feature(feature));
        }
        for journey in bundle.journeys.iter().chain(&bundle.archive.journeys) {
            wanted.journey(journey);
        }
        wanted
    }

    fn journey(&mut self, journey: &Journey) {
        let asked = asked::of_entry(journey).into_iter();
        let depth = of_all(asked.chain(asked::of_run(journey)));
        let goal = journey.goal.iter().map(|goal| &goal.event);
        let exits = journey.exits.iter().filter_map(|exit| exit.event.as_ref());
        let steps = journey.flow.iter().flat_map(|step| step.act.triggers());
        let names = journey.enter.events().into_iter().chain(goal).chain(exits);
        for name in names.chain(steps.map(|trigger| &trigger.event)) {
            self.note(name, depth.max(Depth::Body));
        }
        let anys = journey.exits.iter().filter(|exit| exit.event.is_none());
        self.every = self.every.max(of_all(anys.flat_map(|exit| &exit.when)));
        if let On::Crossing(..) = journey.enter.on {
            // Any event may lead over the edge of a segment.
            self.every = self.every.max(depth);
        }
    }

    fn note(&mut self, name: &Arc<str>, depth: Depth) {
        let known = self.names.entry(name.clone()).or_default();
        *known = depth.max(*known);
    }

    /// Adds what the policies of another bundle look at.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (name, depth) in other.names {
            self.note(&name, depth);
        }
        self.every = self.every.max(other.every);
        self
    }

    /// Adds what is looked into beside the policies: events of a name, or all of them.
    #[must_use]
    pub fn with(mut self, event: Option<&str>) -> Self {
        match event {
            Some(event) => self.note(&event.into(), Depth::Whole),
            None => self.every = Depth::Whole,
        }
        self
    }

    /// Returns how far events of this name are looked into.
    pub fn depth(&self, event: &str) -> Depth {
        let named = self.names.get(event).copied().unwrap_or_default();
        let built_in = cart::Change::may(event)
            || GUARDS.contains(&event)
            || outcome::EVENTS.iter().any(|(name, _)| *name == event);
        let least = if built_in {
            Depth::Body
        } else {
            Depth::Envelope
        };
        named.max(self.every).max(least)
    }
}

fn of_feature(feature: &Feature) -> Depth {
    of_all(feature.filter.iter().chain(feature.fold.of())).max(Depth::Body)
}

fn of_all<'a>(exprs: impl IntoIterator<Item = &'a Expr>) -> Depth {
    let depths = exprs.into_iter().map(|expr| of(&expr.root));
    depths.max().unwrap_or_default()
}

/// Returns how far an expression looks into the event, or into the one that entered.
fn of(node: &Node) -> Depth {
    let is_event = |node: &Node| matches!(node, Node::Root(Root::Event | Root::Entry));
    if let Node::Member(base, name) = node
        && is_event(base)
        && **name != *"context"
    {
        return Depth::Body;
    }
    if is_event(node) {
        return Depth::Whole;
    }
    let depths = node.parts().into_iter().map(of);
    depths.max().unwrap_or_default()
}
