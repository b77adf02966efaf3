//! When the passing of time alone changes the value of an expression next.
//!
//! The answer may be too early (then the value is found to be the same and the next answer is asked for), never too late.
//! Compilation has made sure that the clock moves a value only by comparing what runs at a steady rate.

use crate::decide::env::Env;
use crate::decide::eval::eval;
use crate::decide::features;
use crate::domain::{Duration, Profile, Timestamp, Value, Zone};
use crate::policy::expr::{Expr, Function, Node, Op};
use crate::policy::feature::Fold;

/// How many candidates are looked at for a real change before the last one is taken as it is.
const LOOKS_MAX: usize = 32;

/// Returns when conditions that are `held` now may not be any more, or the other way round, if nothing happens.
pub fn edge(
    conditions: &[Expr],
    env: &Env<'_>,
    held: bool,
    holds: impl Fn(&Env<'_>) -> bool,
) -> Option<Timestamp> {
    let mut at = env.now;
    for _ in 0..LOOKS_MAX {
        let env = Env { now: at, ..*env };
        let candidates = conditions.iter().filter_map(|of| next(&of.root, &env));
        at = candidates.min()?;
        if holds(&Env { now: at, ..env }) != held {
            break;
        }
    }
    Some(at)
}

/// Returns when a value may change; `None` if the clock does not change it any more.
fn next(node: &Node, env: &Env<'_>) -> Option<Timestamp> {
    let own = match node {
        Node::Binary(Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge, left, right) => {
            meeting(left, right, env)
        }
        Node::Feature(idx, window) => {
            let feature = env.bundle.features.get(*idx);
            feature.and_then(|it| features::next_change(it, *window, env.profile, env.now))
        }
        Node::Call(Function::LocalHour, _) => Some(next_hour(env)),
        Node::Call(Function::LocalWeekday | Function::LocalMonth, _) => Some(next_day(env)),
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
        | Node::Call(..)
        | Node::InSegment(_) => None,
    };
    let parts = node.parts().into_iter().filter_map(|part| next(part, env));
    own.into_iter().chain(parts).min()
}

/// Returns when two sides meet or part that move against each other.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative; a large one is after everything"
)]
fn meeting(left: &Node, right: &Node, env: &Env<'_>) -> Option<Timestamp> {
    let (left, right) = (line(left, env)?, line(right, env)?);
    let speed = left.speed - right.speed;
    if speed == 0.0 {
        return None;
    }
    let millis = (right.value - left.value) / speed;
    // They may meet at the millisecond after the one before this, for all that rounding knows.
    if millis.is_nan() || millis < -1.0 {
        return None;
    }
    let at = env.now + Duration::from_millis((millis.floor() as u64).max(1));
    Some(at).filter(|at| *at > env.now && *at < Timestamp::MAX)
}

/// A number that runs with the clock.
#[derive(Clone, Copy)]
struct Line {
    /// What it is now.
    value: f64,
    /// How much it grows in a millisecond.
    speed: f64,
}

fn line(node: &Node, env: &Env<'_>) -> Option<Line> {
    if let Node::Negate(inner) = node {
        let Line { value, speed } = line(inner, env)?;
        return Some(Line {
            value: -value,
            speed: -speed,
        });
    }
    if let Node::Binary(op, left, right) = node
        && let Some((left, right)) = line(left, env).zip(line(right, env))
        && let Some((value, speed)) = combine(*op, left, right)
    {
        return Some(Line { value, speed });
    }
    let speed = if runs(node, env) { 1.0 } else { 0.0 };
    number(node, env).map(|value| Line { value, speed })
}

/// Returns the value and the speed of what comes of two numbers.
fn combine(op: Op, left: Line, right: Line) -> Option<(f64, f64)> {
    let product = left.speed * right.value + left.value * right.speed;
    match op {
        Op::Add => Some((left.value + right.value, left.speed + right.speed)),
        Op::Sub => Some((left.value - right.value, left.speed - right.speed)),
        Op::Mul => Some((left.value * right.value, product)),
        Op::Div => Some((left.value / right.value, left.speed / right.value)),
        Op::Rem
        | Op::Or
        | Op::And
        | Op::Eq
        | Op::Ne
        | Op::Lt
        | Op::Le
        | Op::Gt
        | Op::Ge
        | Op::In => None,
    }
}

fn number(node: &Node, env: &Env<'_>) -> Option<f64> {
    match *eval(node, env)? {
        Value::Number(number) => Some(number),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => None,
    }
}

/// Tells if a value is the clock itself.
fn runs(node: &Node, env: &Env<'_>) -> bool {
    if let Node::Feature(idx, _) = node {
        let feature = env.bundle.features.get(*idx);
        return feature.is_some_and(|feature| matches!(feature.fold, Fold::Recency));
    }
    matches!(node, Node::Call(Function::Now | Function::Ago, _))
}

fn zone(profile: &Profile, env: &Env<'_>) -> Zone {
    Zone::of(profile, &env.bundle.zone).zone
}

/// The clocks of a zone show another hour at a full quarter of an hour at the earliest: the shortest step of any zone.
fn next_hour(env: &Env<'_>) -> Timestamp {
    const QUARTER: i64 = 15 * 60 * 1_000;
    let zone = zone(env.profile, env);
    let hour = zone.local(env.now).hour;
    let first = (env.now.as_millis().div_euclid(QUARTER) + 1) * QUARTER;
    let mut quarters = (0..8).map(|n| Timestamp::from_millis(first + n * QUARTER));
    let changed = quarters.find(|at| zone.local(*at).hour != hour);
    changed.unwrap_or(Timestamp::from_millis(first))
}

fn next_day(env: &Env<'_>) -> Timestamp {
    const DAY: Duration = Duration::from_secs(86_400);
    let zone = zone(env.profile, env);
    let today = zone.start_of_day(env.now);
    // A day has 23 to 25 hours; the start of this one plus 24 may still be this one.
    let next = zone.start_of_day(today + DAY);
    if next > env.now {
        return next;
    }
    zone.start_of_day(today + DAY + DAY)
}
