//! Features: how an event changes one, and what one is worth at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::eval::{eval, truth};
use crate::decide::room::small;
use crate::domain::folded::{Change, Folded, Kept, Measures, Room};
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
    let at = event.at;
    match &feature.fold {
        Fold::Count => Some(add(feature, at, 1.0)),
        Fold::Sum(of) => Some(add(feature, at, value(of)?.as_f64()?)),
        Fold::Least(of) | Fold::Most(of) | Fold::Average(of) => {
            Some(measure(feature, at, value(of)?.as_f64()?))
        }
        Fold::First(of) => {
            let value = value_or_time(of.as_ref(), event, env)?;
            let many = matches!(feature.window, Window::Sliding(_));
            first(feature, at, small(value, many), env)
        }
        Fold::Last(of) => {
            let value = value_or_time(of.as_ref(), event, env)?;
            Some(Change::Last(at, small(value, false)))
        }
        Fold::Recency => Some(Change::Last(at, Value::Null)),
        Fold::Mode(of) => Some(keep(feature, at, small(value(of)?, true))),
        Fold::Distinct(of) => Some(see(feature, at, &value(of)?)),
        Fold::Dwell => None,
    }
}

/// Says whether an event gave a feature a value that is too long to keep.
///
/// - `profile`: the customer before the event.
pub fn is_too_long(feature: &Feature, change: &Change, profile: &Profile) -> bool {
    let keeps = matches!(feature.fold, Fold::First(_) | Fold::Last(_) | Fold::Mode(_));
    let value = match change {
        // The first of a lifetime stays.
        Change::First(..) if profile.features.contains_key(&feature.id) => None,
        Change::First(_, value)
        | Change::Last(_, value)
        | Change::Keep(_, value, _)
        | Change::KeepInSession(_, value, _) => Some(value),
        Change::Add(_)
        | Change::AddInSession(_)
        | Change::Enter(..)
        | Change::See(..)
        | Change::SeeInSession(..)
        | Change::Dwell(..)
        | Change::Measure(_)
        | Change::MeasureInSession(_) => None,
    };
    keeps && value == Some(&Value::Null)
}

/// Returns what people call a feature; one that an expression implies has no name.
pub fn called(feature: &Feature) -> Arc<str> {
    match &feature.name {
        Some(name) => format!("features.{name}").into(),
        None => format!("a feature of {}", feature.event).into(),
    }
}

fn room(feature: &Feature) -> Room {
    let length = match feature.window {
        Window::Sliding(length) => Some(length),
        Window::Lifetime | Window::Session => None,
    };
    Room {
        length,
        n_max: feature.n_max,
    }
}

fn add(feature: &Feature, at: Timestamp, x: f64) -> Change {
    match feature.window {
        Window::Lifetime => Change::Add(x),
        Window::Session => Change::AddInSession(x),
        Window::Sliding(_) => Change::Enter(at, x, room(feature)),
    }
}

fn measure(feature: &Feature, at: Timestamp, x: f64) -> Change {
    match feature.window {
        Window::Lifetime => Change::Measure(x),
        Window::Session => Change::MeasureInSession(x),
        Window::Sliding(_) => Change::Enter(at, x, room(feature)),
    }
}

fn keep(feature: &Feature, at: Timestamp, value: Value) -> Change {
    match feature.window {
        Window::Lifetime | Window::Sliding(_) => Change::Keep(at, value, room(feature)),
        Window::Session => Change::KeepInSession(at, value, room(feature)),
    }
}

/// The first of a lifetime stays the first; that of a window leaves it, and the next one takes its place.
fn first(feature: &Feature, at: Timestamp, value: Value, env: &Env<'_>) -> Option<Change> {
    match feature.window {
        Window::Lifetime => Some(Change::First(at, value)),
        Window::Sliding(_) => Some(Change::Keep(at, value, room(feature))),
        Window::Session => {
            let profile = env.profile;
            let known = profile.features.get(&feature.id);
            // The profile has not seen the event: it may begin a session.
            let goes_on = profile.in_session(at);
            let later = |(known, _): &(Timestamp, Value)| *known > at;
            let is_first = match known {
                Some(Folded::Values(of, kept)) if goes_on && *of == profile.session.index => {
                    kept.entries.front().is_none_or(later)
                }
                Some(_) | None => true,
            };
            is_first.then(|| Change::KeepInSession(at, value, room(feature)))
        }
    }
}

fn see(feature: &Feature, at: Timestamp, value: &Value) -> Change {
    let hash = xxhash_rust::xxh3::xxh3_64(value.to_string().as_bytes());
    match feature.window {
        Window::Lifetime | Window::Sliding(_) => Change::See(hash, at, room(feature)),
        Window::Session => Change::SeeInSession(hash, at, room(feature)),
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

/// Returns what a feature is worth now. A count or a sum of nothing is 0; any other value of nothing is unknown, and so is
/// everything that more events would count for than are remembered.
///
/// - `window`: a shorter window than the feature's own; over a longer one nobody knows.
pub fn value(
    feature: &Feature,
    window: Option<Duration>,
    profile: &Profile,
    now: Timestamp,
) -> Option<Value> {
    if let (Some(asked), Window::Sliding(kept)) = (window, feature.window)
        && asked > kept
    {
        return None;
    }
    let view = View::of(feature, window, profile, now);
    match &feature.fold {
        Fold::Count | Fold::Sum(_) => view.total(),
        Fold::Distinct(_) => view.n_distinct(),
        Fold::Dwell => Some(view.dwell()),
        Fold::First(_) => view.first(),
        Fold::Last(_) => view.single().map(|(_, value)| value.clone()),
        Fold::Recency => view.single().map(|(at, _)| millis(now.since(at))),
        Fold::Least(_) => view.measures().map(|of| Value::Number(of.least)),
        Fold::Most(_) => view.measures().map(|of| Value::Number(of.most)),
        Fold::Average(_) => view.measures().map(|of| Value::Number(of.sum / of.n)),
        Fold::Mode(_) => view.values().and_then(|values| mode(&values)),
    }
}

/// Returns when the passing of time changes a feature next, if nothing happens. The steady growth of a recency is not
/// meant.
pub fn next_change(
    feature: &Feature,
    window: Option<Duration>,
    profile: &Profile,
    now: Timestamp,
) -> Option<Timestamp> {
    let state = profile.features.get(&feature.id)?;
    let ends =
        profile.session.last_at + crate::domain::profile::SESSION_GAP + Duration::from_millis(1);
    match (window, feature.window) {
        (None, Window::Lifetime) => None,
        (None, Window::Session) => Some(ends).filter(|ends| *ends > now),
        (Some(window), _) | (None, Window::Sliding(window)) => {
            let leaves = |at: Timestamp| Some(at + window).filter(|leaves| *leaves > now);
            times(state).into_iter().filter_map(leaves).min()
        }
    }
}

/// The times of everything that leaves a window some day.
fn times(state: &Folded) -> Vec<Timestamp> {
    match state {
        Folded::Window(kept) => times_of(kept),
        Folded::Values(_, kept) => times_of(kept),
        Folded::Distinct(_, seen) => seen.values.values().copied().chain(seen.cut).collect(),
        Folded::Value(at, _) => vec![*at],
        Folded::Total(_) | Folded::Session(..) | Folded::Dwell(..) | Folded::Measured(..) => {
            Vec::new()
        }
    }
}

fn times_of<T>(kept: &Kept<T>) -> Vec<Timestamp> {
    let times = kept.entries.iter().map(|(at, _)| *at);
    times.chain(kept.cut).collect()
}

/// A feature's state as it is seen now.
struct View<'a> {
    /// What there is; nothing if the session is over.
    state: Option<&'a Folded>,
    /// What happened after this counts.
    edge: Option<Timestamp>,
    /// Index of the last session.
    session: u32,
    /// Only what happened in the session counts.
    in_session: bool,
}

impl<'a> View<'a> {
    fn of(
        feature: &Feature,
        window: Option<Duration>,
        profile: &'a Profile,
        now: Timestamp,
    ) -> Self {
        let running = feature.window != Window::Session || profile.in_session(now);
        let state = profile.features.get(&feature.id).filter(|_| running);
        let edge = match (window, feature.window) {
            (Some(window), _) | (None, Window::Sliding(window)) => Some(now - window),
            (None, Window::Session) => Some(profile.session.started_at - Duration::from_millis(1)),
            (None, Window::Lifetime) => None,
        };
        Self {
            state,
            edge,
            session: profile.session.index,
            in_session: feature.window == Window::Session,
        }
    }

    fn total(&self) -> Option<Value> {
        let total = match self.state {
            Some(Folded::Total(sum)) => *sum,
            Some(Folded::Session(of, sum)) if *of == self.session => *sum,
            Some(Folded::Window(kept)) => {
                // The sum of nothing is -0, which is not what people count.
                kept.after(self.edge)?.fold(0.0, |sum, (_, x)| sum + x)
            }
            Some(_) | None => 0.0,
        };
        Some(Value::Number(total))
    }

    #[expect(clippy::cast_precision_loss, reason = "at most a few thousand")]
    fn n_distinct(&self) -> Option<Value> {
        let n = match self.state {
            Some(Folded::Distinct(of, _)) if self.in_session && *of != self.session => 0,
            Some(Folded::Distinct(_, seen)) => seen.after(self.edge)?,
            Some(_) | None => 0,
        };
        Some(Value::Number(n as f64))
    }

    fn dwell(&self) -> Value {
        Value::Number(match self.state {
            Some(Folded::Dwell(of, seconds, _)) if *of == self.session => *seconds,
            Some(_) | None => 0.0,
        })
    }

    fn single(&self) -> Option<(Timestamp, &'a Value)> {
        let Some(Folded::Value(at, value)) = self.state else {
            return None;
        };
        let inside = self.edge.is_none_or(|edge| *at > edge);
        inside.then_some((*at, value))
    }

    fn first(&self) -> Option<Value> {
        if let Some((_, value)) = self.single() {
            return Some(value.clone());
        }
        let values = self.values()?;
        values.first().map(|(_, value)| value.clone())
    }

    fn measures(&self) -> Option<Measures> {
        match self.state {
            Some(Folded::Measured(of, known)) if *of == 0 || *of == self.session => Some(*known),
            Some(Folded::Window(kept)) => Measures::of(kept.after(self.edge)?.map(|(_, x)| *x)),
            Some(_) | None => None,
        }
    }

    /// Returns the values that count, the earliest first; `None` if some had to go.
    fn values(&self) -> Option<Vec<&'a (Timestamp, Value)>> {
        match self.state {
            Some(Folded::Values(of, kept)) if *of == 0 || *of == self.session => {
                Some(kept.after(self.edge)?.collect())
            }
            Some(_) | None => None,
        }
    }
}

/// Returns the most frequent value; of equally frequent ones the one seen last.
fn mode(values: &[&(Timestamp, Value)]) -> Option<Value> {
    let mut counts: BTreeMap<String, (u32, usize)> = BTreeMap::new();
    for (idx, (_, value)) in values.iter().enumerate() {
        let (n, last) = counts.entry(value.to_string()).or_default();
        *n += 1;
        *last = idx;
    }
    let (_, last) = counts.into_values().max()?;
    values.get(last).map(|(_, value)| value.clone())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "20000 years of milliseconds fit in 52 bits"
)]
fn millis(length: Duration) -> Value {
    Value::Number(length.as_millis() as f64)
}
