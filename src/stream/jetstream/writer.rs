//! One writer for all that is published: what many partitions publish at the same time leaves in one write.
//!
//! A message alone costs the server and both ends of the connection a wake and a system call; so the writer, once
//! woken, lets everybody go on who can, and then sends what has gathered.

use std::sync::Arc;

use async_nats::jetstream::Context;
use async_nats::jetstream::context::{PublishAckFuture, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// What the server says to a message, or why it says nothing.
type Answer = Result<PublishAck, PublishError>;

/// Where to write to.
pub(super) struct Writer {
    queue: mpsc::UnboundedSender<Letter>,
    /// For messages of the lanes without an answer.
    places: Arc<Semaphore>,
}

/// What is to be sent.
struct Letter {
    subject: String,
    message: PublishMessage,
    to: Sender,
}

/// Who sent it, and the place it takes until it is answered.
struct Sender {
    tell: oneshot::Sender<Answer>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Writer {
    /// Starts to write.
    ///
    /// - `in_flight_max`: messages of the lanes without an answer, at most.
    pub(super) fn start(context: Context, in_flight_max: usize) -> Self {
        // INVARIANT: bounded by the places, and by one append a partition with the few times that it is tried again.
        let (queue, letters) = mpsc::unbounded_channel();
        tokio::spawn(run(context, letters));
        Self {
            queue,
            places: Arc::new(Semaphore::new(in_flight_max)),
        }
    }

    /// Sends a commit; it needs no place, so it never waits for the answers to messages of the lanes.
    pub(super) async fn append(&self, subject: String, message: PublishMessage) -> Answer {
        answer(self.send(subject, message, None)).await
    }

    /// Sends a message of a lane, in the order of calls; waits while too many have no answer.
    pub(super) async fn publish(
        &self,
        subject: String,
        message: PublishMessage,
    ) -> impl Future<Output = Answer> + use<> {
        let place = self.places.clone().acquire_owned().await.ok();
        answer(self.send(subject, message, place))
    }

    fn send(
        &self,
        subject: String,
        message: PublishMessage,
        place: Option<OwnedSemaphorePermit>,
    ) -> oneshot::Receiver<Answer> {
        let (tell, told) = oneshot::channel();
        let to = Sender {
            tell,
            _place: place,
        };
        // A writer that is gone drops whom to tell.
        let _gone = self.queue.send(Letter {
            subject,
            message,
            to,
        });
        told
    }
}

/// Waits for the answer; there is none when the writer is gone.
async fn answer(told: oneshot::Receiver<Answer>) -> Answer {
    let gone = || PublishError::new(PublishErrorKind::BrokenPipe);
    told.await.unwrap_or_else(|_| Err(gone()))
}

async fn run(context: Context, mut letters: mpsc::UnboundedReceiver<Letter>) {
    let mut unanswered = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            Some(()) = unanswered.next() => {}
            letter = letters.recv() => {
                let Some(letter) = letter else { break };
                tokio::task::yield_now().await;
                unanswered.extend(send(&context, letter).await);
                while let Ok(letter) = letters.try_recv() {
                    unanswered.extend(send(&context, letter).await);
                }
            }
        }
    }
    while unanswered.next().await.is_some() {}
}

/// Sends a message; returns what waits for its answer, if one will come.
async fn send(context: &Context, letter: Letter) -> Option<impl Future<Output = ()> + use<>> {
    let Letter {
        subject,
        message,
        to,
    } = letter;
    match context.send_publish(subject, message).await {
        Ok(ack) => Some(deliver(ack, to)),
        Err(error) => {
            let _gone = to.tell.send(Err(error));
            None
        }
    }
}

async fn deliver(ack: PublishAckFuture, to: Sender) {
    let _gone = to.tell.send(ack.await);
}
