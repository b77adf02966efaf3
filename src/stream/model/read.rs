//! Reading from the model: the same promises as reading from `JetStream`.

use futures::{StreamExt, stream};

use super::journal::Stored;
use super::{Model, State};
use crate::domain::{Partition, Timestamp};
use crate::stream::chain::{self, Link};
use crate::stream::layout::{AFTER, COMMIT, EVENT_ID, Stream, TRACE_PARENT, partition_of};
use crate::stream::{CommitId, Delivery, Error, Lane, LogRecord, Reading};

/// Events in one batch, at most.
const BATCH_MAX: usize = 1_024;

/// Reads events; see [`crate::stream::Streams::events`].
pub(super) fn events(model: &Model, after: u64) -> Result<Reading<Vec<Delivery>>, Error> {
    let state = model.lock();
    state.check_reachable()?;
    check_extent(&state, after)?;
    drop(state);
    let start = Some((model.clone(), after));
    let step = |state: Option<(Model, u64)>| async move {
        let (model, after) = state?;
        match next(&model, after).await {
            Ok(batch) => {
                let last = batch.last().map_or(after, |event| event.seq);
                Some((Ok(batch), Some((model, last))))
            }
            Err(error) => Some((Err(error), None)),
        }
    };
    Ok(Box::pin(stream::unfold(start, step)))
}

/// Waits for events after a sequence.
async fn next(model: &Model, after: u64) -> Result<Vec<Delivery>, Error> {
    let mut bell = model.shared.bell.subscribe();
    loop {
        bell.mark_unchanged();
        let batch = ready(&model.lock(), after)?;
        if !batch.is_empty() {
            return Ok(batch);
        }
        // The model holds the bell, so it cannot be gone.
        bell.changed().await.ok();
    }
}

/// Returns the events after a sequence that are there, up to the first hole.
fn ready(state: &State, after: u64) -> Result<Vec<Delivery>, Error> {
    if !state.is_reachable {
        return Ok(Vec::new());
    }
    check_extent(state, after)?;
    let stored = state.journal(Stream::Events).after(after).take(BATCH_MAX);
    let dense = stored
        .zip(after + 1..)
        .take_while(|(message, seq)| message.seq == *seq);
    let batch: Vec<_> = dense
        .map(|(message, _)| delivery(state, message))
        .collect::<Result<_, _>>()?;
    match state.journal(Stream::Events).after(after).next() {
        Some(first) if batch.is_empty() => Err(deleted(state, Stream::Events, after, first.seq)),
        Some(_) | None => Ok(batch),
    }
}

/// Fails when the stream does not hold what comes after a sequence.
fn check_extent(state: &State, after: u64) -> Result<(), Error> {
    let journal = state.journal(Stream::Events);
    if journal.last() < after {
        return Err(Error::Behind {
            stream: state.layout.name(Stream::Events),
            after,
            last: journal.last(),
        });
    }
    if journal.first() > after + 1 {
        return Err(deleted(state, Stream::Events, after, journal.first()));
    }
    Ok(())
}

fn deleted(state: &State, stream: Stream, after: u64, first: u64) -> Error {
    Error::Deleted {
        stream: state.layout.name(stream),
        after,
        first,
    }
}

fn corrupt(state: &State, stream: Stream, seq: u64, reason: &str) -> Error {
    Error::Corrupt {
        stream: state.layout.name(stream),
        seq,
        reason: reason.into(),
    }
}

/// Returns one event, if it is there.
pub(super) fn event(state: &State, seq: u64) -> Result<Option<Delivery>, Error> {
    let message = state.journal(Stream::Events).get(seq);
    let found = message
        .map(|message| delivery(state, message))
        .transpose()?;
    Ok(found.map(|found| Delivery {
        pending: 0,
        ..found
    }))
}

/// Finds the first event of a time; see [`crate::stream::Streams::seq_at`].
pub(super) fn seq_at(state: &State, at: Timestamp) -> u64 {
    let journal = state.journal(Stream::Events);
    let first = journal.after(0).find(|message| message.stored_at >= at);
    first.map_or(journal.last() + 1, |message| message.seq)
}

/// Reads a range of events; see [`crate::stream::Streams::history`].
pub(super) fn history(
    state: &State,
    after: u64,
    upto: u64,
    only: Option<Partition>,
) -> Reading<Vec<Delivery>> {
    let stored = state.journal(Stream::Events).after(after);
    let stored = stored.take_while(|message| message.seq <= upto);
    let is_wanted = |event: &Result<Delivery, Error>| {
        let Ok(event) = event else { return true };
        only.is_none_or(|only| event.partition == only)
    };
    let events: Vec<_> = stored
        .map(|message| delivery(state, message))
        .filter(is_wanted)
        .map(|event| event.map(|event| vec![event]))
        .collect();
    stream::iter(events).boxed()
}

fn delivery(state: &State, message: &Stored) -> Result<Delivery, Error> {
    let partition = partition_of(&message.subject)
        .ok_or_else(|| corrupt(state, Stream::Events, message.seq, "it has no partition"))?;
    Ok(Delivery {
        seq: message.seq,
        partition,
        stored_at: message.stored_at,
        payload: message.payload.clone(),
        event_id: message.header(EVENT_ID).map(Into::into),
        traceparent: message.header(TRACE_PARENT).map(Into::into),
        pending: state.journal(Stream::Events).n_after(message.seq),
    })
}

/// Reads a log; see [`crate::stream::Streams::log`].
pub(super) fn log(
    state: &State,
    partition: Partition,
    after: u64,
    upto: u64,
) -> Reading<LogRecord> {
    let subject = state.layout.log(partition);
    let records = state.journal(Stream::State).after(after);
    let records = records.take_while(|message| message.seq <= upto);
    let links: Vec<_> = records
        .filter(|message| message.subject == subject)
        .map(|message| link(state, message))
        .collect();
    let name = state.layout.name(Stream::State);
    chain::checked(name, after, upto, stream::iter(links))
}

/// Returns the last record of a log; see [`crate::stream::Streams::log_last`].
pub(super) fn last(state: &State, partition: Partition) -> Result<Option<LogRecord>, Error> {
    let subject = state.layout.log(partition);
    let last = state.journal(Stream::State).last_on(&subject);
    last.map(|last| Ok(link(state, last)?.record)).transpose()
}

fn link(state: &State, message: &Stored) -> Result<Link, Error> {
    let commit = message.header(COMMIT).and_then(CommitId::parse);
    let after = message.header(AFTER).and_then(|text| text.parse().ok());
    let (Some(commit), Some(after)) = (commit, after) else {
        let reason = "it does not name its commit";
        return Err(corrupt(state, Stream::State, message.seq, reason));
    };
    let record = LogRecord {
        seq: message.seq,
        commit,
        record: message.payload.clone(),
    };
    Ok(Link { after, record })
}

/// Reads message ids; see [`crate::stream::Streams::published`].
pub(super) fn published(state: &State, lane: Lane, after: u64) -> Reading<(u64, String)> {
    let stored = state.journal(lane.into()).after(after);
    let ids = stored.filter_map(|message| Some(Ok((message.seq, message.id.clone()?))));
    stream::iter(ids.collect::<Vec<_>>()).boxed()
}
