//! One stream of the model: sequences, expectations, and the window of duplicates.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::Replicas;
use crate::domain::{Duration, Timestamp};

/// One stored message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its sequence in its stream.
    pub seq: u64,
    /// Its subject, as it was stored.
    pub subject: String,
    /// Its `Nats-Msg-Id`.
    pub id: Option<String>,
    /// Its other headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub payload: Bytes,
    /// When it was stored.
    pub stored_at: Timestamp,
}

impl Stored {
    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What the server answers to a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stream) enum Answer {
    /// Stored with this sequence.
    Stored(u64),
    /// `duplicate: true`: the id stands there already.
    Duplicate(u64),
    /// Error 10071: the subject's last sequence is another one.
    WrongLast,
}

/// One stream.
#[derive(Debug, Default)]
pub(in crate::stream) struct Journal {
    messages: BTreeMap<u64, Stored>,
    last: u64,
    /// Where each id stands that the server remembers, and since when.
    ids: BTreeMap<String, (u64, Timestamp)>,
}

impl Journal {
    /// Stores a message by the rules of the server; its `seq` is given here.
    ///
    /// A single replica compares the expectation first and then looks for the id; with three it is
    /// the other way round.
    pub(in crate::stream) fn store(
        &mut self,
        mut message: Stored,
        expected: Option<u64>,
        replicas: Replicas,
        window: Duration,
    ) -> Answer {
        let now = message.stored_at;
        let is_wrong = expected.is_some_and(|seq| seq != self.last_of(&message.subject));
        let known = message.id.as_ref().and_then(|id| self.ids.get(id));
        let known = known.filter(|(_, since)| now.since(*since) < window);
        let is_wrong_first = replicas == Replicas::One && is_wrong;
        if let Some((seq, _)) = known.filter(|_| !is_wrong_first) {
            return Answer::Duplicate(*seq);
        }
        if is_wrong {
            return Answer::WrongLast;
        }
        self.last += 1;
        message.seq = self.last;
        if let Some(id) = &message.id {
            self.ids.insert(id.clone(), (self.last, now));
        }
        self.messages.insert(self.last, message);
        Answer::Stored(self.last)
    }

    pub(super) fn get(&self, seq: u64) -> Option<&Stored> {
        self.messages.get(&seq)
    }

    /// Returns the last message of a subject.
    pub(super) fn last_on(&self, subject: &str) -> Option<&Stored> {
        let mut from_end = self.messages.values().rev();
        from_end.find(|message| message.subject == subject)
    }

    fn last_of(&self, subject: &str) -> u64 {
        self.last_on(subject).map_or(0, |message| message.seq)
    }

    /// Returns the sequence of the last message ever stored.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Returns the sequence of the first message; one more than the last when there is none.
    pub(super) fn first(&self) -> u64 {
        let first = self.messages.keys().next();
        first.copied().unwrap_or(self.last + 1)
    }

    /// Returns the messages after a sequence, in order.
    pub(super) fn after(&self, seq: u64) -> impl Iterator<Item = &Stored> {
        self.messages.range(seq + 1..).map(|(_, message)| message)
    }

    /// Returns the number of messages after a sequence.
    pub(super) fn n_after(&self, seq: u64) -> u64 {
        // Events are dense but for what was deleted at the head.
        self.last.saturating_sub(seq)
    }

    /// Removes the messages for which `is_gone` holds.
    pub(super) fn remove(&mut self, is_gone: impl Fn(&Stored) -> bool) {
        self.messages.retain(|_, message| !is_gone(message));
    }

    /// Forgets the last `n` messages and their sequences, as a server does that lost its tail.
    pub(super) fn lose_tail(&mut self, n: u64) {
        let last = self.last.saturating_sub(n);
        self.messages.retain(|seq, _| *seq <= last);
        self.ids.retain(|_, (seq, _)| *seq <= last);
        self.last = last;
    }
}
