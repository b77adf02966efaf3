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
    let (engine, n_bytes, reference, committing) = runtime()?.block_on(async {
        let (engine, n_bytes) = through_the_node(n_events).await?;
        // The loops publish actions as large as the engine's.
        let reference = through_a_loop(&engine.sizes, None).await?;
        let committing = through_a_loop(&engine.sizes, Some(n_bytes)).await?;
        anyhow::Ok((engine.latencies, n_bytes, reference, committing))
    })?;
    let row = |name: String, share: f64, reference: &[Duration], goal: Option<f64>| {
        let (figure, reference) = (at(&engine, share), at(reference, share));
        let ratio = figure.as_secs_f64() / reference.as_secs_f64().max(1e-9);
        Row {
            what: name,
            figure: millis(figure),
            reference: millis(reference),
            ratio: Some(ratio),
            goal: goal.map_or_else(|| "stated".into(), |goal| format!("≤ {goal}")),
            ok: goal.is_none_or(|goal| ratio <= goal),
        }
    };
    let what = |name: &str| format!("event to action, {RATE} events/s, {name}");
    let stored = |name: &str| {
        format!(
            "the same, against a loop that stores {n_bytes} bytes an event before it publishes, {name}"
        )
    };
    Ok(vec![
        row(what("p50"), 0.5, &reference, Some(2.0)),
        row(what("p99"), 0.99, &reference, Some(1.5)),
        row(stored("p50"), 0.5, &committing, None),
        row(stored("p99"), 0.99, &committing, None),
    ])
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

/// What came.
struct Received {
    /// How long each action took, the shortest first.
    latencies: Vec<Duration>,
    /// How many bytes the action of each event had, in the order of the events.
    sizes: Arc<Vec<usize>>,
}

/// Returns what came, and how many bytes an event left in the log.
async fn through_the_node(n_events: usize) -> anyhow::Result<(Received, usize)> {
    let world = World::start().await?;
    let mut config = world.config(Engine::Sled, POLICY)?;
    config.clock = Clock::Stream;
    let node = start(&config).await?;
    until(async || Ok(node.ready().is_ok())).await?;
    let received = send_and_receive(&world, "attune.actions.>", n_events).await?;
    for (name, stage) in node.engine.meters.stages() {
        let runs = stage.runs.get().max(1);
        writeln!(
            stderr(),
            "  {name:<10} {:>7} µs a run, {runs} times",
            stage.nanos.get() / runs / 1_000
        )?;
    }
    let n_bytes = node.engine.meters.commit_bytes.get() / n_events as u64;
    node.stop().await;
    Ok((received, usize::try_from(n_bytes)?))
}

/// - `kept`: how many bytes are to be stored of an event before its action leaves.
async fn through_a_loop(
    sizes: &Arc<Vec<usize>>,
    kept: Option<usize>,
) -> anyhow::Result<Vec<Duration>> {
    let n_events = sizes.len();
    let world = World::start().await?;
    world
        .streams(&world.config(Engine::Memory, POLICY)?)
        .await?;
    let client = world.client().await?;
    let n = n_events as u64;
    let sizes = sizes.clone();
    let reader = tokio::spawn(async move {
        match kept {
            None => bare::run(client, n, n, &sizes).await,
            Some(n_bytes) => bare::commit(client, n, n_bytes, &sizes).await,
        }
    });
    // The loop must stand before the first event.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let received = send_and_receive(&world, "bare.>", n_events).await?;
    reader.await??;
    Ok(received.latencies)
}

/// Publishes at the rate, and returns what came of it.
async fn send_and_receive(
    world: &World,
    subject: &str,
    n_events: usize,
) -> anyhow::Result<Received> {
    let subject = subject.to_owned();
    let mut actions = world.client().await?.subscribe(subject).await?;
    let sent: Arc<Vec<std::sync::OnceLock<Instant>>> =
        Arc::new((0..n_events).map(|_| std::sync::OnceLock::new()).collect());
    let sender = tokio::spawn(send(world.client().await?, sent.clone()));
    let mut latencies = Vec::with_capacity(n_events);
    let mut sizes = vec![0; n_events];
    while latencies.len() < n_events {
        let message = actions.next().await.context("the subscription ended")?;
        let now = Instant::now();
        let idx = event_of(&message.payload).context("an action names no event")?;
        let start = sent
            .get(idx)
            .and_then(std::sync::OnceLock::get)
            .context("never sent")?;
        latencies.push(now - *start);
        sizes[idx] = message.payload.len();
    }
    sender.await??;
    latencies.sort_unstable();
    let sizes = Arc::new(sizes);
    Ok(Received { latencies, sizes })
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
