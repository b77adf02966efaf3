//! One partition: takes its inputs in order, hands them to customers, and commits what they decided.

mod batch;
mod checkpoint;
mod commit;
mod input;
mod learnt;
mod quotas;
mod reads;
mod residents;
mod rounds;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;

pub use input::{AskError, Headcount, Incoming, Message};

use crate::actors::census::Census;
use crate::actors::emitter::Emitter;
use crate::actors::engine::Engine;
use crate::actors::record::Span;
use crate::actors::recover::Recovered;
use crate::actors::table::Table;
use crate::actors::timers::Timers;
use crate::domain::{Partition as Id, Timestamp};
pub use learnt::Learnt;
pub use residents::Arrival;

use batch::Batch;
use quotas::Quotas;
use reads::Reads;
use residents::Residents;
use rounds::Rounds;

/// The actor.
pub struct Partition;

/// What a partition is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing: the next batch may begin.
    Idle,
    /// Images of a batch's customers are read.
    Loading,
    /// Customers decide.
    Deciding,
    /// A commit is on its way.
    Appending,
    /// Customers hand out images for a checkpoint.
    Imaging,
}

/// What the actor holds.
pub struct State {
    engine: Arc<Engine>,
    table: Arc<Table>,
    id: Id,
    myself: ActorRef<Message>,
    phase: Phase,
    pending: VecDeque<Incoming>,
    n_asks: usize,
    batch: Option<Batch>,
    residents: Residents,
    reads: Reads,
    timers: Timers,
    census: Census,
    rounds: Rounds,
    emitter: Emitter,
    /// Last sequence of the state log.
    log_end: u64,
    /// Last event that is committed, or did not need to be.
    offset: u64,
    /// Last event that was taken in: a reader that starts again repeats some.
    read_seq: u64,
    /// Every event stored before this time was taken in.
    watermark: Timestamp,
    /// The latest time of the watermark and of own events: what the watermark will be at least once they are told.
    reached: Timestamp,
    /// Commits whose content has not all been acknowledged, in order.
    emitting: VecDeque<Span>,
    marks: crate::stream::Marks,
    checkpoint: checkpoint::Pace,
    learnt: Learnt,
    quotas: Quotas,
    stopping: Option<oneshot::Sender<()>>,
}

/// What a partition starts with.
pub struct Start {
    /// What all actors share.
    pub engine: Arc<Engine>,
    /// Where the node finds its partitions.
    pub table: Arc<Table>,
    /// Which one it is.
    pub id: Id,
    /// What the store and the log say.
    pub recovered: Recovered,
}

impl Actor for Partition {
    type Msg = Message;
    type State = State;
    type Arguments = Start;

    async fn pre_start(
        &self,
        myself: ActorRef<Message>,
        start: Start,
    ) -> Result<State, ActorProcessingErr> {
        let Start {
            engine,
            table,
            id,
            recovered,
        } = start;
        let emitter = Emitter::start(&engine, myself.clone(), recovered.marks, recovered.outbox);
        engine.board.begin(id, &recovered.learnt.tallies);
        let quotas = Quotas {
            holder: engine.exchange.open().begin(id.0, &recovered.quotas),
            touched: recovered.quotas.into_keys().collect(),
        };
        let residents = Residents::start(&engine, recovered.customers).await?;
        let mut state = State {
            id,
            phase: Phase::Idle,
            pending: VecDeque::new(),
            n_asks: 0,
            batch: None,
            residents,
            reads: Reads::default(),
            timers: recovered.timers,
            census: recovered.census,
            rounds: Rounds::new(&engine, recovered.round),
            emitter,
            log_end: recovered.log_end,
            offset: recovered.offset,
            read_seq: recovered.offset,
            watermark: recovered.watermark,
            reached: recovered.watermark,
            emitting: recovered.emitting,
            marks: recovered.marks,
            checkpoint: checkpoint::Pace::new(
                recovered.checkpointed,
                recovered.offset,
                checkpoint::first_wait(&engine, id),
            ),
            stopping: None,
            learnt: recovered.learnt,
            quotas,
            engine,
            table,
            myself,
        };
        state.publish_state();
        Ok(state)
    }

    async fn handle(
        &self,
        _: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        if let Err(error) = state.take(message) {
            if error.is_fatal() {
                state.table.give_up(state.id, &error);
            } else {
                state.table.failed(state.id, &error);
            }
            return Err(error.to_string().into());
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Message>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.residents.retire_all();
        Ok(())
    }
}

/// Why a partition cannot go on; it starts again from the store and the log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The stream refused.
    #[error(transparent)]
    Stream(#[from] crate::stream::Error),
    /// The disk refused.
    #[error("the checkpoint failed: {0}")]
    Store(#[from] crate::store::Error),
    /// A row or record could not be written.
    #[error("{0}")]
    Encoding(String),
    /// A customer's actor died.
    #[error("the actor of a customer died")]
    CustomerDied,
    /// Loading a customer failed.
    #[error("cannot load a customer: {0}")]
    Load(String),
}

impl Error {
    /// Tells if another process owns the partition: to claim it back would be to fight over it.
    fn is_fatal(&self) -> bool {
        matches!(self, Self::Stream(crate::stream::Error::Fenced { .. }))
    }
}

impl State {
    fn take(&mut self, message: Message) -> Result<(), Error> {
        match message {
            Message::Incoming(incoming) => self.receive(incoming),
            Message::Loaded(loaded) => self.loaded(loaded?)?,
            Message::Decided(decided) => self.decided(decided)?,
            Message::Appended(appended, since) => {
                self.engine.meters.append.since(since);
                self.appended(appended?);
            }
            Message::Imaged(images) => self.imaged(images)?,
            Message::Checkpointed(done) => {
                let (position, written) = done?;
                self.checkpointed(position, written);
            }
            Message::Page(page) => self.take_page(page?),
            Message::Emitted(log_seq, marks) => self.emitted(log_seq, marks),
            Message::Census(reply) => drop(reply.send(self.headcount())),
            Message::Tick => {}
            Message::Stop(reply) => self.stopping = Some(reply),
        }
        self.go_on()
    }

    fn headcount(&self) -> Headcount {
        // A batch that has begun goes by what was live then.
        let begun = self
            .batch
            .as_ref()
            .map(|batch| batch.means.policies.revision);
        Headcount {
            people: self.census.now().clone(),
            revision: begun.unwrap_or_else(|| self.engine.live.get().revision),
        }
    }

    fn receive(&mut self, incoming: Vec<Incoming>) {
        for incoming in incoming {
            let asks = matches!(incoming, Incoming::Ask(..));
            if asks && self.n_asks >= self.engine.limits.asks {
                incoming.refuse(AskError::Overloaded);
                continue;
            }
            self.n_asks += usize::from(asks);
            self.pending.push_back(incoming);
        }
    }

    /// Begins what is next, if nothing is going on.
    fn go_on(&mut self) -> Result<(), Error> {
        if self.phase != Phase::Idle {
            return Ok(());
        }
        if self.checkpoint.has_turn() {
            self.ask_for_images()?;
        } else if self.checkpoint_is_due(Instant::now()) {
            self.begin_checkpoint()?;
        }
        if self.phase != Phase::Idle {
            return Ok(());
        }
        if self.stopping.is_none() {
            self.tend_rounds();
        }
        self.begin_batch()?;
        self.checkpoint.batched();
        if self.phase == Phase::Idle && self.checkpoint.is_asking() {
            self.ask_for_images()?;
        }
        if self.phase == Phase::Idle {
            self.rest()?;
        }
        Ok(())
    }

    /// Nothing is to be done: says until when, and ends if it is asked to.
    fn rest(&mut self) -> Result<(), Error> {
        self.publish_state();
        if self.stopping.is_none() || !self.pending.is_empty() {
            return Ok(());
        }
        let has_all = !self.residents.has_dirty() && !self.checkpoint.lacks(self.offset);
        if !has_all || self.checkpoint.is_running() {
            self.checkpoint.hurry();
            if self.checkpoint_is_due(Instant::now()) {
                return self.begin_checkpoint();
            }
        } else if self.emitting.is_empty()
            && let Some(reply) = self.stopping.take()
        {
            let _gone = reply.send(());
        }
        Ok(())
    }

    fn emitted(&mut self, log_seq: u64, marks: crate::stream::Marks) {
        while self.emitting.front().is_some_and(|of| of.end <= log_seq) {
            self.emitting.pop_front();
        }
        self.marks = marks;
        self.engine.crash.pass("after_mark");
    }

    /// Everything that leaves because of commits up to this one has left.
    fn emitted_through(&self) -> u64 {
        self.emitting
            .front()
            .map_or(self.log_end, |first| first.after)
    }

    /// Tells the reader how far this partition is and when it wants to know the time.
    fn publish_state(&mut self) {
        let round = self.rounds.waits_for(self.watermark);
        let first = [self.timers.first(), round].into_iter().flatten().min();
        self.table.set(self.id, self.offset, first);
    }
}
