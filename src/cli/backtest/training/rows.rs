//! The rows of a training table: what a model would have seen then, and what happened after.
//!
//! INVARIANT: a row's columns are computed when its moment comes, from a customer who has learnt what happened up to it
//! and nothing else; its label looks only at what happens strictly after, up to the end of its time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use anyhow::{bail, ensure};

use crate::cli::backtest::feed::Item;
use crate::cli::backtest::replay::{Replay, Side};
use crate::cli::backtest::training::label::Judge;
use crate::cli::backtest::training::moments::{Moments, first_at_or_after};
use crate::decide::{Cause, Env, inputs};
use crate::domain::{Cell, CustomerId, Event, Timestamp};
use crate::policy::model::Model;

/// So many rows wait for their labels at most.
const OPEN_MAX: usize = 4_000_000;

/// A row that is complete.
pub struct Row {
    /// Whose.
    pub customer: CustomerId,
    /// When.
    pub at: Timestamp,
    /// The columns of the model, in the order of its manifest.
    pub cells: Vec<Cell>,
    /// Whether it happened within the time.
    pub label: bool,
}

/// What became of the moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows written.
    pub rows: u64,
    /// Rows with the label.
    pub positive: u64,
    /// Moments at which an input that must be known was not.
    pub unknown: u64,
    /// Moments so late that the time of their label is not over at the end of the events.
    pub open: u64,
    /// Events that are what the label looks for.
    pub events: u64,
}

impl Counts {
    /// Tells if a name is likely to be wrong.
    ///
    /// # Errors
    ///
    /// No moment came, or rows have come and nothing is what the label looks for.
    pub fn check(&self, moments: &Moments) -> anyhow::Result<()> {
        if self.rows + self.open + self.unknown == 0 {
            match moments {
                Moments::After(name) => {
                    bail!("no moment came: is the event of `--at` right? `{name}` never happened")
                }
                Moments::Every(_) => bail!("no moment came: the events end before the first one"),
            }
        }
        ensure!(
            self.events > 0 || self.rows == 0,
            "nothing that happened is what `--label` looks for: is the event's name right?"
        );
        Ok(())
    }
}

/// A table under way.
pub struct Rows<'a> {
    /// The customers.
    pub replay: Replay<'a>,
    /// The counts so far; `rows` and `positive` are for the writer.
    pub counts: Counts,
    side: &'a Side,
    model: &'a Model,
    judge: &'a Judge,
    /// When rows are written.
    pub moments: &'a Moments,
    known: BTreeSet<CustomerId>,
    /// The next moment of the grid; `None` before the first event.
    next: Option<Timestamp>,
    /// Rows without a label yet, the oldest first.
    open: VecDeque<Row>,
    /// The number of the oldest one, counted from 0.
    first: u64,
    /// By customer: the numbers of the rows that nothing has happened to.
    waiting: BTreeMap<CustomerId, VecDeque<u64>>,
}

impl<'a> Rows<'a> {
    /// Starts with nothing known.
    pub fn new(
        replay: Replay<'a>,
        side: &'a Side,
        model: &'a Model,
        judge: &'a Judge,
        moments: &'a Moments,
    ) -> Self {
        Self {
            replay,
            counts: Counts::default(),
            side,
            model,
            judge,
            moments,
            known: BTreeSet::new(),
            next: None,
            open: VecDeque::new(),
            first: 0,
            waiting: BTreeMap::new(),
        }
    }

    /// Handles an event, with the moments that lie before it.
    ///
    /// # Errors
    ///
    /// The disk fails, or too many rows wait for their labels.
    pub fn take(&mut self, item: &Item) -> anyhow::Result<()> {
        let now = item.now.max(self.replay.summary.clock);
        if item.event.is_ok() {
            self.grid(now)?;
        }
        let n_duplicates = self.replay.summary.duplicates;
        self.replay.take(std::slice::from_ref(item))?;
        self.replay.left.clear();
        self.replay.held.clear();
        let Ok((id, Cause::Event(event))) = &item.event else {
            return Ok(());
        };
        if self.replay.summary.duplicates > n_duplicates {
            return Ok(());
        }
        self.known.insert(id.clone());
        self.judge(id, event, now)?;
        let is_moment = matches!(self.moments, Moments::After(name) if **name == *event.name);
        if is_moment {
            self.row(id, now)?;
        }
        Ok(())
    }

    /// Writes the moments of the grid before a time: what happens at a moment itself is known there.
    fn grid(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let Moments::Every(every) = self.moments else {
            return Ok(());
        };
        let mut next = match self.next {
            Some(next) => next,
            None => first_at_or_after(*every, now),
        };
        while next < now {
            self.replay.advance(next)?;
            let known: Vec<CustomerId> = self.known.iter().cloned().collect();
            for id in known {
                self.row(&id, next)?;
            }
            next = next + *every;
        }
        self.next = Some(next);
        Ok(())
    }

    fn row(&mut self, customer: &CustomerId, at: Timestamp) -> anyhow::Result<()> {
        let bundle = &self.side.bundle;
        let profile = self.replay.profile(customer)?;
        let Ok(inputs) = inputs::row(self.model, &Env::new(bundle, profile, at)) else {
            self.counts.unknown += 1;
            return Ok(());
        };
        ensure!(
            self.open.len() < OPEN_MAX,
            "more than {OPEN_MAX} rows wait for their labels: ask at fewer moments, or within a shorter time"
        );
        let number = self.first + self.open.len() as u64;
        let waiting = self.waiting.entry(customer.clone()).or_default();
        waiting.push_back(number);
        self.open.push_back(Row {
            customer: customer.clone(),
            at,
            cells: Arc::unwrap_or_clone(inputs).row,
            label: false,
        });
        Ok(())
    }

    /// Gives the label to the rows of a customer that an event is the answer to.
    fn judge(&mut self, id: &CustomerId, event: &Event, now: Timestamp) -> anyhow::Result<()> {
        let profile = self.replay.profile(id)?;
        if !self.judge.is_met(&self.side.bundle, profile, event, now) {
            return Ok(());
        }
        self.counts.events += 1;
        let Some(waiting) = self.waiting.get_mut(id) else {
            return Ok(());
        };
        let (first, open, judge) = (self.first, &mut self.open, self.judge);
        waiting.retain(|number| {
            let idx = number
                .checked_sub(first)
                .and_then(|idx| usize::try_from(idx).ok());
            let Some(row) = idx.and_then(|idx| open.get_mut(idx)) else {
                return false;
            };
            // At the very moment of the row it is neither known nor to be foreseen.
            if now <= row.at {
                return true;
            }
            row.label = now <= judge.end_of(row.at);
            false
        });
        if waiting.is_empty() {
            self.waiting.remove(id);
        }
        Ok(())
    }

    /// Returns the next row whose time is over.
    pub fn ready(&mut self) -> Option<Row> {
        let clock = self.replay.summary.clock;
        let over = self
            .open
            .front()
            .map(|row| self.judge.end_of(row.at) < clock);
        over.filter(|over| *over)?;
        self.pop()
    }

    /// Goes on to the end; what is ready then is all there will be.
    ///
    /// - `until`: the moment up to which everything is known; without one the last event.
    ///
    /// # Errors
    ///
    /// The disk fails.
    pub fn end(&mut self, until: Option<Timestamp>) -> anyhow::Result<Vec<Row>> {
        if let Some(until) = until {
            self.grid(until)?;
            self.replay.advance(until)?;
        }
        let clock = self.replay.summary.clock;
        let mut rows = Vec::new();
        while let Some(row) = self.open.front() {
            if self.judge.end_of(row.at) > clock {
                break;
            }
            rows.extend(self.pop());
        }
        self.counts.open = self.open.len() as u64;
        Ok(rows)
    }

    fn pop(&mut self) -> Option<Row> {
        let row = self.open.pop_front()?;
        let number = self.first;
        self.first += 1;
        if let Some(waiting) = self.waiting.get_mut(&row.customer) {
            if waiting.front() == Some(&number) {
                waiting.pop_front();
            }
            if waiting.is_empty() {
                self.waiting.remove(&row.customer);
            }
        }
        Some(row)
    }
}

/// Returns the name of a model, or those that there are.
pub fn model<'a>(side: &'a Side, name: &str) -> anyhow::Result<&'a Model> {
    let names = || side.bundle.models.keys().map(Arc::as_ref);
    let model = side.bundle.model(name).ok_or_else(|| {
        let hint = crate::policy::hint(name, names());
        let all: Vec<&str> = names().collect();
        anyhow::anyhow!(
            "there is no model `{name}`{hint} (there are: {})",
            all.join(", ")
        )
    })?;
    ensure!(
        !model.per_offer,
        "`{name}` looks at the offer that is judged: its rows belong to decisions, which the log of decisions has"
    );
    Ok(model)
}
