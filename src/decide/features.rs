//! Features: how an event changes one, and what one is worth at a time.

use crate::decide::env::Env;
use crate::decide::eval::{eval, truth};
use crate::domain::folded::{Change, Folded};
use crate::domain::{Duration, Event, Profile, Timestamp, Value};
use crate::policy::expr::Expr;
use crate::policy::feature::{Feature, Fold, Window};

/// Returns how an event changes a feature, if it does.
///
/// - `env`: the customer before the event, with the event.
pub fn change(feature: &Feature, event: &Event, env: &Env<'_>) -> Option<Change> {
    let matches = feature.event == event.name
        && feature
            .filter
            .iter()
            .all(|filter| truth(&filter.root, env) == Some(true));
    if let Fold::Dwell = feature.fold {
        return dwell(feature, matches, event, env.profile);
    }
    if !matches {
        return None;
    }
    let value = |of: &Expr| eval(&of.root, env).map(std::borrow::Cow::into_owned);
    match &feature.fold {
        Fold::Count => Some(add(feature.window, event.at, 1.0)),
        Fold::Sum(of) => Some(add(feature.window, event.at, value(of)?.as_f64()?)),
        Fold::First(of) => Some(Change::First(
            event.at,
            value_or_time(of.as_ref(), event, env)?,
        )),
        Fold::Last(of) => Some(Change::Last(
            event.at,
            value_or_time(of.as_ref(), event, env)?,
        )),
        Fold::Distinct(of) => Some(see(feature.window, event.at, &value(of)?)),
        Fold::Dwell => None,
    }
}

fn add(window: Window, at: Timestamp, x: f64) -> Change {
    match window {
        Window::Lifetime => Change::Add(x),
        Window::Session => Change::AddInSession(x),
        Window::Sliding(keep) => Change::Enter(at, x, keep),
    }
}

fn see(window: Window, at: Timestamp, value: &Value) -> Change {
    let hash = xxhash_rust::xxh3::xxh3_64(value.to_string().as_bytes());
    match window {
        Window::Lifetime => Change::See(hash, at, None),
        Window::Session => Change::SeeInSession(hash, at),
        Window::Sliding(keep) => Change::See(hash, at, Some(keep)),
    }
}

fn value_or_time(of: Option<&Expr>, event: &Event, env: &Env<'_>) -> Option<Value> {
    match of {
        Some(of) => eval(&of.root, env).map(std::borrow::Cow::into_owned),
        None => Some(time(event.at)),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the years to 9999 fit in 52 bits"
)]
fn time(at: Timestamp) -> Value {
    Value::Number(at.as_millis() as f64)
}

/// An event closes what waits for it; one that matches waits for the next.
fn dwell(feature: &Feature, matches: bool, event: &Event, profile: &Profile) -> Option<Change> {
    let waits = matches!(
        profile.features.get(&feature.id),
        Some(Folded::Dwell(_, _, Some(_)))
    );
    (matches || waits).then_some(Change::Dwell(event.at, matches))
}

/// Returns what a feature is worth now; a count of nothing is 0, a value of nothing is unknown.
///
/// - `window`: a shorter window than the feature's own.
pub fn value(
    feature: &Feature,
    window: Option<Duration>,
    profile: &Profile,
    now: Timestamp,
) -> Option<Value> {
    let state = profile.features.get(&feature.id);
    let edge = match (window, feature.window) {
        (Some(window), _) | (None, Window::Sliding(window)) => Some(now - window),
        (None, Window::Session) => Some(profile.session.started_at - Duration::from_millis(1)),
        (None, Window::Lifetime) => None,
    };
    let running = feature.window != Window::Session || profile.in_session(now);
    let state = state.filter(|_| running);
    let number = match &feature.fold {
        Fold::First(_) | Fold::Last(_) => return single(state?, edge),
        Fold::Count | Fold::Sum(_) | Fold::Distinct(_) | Fold::Dwell => state
            .map_or(0.0, |state| {
                total(state, edge, profile.session.index, feature)
            }),
    };
    Some(Value::Number(number))
}

fn single(state: &Folded, edge: Option<Timestamp>) -> Option<Value> {
    let Folded::Value(at, value) = state else {
        return None;
    };
    edge.is_none_or(|edge| *at > edge).then(|| value.clone())
}

#[expect(clippy::cast_precision_loss, reason = "at most a few hundred entries")]
fn total(state: &Folded, edge: Option<Timestamp>, session: u32, feature: &Feature) -> f64 {
    let inside = |at: Timestamp| edge.is_none_or(|edge| at > edge);
    match state {
        Folded::Total(sum) => *sum,
        Folded::Session(of, sum) | Folded::Dwell(of, sum, _) => {
            if *of == session {
                *sum
            } else {
                0.0
            }
        }
        Folded::Window(entries) => entries
            .iter()
            .filter(|(at, _)| inside(*at))
            .map(|(_, x)| x)
            .sum(),
        Folded::Distinct(of, _) if feature.window == Window::Session && *of != session => 0.0,
        Folded::Distinct(_, seen) => seen.values().filter(|at| inside(**at)).count() as f64,
        Folded::Value(..) => 0.0,
    }
}
