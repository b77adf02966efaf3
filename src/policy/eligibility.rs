//! An index over the offers of a placement: what a customer cannot have for one value is not looked at one by one.
//!
//! It is made of conditions of the form `PATH == CONSTANT` and `in_segment(NAME)` that must be true for an offer: the value
//! behind the path is asked once, and picks the offers that wait for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::Value;
use crate::policy::expr::{Expr, Node, Op, Root};

/// With fewer offers each one is asked, and has a reason of its own.
pub const OFFERS_MIN: usize = 64;

/// The offers of a placement by what they wait for; positions in its list of offers.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// What decides about many.
    pub keys: Vec<Key>,
    /// Offers that wait for nothing of this kind.
    pub rest: Vec<usize>,
}

/// A value that offers wait for.
#[derive(Clone, Debug)]
pub struct Key {
    /// How the value is found.
    pub of: Node,
    /// The same as text.
    pub text: Arc<str>,
    /// The offers by the value that they wait for, as [`mark`] writes it.
    pub offers: BTreeMap<String, Vec<usize>>,
    /// How many offers wait for any value.
    pub n: usize,
}

impl Index {
    /// Makes the index of offers, each given by the conditions that must be true; `None`: it is not worth it.
    pub fn of<'a>(offers: impl Iterator<Item = &'a [Expr]>) -> Option<Self> {
        let mut keys: BTreeMap<Arc<str>, Key> = BTreeMap::new();
        let mut rest = Vec::new();
        let mut n = 0;
        for (idx, conditions) in offers.enumerate() {
            n += 1;
            let mut waits = conditions.iter().filter_map(|of| awaited(&of.root));
            let Some((of, value)) = waits.next() else {
                rest.push(idx);
                continue;
            };
            let text: Arc<str> = of.to_string().into();
            let key = keys.entry(text.clone()).or_insert_with(|| Key {
                of: of.clone(),
                text,
                offers: BTreeMap::new(),
                n: 0,
            });
            key.offers.entry(mark(&value)).or_default().push(idx);
            key.n += 1;
        }
        let keys = keys.into_values().collect();
        (n >= OFFERS_MIN && rest.len() < n).then_some(Self { keys, rest })
    }
}

/// Writes a value so that equal ones, and no others, are equal texts.
pub fn mark(value: &Value) -> String {
    match value {
        // There are two zeros, and they are equal.
        Value::Number(number) => Value::Number(number + 0.0).to_string(),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
            value.to_string()
        }
    }
}

/// Finds a value that must be there for a condition to be true, and which one.
fn awaited(condition: &Node) -> Option<(&Node, Value)> {
    if let Node::InSegment(_) = condition {
        return Some((condition, Value::Bool(true)));
    }
    if let Node::Binary(Op::And, left, right) = condition {
        return awaited(left).or_else(|| awaited(right));
    }
    let Node::Binary(Op::Eq, left, right) = condition else {
        return None;
    };
    constant(left, right).or_else(|| constant(right, left))
}

fn constant<'n>(path: &'n Node, value: &Node) -> Option<(&'n Node, Value)> {
    let Node::Literal(value @ (Value::Bool(_) | Value::Number(_) | Value::Text(_))) = value else {
        return None;
    };
    is_path(path).then(|| (path, value.clone()))
}

/// Tells if it is a path into what is the same for every offer.
fn is_path(node: &Node) -> bool {
    let Node::Member(inner, _) = node else {
        return false;
    };
    if let Node::Root(root) = &**inner {
        return matches!(root, Root::Profile | Root::Context);
    }
    is_path(inner)
}
