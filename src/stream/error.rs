//! What can go wrong at the stream door.

use crate::domain::Partition;

/// Why a stream could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// NATS does not answer; nothing was done, the call can be made again.
    #[error("cannot reach NATS: {0}")]
    Unreachable(String),
    /// The message may or may not be stored.
    #[error("no answer from NATS, the message may or may not be stored: {0}")]
    Unsure(String),
    /// The server answered no; nothing was done.
    #[error("NATS refused: {0}")]
    Refused(String),
    /// The server or its streams are not what the configuration says.
    #[error("{0}")]
    Setup(String),
    /// Another record stands where this one was to be: the partition has another owner, or had.
    #[error(
        "the log of partition {partition} ends at {found}, not at {expected}: another owner wrote to it"
    )]
    Fenced {
        /// The partition whose log it is.
        partition: Partition,
        /// The sequence that the last record was expected to have.
        expected: u64,
        /// The sequence that it has.
        found: u64,
    },
    /// What was to be read was deleted.
    #[error(
        "stream `{stream}` has nothing between {after} and {first}: unread messages were deleted"
    )]
    Deleted {
        /// The name of the stream.
        stream: String,
        /// The last sequence that was read.
        after: u64,
        /// The first sequence that is there.
        first: u64,
    },
    /// The stream ends before what was read of it: the server lost its tail, or it is another stream.
    #[error(
        "stream `{stream}` ends at {last}, but {after} was read from it: the server lost its tail"
    )]
    Behind {
        /// The name of the stream.
        stream: String,
        /// The last sequence that was read.
        after: u64,
        /// The last sequence that is there.
        last: u64,
    },
    /// The message is larger than the server takes; nothing was sent.
    #[error("a message of {bytes} bytes is larger than the server's `max_payload` of {bytes_max}")]
    TooLarge {
        /// Payload and headers.
        bytes: usize,
        /// What the server takes.
        bytes_max: usize,
    },
    /// A stored message is not one of ours.
    #[error("message {seq} of stream `{stream}` is not one of ours: {reason}")]
    Corrupt {
        /// The name of the stream.
        stream: String,
        /// The sequence of the message.
        seq: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A child process nats-server could not be run.
    #[error("cannot run nats-server: {0}")]
    Server(String),
}
