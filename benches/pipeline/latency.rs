//! From an event to its action: publish to receipt, at a steady rate.

use std::io::{Write, stderr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use async_nats::jetstream::context::ContextBuilder;
use attune::clock::Clock;
use attune::store::Engine;
use futures::StreamExt;

use crate::bare;
use crate::events::Crowd;
use crate::machine::until;
use crate::row::Row;
use crate::throughput::{runtime, scaled};
use crate::world::{World, start};

/// Sends at once whatever happens.
const POLICY: &str = "
journey: at-once
class: transactional
enter: { event: Product Added }
steps:
  - send: { channel: email, template: cart, with: { items: profile.cart.items } }
---
channels: { email: { address: none } }
";

/// Events a second.
const RATE: u32 = 2_000;

/// Measures the engine and the bare loop, and compares their medians and their tails.
pub fn at_a_steady_rate() -> anyhow::Result<Vec<Row>> {
    let n_events = scaled(12_000);
    let (engine, reference) = runtime()?.block_on(async {
        let engine = through_the_node(n_events).await?;
        let reference = through_the_loop(n_events).await?;
        anyhow::Ok((engine, reference))
    })?;
    let row = |name: &str, share: f64, factor: f64| {
        let (figure, reference) = (at(&engine, share), at(&reference, share));
        let ratio = figure.as_secs_f64() / reference.as_secs_f64().max(1e-9);
        Row {
            what: format!("event to action, {RATE} events/s, {name}"),
            figure: millis(figure),
            reference: millis(reference),
            ratio: Some(ratio),
            goal: format!("≤ {factor}"),
            ok: ratio <= factor,
        }
    };
    Ok(vec![row("p50", 0.5, 2.0), row("p99", 0.99, 1.5)])
}

/// Returns the latency that so large a share does not exceed.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are small and positive"
)]
pub fn at(sorted: &[Duration], share: f64) -> Duration {
    let idx = (sorted.len() as f64 * share) as usize;
    sorted
        .get(idx.min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

/// Writes a latency for people.
pub fn millis(of: Duration) -> String {
    format!("{:.2} ms", of.as_secs_f64() * 1e3)
}

async fn through_the_node(n_events: usize) -> anyhow::Result<Vec<Duration>> {
    let world = World::start().await?;
    let mut config = world.config(Engine::Sled, POLICY)?;
    config.clock = Clock::Stream;
    let node = start(&config).await?;
    until(async || Ok(node.ready().is_ok())).await?;
    let latencies = send_and_receive(&world, "attune.actions.>", n_events).await?;
    for (name, stage) in node.engine.meters.stages() {
        let runs = stage.runs.get().max(1);
        writeln!(
            stderr(),
            "  {name:<10} {:>7} µs a run, {runs} times",
            stage.nanos.get() / runs / 1_000
        )?;
    }
    node.stop().await;
    Ok(latencies)
}

async fn through_the_loop(n_events: usize) -> anyhow::Result<Vec<Duration>> {
    let world = World::start().await?;
    world
        .streams(&world.config(Engine::Memory, POLICY)?)
        .await?;
    let client = world.client().await?;
    let n = n_events as u64;
    let reader = tokio::spawn(bare::run(client, n, n));
    // The loop must stand before the first event.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let latencies = send_and_receive(&world, "bare.>", n_events).await?;
    reader.await??;
    Ok(latencies)
}

/// Publishes at the rate, and returns how long each action took to come, the shortest first.
async fn send_and_receive(
    world: &World,
    subject: &str,
    n_events: usize,
) -> anyhow::Result<Vec<Duration>> {
    let subject = subject.to_owned();
    let mut actions = world.client().await?.subscribe(subject).await?;
    let sent: Arc<Vec<std::sync::OnceLock<Instant>>> =
        Arc::new((0..n_events).map(|_| std::sync::OnceLock::new()).collect());
    let sender = tokio::spawn(send(world.client().await?, sent.clone()));
    let mut latencies = Vec::with_capacity(n_events);
    while latencies.len() < n_events {
        let message = actions.next().await.context("the subscription ended")?;
        let now = Instant::now();
        let idx = event_of(&message.payload).context("an action names no event")?;
        let start = sent
            .get(idx)
            .and_then(std::sync::OnceLock::get)
            .context("never sent")?;
        latencies.push(now - *start);
    }
    sender.await??;
    latencies.sort_unstable();
    Ok(latencies)
}

/// Publishes events at the rate, catching up when it was late.
async fn send(
    client: async_nats::Client,
    sent: Arc<Vec<std::sync::OnceLock<Instant>>>,
) -> anyhow::Result<()> {
    let context = ContextBuilder::new()
        .max_ack_inflight(8_192)
        .build(client.clone());
    let mut crowd = Crowd::new(2);
    let start = Instant::now();
    for (idx, at) in (0_u32..).zip(sent.iter()) {
        let due = start + Duration::from_secs(1) * idx / RATE;
        if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await;
        }
        let (subject, payload) =
            crowd.event_called("attune", usize::try_from(idx)?, Some("Product Added"));
        at.get_or_init(Instant::now);
        context.publish(subject, payload.into()).await?;
    }
    // What a client has not written when it is dropped is lost.
    client.flush().await?;
    Ok(())
}

/// Reads which event an action is about.
fn event_of(payload: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(payload).ok()?;
    let (_, rest) = text.split_once("\"event_id\":\"event-")?;
    rest.split('"').next()?.parse().ok()
}
