//! The watch over one model.

use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use xxhash_rust::xxh3::xxh3_64;

use super::baseline::cell;
use super::pending::Pending;
use super::{Baseline, Histogram, Promise, Standing, stability};
use crate::domain::{Cell, Score, Timestamp};
use crate::policy::model::Drift;

/// The watch over one model.
pub struct Watch {
    model: Arc<str>,
    bounds: Drift,
    baseline: Option<Baseline>,
    state: Mutex<State>,
}

/// What is counted; bounded by the columns and their bins, and by what may be pending.
struct State {
    /// Rows of the window that fills.
    rows: u32,
    columns: Vec<Vec<u64>>,
    scores: Vec<u64>,
    /// What the last full window gave.
    last: Option<Window>,
    pending: Pending,
    promise: Promise,
    /// What has been said in the log.
    said: [bool; 3],
}

#[derive(Clone)]
struct Window {
    columns: Vec<Moved>,
    scores: Moved,
}

#[derive(Clone, Copy)]
struct Moved {
    index: f64,
    alarm: bool,
}

/// How far a model has moved away from its training.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drifted {
    /// The stability index of each column, and whether it is an alarm; empty before the first full window, and without a
    /// baseline.
    pub columns: Vec<(Arc<str>, f64, bool)>,
    /// The same of the scores.
    pub scores: Option<(f64, bool)>,
    /// How outcomes stand against the scores.
    pub outcomes: Standing,
}

impl Drifted {
    /// Tells if a column has moved that was not expected to.
    pub fn inputs_alarm(&self) -> bool {
        self.columns.iter().any(|(_, _, alarm)| *alarm)
    }

    /// Tells if the scores have moved.
    pub fn scores_alarm(&self) -> bool {
        self.scores.is_some_and(|(_, alarm)| alarm)
    }
}

impl Watch {
    /// Begins to watch.
    ///
    /// - `baseline`: what the training saw; without one only outcomes are watched.
    pub fn new(model: Arc<str>, baseline: Option<Baseline>, bounds: Drift) -> Self {
        let promise = Promise::new(bounds.tolerance, bounds.run_length);
        let zeros = |histogram: &Histogram| vec![0; histogram.counts.len()];
        let of = baseline.as_ref();
        let columns = of.map(|of| of.columns.iter().map(|it| zeros(&it.histogram)).collect());
        let state = State {
            rows: 0,
            columns: columns.unwrap_or_default(),
            scores: of.map(|of| zeros(&of.scores)).unwrap_or_default(),
            last: None,
            pending: Pending::default(),
            promise,
            said: [false; 3],
        };
        Self {
            model,
            bounds,
            baseline,
            state: Mutex::new(state),
        }
    }

    /// Takes in rows and their scores. It never waits: rows that find it busy are not counted.
    pub fn seen(&self, rows: &[&[Cell]], scores: &[Score]) {
        let Some(baseline) = &self.baseline else {
            return;
        };
        let mut state = match self.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(state)) => state.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        for (row, score) in rows.iter().zip(scores) {
            if row.len() != baseline.columns.len() {
                continue;
            }
            let State { columns, .. } = &mut *state;
            for ((counts, column), cell) in columns.iter_mut().zip(&baseline.columns).zip(*row) {
                counts[column.histogram.bins.place(cell)] += 1;
            }
            let place = baseline.scores.bins.place(&cell(score.known()));
            state.scores[place] += 1;
            state.rows += 1;
            if state.rows >= self.bounds.rows {
                self.close(&mut state, baseline);
            }
        }
    }

    /// Follows an offer that was given.
    ///
    /// - `decision`: the fingerprint of its id.
    /// - `until`: how long an outcome counts.
    pub fn given(&self, decision: u64, offer: &str, score: f64, at: Timestamp, until: Timestamp) {
        let mut state = self.lock();
        self.advance(&mut state, at);
        state.pending.given(key(decision, offer), score, until);
    }

    /// Notes that an offer was taken.
    pub fn came(&self, decision: u64, offer: &str, at: Timestamp) {
        let mut state = self.lock();
        self.advance(&mut state, at);
        state.pending.came(key(decision, offer));
    }

    /// Returns how far the model has moved.
    pub fn drifted(&self) -> Drifted {
        let state = self.lock();
        let names = self.baseline.iter().flat_map(|of| &of.columns);
        let columns = state.last.iter().flat_map(|last| &last.columns);
        let columns = names.zip(columns);
        let column = |(of, moved): (&super::ColumnBaseline, &Moved)| {
            (of.column.clone(), moved.index, moved.alarm)
        };
        Drifted {
            columns: columns.map(column).collect(),
            scores: state
                .last
                .as_ref()
                .map(|of| (of.scores.index, of.scores.alarm)),
            outcomes: state.promise.standing(),
        }
    }

    /// Tells if there is a baseline.
    pub fn has_baseline(&self) -> bool {
        self.baseline.is_some()
    }

    fn advance(&self, state: &mut State, now: Timestamp) {
        let over = state.pending.over(now);
        if over.is_empty() {
            return;
        }
        for (score, came) in over {
            state.promise.outcome(score, came);
        }
        let standing = state.promise.standing();
        if turned(&mut state.said[2], standing.broken) {
            tracing::warn!(
                model = %self.model, promised = standing.promised, came = standing.came,
                "the outcomes are not what the model promises"
            );
        }
    }

    /// Compares a full window with the training, and begins the next.
    fn close(&self, state: &mut State, baseline: &Baseline) {
        let compare = |of: &Histogram, counts: &[u64], ignored: bool| {
            let index = stability::index(&of.counts, counts);
            let bound = self.bounds.psi.max(stability::chance(&of.counts, counts));
            Moved {
                index,
                alarm: !ignored && index > bound,
            }
        };
        let pairs = baseline.columns.iter().zip(&state.columns);
        let columns = pairs.map(|(of, counts)| {
            let ignored = self.bounds.ignore.contains(&of.column);
            compare(&of.histogram, counts, ignored)
        });
        let window = Window {
            columns: columns.collect(),
            scores: compare(&baseline.scores, &state.scores, false),
        };
        self.say(state, baseline, &window);
        state.last = Some(window);
        state.rows = 0;
        state.columns.iter_mut().for_each(|counts| counts.fill(0));
        state.scores.fill(0);
    }

    /// Says once that something has moved.
    fn say(&self, state: &mut State, baseline: &Baseline, window: &Window) {
        let moved = baseline.columns.iter().zip(&window.columns);
        let moved: Vec<_> = moved
            .filter(|(_, moved)| moved.alarm)
            .map(|(of, moved)| format!("{} {:.2}", of.column, moved.index))
            .collect();
        if turned(&mut state.said[0], !moved.is_empty()) {
            let columns = moved.join(", ");
            tracing::warn!(model = %self.model, columns, "the inputs are not those of the training");
        }
        if turned(&mut state.said[1], window.scores.alarm) {
            let index = window.scores.index;
            tracing::warn!(model = %self.model, index, "the scores are not those of the training");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells if something has just begun to be so.
fn turned(said: &mut bool, is: bool) -> bool {
    let turned = is && !*said;
    *said = is;
    turned
}

fn key(decision: u64, offer: &str) -> u64 {
    decision ^ xxh3_64(offer.as_bytes()).rotate_left(1)
}
