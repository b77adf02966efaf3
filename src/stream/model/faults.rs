//! What tests do to the model: the time, the weather, and a look inside.

use bytes::Bytes;

use super::journal::Stored;
use super::{Model, State};
use crate::domain::{Partition, Timestamp};
use crate::stream::Lane;
use crate::stream::layout::{MESSAGE_ID, Stream};

/// What goes wrong, and when.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Countdowns: the answer of the n-th next append is lost.
    lost_appends: Vec<u64>,
    /// Countdowns: the answer of the n-th next publish is lost.
    lost_publishes: Vec<u64>,
    /// How many next appends are refused with 10164: another is in flight.
    pub clashes: u64,
}

impl Faults {
    pub(super) fn is_append_lost(&mut self) -> bool {
        count_down(&mut self.lost_appends)
    }

    pub(super) fn is_publish_lost(&mut self) -> bool {
        count_down(&mut self.lost_publishes)
    }
}

/// Counts all down; tells if one of them is over.
fn count_down(countdowns: &mut Vec<u64>) -> bool {
    for left in &mut *countdowns {
        *left = left.saturating_sub(1);
    }
    let n_before = countdowns.len();
    countdowns.retain(|left| *left > 0);
    countdowns.len() < n_before
}

impl Model {
    /// Sets the server's clock.
    pub fn set_now(&self, now: Timestamp) {
        self.change(|state| state.now = now);
    }

    /// Publishes an event as an outside publisher would; returns its sequence.
    ///
    /// - `headers`: may hold [`MESSAGE_ID`], then the server drops a duplicate and returns the first's sequence.
    pub fn put_event(
        &self,
        token: &str,
        payload: impl Into<Bytes>,
        headers: &[(&str, &str)],
    ) -> u64 {
        let id = headers.iter().find(|(name, _)| *name == MESSAGE_ID);
        let id = id.map(|(_, value)| (*value).to_owned());
        let others = headers.iter().filter(|(name, _)| *name != MESSAGE_ID);
        let others = others.map(|(name, value)| ((*name).into(), (*value).into()));
        let (headers, payload) = (others.collect(), payload.into());
        self.change(|state| {
            let subject = state.layout.subject(Lane::Events, token);
            state.publish(Lane::Events, &subject, id, headers, payload)
        })
    }

    /// Loses the answer of the `n`-th next try to append (1 is the next): stored, but nobody hears of it.
    pub fn lose_answer_of_append(&self, n: u64) {
        self.change(|state| state.faults.lost_appends.push(n));
    }

    /// Loses the answer of the `n`-th next publish (1 is the next): stored, but nobody hears of it.
    pub fn lose_answer_of_publish(&self, n: u64) {
        self.change(|state| state.faults.lost_publishes.push(n));
    }

    /// Refuses the next `n` tries to append, as a replicated stream does while another is in flight (10164).
    pub fn clash_appends(&self, n: u64) {
        self.change(|state| state.faults.clashes = n);
    }

    /// Cuts or mends the connection: while it is cut nothing is stored and nothing is answered.
    pub fn set_reachable(&self, is_reachable: bool) {
        self.change(|state| state.is_reachable = is_reachable);
    }

    /// Forgets the last `n` events and their sequences: the server lost its tail.
    pub fn lose_tail(&self, n: u64) {
        self.change(|state| state.journal_mut(Stream::Events).lose_tail(n));
    }

    /// Forgets the last `n` records of all logs and their sequences.
    pub fn lose_log_tail(&self, n: u64) {
        self.change(|state| state.journal_mut(Stream::State).lose_tail(n));
    }

    /// Deletes the events before a sequence, as an age limit does.
    pub fn purge_events_before(&self, seq: u64) {
        let is_gone = |message: &Stored| message.seq < seq;
        self.change(|state| state.journal_mut(Stream::Events).remove(is_gone));
    }

    /// Deletes one record of a log.
    pub fn delete_record(&self, seq: u64) {
        let is_gone = |message: &Stored| message.seq == seq;
        self.change(|state| state.journal_mut(Stream::State).remove(is_gone));
    }

    /// Pretends that the streams were deleted and created again at this time.
    pub fn set_created(&self, created: Timestamp) {
        self.change(|state| state.created = created);
    }

    /// Returns the actions that were stored.
    pub fn actions(&self) -> Vec<Stored> {
        self.stored(Stream::Actions)
    }

    /// Returns the changes of segments that were stored.
    pub fn crossings(&self) -> Vec<Stored> {
        self.stored(Stream::Segments)
    }

    /// Returns the decisions that were stored.
    pub fn decisions(&self) -> Vec<Stored> {
        self.stored(Stream::Decisions)
    }

    /// Returns the dead letters that were stored.
    pub fn dead_letters(&self) -> Vec<Stored> {
        self.stored(Stream::DeadLetters)
    }

    /// Returns the events that are stored.
    pub fn stored_events(&self) -> Vec<Stored> {
        self.stored(Stream::Events)
    }

    /// Returns the number of records in a partition's log.
    pub fn log_len(&self, partition: Partition) -> usize {
        let state = self.lock();
        let subject = state.layout.log(partition);
        let records = state.journal(Stream::State).after(0);
        records.filter(|message| message.subject == subject).count()
    }

    fn stored(&self, stream: Stream) -> Vec<Stored> {
        self.lock().journal(stream).after(0).cloned().collect()
    }

    /// Changes the state, then wakes every reader.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let out = change(&mut self.lock());
        self.shared.bell.send_modify(|times| *times += 1);
        out
    }
}
