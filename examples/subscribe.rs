//! A channel in Rust: handles every action once, through a durable consumer.
//!
//! ```text
//! cargo run --example subscribe -- nats://127.0.0.1:4222 10
//! ```
//!
//! Without the number it goes on for ever. Started again, it goes on where it ended.

use std::collections::HashSet;
use std::io::Write;

use anyhow::Context;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use futures::StreamExt;
use serde_json::Value;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let url = args.next().unwrap_or("nats://127.0.0.1:4222".into());
    let count: usize = args
        .next()
        .map_or(Ok(usize::MAX), |text| text.parse())
        .context("the second argument is the number of actions")?;

    let client = async_nats::connect(url).await?;
    let jetstream = async_nats::jetstream::new(client);
    let stream = jetstream.get_stream("ATTUNE_ACTIONS").await?;
    // The server keeps this consumer's place; every channel has a name and a filter of its own,
    // such as `attune.actions.email.>`.
    let config = pull::Config {
        durable_name: Some("example-rust".into()),
        filter_subject: "attune.actions.>".into(),
        ack_policy: AckPolicy::Explicit,
        ..pull::Config::default()
    };
    let consumer = stream
        .get_or_create_consumer("example-rust", config)
        .await?;
    let mut messages = consumer.messages().await?;

    // A real channel keeps these where its own crash does not lose them, or gives the id to a
    // provider that takes an idempotency key.
    let mut handled = HashSet::new();
    while handled.len() < count {
        let Some(message) = messages.next().await else {
            break;
        };
        let message = message?;
        let action: Value = serde_json::from_slice(&message.payload)?;
        let id = action["action_id"].as_str().context("no `action_id`")?;
        if handled.insert(id.to_owned()) {
            handle(id, &action)?;
        }
        // After the work: what is not acknowledged comes again.
        message.double_ack().await.map_err(anyhow::Error::msg)?;
    }
    Ok(())
}

/// Here an e-mail would be sent.
fn handle(id: &str, action: &Value) -> std::io::Result<()> {
    let text = |key: &str| action[key].as_str().unwrap_or_default();
    let (channel, template, customer) = (text("channel"), text("template"), text("customer"));
    writeln!(std::io::stdout(), "{id} {channel} {template} {customer}")
}
