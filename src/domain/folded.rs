//! What a feature has folded of one customer's events.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::domain::{Duration, Timestamp, Value};

/// The state of one feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Folded {
    /// A count or a sum over the lifetime.
    Total(f64),
    /// A count or a sum over the session of this index.
    Session(u32, f64),
    /// Events and their worth in a sliding window.
    Window(Kept<f64>),
    /// The first or last value and its time.
    Value(Timestamp, Value),
    /// Different values by fingerprint, with the time each was last seen; and the session of the last one.
    Distinct(u32, Seen),
    /// Seconds in the session of this index, and since when an event has been waiting for the next one.
    Dwell(u32, f64, Option<Timestamp>),
    /// The measures of a number over the session of this index, or over the lifetime (0).
    Measured(u32, Measures),
    /// Values in a sliding window, or in the session of this index.
    Values(u32, Kept<Value>),
}

/// Entries by time, as many as there is room for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept<T> {
    /// The oldest first.
    pub entries: VecDeque<(Timestamp, T)>,
    /// The time of the latest entry that went for want of room: what is asked of this time or before is unknown.
    pub cut: Option<Timestamp>,
}

/// Different values, as many as there is room for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// By fingerprint: when each was last seen.
    pub values: BTreeMap<u64, Timestamp>,
    /// As of [`Kept::cut`].
    pub cut: Option<Timestamp>,
}

/// What is known of many numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// How many.
    pub n: f64,
    /// Their sum.
    pub sum: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub most: f64,
}

/// How long entries are of interest, and how many there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Entries this old or older are of no interest; `None`: all are, or all of the session.
    pub length: Option<Duration>,
    /// The most entries.
    pub n_max: u32,
}

/// How one event changes the state of one feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// Adds to the lifetime's total.
    Add(f64),
    /// Adds to the session's total.
    AddInSession(f64),
    /// Enters the window.
    Enter(Timestamp, f64, Room),
    /// Is the first, unless an earlier one is known.
    First(Timestamp, Value),
    /// Is the last, unless a later one is known.
    Last(Timestamp, Value),
    /// Sees a value, over the lifetime or the window.
    See(u64, Timestamp, Room),
    /// Sees a value in the session.
    SeeInSession(u64, Timestamp, Room),
    /// Closes what waits at this time, and waits from this time on if it says so.
    Dwell(Timestamp, bool),
    /// Is measured over the lifetime.
    Measure(f64),
    /// Is measured in the session.
    MeasureInSession(f64),
    /// A value enters the window.
    Keep(Timestamp, Value, Room),
    /// A value enters the session.
    KeepInSession(Timestamp, Value, Room),
}

/// Applies a change to a state, which may be absent.
///
/// - `session`: index of the running session, after the event.
/// - `now`: logical time of the input.
pub fn apply(state: Option<Folded>, change: &Change, session: u32, now: Timestamp) -> Folded {
    match change {
        Change::Add(x) => match state {
            Some(Folded::Total(sum)) => Folded::Total(sum + x),
            Some(_) | None => Folded::Total(*x),
        },
        Change::AddInSession(x) => match state {
            Some(Folded::Session(of, sum)) if of == session => Folded::Session(of, sum + x),
            Some(_) | None => Folded::Session(session, *x),
        },
        Change::Enter(at, x, room) => Folded::Window(match state {
            Some(Folded::Window(kept)) => kept.enter(*at, *x, *room, now),
            Some(_) | None => Kept::default().enter(*at, *x, *room, now),
        }),
        Change::First(at, value) => match state {
            Some(Folded::Value(known, value)) if known <= *at => Folded::Value(known, value),
            Some(_) | None => Folded::Value(*at, value.clone()),
        },
        Change::Last(at, value) => match state {
            Some(Folded::Value(known, value)) if known > *at => Folded::Value(known, value),
            Some(_) | None => Folded::Value(*at, value.clone()),
        },
        Change::See(hash, at, room) => {
            let seen = match state {
                Some(Folded::Distinct(_, seen)) => seen,
                Some(_) | None => Seen::default(),
            };
            Folded::Distinct(session, seen.see(*hash, *at, *room, now))
        }
        Change::SeeInSession(hash, at, room) => {
            let seen = match state {
                Some(Folded::Distinct(of, seen)) if of == session => seen,
                Some(_) | None => Seen::default(),
            };
            Folded::Distinct(session, seen.see(*hash, *at, *room, now))
        }
        Change::Dwell(at, opens) => dwell(state.as_ref(), *at, *opens, session),
        Change::Measure(x) => measure(state.as_ref(), *x, 0),
        Change::MeasureInSession(x) => measure(state.as_ref(), *x, session),
        Change::Keep(at, value, room) => Folded::Values(
            0,
            match state {
                Some(Folded::Values(_, kept)) => kept.enter(*at, value.clone(), *room, now),
                Some(_) | None => Kept::default().enter(*at, value.clone(), *room, now),
            },
        ),
        Change::KeepInSession(at, value, room) => Folded::Values(
            session,
            match state {
                Some(Folded::Values(of, kept)) if of == session => {
                    kept.enter(*at, value.clone(), *room, now)
                }
                Some(_) | None => Kept::default().enter(*at, value.clone(), *room, now),
            },
        ),
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            cut: None,
        }
    }
}

impl<T> Kept<T> {
    fn enter(mut self, at: Timestamp, value: T, room: Room, now: Timestamp) -> Self {
        let edge = room.length.map(|length| now - length);
        let idx = self.entries.partition_point(|(known, _)| *known <= at);
        self.entries.insert(idx, (at, value));
        let left = |at: Timestamp| edge.is_some_and(|edge| at <= edge);
        while self.entries.front().is_some_and(|(at, _)| left(*at)) {
            self.entries.pop_front();
        }
        while self.entries.len() > room.n_max as usize {
            let gone = self.entries.pop_front().map(|(at, _)| at);
            self.cut = self.cut.max(gone);
        }
        self
    }

    /// Returns the values after a time; `None` if some of them had to go.
    pub fn after(&self, edge: Option<Timestamp>) -> Option<impl Iterator<Item = &(Timestamp, T)>> {
        let inside = move |at: Timestamp| edge.is_none_or(|edge| at > edge);
        is_complete(self.cut, edge).then(|| self.entries.iter().filter(move |(at, _)| inside(*at)))
    }
}

impl Seen {
    fn see(mut self, hash: u64, at: Timestamp, room: Room, now: Timestamp) -> Self {
        let last = self.values.entry(hash).or_insert(at);
        *last = (*last).max(at);
        if let Some(length) = room.length {
            self.values.retain(|_, at| *at > now - length);
        }
        while self.values.len() > room.n_max as usize {
            let oldest = self.values.iter().map(|(hash, at)| (*at, *hash)).min();
            let Some((at, hash)) = oldest else { break };
            self.values.remove(&hash);
            self.cut = self.cut.max(Some(at));
        }
        self
    }

    /// Returns how many values were seen after a time; `None` if some of them had to go.
    pub fn after(&self, edge: Option<Timestamp>) -> Option<usize> {
        let inside = |at: &&Timestamp| edge.is_none_or(|edge| **at > edge);
        is_complete(self.cut, edge).then(|| self.values.values().filter(inside).count())
    }
}

/// Tells if everything after `edge` is there.
fn is_complete(cut: Option<Timestamp>, edge: Option<Timestamp>) -> bool {
    cut.is_none_or(|cut| edge.is_some_and(|edge| cut <= edge))
}

impl Measures {
    /// Returns what is known of some numbers; `None` of none.
    pub fn of(numbers: impl Iterator<Item = f64>) -> Option<Self> {
        numbers.fold(None, |known: Option<Self>, x| {
            Some(known.map_or_else(|| Self::one(x), |known| known.with(x)))
        })
    }

    const fn one(x: f64) -> Self {
        Self {
            n: 1.0,
            sum: x,
            least: x,
            most: x,
        }
    }

    fn with(self, x: f64) -> Self {
        Self {
            n: self.n + 1.0,
            sum: self.sum + x,
            least: self.least.min(x),
            most: self.most.max(x),
        }
    }
}

fn measure(state: Option<&Folded>, x: f64, session: u32) -> Folded {
    match state {
        Some(Folded::Measured(of, known)) if *of == session => {
            Folded::Measured(session, known.with(x))
        }
        Some(_) | None => Folded::Measured(session, Measures::one(x)),
    }
}

fn dwell(state: Option<&Folded>, at: Timestamp, opens: bool, session: u32) -> Folded {
    let (total, since) = match state {
        Some(Folded::Dwell(of, total, since)) if *of == session => (*total, *since),
        Some(_) | None => (0.0, None),
    };
    let spent = since.map_or(0.0, |since| at.since(since).as_secs_f64());
    Folded::Dwell(session, total + spent, opens.then_some(at))
}
