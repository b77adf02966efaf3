//! Publishing: pipelined, in order, bounded in flight.

use std::sync::Arc;

use async_nats::jetstream::message::PublishMessage;
use async_nats::{HeaderMap, HeaderName, HeaderValue};
use futures::FutureExt;

use super::super::layout::MESSAGE_ID;
use super::super::{Error, Outgoing, PublishAck};
use super::Shared;
use super::append::failure;

/// Publishes; see [`super::Streams::publish`].
pub(super) async fn publish(shared: &Arc<Shared>, out: Outgoing) -> Result<PublishAck, Error> {
    shared.layout().check(&out)?;
    let bytes = out.payload.len();
    let mut headers = HeaderMap::new();
    headers.insert(MESSAGE_ID, out.id);
    for (name, text) in out.headers {
        headers.insert(name, text);
    }
    let bytes = bytes + size(&headers);
    shared.check_size(bytes)?;
    let message = PublishMessage::build()
        .payload(out.payload)
        .headers(headers);
    let answer = shared.writer.publish(out.subject, message).await;
    let of = Arc::clone(shared);
    let answer = answer.map(move |answer| match answer {
        Ok(ack) => Ok(ack.sequence),
        Err(error) => Err(failure(&of, bytes, &error)),
    });
    Ok(answer.boxed())
}

/// Returns how many bytes headers are on the wire, as the server counts them.
fn size(headers: &HeaderMap) -> usize {
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        let (name, value): (&str, &str) = (name.as_ref(), value.as_ref());
        name.len() + ": ".len() + value.len() + "\r\n".len()
    };
    let lines = headers
        .iter()
        .flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
    "NATS/1.0\r\n".len() + lines.map(line).sum::<usize>() + "\r\n".len()
}
