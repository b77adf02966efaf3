//! An in-process model of `JetStream` with its ugly rules, for tests and simulations.
//!
//! It answers as nats-server does: sequences, expectations, the window of duplicates, the order of
//! checks that depends on replicas, answers that get lost. Its clock stands until it is set.

mod faults;
mod journal;
mod read;
mod rules;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use tokio::sync::watch;

use super::append::{Commits, Last, Outcome, Record, append};
use super::layout::{COMMIT, Layout, Stream};
use super::{
    CommitId, Delivery, Error, Extent, Lane, LogRecord, Opened, Outgoing, PublishAck, Reading,
    Streams,
};
use crate::domain::{Partition, Timestamp};

use faults::Faults;
#[cfg(test)]
pub(super) use journal::Answer;
pub(super) use journal::Journal;
pub use journal::Stored;

/// How many replicas the model's streams pretend to have: the order of checks depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replicas {
    /// The expectation is checked before the message id.
    One,
    /// The message id is checked before the expectation.
    Three,
}

/// The model. A clone is another connection to the same server.
#[derive(Clone)]
pub struct Model {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Rings on every change.
    bell: watch::Sender<u64>,
}

struct State {
    layout: Layout,
    replicas: Replicas,
    now: Timestamp,
    created: Timestamp,
    payload_max: usize,
    is_reachable: bool,
    journals: [Journal; 6],
    faults: Faults,
}

impl Model {
    /// Makes a server with empty streams, whose clock stands at `now`.
    pub fn new(layout: Layout, replicas: Replicas, now: Timestamp) -> Self {
        let state = State {
            layout,
            replicas,
            now,
            created: now,
            payload_max: 1_024 * 1_024,
            is_reachable: true,
            journals: Default::default(),
            faults: Faults::default(),
        };
        let shared = Shared {
            state: Mutex::new(state),
            bell: watch::Sender::new(0),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a question, if the connection stands.
    fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&State) -> T,
    ) -> BoxFuture<'static, Result<T, Error>> {
        let state = self.lock();
        let answer = state.check_reachable().map(|()| ask(&state));
        ready(answer).boxed()
    }
}

impl Commits for Model {
    fn try_append<'a>(&'a self, record: &'a Record) -> BoxFuture<'a, Result<Outcome, Error>> {
        ready(self.change(|state| state.try_append(record))).boxed()
    }

    fn last(&self, partition: Partition) -> BoxFuture<'_, Result<Option<Last>, Error>> {
        self.ask(|state| {
            let subject = state.layout.log(partition);
            let last = state.journal(Stream::State).last_on(&subject)?;
            Some(Last {
                seq: last.seq,
                commit: last.header(COMMIT).and_then(CommitId::parse),
                bytes: last.payload.clone(),
            })
        })
    }
}

impl Streams for Model {
    fn open(&self) -> BoxFuture<'_, Result<Opened, Error>> {
        self.ask(State::opened)
    }

    fn extent(&self) -> BoxFuture<'_, Result<Extent, Error>> {
        self.ask(|state| {
            let events = state.journal(Stream::Events);
            Extent {
                first_seq: events.first(),
                last_seq: events.last(),
                created: state.created,
                n_partitions: state.layout.n_partitions,
            }
        })
    }

    fn events(&self, after: u64) -> BoxFuture<'_, Result<Reading<Vec<Delivery>>, Error>> {
        ready(read::events(self, after)).boxed()
    }

    fn event(&self, seq: u64) -> BoxFuture<'_, Result<Option<Delivery>, Error>> {
        let found = self.ask(move |state| read::event(state, seq));
        found.map(|found| found.and_then(|event| event)).boxed()
    }

    fn seq_at(&self, at: Timestamp) -> BoxFuture<'_, Result<u64, Error>> {
        self.ask(move |state| read::seq_at(state, at))
    }

    fn history(
        &self,
        after: u64,
        upto: u64,
        only: Option<Partition>,
    ) -> BoxFuture<'_, Result<Reading<Vec<Delivery>>, Error>> {
        self.ask(move |state| read::history(state, after, upto, only))
    }

    fn append(
        &self,
        partition: Partition,
        expected: u64,
        commit: CommitId,
        record: Bytes,
    ) -> BoxFuture<'_, Result<u64, Error>> {
        let record = Record {
            partition,
            expected,
            commit,
            bytes: record,
        };
        async move { append(self, &record).await }.boxed()
    }

    fn log_end(&self, partition: Partition) -> BoxFuture<'_, Result<u64, Error>> {
        let last = self.last(partition);
        last.map(|last| Ok(last?.map_or(0, |last| last.seq)))
            .boxed()
    }

    fn log_last(&self, partition: Partition) -> BoxFuture<'_, Result<Option<LogRecord>, Error>> {
        let last = self.ask(move |state| read::last(state, partition));
        last.map(|last| last.and_then(|last| last)).boxed()
    }

    fn log(
        &self,
        partition: Partition,
        after: u64,
        upto: u64,
    ) -> BoxFuture<'_, Result<Reading<LogRecord>, Error>> {
        self.ask(move |state| read::log(state, partition, after, upto))
    }

    fn trim(&self, partition: Partition, before: u64) -> BoxFuture<'_, Result<(), Error>> {
        let trimmed = self.change(|state| {
            state.check_reachable()?;
            let subject = state.layout.log(partition);
            let journal = state.journal_mut(Stream::State);
            let last = journal.last_on(&subject).map_or(0, |last| last.seq);
            journal.remove(|message| message.subject == subject && message.seq < before.min(last));
            Ok(())
        });
        ready(trimmed).boxed()
    }

    fn publish(&self, out: Outgoing) -> BoxFuture<'_, Result<PublishAck, Error>> {
        let taken = self.change(|state| state.take(out));
        let ack = taken.map(|seq| {
            let answer = seq.ok_or_else(|| Error::Unsure("the answer is lost".into()));
            ready(answer).boxed()
        });
        ready(ack).boxed()
    }

    fn published(
        &self,
        lane: Lane,
        after: u64,
    ) -> BoxFuture<'_, Result<Reading<(u64, String)>, Error>> {
        self.ask(move |state| read::published(state, lane, after))
    }

    fn subject(&self, lane: Lane, tail: &str) -> String {
        self.lock().layout.subject(lane, tail)
    }

    fn health(&self) -> Result<(), String> {
        let reachable = self.lock().check_reachable();
        reachable.map_err(|error| error.to_string())
    }

    fn drain(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }
}
