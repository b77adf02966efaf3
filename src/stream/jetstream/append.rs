//! The log of commits on `JetStream`: append, its end, and its trimming.

use std::error::Error as _;
use std::sync::{Mutex, PoisonError};

use async_nats::HeaderMap;
use async_nats::jetstream;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};

use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::RawMessageErrorKind;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::json;

use super::super::append::{Commits, Last, Outcome, Record, append as append_surely};
use super::super::layout::{AFTER, COMMIT, Stream};
use super::super::{CommitId, Error, LogRecord};
use super::Shared;
use super::request::request;
use crate::domain::Partition;

/// The server is busy with another write to the subject, or with the same message id.
const IN_PROCESS: [u64; 2] = [10_164, 10_158];

/// The last known ends of the logs, by partition.
#[derive(Default)]
pub(super) struct Ends(Mutex<std::collections::BTreeMap<Partition, u64>>);

impl Ends {
    fn get(&self, partition: Partition) -> u64 {
        let ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ends.get(&partition).copied().unwrap_or(0)
    }

    fn set(&self, partition: Partition, seq: u64) {
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ends.insert(partition, seq);
    }
}

/// Appends; see [`super::Streams::append`].
pub(super) async fn append(shared: &Shared, record: Record) -> Result<u64, Error> {
    let seq = append_surely(shared, &record).await?;
    shared.ends.set(record.partition, seq);
    Ok(seq)
}

/// Returns the sequence of the last record; 0 when there is none.
pub(super) async fn end(shared: &Shared, partition: Partition) -> Result<u64, Error> {
    let last = shared.last(partition).await?;
    let seq = last.map_or(0, |last| last.seq);
    shared.ends.set(partition, seq);
    Ok(seq)
}

/// Returns the last record; see [`super::Streams::log_last`].
pub(super) async fn last_record(
    shared: &Shared,
    partition: Partition,
) -> Result<Option<LogRecord>, Error> {
    let last = shared.last(partition).await?;
    let Some(last) = last else { return Ok(None) };
    let corrupt = || Error::Corrupt {
        stream: shared.name(Stream::State),
        seq: last.seq,
        reason: "it does not name its commit".into(),
    };
    Ok(Some(LogRecord {
        seq: last.seq,
        commit: last.commit.ok_or_else(corrupt)?,
        record: last.bytes,
    }))
}

#[derive(Deserialize)]
struct Purged {}

/// Trims; see [`super::Streams::trim`].
pub(super) async fn trim(shared: &Shared, partition: Partition, before: u64) -> Result<(), Error> {
    // The last record is the fence: it stays, whatever the caller says.
    let before = if before <= shared.ends.get(partition) {
        before
    } else {
        before.min(end(shared, partition).await?)
    };
    if before <= 1 {
        return Ok(());
    }
    let subject = format!("STREAM.PURGE.{}", shared.name(Stream::State));
    let body = json!({ "filter": shared.layout().log(partition), "seq": before });
    let Purged {} = request(shared, subject, &body).await?;
    Ok(())
}

impl Commits for Shared {
    fn try_append<'a>(&'a self, record: &'a Record) -> BoxFuture<'a, Result<Outcome, Error>> {
        try_append(self, record).boxed()
    }

    fn last(&self, partition: Partition) -> BoxFuture<'_, Result<Option<Last>, Error>> {
        last(self, partition).boxed()
    }
}

async fn try_append(shared: &Shared, record: &Record) -> Result<Outcome, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(COMMIT, record.commit.to_string());
    headers.insert(AFTER, record.expected.to_string());
    let message = PublishMessage::build()
        .payload(record.bytes.clone())
        .headers(headers)
        .expected_last_subject_sequence(record.expected);
    // About 200 bytes of headers; the client counts them exactly and refuses what is left.
    shared.check_size(record.bytes.len())?;
    let subject = shared.layout().log(record.partition);
    let mut times = shared.link.times.clone();
    times.mark_unchanged();
    let answer = tokio::select! {
        biased;
        answer = shared.writer.append(subject, message) => answer,
        // The answer was lost with the old connection: look, rather than wait for it in vain.
        Ok(()) = times.changed() => return Ok(Outcome::Unsure("the connection was lost".into())),
    };
    match answer {
        Ok(ack) => Ok(Outcome::Stands(ack.sequence)),
        Err(error) => unsure(shared, record.bytes.len(), &error),
    }
}

/// Sorts a failed publish: unsure, or surely not stored.
fn unsure(shared: &Shared, bytes: usize, error: &PublishError) -> Result<Outcome, Error> {
    let failure = failure(shared, bytes, error);
    if let Error::Unsure(why) = failure {
        return Ok(Outcome::Unsure(why));
    }
    Err(failure)
}

/// Says what a failed publish means.
pub(super) fn failure(shared: &Shared, bytes: usize, error: &PublishError) -> Error {
    let text = error.to_string();
    match error.kind() {
        PublishErrorKind::TimedOut
        | PublishErrorKind::BrokenPipe
        | PublishErrorKind::WrongLastSequence
        | PublishErrorKind::WrongLastMessageId => Error::Unsure(text),
        PublishErrorKind::StreamNotFound => {
            Error::Unreachable("no stream takes the message, or JetStream is not ready".into())
        }
        PublishErrorKind::MaxAckPending => Error::Unreachable(text),
        PublishErrorKind::MaxPayloadExceeded => Error::TooLarge {
            bytes,
            bytes_max: shared.client.max_payload(),
        },
        PublishErrorKind::Other => match code(error) {
            Some(code) if IN_PROCESS.contains(&code) => Error::Unsure(text),
            Some(_) => Error::Refused(text),
            // No answer of the server at all: a broken connection, or bytes that are no answer.
            None => Error::Unsure(text),
        },
    }
}

fn code(error: &PublishError) -> Option<u64> {
    let source = error.source()?.downcast_ref::<jetstream::Error>()?;
    Some(source.error_code().0)
}

/// Reads the last record from the leader of the stream: a replica may not have it yet.
async fn last(shared: &Shared, partition: Partition) -> Result<Option<Last>, Error> {
    let name = shared.name(Stream::State);
    let stream = shared.context.get_stream_no_info(name).await;
    let stream = stream.map_err(|error| Error::Refused(error.to_string()))?;
    let subject = shared.layout().log(partition);
    match stream.get_last_raw_message_by_subject(&subject).await {
        Ok(message) => {
            let commit = message.headers.get(COMMIT);
            Ok(Some(Last {
                seq: message.sequence,
                commit: commit.and_then(|text| CommitId::parse(text.as_str())),
                bytes: message.payload.clone(),
            }))
        }
        Err(error) => match error.kind() {
            RawMessageErrorKind::NoMessageFound => Ok(None),
            RawMessageErrorKind::JetStream(error) => Err(Error::Refused(error.to_string())),
            RawMessageErrorKind::InvalidSubject => Err(Error::Refused(error.to_string())),
            RawMessageErrorKind::Other => Err(Error::Unreachable(error.to_string())),
        },
    }
}
