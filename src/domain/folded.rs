//! What a feature has folded of one customer's events.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::domain::{Duration, Timestamp, Value};

/// The most entries a window keeps; older ones go and the answer is a lower bound, marked as such.
pub const ENTRIES_MAX: usize = 512;

/// The state of one feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Folded {
    /// A count or a sum over the lifetime.
    Total(f64),
    /// A count or a sum over the session of this index.
    Session(u32, f64),
    /// Events and their worth in a sliding window, by time.
    Window(VecDeque<(Timestamp, f64)>),
    /// The first or last value and its time.
    Value(Timestamp, Value),
    /// Different values by fingerprint, with the time each was last seen; and the session of the last one.
    Distinct(u32, BTreeMap<u64, Timestamp>),
    /// Seconds in the session of this index, and since when an event has been waiting for the next one.
    Dwell(u32, f64, Option<Timestamp>),
}

/// How one event changes the state of one feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// Adds to the lifetime's total.
    Add(f64),
    /// Adds to the session's total.
    AddInSession(f64),
    /// Enters the window; entries older than so long before `now` go.
    Enter(Timestamp, f64, Duration),
    /// Is the first, unless an earlier one is known.
    First(Timestamp, Value),
    /// Is the last, unless a later one is known.
    Last(Timestamp, Value),
    /// Sees a value, over the lifetime or the window.
    See(u64, Timestamp, Option<Duration>),
    /// Sees a value in the session.
    SeeInSession(u64, Timestamp),
    /// Closes what waits at this time, and waits from this time on if it says so.
    Dwell(Timestamp, bool),
}

/// Applies a change to a state, which may be absent.
///
/// - `session`: index of the running session, after the event.
/// - `now`: logical time of the input.
pub fn apply(state: Option<Folded>, change: &Change, session: u32, now: Timestamp) -> Folded {
    match (change, state) {
        (Change::Add(x), Some(Folded::Total(sum))) => Folded::Total(sum + x),
        (Change::Add(x), _) => Folded::Total(*x),
        (Change::AddInSession(x), Some(Folded::Session(of, sum))) if of == session => {
            Folded::Session(of, sum + x)
        }
        (Change::AddInSession(x), _) => Folded::Session(session, *x),
        (Change::Enter(at, x, keep), Some(Folded::Window(entries))) => {
            enter(entries, (*at, *x), now - *keep)
        }
        (Change::Enter(at, x, _), _) => Folded::Window(VecDeque::from([(*at, *x)])),
        (Change::First(at, _), Some(Folded::Value(known_at, known))) if known_at <= *at => {
            Folded::Value(known_at, known)
        }
        (Change::Last(at, _), Some(Folded::Value(known_at, known))) if known_at > *at => {
            Folded::Value(known_at, known)
        }
        (Change::First(at, value) | Change::Last(at, value), _) => {
            Folded::Value(*at, value.clone())
        }
        (Change::See(hash, at, keep), Some(Folded::Distinct(_, seen))) => {
            Folded::Distinct(session, see(seen, *hash, *at, keep.map(|keep| now - keep)))
        }
        (Change::SeeInSession(hash, at), Some(Folded::Distinct(of, seen))) if of == session => {
            Folded::Distinct(of, see(seen, *hash, *at, None))
        }
        (Change::See(hash, at, _) | Change::SeeInSession(hash, at), _) => {
            Folded::Distinct(session, BTreeMap::from([(*hash, *at)]))
        }
        (Change::Dwell(at, opens), state) => dwell(state.as_ref(), *at, *opens, session),
    }
}

fn enter(
    mut entries: VecDeque<(Timestamp, f64)>,
    entry: (Timestamp, f64),
    edge: Timestamp,
) -> Folded {
    let idx = entries.partition_point(|(at, _)| *at <= entry.0);
    entries.insert(idx, entry);
    while entries.front().is_some_and(|(at, _)| *at <= edge) || entries.len() > ENTRIES_MAX {
        entries.pop_front();
    }
    Folded::Window(entries)
}

fn see(
    mut seen: BTreeMap<u64, Timestamp>,
    hash: u64,
    at: Timestamp,
    edge: Option<Timestamp>,
) -> BTreeMap<u64, Timestamp> {
    let last = seen.entry(hash).or_insert(at);
    *last = (*last).max(at);
    if let Some(edge) = edge {
        seen.retain(|_, at| *at > edge);
    }
    if seen.len() > ENTRIES_MAX
        && let Some(oldest) = seen
            .iter()
            .min_by_key(|(_, at)| **at)
            .map(|(hash, _)| *hash)
    {
        seen.remove(&oldest);
    }
    seen
}

fn dwell(state: Option<&Folded>, at: Timestamp, opens: bool, session: u32) -> Folded {
    let (total, since) = match state {
        Some(Folded::Dwell(of, total, since)) if *of == session => (*total, *since),
        _ => (0.0, None),
    };
    let spent = since.map_or(0.0, |since| at.since(since).as_secs_f64());
    Folded::Dwell(session, total + spent, opens.then_some(at))
}
