//! The reference: a loop that reads, decodes, remembers and publishes, and promises nothing; and one that commits.

use std::collections::HashMap;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::{Context, stream};
use bytes::Bytes;
use futures::StreamExt;
use serde::Deserialize;
use tokio::task::JoinSet;

/// What the loop reads of an event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(borrow)]
    user_id: &'a str,
    #[serde(borrow, rename = "event")]
    name: &'a str,
    #[serde(borrow)]
    message_id: &'a str,
}

/// What the loop remembers of a customer.
#[derive(Default)]
struct Seen {
    n_events: u64,
    last: String,
}

/// Reads so many events and publishes so many actions, spread evenly.
///
/// - `sizes`: how large the action of each event is to be, in bytes; the usual size where it says nothing.
pub async fn run(
    client: async_nats::Client,
    n_events: u64,
    n_actions: u64,
    sizes: &[usize],
) -> anyhow::Result<()> {
    let context = ContextBuilder::new().max_ack_inflight(8_192).build(client);
    let mut messages = open(&context).await?;
    let mut customers: HashMap<String, Seen> = HashMap::new();
    let mut acks = Vec::new();
    for idx in 0..n_events {
        let Some(message) = messages.next().await else {
            break;
        };
        let message = message?;
        let event: Event<'_> = serde_json::from_slice(&message.payload)?;
        let seen = customers.entry(event.user_id.to_owned()).or_default();
        seen.n_events += 1;
        event.name.clone_into(&mut seen.last);
        if (idx + 1) * n_actions / n_events > idx * n_actions / n_events {
            acks.push(
                context
                    .publish("bare.email", action(&event, seen, size(sizes, idx)).into())
                    .await?,
            );
        }
        if acks.len() >= 4_096 {
            for ack in acks.drain(..) {
                ack.await?;
            }
        }
    }
    for ack in acks {
        ack.await?;
    }
    context.delete_stream("BARE").await?;
    Ok(())
}

/// Does the least that commits: of each event a record of so many bytes must be stored before its action is published.
///
/// - `sizes`: as of [`run`].
pub async fn commit(
    client: async_nats::Client,
    n_events: u64,
    n_bytes: usize,
    sizes: &[usize],
) -> anyhow::Result<()> {
    let context = ContextBuilder::new().max_ack_inflight(8_192).build(client);
    let mut messages = open(&context).await?;
    let record = Bytes::from(vec![b'x'; n_bytes]);
    let mut tasks = JoinSet::new();
    for idx in 0..n_events {
        let Some(message) = messages.next().await else {
            break;
        };
        let (payload, context, record) =
            (message?.payload.clone(), context.clone(), record.clone());
        let n = size(sizes, idx);
        tasks.spawn(async move {
            let event: Event<'_> = serde_json::from_slice(&payload)?;
            context.publish("bare-log", record).await?.await?;
            let text = action(&event, &Seen::default(), n);
            context.publish("bare.email", text.into()).await?.await?;
            anyhow::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    context.delete_stream("BARE").await?;
    Ok(())
}

/// Makes a stream for what is published, and reads the events.
async fn open(context: &Context) -> anyhow::Result<pull::Stream> {
    let config = stream::Config {
        name: "BARE".into(),
        subjects: vec!["bare.>".into(), "bare-log".into()],
        ..stream::Config::default()
    };
    context.create_stream(config).await?;
    let events = context.get_stream("ATTUNE_EVENTS").await?;
    let config = pull::Config {
        ack_policy: AckPolicy::None,
        deliver_policy: DeliverPolicy::All,
        memory_storage: true,
        ..pull::Config::default()
    };
    let consumer = events.create_consumer(config).await?;
    Ok(consumer
        .stream()
        .max_messages_per_batch(8_192)
        .messages()
        .await?)
}

fn size(sizes: &[usize], idx: u64) -> usize {
    let size = usize::try_from(idx).ok().and_then(|idx| sizes.get(idx));
    size.copied().unwrap_or_default()
}

/// Writes an action of the usual size, or of so many bytes.
fn action(event: &Event<'_>, seen: &Seen, n_bytes: usize) -> String {
    let mut text = format!(
        r#"{{"action_id":"00000000000000000000000000000000","customer":"{}","journey":"abandoned-cart","instance":{},"key":"","step":"1","channel":"email","template":"cart","data":{{"items":[{{"name":"A thing to buy","price":10.00,"product_id":"P00000","quantity":1}}]}},"decided_at":"2026-01-01T00:00:00.000Z","event_id":"{}","trace":["entered","waited until 2026-01-01T00:00:00.000Z"]}}"#,
        event.user_id, seen.n_events, event.message_id
    );
    let lacks = n_bytes.saturating_sub(text.len());
    text.extend(std::iter::repeat_n(' ', lacks));
    text
}
