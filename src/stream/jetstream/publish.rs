//! Publishing: pipelined, in order, bounded in flight.

use std::sync::Arc;

use async_nats::HeaderMap;
use async_nats::jetstream::message::PublishMessage;
use futures::FutureExt;

use super::super::layout::MESSAGE_ID;
use super::super::{Error, Outgoing, PublishAck};
use super::Shared;
use super::append::failure;

/// Publishes; see [`super::Streams::publish`].
pub(super) async fn publish(shared: &Arc<Shared>, out: Outgoing) -> Result<PublishAck, Error> {
    shared.layout().check(&out)?;
    let bytes = out.payload.len();
    shared.check_size(bytes)?;
    let mut headers = HeaderMap::new();
    headers.insert(MESSAGE_ID, out.id);
    for (name, text) in out.headers {
        headers.insert(name, text);
    }
    let message = PublishMessage::build()
        .payload(out.payload)
        .headers(headers);
    let sent = shared.lanes.send_publish(out.subject, message).await;
    let ack = sent.map_err(|error| failure(shared, bytes, &error))?;
    // A task, so that the place in flight is free again when the answer is there, awaited or not.
    let waiting = Arc::clone(shared);
    let answer = tokio::spawn(async move {
        match ack.await {
            Ok(ack) => Ok(ack.sequence),
            Err(error) => Err(failure(&waiting, bytes, &error)),
        }
    });
    let answer = answer.map(|done| {
        done.unwrap_or_else(|_| Err(Error::Unsure("stopped before the answer came".into())))
    });
    Ok(answer.boxed())
}
