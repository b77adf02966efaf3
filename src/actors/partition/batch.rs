//! A batch: inputs in, grouped by customer; customers loaded; everything handed over.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use foldhash::fast::RandomState;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::input::{AskError, Incoming, Message};
use super::residents::Arrival;
use super::{Error, Phase, State};
use crate::actors::customer::{self, Decided, Input, Means};
use crate::actors::engine::Engine;
use crate::actors::gather::gather;
use crate::actors::live::Policies;
use crate::actors::load;
use crate::actors::record::{Commit, Dead, Forward};
use crate::clock::Clock;
use crate::decide::Cause;
use crate::decide::drive::Moment;
use crate::domain::segment::Decoded;
use crate::domain::{Answer, CustomerId, Duration, Profile, Timestamp};
use crate::stream::Delivery;

/// A customer that was looked for: whom, and what the store and the log know.
pub type Loaded = (CustomerId, Option<Arrival>);

/// The inputs that one commit covers.
pub struct Batch {
    /// What decides about all of them.
    pub means: Means,
    /// One a customer, in the order in which they first appear.
    pub work: Vec<Work>,
    index: HashMap<CustomerId, usize, RandomState>,
    /// Last event in the batch, whatever became of it.
    pub offset: u64,
    /// Events that could not be handled.
    pub dead: Vec<Dead>,
    /// Events of another partition.
    pub forwards: Vec<Forward>,
    /// Who wants to see a customer.
    pub looks: Vec<(CustomerId, oneshot::Sender<Option<Box<Profile>>>)>,
    /// The record, once everything is decided.
    pub commit: Arc<Commit>,
    n_inputs: usize,
    n_bytes: usize,
    credits: Vec<Arc<OwnedSemaphorePermit>>,
}

/// One customer's part of a batch.
pub struct Work {
    /// Whose.
    pub customer: CustomerId,
    /// What came in, in order.
    pub inputs: Vec<Input>,
    /// Where each input came from.
    pub origins: Vec<Origin>,
    /// What was decided.
    pub decided: Option<Decided>,
    /// Whether the profile has learnt anything.
    pub learnt: bool,
    /// Nothing is known of the customer and only decide calls came in: nothing is remembered.
    pub stranger: bool,
    /// Answers to the decide calls, in order.
    pub answers: VecDeque<Option<Arc<Answer>>>,
}

/// Where an input came from.
pub enum Origin {
    /// The event stream, at this sequence.
    Event(u64),
    /// A timer.
    Timer,
    /// A decide call; `None` once it was answered.
    Ask(Option<oneshot::Sender<Result<Arc<Answer>, AskError>>>),
}

impl Batch {
    /// - `n`: how many inputs wait.
    fn new(means: Means, offset: u64, n: usize) -> Self {
        Self {
            means,
            work: Vec::with_capacity(n),
            index: HashMap::with_capacity_and_hasher(n, RandomState::default()),
            offset,
            dead: Vec::new(),
            forwards: Vec::new(),
            looks: Vec::new(),
            commit: Arc::default(),
            n_inputs: 0,
            n_bytes: 0,
            credits: Vec::with_capacity(n),
        }
    }

    pub(super) fn add(&mut self, customer: CustomerId, input: Input, origin: Origin) {
        let idx = *self.index.entry(customer.clone()).or_insert_with(|| {
            // Most customers have one input.
            let (inputs, origins) = (Vec::with_capacity(1), Vec::with_capacity(1));
            let answers = VecDeque::new();
            let work = Work {
                customer,
                inputs,
                origins,
                decided: None,
                learnt: false,
                stranger: false,
                answers,
            };
            self.work.push(work);
            self.work.len() - 1
        });
        self.work[idx].inputs.push(input);
        self.work[idx].origins.push(origin);
        self.n_inputs += 1;
    }

    /// Notes that nothing is known of a customer: of one who only asks nothing will be.
    fn meet(&mut self, customer: &CustomerId) {
        let idx = self.index.get(customer);
        let Some(work) = idx.and_then(|idx| self.work.get_mut(*idx)) else {
            return;
        };
        let asks = |input: &Input| matches!(input.cause, Cause::Ask(_));
        work.stranger = work.inputs.iter().all(asks);
        for input in work.inputs.iter_mut().filter(|_| work.stranger) {
            if let Cause::Ask(ask) = &mut input.cause {
                ask.stranger = true;
            }
        }
    }

    fn is_nothing(&self, offset: u64) -> bool {
        self.work.is_empty() && self.looks.is_empty() && self.offset <= offset
    }
}

impl State {
    /// Takes what waits, up to the bounds of a batch, and hands it to the customers.
    pub(super) fn begin_batch(&mut self) -> Result<(), Error> {
        let means = Means {
            policies: self.engine.live.get(),
            learnt: self.engine.board.view(),
            holder: self.quotas.holder,
        };
        let n_max = self.engine.limits.batch_inputs;
        let mut batch = Batch::new(means, self.offset, self.pending.len().min(n_max));
        self.take_due(&mut batch)?;
        self.engine
            .clone()
            .meters
            .decode
            .time(|| self.take_pending(&mut batch));
        if self.stopping.is_none() {
            self.take_round(&mut batch);
        }
        if batch.work.is_empty() {
            // The time may have gone on with the last input that was taken.
            self.take_due(&mut batch)?;
        }
        if batch.is_nothing(self.offset) && !self.owes() {
            return Ok(());
        }
        let start = Instant::now();
        let missing = self.missing(&batch);
        self.batch = Some(batch);
        self.engine.meters.route.since(start);
        if missing.is_empty() {
            return self.hand_over();
        }
        self.phase = Phase::Loading;
        self.load(missing)
    }

    fn take_pending(&mut self, batch: &mut Batch) {
        let limits = self.engine.limits.clone();
        while batch.n_inputs < limits.batch_inputs && batch.n_bytes < limits.batch_bytes {
            let Some(incoming) = self.pending.pop_front() else {
                return;
            };
            self.take_one(batch, incoming);
        }
    }

    fn take_one(&mut self, batch: &mut Batch, incoming: Incoming) {
        match incoming {
            Incoming::Event(delivery, credit) => {
                batch.credits.push(credit);
                self.take_event(batch, &delivery);
            }
            Incoming::Watermark(seq, at) => self.take_time(batch, seq, at),
            Incoming::Ask(customer, ask, at, reply) => {
                self.n_asks -= 1;
                // Where time goes on with the events, a call comes at the time of the last one.
                let (cause, moment) = (Cause::Ask(ask), self.moment(at.max(self.watermark)));
                let input = Input {
                    cause,
                    moment,
                    traceparent: None,
                };
                batch.add(customer, input, Origin::Ask(Some(reply)));
            }
            Incoming::Look(customer, reply) => batch.looks.push((customer, reply)),
        }
    }

    fn take_time(&mut self, batch: &mut Batch, seq: u64, at: Timestamp) {
        self.watermark = self.watermark.max(at);
        self.reached = self.reached.max(at);
        self.read_seq = self.read_seq.max(seq);
        if batch.work.is_empty() && batch.dead.is_empty() && batch.forwards.is_empty() {
            // Nothing of this partition lies between; the next commit or checkpoint says so.
            self.offset = self.offset.max(seq);
            batch.offset = self.offset;
        }
    }

    fn take_event(&mut self, batch: &mut Batch, delivery: &Delivery) {
        let seq = delivery.seq;
        if seq <= self.read_seq {
            return;
        }
        self.read_seq = seq;
        batch.offset = seq;
        batch.n_bytes += delivery.payload.len();
        let engine = self.engine.clone();
        let dead = |reason: &str, error| Dead {
            seq,
            reason: reason.into(),
            error,
        };
        let (n_bytes, n_max) = (delivery.payload.len(), engine.limits.event_bytes);
        if n_bytes > n_max {
            let error = format!("{n_bytes} bytes, at most {n_max} are allowed");
            return batch.dead.push(dead("too_large", error));
        }
        let decoded = match decode(&engine, &batch.means.policies, delivery) {
            Ok(decoded) => decoded,
            Err(error) => return batch.dead.push(dead("undecodable", error)),
        };
        if decoded.customer.partition(engine.n_partitions) != self.id {
            let token = decoded.customer.token();
            let event = decoded.event.id;
            return batch.forwards.push(Forward { seq, token, event });
        }
        let now = match engine.clock {
            Clock::Stream => delivery.stored_at,
            Clock::Event => decoded.event.at,
        };
        self.reached = self.reached.max(now);
        let traceparent = delivery.traceparent.as_deref().map(Arc::from);
        let (cause, moment) = (Cause::Event(decoded.event), self.moment(now));
        let input = Input {
            cause,
            moment,
            traceparent,
        };
        batch.add(decoded.customer, input, Origin::Event(seq));
    }

    pub(super) fn moment(&self, now: Timestamp) -> Moment {
        Moment {
            now,
            at_due: self.engine.clock == Clock::Event,
        }
    }

    /// Wakes whoever is due before the watermark: what is due at that very time may still be prevented.
    fn take_due(&mut self, batch: &mut Batch) -> Result<(), Error> {
        self.extend_timers()?;
        let room = self
            .engine
            .limits
            .batch_inputs
            .saturating_sub(batch.n_inputs);
        let upto = self.watermark - Duration::from_millis(1);
        for customer in self.timers.take_due(self.watermark, room) {
            let moment = self.moment(self.watermark);
            let input = Input {
                cause: Cause::Wake(upto),
                moment,
                traceparent: None,
            };
            batch.add(customer, input, Origin::Timer);
        }
        Ok(())
    }

    /// Reads timers from the store when the watermark comes near the last one that is known.
    fn extend_timers(&mut self) -> Result<(), Error> {
        if self.timers.horizon() > self.watermark {
            return Ok(());
        }
        let (horizon, mut rows) = load::timers(&self.engine, self.id, self.timers.horizon())?;
        // A resident's own time is right; the store may have an older one.
        rows.retain(|(_, customer)| !self.residents.has(customer));
        let resident = self.residents.iter();
        rows.extend(resident.filter_map(|(customer, of)| Some((of.due?, customer.clone()))));
        self.timers.extend(horizon, rows);
        Ok(())
    }

    fn missing(&self, batch: &Batch) -> Vec<CustomerId> {
        let worked = batch.work.iter().map(|work| &work.customer);
        let looked = batch.looks.iter().map(|(customer, _)| customer);
        worked
            .chain(looked)
            .filter(|customer| !self.residents.has(customer))
            .cloned()
            .collect()
    }

    fn load(&mut self, missing: Vec<CustomerId>) -> Result<(), Error> {
        if self.reads.may_be_at_once(missing.len()) {
            let start = Instant::now();
            let loaded = load::customers(&self.engine, self.id, missing)?;
            self.reads.took(start.elapsed());
            return self.loaded(loaded);
        }
        let (engine, id, myself) = (self.engine.clone(), self.id, self.myself.clone());
        tokio::task::spawn_blocking(move || {
            let loaded = load::customers(&engine, id, missing);
            let _gone = myself.cast(Message::Loaded(loaded));
        });
        Ok(())
    }

    pub(super) fn loaded(&mut self, loaded: Vec<Loaded>) -> Result<(), Error> {
        if let Some(batch) = &mut self.batch {
            let unknown = loaded.iter().filter(|(_, known)| known.is_none());
            unknown.for_each(|(customer, _)| batch.meet(customer));
        }
        let works = |customer: &CustomerId| {
            self.batch
                .as_ref()
                .is_some_and(|batch| batch.index.contains_key(customer))
        };
        // Who is only looked at and not known does not become a resident.
        let arrivals: Vec<Arrival> = loaded
            .into_iter()
            .filter_map(|(customer, known)| match known {
                Some(known) => Some(known),
                None => works(&customer).then(|| load::blank(customer)),
            })
            .collect();
        for arrival in arrivals {
            self.residents
                .add(arrival)
                .map_err(|error| Error::Load(error.to_string()))?;
        }
        self.note_late();
        self.hand_over()
    }

    /// Gives every customer of the batch its inputs.
    pub(super) fn hand_over(&mut self) -> Result<(), Error> {
        let start = Instant::now();
        let Some(batch) = &mut self.batch else {
            return Ok(());
        };
        let n_todo = batch
            .work
            .iter()
            .filter(|work| work.decided.is_none())
            .count();
        self.phase = Phase::Deciding;
        if n_todo == 0 {
            return self.decided(Vec::new());
        }
        let myself = self.myself.clone();
        let slots = gather(n_todo, move |decided| {
            let _gone = myself.cast(Message::Decided(decided));
        });
        let todo = batch.work.iter_mut().filter(|work| work.decided.is_none());
        for (work, slot) in todo.zip(slots) {
            let Some(resident) = self.residents.using(&work.customer) else {
                continue;
            };
            let inputs = std::mem::take(&mut work.inputs);
            // A customer that is gone drops the slot, which counts as no answer.
            let apply = customer::Message::Apply(inputs, batch.means.clone(), slot);
            let _gone = resident.actor.cast(apply);
        }
        self.engine.meters.route.since(start);
        Ok(())
    }
}

fn decode(engine: &Engine, policies: &Policies, delivery: &Delivery) -> Result<Decoded, String> {
    let real = engine.clock == Clock::Stream;
    delivery.decode(engine.created, real, |name| policies.wanted.depth(name))
}
