//! The door to NATS: events in, the log of commits, actions out.
//!
//! [`Streams`] is what the engine needs of a durable log. [`JetStream`] is the real one, [`Model`] an
//! in-process model of it with its ugly rules; the same tests run against both.

mod append;
mod chain;
mod error;
mod jetstream;
mod layout;
mod model;
pub mod server;
mod words;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::domain::{Partition, Timestamp};

pub use error::Error;
pub use jetstream::{Connect, JetStream, Options, Request};
pub use layout::{EVENT_ID, Layout, Limits, MESSAGE_ID, TRACE_PARENT};
pub use model::{Model, Replicas, Stored};
pub use words::{
    CommitId, Delivery, Durability, Extent, Lane, LogRecord, Marks, Opened, Outgoing, PublishAck,
};

/// Stands for the policies where a partition is named: their log lies beside those of the partitions, so that the
/// revisions and the people in them are kept, copied and lost together.
pub const POLICIES: Partition = Partition(u16::MAX);

/// A stream of what is read, that ends or fails once.
pub type Reading<T> = BoxStream<'static, Result<T, Error>>;

/// What the engine needs of a durable log.
pub trait Streams: Send + Sync + 'static {
    /// Creates what is missing and checks what is there; may be called again at any time.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] (call again), or [`Error::Setup`] when the server or its streams are
    /// not what the configuration says (an operator must act).
    fn open(&self) -> BoxFuture<'_, Result<Opened, Error>>;

    /// Returns the extent of the event stream.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] or [`Error::Refused`].
    fn extent(&self) -> BoxFuture<'_, Result<Extent, Error>>;

    /// Reads the events of all partitions in order, from sequence `after + 1` on, and never ends.
    ///
    /// - Each item holds what was ready, at least one event; reading ahead is bounded.
    /// - Gaps, lost consumers and lost connections are healed inside.
    ///
    /// # Errors
    ///
    /// In the stream, as its last item: [`Error::Deleted`] when `after + 1` (or a later event that
    /// was not read yet) is gone, [`Error::Behind`] when the stream ends before `after`.
    fn events(&self, after: u64) -> BoxFuture<'_, Result<Reading<Vec<Delivery>>, Error>>;

    /// Returns one stored event; `None` when it is gone.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] or [`Error::Refused`].
    fn event(&self, seq: u64) -> BoxFuture<'_, Result<Option<Delivery>, Error>>;

    /// Returns the sequence of the first event that was stored at a time or later; one more than the last
    /// when there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] or [`Error::Refused`].
    fn seq_at(&self, at: Timestamp) -> BoxFuture<'_, Result<u64, Error>>;

    /// Reads the events with sequences in `(after, upto]`, in order; then ends. What was deleted is not there.
    ///
    /// - `upto`: at most [`Extent::last_seq`].
    /// - `only`: one partition, or all.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] or [`Error::Refused`]; in the stream [`Error::Corrupt`] when a message is not an
    /// event of ours.
    fn history(
        &self,
        after: u64,
        upto: u64,
        only: Option<Partition>,
    ) -> BoxFuture<'_, Result<Reading<Vec<Delivery>>, Error>>;

    /// Appends one record to the log of a partition: the commit.
    ///
    /// - `expected`: the sequence of the partition's last record; 0 when it has none.
    /// - `commit`: names this record; the same id again returns the sequence where it stands.
    /// - Returns the sequence of the record, only when it stands.
    ///
    /// # Errors
    ///
    /// [`Error::Fenced`] when another record stands there, [`Error::TooLarge`] and [`Error::Refused`]
    /// when nothing was written, [`Error::Unsure`] when it is not known if the record stands.
    fn append(
        &self,
        partition: Partition,
        expected: u64,
        commit: CommitId,
        record: Bytes,
    ) -> BoxFuture<'_, Result<u64, Error>>;

    /// Returns the sequence of the partition's last record; 0 when it has none.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] or [`Error::Refused`].
    fn log_end(&self, partition: Partition) -> BoxFuture<'_, Result<u64, Error>>;

    /// Returns the last record of a partition; `None` when it has none.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] or [`Error::Refused`], [`Error::Corrupt`] when it is not a record of ours.
    fn log_last(&self, partition: Partition) -> BoxFuture<'_, Result<Option<LogRecord>, Error>>;

    /// Reads the records of a partition with sequences in `(after, upto]`, in order; then ends.
    ///
    /// - `after`: 0, or the sequence of a record of this partition.
    /// - `upto`: the sequence of a record of this partition, as [`Streams::log_end`] returns it.
    ///
    /// # Errors
    ///
    /// In the stream: [`Error::Deleted`] when a record between is gone (each record names the one
    /// before it), [`Error::Corrupt`] when a message is not a record of ours.
    fn log(
        &self,
        partition: Partition,
        after: u64,
        upto: u64,
    ) -> BoxFuture<'_, Result<Reading<LogRecord>, Error>>;

    /// Removes the records of a partition before `before`; the record `before` itself and the last one stay.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] or [`Error::Refused`].
    fn trim(&self, partition: Partition, before: u64) -> BoxFuture<'_, Result<(), Error>>;

    /// Publishes one message; returns once it is handed over, in the order of calls.
    ///
    /// - Waits while too many messages have no answer yet.
    /// - The inner future is the stream sequence; a duplicate id gives the sequence of the first one.
    ///   It need not be awaited for others to make progress.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] and [`Error::Refused`]: not published. [`Error::Unsure`]: publish again
    /// with the same id, within the duplicate window.
    fn publish(&self, out: Outgoing) -> BoxFuture<'_, Result<PublishAck, Error>>;

    /// Reads the message ids of a lane with sequences after `after`, to the lane's end as of the call.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] or [`Error::Refused`].
    fn published(
        &self,
        lane: Lane,
        after: u64,
    ) -> BoxFuture<'_, Result<Reading<(u64, String)>, Error>>;

    /// Returns the full subject of a message: the lane's prefix, then `tail` (tokens joined by dots).
    fn subject(&self, lane: Lane, tail: &str) -> String;

    /// Tells if the connection stands.
    ///
    /// # Errors
    ///
    /// The reason why it does not, for people.
    fn health(&self) -> Result<(), String>;

    /// Sends what is queued, and closes.
    fn drain(&self) -> BoxFuture<'_, ()>;
}
