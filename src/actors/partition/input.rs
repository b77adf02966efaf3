//! What a partition is told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::Error;
use super::batch::Loaded;
use crate::actors::customer::{Decided, Imaged};
use crate::actors::image::Position;
use crate::actors::round::Page;
use crate::decide::Ask;
use crate::domain::{Answer, CustomerId, People, Profile, Timestamp};
use crate::stream::{self, Delivery};

/// A message to a partition.
pub enum Message {
    /// Inputs, in order.
    Incoming(Vec<Incoming>),
    /// The customers of the batch were read.
    Loaded(Result<Vec<Loaded>, Error>),
    /// The customers of the batch have decided.
    Decided(Vec<Option<Decided>>),
    /// The commit stands at this sequence, or does not; and when it was sent.
    Appended(Result<u64, stream::Error>, Instant),
    /// Images for a checkpoint.
    Imaged(Vec<Option<Imaged>>),
    /// The checkpoint with this position is written, and how much work that was.
    Checkpointed(Result<(Position, Duration), Error>),
    /// Images of customers were looked at for whom other policies concern.
    Page(Result<Page, Error>),
    /// Everything up to this commit has left; the last sequence of each lane.
    Emitted(u64, crate::stream::Marks),
    /// Somebody wants to know where people are.
    Census(oneshot::Sender<Headcount>),
    /// Time has passed.
    Tick,
    /// Finish what is there, checkpoint, and say so.
    Stop(oneshot::Sender<()>),
}

/// Where people are.
#[derive(Debug, Default)]
pub struct Headcount {
    /// As of the last commit.
    pub people: People,
    /// Who enters from here on enters by this revision of the policies, or a later one.
    pub revision: u64,
}

/// One input.
pub enum Incoming {
    /// An event, and the credit that bounds how many are on their way.
    Event(Delivery, Arc<OwnedSemaphorePermit>),
    /// Every event up to this sequence, and every one stored before this time, was handed over.
    Watermark(u64, Timestamp),
    /// A decide call at this time.
    Ask(
        CustomerId,
        Ask,
        Timestamp,
        oneshot::Sender<Result<Arc<Answer>, AskError>>,
    ),
    /// Somebody wants to see a customer.
    Look(CustomerId, oneshot::Sender<Option<Box<Profile>>>),
}

/// Why a decide call has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// Too many calls wait.
    #[error("too many decide calls are waiting, try again in a moment")]
    Overloaded,
    /// The partition is starting, or lost its commit.
    #[error("the customer's partition is not ready, try again in a moment")]
    NotReady,
    /// Deciding failed; it is in the log.
    #[error("the decision failed")]
    Failed,
}

impl Incoming {
    /// Turns an input away, if anybody waits for an answer.
    pub fn refuse(self, why: AskError) {
        if let Self::Ask(_, _, _, reply) = self {
            let _gone = reply.send(Err(why));
        }
    }
}
