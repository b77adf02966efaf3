//! Rounds: when segments, absences or schedules are others, everybody is looked at, also who is not in memory.
//!
//! First come those whose stored images lack something, then the images of the store, page by page. What an image says
//! is enough to tell whom it concerns; they handle an input like any other, so that what follows is committed, once.
//! A round goes on after a kill where it was.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch::{Batch, Origin};
use super::input::Message;
use super::{Error, State};
use crate::actors::customer::Input;
use crate::actors::engine::Engine;
use crate::actors::round::{Page, Round, Row, page};
use crate::clock::{self, Clock};
use crate::decide::Cause;
use crate::domain::{CustomerId, Timestamp};

/// How many customers of a round one batch holds: who asks meanwhile does not wait for more.
const BATCH_MAX: usize = 64;

/// A page is followed by a pause this many times as long for each partition: all of them together take a part of one core.
const PAGE_PAUSE: u32 = 4;

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// How far the round of a partition is.
pub struct Rounds {
    row: Row,
    /// The row differs from that of the store.
    unsaved: bool,
    stage: Stage,
    /// Who is to be handled.
    todo: VecDeque<CustomerId>,
    /// What was stored before this time is handled first.
    from: Timestamp,
    /// When the last batch of the round began.
    began: Option<Instant>,
    /// The next one does not begin before.
    next: Option<Instant>,
    open: Option<Open>,
}

/// What a round is doing.
#[derive(Debug)]
enum Stage {
    /// Who is in memory and not as the store has them comes first.
    Begin,
    /// A page may be read.
    Resting,
    /// A page is being read.
    Reading,
    /// Some are handled; then the round is as far as this.
    Handling(Round),
    /// Everybody was looked at.
    Done,
}

/// A round that is not done; it is counted.
struct Open(Arc<Engine>);

impl Open {
    fn new(engine: &Arc<Engine>) -> Self {
        engine.meters.rounds_open.add(1);
        Self(engine.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.meters.rounds_open.sub(1);
    }
}

impl Rounds {
    /// Goes on where the store says.
    pub fn new(engine: &Arc<Engine>, row: Row) -> Self {
        let stage = match (&row.standing, &row.round) {
            (None, _) | (_, Round::Done) => Stage::Done,
            (_, Round::Begun) => Stage::Begin,
            (_, Round::Upto(_)) => Stage::Resting,
        };
        Self {
            open: (!matches!(stage, Stage::Done)).then(|| Open::new(engine)),
            row,
            unsaved: false,
            stage,
            todo: VecDeque::new(),
            from: time(engine),
            began: None,
            next: None,
        }
    }

    /// Returns the time that has to come before the round goes on.
    pub fn waits_for(&self, watermark: Timestamp) -> Option<Timestamp> {
        let waits = self.open.is_some() && watermark < self.from;
        waits.then_some(self.from)
    }

    /// Returns the row if the store has another one; it counts as stored from then on.
    pub fn take_unsaved(&mut self) -> Option<&Row> {
        std::mem::take(&mut self.unsaved).then_some(&self.row)
    }

    fn restart(&mut self, engine: &Arc<Engine>, standing: u64) {
        let is_first = self.row.standing.is_none();
        if self.open.is_none() {
            self.open = Some(Open::new(engine));
        }
        if !is_first && engine.meters.rounds_open.get() == 1 {
            tracing::info!("segments, absences or schedules are others: everybody is looked at");
        }
        self.row = Row {
            standing: Some(standing),
            round: Round::Begun,
        };
        self.unsaved = true;
        self.stage = Stage::Begin;
        self.todo.clear();
        self.from = time(engine);
    }

    /// Lets others have the machine after a batch.
    fn pause(&mut self, n_partitions: u16) -> Option<Duration> {
        let took = self.began.take()?.elapsed();
        let pause = (took * u32::from(n_partitions)).min(PAUSE_MAX);
        self.next = Some(Instant::now() + pause);
        (!self.todo.is_empty()).then_some(pause)
    }
}

/// Where time goes on with the events alone there is nothing to wait for.
fn time(engine: &Engine) -> Timestamp {
    match engine.clock {
        Clock::Stream => clock::now(),
        Clock::Event => Timestamp::MIN,
    }
}

impl State {
    /// Goes on with the round; no batch is under way, so that all before are committed.
    pub(super) fn tend_rounds(&mut self) {
        let standing = self.engine.live.get().bundle.standing;
        let is_reading = matches!(self.rounds.stage, Stage::Reading);
        if self.rounds.row.standing != Some(standing) && !is_reading {
            self.rounds.restart(&self.engine, standing);
        }
        if let Some(pause) = self.rounds.pause(self.engine.n_partitions) {
            let myself = self.myself.clone();
            tokio::spawn(async move {
                tokio::time::sleep(pause).await;
                let _gone = myself.cast(Message::Tick);
            });
        }
        let waits = self.rounds.waits_for(self.watermark).is_some();
        if !waits && self.rounds.todo.is_empty() {
            self.next_stage();
        }
    }

    fn next_stage(&mut self) {
        match std::mem::replace(&mut self.rounds.stage, Stage::Done) {
            Stage::Begin => {
                let residents = self.residents.iter();
                let lacking = residents.filter(|(_, of)| of.dirty_since.is_some() || of.saving);
                self.rounds.todo = lacking.map(|(customer, _)| customer.clone()).collect();
                self.rounds.stage = Stage::Handling(Round::first(self.id));
            }
            Stage::Handling(round) => {
                self.engine.crash.pass("in_round");
                let is_done = round == Round::Done;
                self.rounds.row.round = round;
                self.rounds.unsaved = true;
                self.checkpoint.touch();
                if is_done {
                    self.end_round();
                } else {
                    self.rounds.stage = Stage::Resting;
                    self.next_stage();
                }
            }
            Stage::Resting => {
                self.rounds.stage = Stage::Resting;
                // Whom the page before brought goes again first.
                if self.residents.end_batch() {
                    self.checkpoint.hurry();
                } else {
                    self.read_page();
                }
            }
            stage @ (Stage::Reading | Stage::Done) => self.rounds.stage = stage,
        }
    }

    fn end_round(&mut self) {
        self.rounds.open = None;
        let meters = &self.engine.meters;
        let (looked_at, concerned) = (&meters.rounds_customers, &meters.rounds_concerned);
        if meters.rounds_open.get() == 0 && looked_at.get() > 0 {
            tracing::info!(
                looked_at = looked_at.get(),
                concerned = concerned.get(),
                "everybody was looked at; what is counted is counted since the start"
            );
        }
    }

    fn read_page(&mut self) {
        let Round::Upto(after) = self.rounds.row.round.clone() else {
            return;
        };
        self.rounds.stage = Stage::Reading;
        let (engine, id, myself) = (self.engine.clone(), self.id, self.myself.clone());
        let (bundle, now) = (engine.live.get().bundle.clone(), self.watermark);
        let n_partitions = u32::from(engine.n_partitions);
        tokio::spawn(async move {
            let reading = move || {
                let start = Instant::now();
                (page(&engine, id, &after, &bundle, now), start.elapsed())
            };
            let Ok((page, took)) = tokio::task::spawn_blocking(reading).await else {
                return;
            };
            tokio::time::sleep((took * PAGE_PAUSE * n_partitions).min(PAUSE_MAX)).await;
            let page = page.map_err(|error| Error::Load(error.to_string()));
            let _gone = myself.cast(Message::Page(page));
        });
    }

    /// Takes a page: whom it concerns is handled next.
    pub(super) fn take_page(&mut self, page: Page) {
        let meters = &self.engine.meters;
        meters.rounds_customers.add(page.n as u64);
        self.rounds.todo = page.concerned.into();
        self.rounds.stage = Stage::Handling(page.round);
    }

    /// Lets some of those who are to be looked at handle it as an input.
    pub(super) fn take_round(&mut self, batch: &mut Batch) {
        let rounds = &mut self.rounds;
        let is_early = rounds.next.is_some_and(|next| Instant::now() < next);
        if is_early || rounds.todo.is_empty() {
            return;
        }
        rounds.began = Some(Instant::now());
        let n = rounds.todo.len().min(BATCH_MAX);
        let customers: Vec<_> = rounds.todo.drain(..n).collect();
        self.engine.meters.rounds_concerned.add(n as u64);
        for customer in customers {
            let input = Input {
                cause: Cause::Renew,
                moment: self.moment(self.watermark),
                traceparent: None,
            };
            batch.add(customer, input, Origin::Timer);
        }
    }
}
