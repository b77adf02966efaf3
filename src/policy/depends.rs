//! What can change the value of an expression about a customer, beside the passing of time.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::cart;
use crate::policy::expr::{Expr, Function, Node, Root};
use crate::policy::feature::{Feature, Fold, Window};

/// Everything whose change can change a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Depends {
    /// Events of these names.
    pub events: BTreeSet<Arc<str>>,
    /// Any event at all: it looks at the session or the zone.
    pub every: bool,
    /// The traits.
    pub traits: bool,
    /// Who is in these segments.
    pub segments: BTreeSet<Arc<str>>,
}

impl Depends {
    /// Collects what conditions depend on.
    pub fn of(conditions: &[Expr], features: &[Feature]) -> Self {
        let mut depends = Self::default();
        for condition in conditions {
            depends.node(&condition.root, features);
        }
        depends
    }

    /// Adds what something else depends on.
    pub fn add(&mut self, other: &Self) {
        self.events.extend(other.events.iter().cloned());
        self.every |= other.every;
        self.traits |= other.traits;
    }

    fn node(&mut self, node: &Node, features: &[Feature]) {
        match node {
            Node::Member(base, name) if **base == Node::Root(Root::Profile) => self.field(name),
            Node::Feature(idx, _) => {
                if let Some(feature) = features.get(*idx) {
                    self.feature(feature);
                }
            }
            Node::InSegment(name) => drop(self.segments.insert(name.clone())),
            Node::Call(Function::LocalHour | Function::LocalWeekday | Function::LocalMonth, _) => {
                self.every = true;
                self.traits = true;
            }
            Node::Literal(_)
            | Node::Root(_)
            | Node::Member(..)
            | Node::Index(..)
            | Node::Not(_)
            | Node::Negate(_)
            | Node::Binary(..)
            | Node::If(..)
            | Node::List(_)
            | Node::Map(_)
            | Node::Has(_)
            | Node::Each(..)
            | Node::Matches(..)
            | Node::Call(..) => {}
        }
        for part in node.parts() {
            self.node(part, features);
        }
    }

    fn field(&mut self, name: &str) {
        match name {
            "cart" => self.events.extend(cart::EVENTS.map(Arc::from)),
            "session" => self.every = true,
            "id" => {}
            // What is told of a customer may be told in more ways than one.
            _ => self.traits = true,
        }
    }

    fn feature(&mut self, feature: &Feature) {
        self.events.insert(feature.event.clone());
        self.every |= feature.window == Window::Session || matches!(feature.fold, Fold::Dwell);
    }
}
