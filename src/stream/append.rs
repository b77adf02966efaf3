//! The commit: one append that stands, is fenced, or is found out.
//!
//! The answers of a single-replica stream, a replicated one, and a broken connection differ
//! (`10071`, `10164`, none at all), and each may hide a success. So every answer that is not a clear
//! yes or no is *unsure*, and the log itself is asked.

use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;

use super::{CommitId, Error};
use crate::domain::Partition;

/// How often an append without a clear answer is looked up and tried again.
const ATTEMPTS_MAX: u32 = 6;
/// The wait before the second attempt; it doubles.
const PAUSE: Duration = Duration::from_millis(50);

/// What a single try to append came to.
pub(super) enum Outcome {
    /// Stored with this sequence.
    Stands(u64),
    /// Stored or not, or overtaken; for this reason.
    Unsure(String),
}

/// One record to append.
#[derive(Clone)]
pub(super) struct Record {
    pub partition: Partition,
    pub expected: u64,
    pub commit: CommitId,
    pub bytes: Bytes,
}

/// The last record of a partition.
pub(super) struct Last {
    pub seq: u64,
    pub commit: Option<CommitId>,
    pub bytes: Bytes,
}

/// What a log of commits must be able to do.
pub(super) trait Commits: Sync {
    /// Tries once to append; an `Err` says that nothing was stored.
    fn try_append<'a>(&'a self, record: &'a Record) -> BoxFuture<'a, Result<Outcome, Error>>;

    /// Returns the last record of a partition as the leader of the stream has it.
    fn last(&self, partition: Partition) -> BoxFuture<'_, Result<Option<Last>, Error>>;
}

/// Appends a record; see [`super::Streams::append`].
pub(super) async fn append(log: &impl Commits, record: &Record) -> Result<u64, Error> {
    let mut reason = String::new();
    for attempt in 0..ATTEMPTS_MAX {
        if attempt > 0 {
            tokio::time::sleep(PAUSE * 2_u32.pow(attempt - 1)).await;
        }
        match log.try_append(record).await {
            Ok(Outcome::Stands(seq)) => return Ok(seq),
            Ok(Outcome::Unsure(why)) => reason = why,
            Err(error) if attempt == 0 => return Err(error),
            // A try before may have stored it.
            Err(error) => reason = error.to_string(),
        }
        match found(log.last(record.partition).await, record)? {
            Some(seq) => return Ok(seq),
            None => {
                tracing::debug!(partition = %record.partition, attempt, reason, "append unsure");
            }
        }
    }
    Err(Error::Unsure(reason))
}

/// Compares what the log ends with to the record: its sequence if it stands, `None` to try again.
fn found(last: Result<Option<Last>, Error>, record: &Record) -> Result<Option<u64>, Error> {
    let last = match last {
        Ok(last) => last,
        // The try before may have stored the record, so "cannot read" is not "nothing was done".
        Err(Error::Unreachable(_)) => return Ok(None),
        Err(error) => return Err(Error::Unsure(error.to_string())),
    };
    let found = last.as_ref().map_or(0, |last| last.seq);
    if let Some(last) = last.filter(|last| last.commit == Some(record.commit)) {
        return Ok(Some(last.seq));
    }
    if found == record.expected {
        // Not there, or not there yet: the same record again cannot be stored twice.
        return Ok(None);
    }
    Err(Error::Fenced {
        partition: record.partition,
        expected: record.expected,
        found,
    })
}
