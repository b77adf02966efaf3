//! Listening to what passes by, for people who watch.

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;

use super::JetStream;
use crate::stream::Error;

impl JetStream {
    /// Listens to the messages of a subject from now on: subject and payload, at most once each.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] when the server refuses the subscription.
    pub async fn tail(&self, subject: &str) -> Result<BoxStream<'static, (String, Bytes)>, Error> {
        let subscriber = self.shared.client.subscribe(subject.to_owned()).await;
        let subscriber = subscriber.map_err(|error| Error::Refused(error.to_string()))?;
        Ok(subscriber
            .map(|message| (message.subject.to_string(), message.payload))
            .boxed())
    }
}
