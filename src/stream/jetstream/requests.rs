//! Requests that others send over NATS, and the replies to them.

use async_nats::{Client, HeaderMap, HeaderValue, Message};
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, stream};

use super::JetStream;

/// The group whose members share the requests: each goes to one of them.
const GROUP: &str = "attune";
/// The headers of a reply that is a failure: a number like HTTP's, and one line.
const ERROR_CODE: &str = "Nats-Service-Error-Code";
const ERROR: &str = "Nats-Service-Error";

/// A request, and the way back.
pub struct Request {
    /// The body.
    pub payload: Bytes,
    client: Client,
    message: Message,
}

impl Request {
    /// Sends the reply; who does not wait for one gets none.
    ///
    /// - `failure`: a status code of HTTP and one line, when the body says what went wrong.
    pub async fn reply(self, body: Bytes, failure: Option<(u16, &str)>) {
        let Some(to) = self.message.reply else {
            return;
        };
        let sent = match failure {
            None => self.client.publish(to, body).await,
            Some((code, line)) => {
                let mut headers = HeaderMap::new();
                headers.insert(ERROR_CODE, HeaderValue::from(u64::from(code)));
                if let Ok(line) = line.parse::<HeaderValue>() {
                    headers.insert(ERROR, line);
                }
                self.client.publish_with_headers(to, headers, body).await
            }
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "a reply was not sent");
        }
    }
}

impl JetStream {
    /// Takes the requests of a subject, shared with every other member of the group.
    ///
    /// The stream ends when the connection is closed; to drop it ends the subscription.
    pub fn requests(&self, subject: &str) -> BoxStream<'static, Request> {
        let client = self.shared.client.clone();
        let subject = subject.to_owned();
        async move {
            let subscribed = client.queue_subscribe(subject, GROUP.to_owned()).await;
            let messages = match subscribed {
                Ok(messages) => messages.left_stream(),
                Err(error) => {
                    tracing::error!(%error, "NATS requests cannot be taken");
                    stream::empty().right_stream()
                }
            };
            messages.map(move |message| Request {
                payload: message.payload.clone(),
                client: client.clone(),
                message,
            })
        }
        .flatten_stream()
        .boxed()
    }
}
