//! The words of the stream door: what is read, what is written, where it stands.

use std::fmt;

use bytes::Bytes;
use futures::future::BoxFuture;

use super::Error;
use crate::domain::segment::{self, Decoded, Depth, Received};
use crate::domain::{Partition, Timestamp};

/// The answer to a publish: the sequence of the message in its stream.
pub type PublishAck = BoxFuture<'static, Result<u64, Error>>;

/// The name of one commit: unique among all commits ever tried on its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(pub u128);

impl CommitId {
    /// Reads 32 hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        u128::from_str_radix(text, 16).ok().map(Self)
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// One event as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its sequence in the event stream.
    pub seq: u64,
    /// The partition that the server gave it, by its publisher's token.
    pub partition: Partition,
    /// When the server stored it.
    pub stored_at: Timestamp,
    /// The bytes that were published.
    pub payload: Bytes,
    /// The id that a forwarded event keeps (header `Attune-Event-Id`).
    pub event_id: Option<Box<str>>,
    /// The W3C trace context of the publisher (header `traceparent`).
    pub traceparent: Option<Box<str>>,
    /// Events in the stream after this one, when it was sent; 0 is caught up.
    pub pending: u64,
}

impl Delivery {
    /// Decodes the event.
    ///
    /// - `created`: when the event stream was created, in milliseconds: with the sequence it names an event
    ///   that brings no id.
    /// - `real`: whether `stored_at` is the real time of the event, see [`Received::real`].
    /// - `depth`: see [`segment::decode`].
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with the bytes.
    pub fn decode(
        &self,
        created: i64,
        real: bool,
        depth: impl Fn(&str) -> Depth,
    ) -> Result<Decoded, String> {
        let received = Received {
            at: self.stored_at,
            real,
            fallback_id: &|| match &self.event_id {
                Some(id) => id.to_string(),
                None => format!("seq-{created}-{}", self.seq),
            },
        };
        segment::decode(&self.payload, &received, depth)
    }
}

/// One record of a partition's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// Its sequence in the state stream.
    pub seq: u64,
    /// Its name.
    pub commit: CommitId,
    /// The bytes that were appended.
    pub record: Bytes,
}

/// Where a message leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// What channels send: `attune.actions.<channel>.<journey>`.
    Actions,
    /// What was decided: `attune.decisions.<placement>`.
    Decisions,
    /// What could not be handled: `attune.dlq.<reason>`.
    DeadLetters,
    /// Events, also those that came in the wrong partition: `attune.events.<token>`.
    Events,
    /// Who came into a segment or went out of it: `attune.segments.<name>.<entered|exited>`.
    Segments,
}

/// By lane: the sequence at which something was last published.
pub type Marks = [u64; 5];

/// One message to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Where it leaves.
    pub lane: Lane,
    /// Its full subject, as [`super::Streams::subject`] makes it.
    pub subject: String,
    /// Its `Nats-Msg-Id`: the server drops a second message with this id within the duplicate window.
    pub id: String,
    /// More headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub payload: Bytes,
}

/// What an acknowledged message survives, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Durability {
    /// The end of any process, by any signal; not a loss of power.
    Process,
    /// Also a loss of power: the server syncs before it acknowledges.
    Power,
    /// Also the loss of one machine: the streams have three replicas or more. A loss of power of all
    /// machines at the same time is survived only if the servers sync always, too.
    Machine,
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Process => "process",
            Self::Power => "power",
            Self::Machine => "machine",
        })
    }
}

/// What was found when the streams were opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The version of the server.
    pub server_version: String,
    /// What an acknowledged message survives, as far as it can be proved.
    pub durability: Durability,
    /// The largest message, payload and headers, in bytes.
    pub payload_max: usize,
    /// The number of partitions.
    pub n_partitions: u16,
    /// When the event stream was created.
    pub created: Timestamp,
}

/// What the event stream holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The sequence of the first event; one more than the last when there is none.
    pub first_seq: u64,
    /// The sequence of the last event ever stored; 0 before the first.
    pub last_seq: u64,
    /// When the stream was created; it changes when someone deletes and creates it again.
    pub created: Timestamp,
    /// The number of partitions that it was created with.
    pub n_partitions: u16,
}
