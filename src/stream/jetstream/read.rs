//! What is read: events without end, logs and lanes to their end.

use std::sync::Arc;

use async_nats::jetstream::stream::RawMessageErrorKind;
use async_nats::{HeaderMap, Message};
use bytes::Bytes;
use futures::{StreamExt, stream};

use super::super::chain::{self, Link};
use super::super::layout::{
    AFTER, COMMIT, EVENT_ID, MESSAGE_ID, Stream, TRACE_PARENT, partition_of,
};
use super::super::{CommitId, Delivery, Error, Lane, LogRecord, Reading};
use super::Shared;
use super::reader::Reader;
use super::session::What;
use super::setup::info;
use super::token::Place;
use crate::domain::{Partition, Timestamp};

/// Reads events; see [`super::Streams::events`].
pub(super) async fn events(
    shared: &Arc<Shared>,
    after: u64,
) -> Result<Reading<Vec<Delivery>>, Error> {
    let what = What {
        stream: shared.name(Stream::Events),
        filter: None,
        headers_only: false,
    };
    let reader = Reader::new(shared, what, after, None).start().await?;
    Ok(deliveries(shared, reader))
}

/// Yields the events that a reader of the event stream meets.
pub(super) fn deliveries(shared: &Shared, reader: Reader) -> Reading<Vec<Delivery>> {
    let name = shared.name(Stream::Events);
    reader.into_batches(move |message, place| {
        let subject = &message.subject;
        delivery(
            &name,
            subject,
            message.headers.as_ref(),
            message.payload,
            place,
        )
    })
}

/// Reads one event; see [`super::Streams::event`].
pub(super) async fn event(shared: &Arc<Shared>, seq: u64) -> Result<Option<Delivery>, Error> {
    let name = shared.name(Stream::Events);
    let stream = shared.context.get_stream_no_info(&name).await;
    let stream = stream.map_err(|error| Error::Refused(error.to_string()))?;
    let message = match stream.get_raw_message(seq).await {
        Ok(message) => message,
        Err(error) => {
            return match error.kind() {
                RawMessageErrorKind::NoMessageFound => Ok(None),
                RawMessageErrorKind::JetStream(error) => Err(Error::Refused(error.to_string())),
                RawMessageErrorKind::InvalidSubject => Err(Error::Refused(error.to_string())),
                RawMessageErrorKind::Other => Err(Error::Unreachable(error.to_string())),
            };
        }
    };
    let millis = message.time.unix_timestamp_nanos() / 1_000_000;
    let place = Place {
        seq,
        nth: 0,
        stored_at: Timestamp::from_millis(i64::try_from(millis).unwrap_or(0)),
        pending: 0,
    };
    delivery(
        &name,
        &message.subject,
        Some(&message.headers),
        message.payload,
        place,
    )
    .map(Some)
}

fn delivery(
    stream: &str,
    subject: &str,
    headers: Option<&HeaderMap>,
    payload: Bytes,
    place: Place,
) -> Result<Delivery, Error> {
    let partition = partition_of(subject);
    let partition = partition.ok_or_else(|| corrupt(stream, place.seq, "it has no partition"))?;
    Ok(Delivery {
        seq: place.seq,
        partition,
        stored_at: place.stored_at,
        payload,
        event_id: header(headers, EVENT_ID).map(Into::into),
        traceparent: header(headers, TRACE_PARENT).map(Into::into),
        pending: place.pending,
    })
}

fn header<'a>(headers: Option<&'a HeaderMap>, name: &'static str) -> Option<&'a str> {
    Some(headers?.get(name)?.as_str())
}

fn corrupt(stream: &str, seq: u64, reason: &str) -> Error {
    Error::Corrupt {
        stream: stream.into(),
        seq,
        reason: reason.into(),
    }
}

/// Reads a log; see [`super::Streams::log`].
pub(super) async fn log(
    shared: &Arc<Shared>,
    partition: Partition,
    after: u64,
    upto: u64,
) -> Result<Reading<LogRecord>, Error> {
    let name = shared.name(Stream::State);
    let what = What {
        stream: name.clone(),
        filter: Some(shared.layout().log(partition)),
        headers_only: false,
    };
    let reader = Reader::new(shared, what, after, Some(upto)).start().await?;
    let links = reader.into_batches({
        let name = name.clone();
        move |message, place| link(&name, message, place)
    });
    Ok(chain::checked(name, after, upto, each(links)))
}

fn link(stream: &str, message: Message, place: Place) -> Result<Link, Error> {
    let headers = message.headers.as_ref();
    let commit = header(headers, COMMIT).and_then(CommitId::parse);
    let after = header(headers, AFTER).and_then(|text| text.parse().ok());
    let (Some(commit), Some(after)) = (commit, after) else {
        return Err(corrupt(stream, place.seq, "it does not name its commit"));
    };
    let record = LogRecord {
        seq: place.seq,
        commit,
        record: message.payload,
    };
    Ok(Link { after, record })
}

/// Reads message ids; see [`super::Streams::published`].
pub(super) async fn published(
    shared: &Arc<Shared>,
    lane: Lane,
    after: u64,
) -> Result<Reading<(u64, String)>, Error> {
    let name = shared.name(lane.into());
    let upto = info(shared, &name).await?.state.last_sequence;
    let what = What {
        stream: name,
        filter: None,
        headers_only: true,
    };
    let reader = Reader::new(shared, what, after, Some(upto)).start().await?;
    let ids = reader.into_batches(|message, place| {
        let id = header(message.headers.as_ref(), MESSAGE_ID);
        Ok(id.map(|id| (place.seq, id.to_owned())))
    });
    Ok(each(ids).filter_map(async |id| id.transpose()).boxed())
}

/// Takes batches apart.
pub(super) fn each<T: Send + 'static>(batches: Reading<Vec<T>>) -> Reading<T> {
    let items = batches.flat_map(|batch| match batch {
        Ok(batch) => stream::iter(batch).map(Ok).boxed(),
        Err(error) => stream::iter([Err(error)]).boxed(),
    });
    items.boxed()
}
