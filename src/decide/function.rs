//! The pure functions that expressions may call.

use crate::decide::env::Env;
use crate::decide::eval::{Known, eval, number, owned};
use crate::domain::zone::Local;
use crate::domain::{Duration, Timestamp, Value, Zone};
use crate::policy::expr::{Function, Node, Root};

/// Calls a function; a wrong argument is unknown.
pub fn call<'a>(function: Function, arguments: &'a [Node], env: &Env<'a>) -> Known<'a> {
    if function == Function::Size && is_cart_items(arguments) {
        return number(Some(as_f64(env.profile.cart.items.len())));
    }
    let mut values = [const { Value::Null }; 2];
    for (value, node) in values.iter_mut().zip(arguments) {
        *value = eval(node, env)?.into_owned();
    }
    apply(function, &values, env).map(owned)
}

fn apply(function: Function, [a, b]: &[Value; 2], env: &Env<'_>) -> Option<Value> {
    let text = |value: bool| Some(Value::Bool(value));
    let millis = |at: Timestamp| Value::Number(from_i64(at.as_millis()));
    match function {
        Function::Size => size(a),
        Function::StartsWith => text(a.as_str()?.starts_with(b.as_str()?)),
        Function::EndsWith => text(a.as_str()?.ends_with(b.as_str()?)),
        Function::Contains => text(a.as_str()?.contains(b.as_str()?)),
        Function::Lower => Some(Value::text(&a.as_str()?.to_lowercase())),
        Function::Duration => Some(Value::Number(from_u64(length(a)?.as_millis()))),
        Function::Timestamp => Timestamp::parse(a.as_str()?).map(millis),
        Function::Now => Some(millis(env.now)),
        Function::Ago => Some(millis(env.now - length(a)?)),
        Function::LocalHour => Some(Value::Number(f64::from(local(env).hour))),
        Function::LocalWeekday => Some(Value::Number(f64::from(local(env).weekday))),
        Function::LocalMonth => Some(Value::Number(f64::from(local(env).month))),
        Function::Min => Some(Value::Number(a.as_f64()?.min(b.as_f64()?))),
        Function::Max => Some(Value::Number(a.as_f64()?.max(b.as_f64()?))),
        Function::Abs => Some(Value::Number(a.as_f64()?.abs())),
        Function::Int => Some(Value::Number(a.as_f64()?.trunc())),
        Function::Double => double(a),
        Function::Text => Some(match a {
            Value::Text(_) => a.clone(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) => {
                Value::text(&a.to_string())
            }
        }),
    }
}

fn is_cart_items(arguments: &[Node]) -> bool {
    let [Node::Member(cart, items)] = arguments else {
        return false;
    };
    let Node::Member(profile, cart) = &**cart else {
        return false;
    };
    **profile == Node::Root(Root::Profile) && cart.as_ref() == "cart" && items.as_ref() == "items"
}

fn size(of: &Value) -> Option<Value> {
    let size = match of {
        Value::Text(text) => text.chars().count(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => return None,
    };
    Some(Value::Number(as_f64(size)))
}

fn double(of: &Value) -> Option<Value> {
    let number = match of {
        Value::Number(number) => *number,
        Value::Text(text) => text.trim().parse().ok()?,
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Null | Value::List(_) | Value::Map(_) => return None,
    };
    Some(Value::Number(number)).filter(|_| number.is_finite())
}

/// A duration is a text such as `1d` or a number of milliseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative; a large one saturates"
)]
fn length(of: &Value) -> Option<Duration> {
    match of {
        Value::Text(text) => Duration::parse(text).ok(),
        Value::Number(millis) if *millis >= 0.0 => Some(Duration::from_millis(*millis as u64)),
        Value::Number(_) | Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => None,
    }
}

/// Now as the customer's clocks show it.
fn local(env: &Env<'_>) -> Local {
    let chosen = Zone::of(env.profile, &env.bundle.zone);
    chosen.zone.local(env.now)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes and milliseconds fit in 52 bits"
)]
fn as_f64(number: usize) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes and milliseconds fit in 52 bits"
)]
fn from_i64(number: i64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes and milliseconds fit in 52 bits"
)]
fn from_u64(number: u64) -> f64 {
    number as f64
}
