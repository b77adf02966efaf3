//! Which conditions can be true: a condition as cases, each a demand on every value it looks at.

use std::collections::BTreeMap;

use crate::domain::Value;
use crate::policy::expr::{Function, Node, Op, Root};
use crate::policy::lint::demand::Demand;

/// The most cases that are looked at; a condition with more is taken as it is.
const CASES_MAX: usize = 64;

/// What is known about a condition without a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It depends.
    Open,
    /// It is true whenever what it looks at is known.
    AlwaysTrue,
    /// It is never true.
    NeverTrue,
}

/// Tells if a feature counts something: its value is never below 0.
type Counts<'a> = &'a dyn Fn(usize) -> bool;

/// The demands of one case, by what they are on.
type Case = BTreeMap<String, Demand>;

/// Judges conditions that must all be true.
pub fn verdict(nodes: &[&Node], counts: Counts<'_>) -> Verdict {
    if all(nodes, counts).is_some_and(|cases| cases.is_empty()) {
        return Verdict::NeverTrue;
    }
    let fails = |node: &&Node| cases(node, true, counts).is_some_and(|cases| cases.is_empty());
    if !nodes.is_empty() && nodes.iter().all(fails) {
        return Verdict::AlwaysTrue;
    }
    Verdict::Open
}

/// Tells if the second condition is true wherever the first ones are.
pub fn implies(nodes: &[&Node], other: &Node, counts: Counts<'_>) -> bool {
    let (Some(mine), Some(theirs)) = (all(nodes, counts), cases(other, false, counts)) else {
        return false;
    };
    let within = |case: &Case| theirs.iter().any(|wider| is_within(case, wider));
    !mine.is_empty() && mine.iter().all(within)
}

/// A case lies within a wider one if it demands at least as much of every value that the wider one looks at.
fn is_within(case: &Case, wider: &Case) -> bool {
    let holds =
        |(on, demand): (&String, &Demand)| case.get(on).is_some_and(|own| own.implies(demand));
    wider.iter().all(holds)
}

fn all(nodes: &[&Node], counts: Counts<'_>) -> Option<Vec<Case>> {
    let start = Some(vec![Case::new()]);
    nodes.iter().fold(start, |before, node| {
        both(&before?, &cases(node, false, counts)?)
    })
}

/// Returns the cases in which a condition is true, or with `negated` false; `None` if there are too many.
fn cases(node: &Node, negated: bool, counts: Counts<'_>) -> Option<Vec<Case>> {
    match node {
        Node::Not(inner) => cases(inner, !negated, counts),
        Node::Literal(Value::Bool(value)) => {
            let holds = *value != negated;
            Some(if holds { vec![Case::new()] } else { Vec::new() })
        }
        Node::Binary(op @ (Op::And | Op::Or), left, right) => {
            let left = cases(left, negated, counts)?;
            let right = cases(right, negated, counts)?;
            if (*op == Op::And) == negated {
                Some([left, right].concat()).filter(|all| all.len() <= CASES_MAX)
            } else {
                both(&left, &right)
            }
        }
        Node::Binary(op, left, right) => Some(compared(node, *op, left, right, negated, counts)),
        Node::Literal(_)
        | Node::Root(_)
        | Node::Member(..)
        | Node::Index(..)
        | Node::Negate(_)
        | Node::If(..)
        | Node::List(_)
        | Node::Map(_)
        | Node::Has(_)
        | Node::Matches(..)
        | Node::Each(..)
        | Node::Call(..)
        | Node::Feature(..)
        | Node::InSegment(_) => Some(opaque(node, negated)),
    }
}

/// A comparison with constants.
fn compared(
    node: &Node,
    op: Op,
    left: &Node,
    right: &Node,
    negated: bool,
    counts: Counts<'_>,
) -> Vec<Case> {
    let (on, op, constant) = match (left, right) {
        (Node::Literal(_), Node::Literal(_)) => return opaque(node, negated),
        (on, Node::Literal(value)) => (on, op, vec![value.clone()]),
        (Node::Literal(value), on) if op != Op::In => (on, mirrored(op), vec![value.clone()]),
        (on, Node::List(items)) if op == Op::In => {
            let Some(values) = constants(items) else {
                return opaque(node, negated);
            };
            (on, op, values)
        }
        _ => return opaque(node, negated),
    };
    let demand = match (op, constant.as_slice()) {
        (Op::Eq | Op::In, _) => Some(Demand::one_of(constant, negated)),
        (Op::Ne, _) => Some(Demand::one_of(constant, !negated)),
        (op, [Value::Number(number)]) if negated => Demand::compared(opposite(op), *number),
        (op, [Value::Number(number)]) => Demand::compared(op, *number),
        _ => None,
    };
    let Some(demand) = demand else {
        return opaque(node, negated);
    };
    one(on.to_string(), demand.and(&natural(on, counts)))
}

/// Anything else: it is true or it is not.
fn opaque(node: &Node, negated: bool) -> Vec<Case> {
    let demand = Demand::one_of(vec![Value::Bool(!negated)], false);
    one(node.to_string(), demand)
}

fn one(on: String, demand: Demand) -> Vec<Case> {
    if demand.is_empty() {
        return Vec::new();
    }
    vec![Case::from([(on, demand)])]
}

/// Every case of one with every case of the other, without those that nothing fits.
fn both(left: &[Case], right: &[Case]) -> Option<Vec<Case>> {
    let mut found = Vec::new();
    for case in left {
        let joined = right.iter().filter_map(|other| join(case, other));
        found.extend(joined);
        if found.len() > CASES_MAX {
            return None;
        }
    }
    Some(found)
}

fn join(case: &Case, other: &Case) -> Option<Case> {
    let mut joined = case.clone();
    for (on, demand) in other {
        let own = joined.entry(on.clone()).or_default();
        *own = std::mem::take(own).and(demand);
        if own.is_empty() {
            return None;
        }
    }
    Some(joined)
}

/// What a value can be at all.
fn natural(node: &Node, counts: Counts<'_>) -> Demand {
    let bounds = if let Node::Call(function, _) = node {
        range(*function)
    } else if let Node::Feature(idx, _) = node {
        counts(*idx).then_some((0.0, f64::INFINITY))
    } else {
        (*node == Node::Root(Root::Propensity)).then_some((0.0, 1.0))
    };
    bounds.map_or_else(Demand::default, |(low, high)| Demand::within(low, high))
}

/// The lowest and the highest number that a function answers.
fn range(function: Function) -> Option<(f64, f64)> {
    match function {
        Function::LocalHour => Some((0.0, 23.0)),
        Function::LocalWeekday => Some((1.0, 7.0)),
        Function::LocalMonth => Some((1.0, 12.0)),
        Function::Size | Function::Abs => Some((0.0, f64::INFINITY)),
        Function::StartsWith
        | Function::EndsWith
        | Function::Contains
        | Function::Lower
        | Function::Duration
        | Function::Timestamp
        | Function::Now
        | Function::Ago
        | Function::Min
        | Function::Max
        | Function::Int
        | Function::Double
        | Function::Text => None,
    }
}

fn constants(items: &[Node]) -> Option<Vec<Value>> {
    items.iter().map(constant).collect()
}

fn constant(node: &Node) -> Option<Value> {
    if let Node::Literal(value) = node {
        Some(value.clone())
    } else {
        None
    }
}

/// The operator with its sides swapped.
fn mirrored(op: Op) -> Op {
    match op {
        Op::Lt => Op::Gt,
        Op::Le => Op::Ge,
        Op::Gt => Op::Lt,
        Op::Ge => Op::Le,
        Op::Or
        | Op::And
        | Op::Eq
        | Op::Ne
        | Op::In
        | Op::Add
        | Op::Sub
        | Op::Mul
        | Op::Div
        | Op::Rem => op,
    }
}

/// The operator that is true where this one is false.
fn opposite(op: Op) -> Op {
    match op {
        Op::Lt => Op::Ge,
        Op::Le => Op::Gt,
        Op::Gt => Op::Le,
        Op::Ge => Op::Lt,
        Op::Eq => Op::Ne,
        Op::Ne => Op::Eq,
        Op::Or | Op::And | Op::In | Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Rem => op,
    }
}
