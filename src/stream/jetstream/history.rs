//! Looking back: the events of a range of time.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use super::super::layout::Stream;
use super::super::{Delivery, Error, Reading};
use super::Shared;
use super::read::deliveries;
use super::reader::Reader;
use super::request::{Failure, request};
use super::session::What;
use super::setup::info;
use crate::domain::{Partition, Timestamp};

/// The times that the server can tell apart, nanoseconds in 64 bits: the years 1970 to 2262.
const EARLIEST: Timestamp = Timestamp::from_millis(0);
const LATEST: Timestamp = Timestamp::from_millis(9_214_646_400_000);

#[derive(Deserialize)]
struct Found {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    seq: u64,
}

/// Finds the first message of a time; see [`super::Streams::seq_at`].
pub(super) async fn seq_at(shared: &Shared, of: Stream, at: Timestamp) -> Result<u64, Error> {
    let name = shared.name(of);
    let at = at.clamp(EARLIEST, LATEST).to_string();
    let subject = format!("STREAM.MSG.GET.{name}");
    let found: Result<Found, _> = request(shared, subject, &json!({ "start_time": at })).await;
    match found {
        Ok(found) => Ok(found.message.seq),
        Err(Failure::NotFound(_)) => Ok(info(shared, &name).await?.state.last_sequence + 1),
        Err(failure) => Err(failure.into()),
    }
}

/// Reads a range of events; see [`super::Streams::history`].
pub(super) async fn history(
    shared: &Arc<Shared>,
    after: u64,
    upto: u64,
    only: Option<Partition>,
) -> Result<Reading<Vec<Delivery>>, Error> {
    let what = What {
        stream: shared.name(Stream::Events),
        filter: only.map(|partition| shared.layout().stored(partition)),
        headers_only: false,
    };
    let reader = Reader::new(shared, what, after, Some(upto)).start().await?;
    Ok(deliveries(shared, reader))
}
