//! Evaluates expressions; what is missing or of the wrong type is unknown.

use std::borrow::Cow;
use std::sync::Arc;

use crate::decide::env::{Env, Scope};
use crate::decide::{features, function};
use crate::domain::consent::{Consent, MARKETING};
use crate::domain::{Event, Map, Value};
use crate::policy::expr::{Each, Node, Op, Root};

/// A value, borrowed where it lies in the profile or the event; `None` is unknown.
pub type Known<'a> = Option<Cow<'a, Value>>;

/// Evaluates a node. Never fails: `None` is *unknown*.
pub fn eval<'a>(node: &'a Node, env: &Env<'a>) -> Known<'a> {
    match node {
        Node::Literal(Value::Null) => None,
        Node::Literal(value) => Some(Cow::Borrowed(value)),
        Node::Root(root) => path(root, &[], env),
        Node::Member(inner, name) => member(inner, name, env),
        Node::Index(list, idx) => index(eval(list, env)?, &*eval(idx, env)?),
        Node::Not(inner) => truth(inner, env).map(|value| owned(Value::Bool(!value))),
        Node::Negate(inner) => number(eval(inner, env)?.as_f64().map(|x| -x)),
        Node::Binary(Op::And, left, right) => and(truth(left, env), || truth(right, env)),
        Node::Binary(Op::Or, left, right) => or(truth(left, env), || truth(right, env)),
        Node::Binary(op, left, right) => binary(*op, &*eval(left, env)?, &*eval(right, env)?),
        Node::If(test, then, otherwise) => {
            if truth(test, env)? {
                eval(then, env)
            } else {
                eval(otherwise, env)
            }
        }
        Node::List(items) => {
            let items: Option<Vec<Value>> = items
                .iter()
                .map(|item| eval(item, env).map(Cow::into_owned))
                .collect();
            items.map(|items| owned(Value::List(items)))
        }
        Node::Map(entries) => Some(owned(Value::Map(map(entries, env)))),
        Node::Has(inner) => Some(owned(Value::Bool(eval(inner, env).is_some()))),
        Node::Matches(text, pattern) => {
            let found = pattern.is_in(eval(text, env)?.as_str()?);
            Some(owned(Value::Bool(found)))
        }
        Node::Each(each, list, name, body) => comprehend(*each, list, name, body, env),
        Node::Call(called, arguments) => function::call(*called, arguments, env),
        Node::InSegment(name) => in_segment(name, env),
        Node::Feature(idx, window) => features::value(
            env.bundle.features.get(*idx)?,
            *window,
            env.profile,
            env.now,
        )
        .map(owned),
    }
}

/// Evaluates a condition: true, false, or unknown.
pub fn truth(node: &Node, env: &Env<'_>) -> Option<bool> {
    if let Value::Bool(value) = *eval(node, env)? {
        Some(value)
    } else {
        None
    }
}

/// Nobody kept up with a segment of other policies.
fn in_segment<'a>(name: &str, env: &Env<'a>) -> Known<'a> {
    let known = env.profile.standing == env.bundle.standing;
    known.then(|| owned(Value::Bool(env.profile.segments.contains_key(name))))
}

/// Wraps a value that was made here.
pub fn owned<'a>(value: Value) -> Cow<'a, Value> {
    Cow::Owned(value)
}

/// Wraps a number; what is not finite is unknown.
pub fn number<'a>(number: Option<f64>) -> Known<'a> {
    number
        .filter(|x| x.is_finite())
        .map(|x| owned(Value::Number(x)))
}

fn map(entries: &[(Arc<str>, Node)], env: &Env<'_>) -> Map {
    let known = |(key, node): &(Arc<str>, Node)| {
        eval(node, env).map(|value| (key.clone(), value.into_owned()))
    };
    entries.iter().filter_map(known).collect()
}

fn and<'a>(left: Option<bool>, right: impl FnOnce() -> Option<bool>) -> Known<'a> {
    let value = match left {
        Some(false) => Some(false),
        Some(true) => right(),
        None => right().filter(|right| !right),
    };
    value.map(|value| owned(Value::Bool(value)))
}

fn or<'a>(left: Option<bool>, right: impl FnOnce() -> Option<bool>) -> Known<'a> {
    let value = match left {
        Some(true) => Some(true),
        Some(false) => right(),
        None => right().filter(|right| *right),
    };
    value.map(|value| owned(Value::Bool(value)))
}

/// The longest chain of `.a.b.c` that is followed without a copy on the way.
const SEGMENTS_MAX: usize = 8;

fn member<'a>(inner: &'a Node, name: &'a str, env: &Env<'a>) -> Known<'a> {
    let mut segments = [""; SEGMENTS_MAX];
    let mut first = SEGMENTS_MAX - 1;
    segments[first] = name;
    let mut node = inner;
    while let Node::Member(deeper, name) = node
        && first > 0
    {
        first -= 1;
        segments[first] = name;
        node = deeper;
    }
    if let Node::Root(root) = node {
        return path(root, &segments[first..], env);
    }
    walk(eval(node, env)?, &segments[first..])
}

/// Follows keys into a value.
fn walk<'a>(value: Cow<'a, Value>, segments: &[&str]) -> Known<'a> {
    match value {
        Cow::Borrowed(mut value) => {
            for segment in segments {
                value = value.get(segment)?;
            }
            Some(Cow::Borrowed(value)).filter(|value| **value != Value::Null)
        }
        Cow::Owned(value) => {
            let mut value = &value;
            for segment in segments {
                value = value.get(segment)?;
            }
            Some(owned(value.clone())).filter(|value| **value != Value::Null)
        }
    }
}

fn path<'a>(root: &Root, segments: &[&str], env: &Env<'a>) -> Known<'a> {
    match root {
        Root::Profile => profile(segments, env),
        Root::Event => event(env.event?, segments),
        Root::Entry => event(env.entry?, segments),
        Root::Context => walk(Cow::Borrowed(env.context?), segments),
        Root::Offer => offer(segments, env),
        Root::Propensity => number(env.propensity),
        Root::Local(name) => walk(Cow::Borrowed(env.local(name)?), segments),
    }
}

fn profile<'a>(segments: &[&str], env: &Env<'a>) -> Known<'a> {
    let profile = env.profile;
    let (head, tail) = segments.split_first()?;
    match (*head, tail) {
        ("id", []) => Some(owned(Value::text(profile.id.as_str()))),
        ("traits", []) => Some(owned(Value::Map(profile.traits.clone()))),
        ("traits", [name, tail @ ..]) => walk(Cow::Borrowed(profile.traits.get(name)?), tail),
        ("consent", tail) => consent(tail, &profile.consent),
        ("cart", tail) => cart(tail, env),
        ("session", [field]) => session(field, env),
        _ => None,
    }
}

/// `consent.email` is the status of marketing by email; `consent.email.orders` that of another purpose.
fn consent<'a>(segments: &[&str], consent: &Consent) -> Known<'a> {
    let (channel, purpose) = match segments {
        [channel] => (channel, MARKETING),
        [channel, purpose] => (channel, *purpose),
        _ => return None,
    };
    let status = consent.of(channel, purpose)?.as_str()?;
    Some(owned(Value::text(status)))
}

fn cart<'a>(segments: &[&str], env: &Env<'a>) -> Known<'a> {
    let cart = &env.profile.cart;
    match segments {
        ["value"] => number(cart.value()),
        ["item_count"] => number(Some(cart.item_count())),
        ["currency"] => cart.currency.clone().map(|text| owned(Value::Text(text))),
        ["updated_at"] => cart.updated_at.map(time),
        ["items"] => Some(owned(Value::List(
            cart.items
                .iter()
                .map(crate::domain::cart::Item::to_value)
                .collect(),
        ))),
        _ => None,
    }
}

fn session<'a>(field: &str, env: &Env<'a>) -> Known<'a> {
    let session = env.profile.session;
    if session.index == 0 {
        return None;
    }
    match field {
        "index" => number(Some(f64::from(session.index))),
        "n_events" => number(Some(f64::from(session.n_events))),
        "started_at" => Some(time(session.started_at)),
        "last_at" => Some(time(session.last_at)),
        _ => None,
    }
}

fn event<'a>(event: &'a Event, segments: &[&str]) -> Known<'a> {
    let (head, tail) = segments.split_first()?;
    match *head {
        "properties" => walk(Cow::Borrowed(&event.properties), tail),
        "traits" => walk(Cow::Borrowed(&event.traits), tail),
        "context" => walk(Cow::Borrowed(&event.context), tail),
        "name" => Some(owned(Value::Text(event.name.clone()))),
        "type" => Some(owned(Value::text(event.kind.as_str()))),
        "id" => Some(owned(Value::text(event.id.as_str()))),
        "timestamp" => Some(time(event.at)),
        _ => None,
    }
}

fn offer<'a>(segments: &[&str], env: &Env<'a>) -> Known<'a> {
    let (offer, value) = env.offer?;
    match segments {
        ["id"] => Some(owned(Value::Text(offer.id.clone()))),
        ["value"] => number(value),
        ["group"] => offer
            .groups
            .first()
            .map(|group| owned(Value::Text(group.clone()))),
        ["data", tail @ ..] => walk(Cow::Borrowed(&offer.data), tail),
        _ => None,
    }
}

/// A time is a number of milliseconds since the epoch.
#[expect(
    clippy::cast_precision_loss,
    reason = "the years to 9999 fit in 52 bits"
)]
fn time<'a>(at: crate::domain::Timestamp) -> Cow<'a, Value> {
    owned(Value::Number(at.as_millis() as f64))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole and not negative; a large one saturates and is out of the list"
)]
fn index<'a>(of: Cow<'a, Value>, idx: &Value) -> Known<'a> {
    match (&*of, idx) {
        (Value::List(list), Value::Number(idx)) if idx.fract() == 0.0 && *idx >= 0.0 => {
            list.get(*idx as usize).cloned().map(owned)
        }
        (Value::Map(_), Value::Text(key)) => {
            let key = key.clone();
            walk(of, &[&key])
        }
        _ => None,
    }
}

fn binary<'a>(op: Op, left: &Value, right: &Value) -> Known<'a> {
    let answer = match op {
        Op::Eq => Some(left == right),
        Op::Ne => Some(left != right),
        Op::Lt => compare(left, right).map(std::cmp::Ordering::is_lt),
        Op::Le => compare(left, right).map(std::cmp::Ordering::is_le),
        Op::Gt => compare(left, right).map(std::cmp::Ordering::is_gt),
        Op::Ge => compare(left, right).map(std::cmp::Ordering::is_ge),
        Op::In => contains(left, right),
        Op::And | Op::Or => None,
        Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Rem => return arithmetic(op, left, right),
    };
    answer.map(|answer| owned(Value::Bool(answer)))
}

fn compare(left: &Value, right: &Value) -> Option<std::cmp::Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.partial_cmp(right),
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

fn contains(item: &Value, of: &Value) -> Option<bool> {
    match of {
        Value::List(list) => Some(list.contains(item)),
        Value::Map(map) => Some(map.get(item.as_str()?).is_some()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => None,
    }
}

fn arithmetic<'a>(op: Op, left: &Value, right: &Value) -> Known<'a> {
    if let (Value::Text(left), Value::Text(right), Op::Add) = (left, right, op) {
        return Some(owned(Value::text(&format!("{left}{right}"))));
    }
    if let (Value::List(left), Value::List(right), Op::Add) = (left, right, op) {
        return Some(owned(Value::List([left.as_slice(), right].concat())));
    }
    let (left, right) = (left.as_f64()?, right.as_f64()?);
    number(match op {
        Op::Add => Some(left + right),
        Op::Sub => Some(left - right),
        Op::Mul => Some(left * right),
        // Division by zero is not finite, hence unknown.
        Op::Div => Some(left / right),
        Op::Rem => Some(left % right),
        Op::Or | Op::And | Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge | Op::In => None,
    })
}

fn comprehend<'a>(
    each: Each,
    list: &'a Node,
    name: &'a str,
    body: &'a Node,
    env: &Env<'a>,
) -> Known<'a> {
    let list = eval(list, env)?;
    let items = list.as_list()?;
    let judge = |item: &Value| {
        let scope = Scope {
            name,
            value: item,
            outer: env.scope,
        };
        truth(
            body,
            &Env {
                scope: Some(&scope),
                ..*env
            },
        )
    };
    let value = match each {
        Each::All => quantify(items.iter().map(judge), false).map(Value::Bool),
        Each::Exists => quantify(items.iter().map(judge), true).map(Value::Bool),
        Each::ExistsOne => {
            let verdicts: Option<Vec<bool>> = items.iter().map(judge).collect();
            verdicts.map(|all| Value::Bool(all.into_iter().filter(|yes| *yes).count() == 1))
        }
        Each::Filter => {
            let kept = items
                .iter()
                .filter(|item| judge(item) == Some(true))
                .cloned()
                .collect();
            Some(Value::List(kept))
        }
        Each::Map => {
            let mapped: Option<Vec<Value>> = items
                .iter()
                .map(|item| {
                    let scope = Scope {
                        name,
                        value: item,
                        outer: env.scope,
                    };
                    let env = Env {
                        scope: Some(&scope),
                        ..*env
                    };
                    eval(body, &env).map(Cow::into_owned)
                })
                .collect();
            mapped.map(Value::List)
        }
    };
    value.map(owned)
}

/// `exists` (`decisive` true) and `all` (`decisive` false): a decisive verdict wins over an unknown one.
fn quantify(verdicts: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    let mut unknown = false;
    for verdict in verdicts {
        if verdict == Some(decisive) {
            return Some(decisive);
        }
        unknown |= verdict.is_none();
    }
    if unknown { None } else { Some(!decisive) }
}
