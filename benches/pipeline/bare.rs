//! The reference: a loop that reads, decodes, remembers and publishes, and promises nothing.

use std::collections::HashMap;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::stream;
use futures::StreamExt;
use serde::Deserialize;

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
pub async fn run(client: async_nats::Client, n_events: u64, n_actions: u64) -> anyhow::Result<()> {
    let context = ContextBuilder::new().max_ack_inflight(8_192).build(client);
    let config = stream::Config {
        name: "BARE".into(),
        subjects: vec!["bare.>".into()],
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
    let mut messages = consumer
        .stream()
        .max_messages_per_batch(8_192)
        .messages()
        .await?;
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
                    .publish("bare.email", action(&event, seen).into())
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

/// Writes an action of the usual size.
fn action(event: &Event<'_>, seen: &Seen) -> String {
    format!(
        r#"{{"action_id":"00000000000000000000000000000000","customer":"{}","journey":"abandoned-cart","instance":{},"key":"","step":"1","channel":"email","template":"cart","data":{{"items":[{{"name":"A thing to buy","price":10.00,"product_id":"P00000","quantity":1}}]}},"decided_at":"2026-01-01T00:00:00.000Z","event_id":"{}","trace":["entered","waited until 2026-01-01T00:00:00.000Z"]}}"#,
        event.user_id, seen.n_events, event.message_id
    )
}
