//! One consumer and its subscription: pulls ahead, counts, and says when it is lost.
//!
//! A pull consumer that needs no acks, lives in memory, and is thrown away at the first doubt: the
//! reader that owns it knows what it has seen and makes another one from there.

use std::time::Duration;

use async_nats::{Message, StatusCode, Subscriber};
use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;

use super::Shared;
use super::connect::QUEUE_MAX;
use super::request::{Failure, request};

/// Messages asked for with one pull; two pulls are open, so twice this many may wait here.
const PULL: u64 = 8_192;
/// Bytes asked for with one pull, at least; a message larger than this would never come.
const PULL_BYTES: usize = 16 * 1_024 * 1_024;
/// How long a pull stays open.
const EXPIRES: Duration = Duration::from_secs(30);
/// How often the server says that it is there when nothing comes.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long a silence is a loss.
const SILENCE: Duration = Duration::from_secs(3);
/// When the server forgets a consumer that nobody pulls from.
const FORGOTTEN: Duration = Duration::from_mins(1);

// INVARIANT: what is asked for fits into the subscription, so the client drops nothing.
const _: () = assert!(2 * PULL < QUEUE_MAX as u64);

/// What to read.
#[derive(Clone)]
pub(super) struct What {
    /// The name of the stream.
    pub stream: String,
    /// One subject, or all.
    pub filter: Option<String>,
    /// Leaves the payloads out.
    pub headers_only: bool,
}

/// One consumer and its subscription.
pub(super) struct Session {
    subscriber: Subscriber,
    times: watch::Receiver<u64>,
    client: async_nats::Client,
    inbox: String,
    /// `<stream>.<consumer>`, the end of the subjects of its API.
    path: String,
    pull: Bytes,
    /// Messages asked for that did not come yet.
    asked: u64,
    /// Messages that there were to read when the consumer was made.
    pub pending: u64,
}

/// What came of waiting.
pub(super) enum Got {
    /// A message of the stream.
    Message(Message),
    /// Nothing to tell.
    Nothing,
    /// The consumer is of no use any more, for this reason.
    Lost(String),
}

#[derive(Deserialize)]
struct Consumer {
    #[serde(default)]
    num_pending: u64,
}

impl Session {
    /// Makes a consumer that delivers from sequence `after + 1` on.
    pub(super) async fn start(shared: &Shared, what: &What, after: u64) -> Result<Self, Failure> {
        let mut times = shared.link.times.clone();
        times.mark_unchanged();
        let inbox = shared.client.new_inbox();
        // The last token of an inbox is unique.
        let id = inbox.rsplit('.').next().unwrap_or_default();
        let name = format!("attune-{id}");
        let mut subject = format!("CONSUMER.CREATE.{}.{name}", what.stream);
        if let Some(filter) = &what.filter {
            subject = format!("{subject}.{filter}");
        }
        let subscriber = shared.client.subscribe(inbox.clone()).await;
        let subscriber = subscriber.map_err(|error| Failure::Unreachable(error.to_string()))?;
        let body = create(what, &name, after);
        let consumer: Consumer = request(shared, subject, &body).await?;
        let bytes_max = PULL_BYTES.max(4 * shared.client.max_payload());
        let pull = json!({
            "batch": PULL,
            "max_bytes": bytes_max,
            "expires": nanos(EXPIRES),
            "idle_heartbeat": nanos(HEARTBEAT),
        });
        Ok(Self {
            subscriber,
            times,
            client: shared.client.clone(),
            path: format!("{}.{name}", what.stream),
            inbox,
            pull: pull.to_string().into(),
            asked: 0,
            pending: consumer.num_pending,
        })
    }

    /// Asks for more when less than one pull is open.
    pub(super) async fn ask(&mut self) {
        while self.asked <= PULL {
            let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{}", self.path);
            let inbox = self.inbox.clone();
            let sent = self
                .client
                .publish_with_reply(subject, inbox, self.pull.clone());
            // Not sent: the silence that follows is noticed.
            sent.await.ok();
            self.asked += PULL;
        }
    }

    /// Returns what is there without waiting; `None` when nothing is.
    pub(super) fn ready(&mut self) -> Option<Got> {
        let message = self.subscriber.next().now_or_never()?;
        Some(self.sort(message))
    }

    /// Waits for the next message, a lost connection, or a silence that is too long.
    pub(super) async fn wait(&mut self) -> Got {
        tokio::select! {
            biased;
            message = self.subscriber.next() => self.sort(message),
            _ = self.times.changed() => Got::Lost("the connection was lost".into()),
            () = tokio::time::sleep(SILENCE) => Got::Lost("the server is silent".into()),
        }
    }

    fn sort(&mut self, message: Option<Message>) -> Got {
        let Some(message) = message else {
            return Got::Lost("the subscription was closed".into());
        };
        match message.status {
            None => {
                self.asked = self.asked.saturating_sub(1);
                Got::Message(message)
            }
            Some(StatusCode::IDLE_HEARTBEAT) => Got::Nothing,
            Some(status) => self.ended(status, &message),
        }
    }

    /// Handles the end of a pull: time, size, or the end of the consumer.
    fn ended(&mut self, status: StatusCode, message: &Message) -> Got {
        let why = message.description.as_deref().unwrap_or_default();
        let headers = message.headers.as_ref();
        let left = headers
            .and_then(|headers| headers.get("Nats-Pending-Messages"))
            .and_then(|text| text.as_str().parse::<u64>().ok());
        let is_normal = status == StatusCode::TIMEOUT
            || why.eq_ignore_ascii_case("Message Size Exceeds MaxBytes")
            || why.eq_ignore_ascii_case("Batch Completed");
        match left {
            Some(left) if is_normal => {
                self.asked = self.asked.saturating_sub(left);
                Got::Nothing
            }
            Some(_) | None => Got::Lost(format!("the server ended it: {status} {why}")),
        }
    }
}

impl Drop for Session {
    /// Deletes the consumer, if that is possible; the server forgets it after a while anyway.
    fn drop(&mut self) {
        let subject = format!("$JS.API.CONSUMER.DELETE.{}", self.path);
        let (client, inbox) = (self.client.clone(), self.client.new_inbox());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let sent = client.publish_with_reply(subject, inbox, Bytes::new());
                sent.await.ok();
            });
        }
    }
}

fn create(what: &What, name: &str, after: u64) -> serde_json::Value {
    let mut config = json!({
        "name": name,
        "deliver_policy": "by_start_sequence",
        "opt_start_seq": after + 1,
        "ack_policy": "none",
        "replay_policy": "instant",
        "mem_storage": true,
        "num_replicas": 1,
        "inactive_threshold": nanos(FORGOTTEN),
        "headers_only": what.headers_only,
    });
    if let Some(filter) = &what.filter {
        config["filter_subject"] = json!(filter);
    }
    json!({ "stream_name": what.stream, "config": config, "action": "create" })
}

fn nanos(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}
