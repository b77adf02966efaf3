//! A publisher: sends events in Segment's form, one a line from the standard input.
//!
//! ```text
//! cargo run --example publish -- nats://127.0.0.1:4222 < events.jsonl
//! ```

use std::io::{BufRead, Write};

use anyhow::Context;
use async_nats::HeaderMap;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::args().nth(1);
    let client = async_nats::connect(url.unwrap_or("nats://127.0.0.1:4222".into())).await?;
    let jetstream = async_nats::jetstream::new(client);
    let mut n = 0;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let event: Value = serde_json::from_str(&line).context("a line is not JSON")?;
        let customer = [&event["userId"], &event["anonymousId"]]
            .into_iter()
            .find_map(Value::as_str)
            .context("an event has neither `userId` nor `anonymousId`")?;
        // Any token works; with this one the event is at once where its customer lives.
        let token = format!("{:016x}", xxh3_64(customer.as_bytes()));
        let mut headers = HeaderMap::new();
        if let Some(id) = event["messageId"].as_str() {
            // The server drops what is sent twice within two minutes, Attune what comes later.
            headers.insert("Nats-Msg-Id", id);
        }
        let subject = format!("attune.events.{token}");
        let stored = jetstream.publish_with_headers(subject, headers, line.into());
        // The second wait is for the server's word that the event is kept.
        stored.await?.await?;
        n += 1;
    }
    writeln!(std::io::stdout(), "{n} events are stored")?;
    Ok(())
}
