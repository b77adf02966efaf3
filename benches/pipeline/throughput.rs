//! Events a second through the whole pipeline: abandoned carts, timers that become due, emails.

use std::io::{Write, stderr};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use attune::config::Config;
use attune::store::Engine;

use crate::events::{Crowd, publish};
use crate::row::{Row, per_second};
use crate::stages::{self, Stages};
use crate::world::{World, start, until_done};
use crate::{bare, machine};

/// The policy that is measured.
pub const POLICY: &str = "
journey: abandoned-cart
class: transactional
enter: { event: Product Added, on_repeat: ignore }
goal: { event: Order Completed }
steps:
  - hold_until: { quiet: 30m }
  - send: { channel: email, template: cart, with: { items: profile.cart.items } }
---
channels: { email: { address: none } }
";

/// What is compared.
const ENGINES: [Engine; 2] = [Engine::Sled, Engine::Fjall];

/// What a run took.
struct Run {
    n_events: u64,
    n_actions: u64,
    took: Duration,
    /// Processor time of this process and of the server.
    cpu: [Duration; 2],
    /// Where it went.
    stages: String,
}

impl Run {
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    fn rate(&self) -> f64 {
        self.n_events as f64 / self.took.as_secs_f64()
    }

    /// Says how much processor time an event took, and where.
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    fn processors(&self) -> String {
        let each = self
            .cpu
            .map(|of| of.as_secs_f64() * 1e6 / self.n_events as f64);
        format!("in all {:.2} here, {:.2} nats-server", each[0], each[1])
    }

    fn show(&self, name: &str) -> anyhow::Result<()> {
        writeln!(
            stderr(),
            "{name}: {} ({} events, {} actions, {:.2} s; µs an event: {})",
            per_second(self.rate()),
            self.n_events,
            self.n_actions,
            self.took.as_secs_f64(),
            self.processors(),
        )?;
        Ok(())
    }
}

/// Everything is in the stream when the reading begins.
pub fn stored() -> anyhow::Result<Vec<Row>> {
    runtime()?.block_on(measure_stored())
}

/// The stream fills while it is read.
pub fn filling() -> anyhow::Result<Vec<Row>> {
    runtime()?.block_on(measure_filling())
}

/// Fills the stream of a server.
pub fn fill(url: &str, n_events: usize) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let client = async_nats::connect(url).await?;
        let mut crowd = Crowd::new(1);
        let events = (0..n_events).map(|idx| crowd.event("attune", idx));
        publish(client, events).await
    })
}

/// Returns a number of things, made smaller or larger by `ATTUNE_BENCH_SCALE`.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are small and positive"
)]
pub fn scaled(n: usize) -> usize {
    let scale = std::env::var("ATTUNE_BENCH_SCALE")
        .ok()
        .and_then(|text| text.parse::<f64>().ok());
    ((n as f64 * scale.unwrap_or(1.0)) as usize).max(100)
}

/// Returns a runtime as `attune serve` has it.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
}

async fn measure_stored() -> anyhow::Result<Vec<Row>> {
    let n_events = scaled(500_000);
    let world = World::start().await?;
    world
        .streams(&world.config(Engine::Memory, POLICY)?)
        .await?;
    end(spawn_filler(&world, n_events)?)?;
    let mut rows = Vec::new();
    for engine in ENGINES {
        forget(&world).await?;
        let config = world.config(engine, POLICY)?;
        world.streams(&config).await?;
        let run = through_the_node(&world, &config, n_events).await?;
        let reference = through_the_loop(&world, &run).await?;
        rows.extend(compare("already stored", 0.4, engine, &run, &reference)?);
    }
    Ok(rows)
}

async fn measure_filling() -> anyhow::Result<Vec<Row>> {
    let n_events = scaled(300_000);
    let mut rows = Vec::new();
    for engine in ENGINES {
        let world = World::start().await?;
        let config = world.config(engine, POLICY)?;
        world.streams(&config).await?;
        let filler = spawn_filler(&world, n_events)?;
        let run = through_the_node(&world, &config, n_events).await?;
        end(filler)?;
        let world = World::start().await?;
        world.streams(&world.config(engine, POLICY)?).await?;
        let filler = spawn_filler(&world, n_events)?;
        let reference = through_the_loop(&world, &run).await?;
        end(filler)?;
        rows.extend(compare("while it fills", 0.6, engine, &run, &reference)?);
    }
    Ok(rows)
}

/// Makes the lines of the table of one engine.
fn compare(
    what: &str,
    goal: f64,
    engine: Engine,
    run: &Run,
    reference: &Run,
) -> anyhow::Result<[Row; 2]> {
    run.show(&format!("{what}, {}", engine.name()))?;
    reference.show("bare loop")?;
    let ratio = run.rate() / reference.rate();
    let rate = Row {
        what: format!("events through the pipeline, {what}, {}", engine.name()),
        figure: per_second(run.rate()),
        reference: per_second(reference.rate()),
        ratio: Some(ratio),
        goal: format!("≥ {goal}"),
        ok: ratio >= goal,
    };
    let stages = stages::row(
        format!("µs an event, {what}, {}", engine.name()),
        format!("{}; {}", run.stages, run.processors()),
    );
    Ok([rate, stages])
}

fn spawn_filler(world: &World, n_events: usize) -> anyhow::Result<Child> {
    let program = std::env::current_exe()?;
    let args = ["--part", "fill", &world.server.url(), &n_events.to_string()];
    Ok(Command::new(program).args(args).spawn()?)
}

fn end(mut filler: Child) -> anyhow::Result<()> {
    if !filler.wait()?.success() {
        bail!("the publisher is broken");
    }
    Ok(())
}

/// Deletes what an earlier node has written.
async fn forget(world: &World) -> anyhow::Result<()> {
    let context = async_nats::jetstream::new(world.client().await?);
    for name in ["ATTUNE_STATE", "ATTUNE_ACTIONS"] {
        context.delete_stream(name).await?;
    }
    Ok(())
}

async fn through_the_node(world: &World, config: &Config, n_events: usize) -> anyhow::Result<Run> {
    let client = world.client().await?;
    let clock = Clock::start(world)?;
    let node = start(config).await?;
    until_done(&node, &client, n_events as u64).await?;
    let (took, cpu) = clock.stop(world)?;
    let meters = &node.engine.meters;
    let (n_events, n_actions) = (meters.events.get(), meters.actions.get());
    let stages = Stages::default().since(&node, n_events);
    node.stop().await;
    Ok(Run {
        n_events,
        n_actions,
        took,
        cpu,
        stages,
    })
}

async fn through_the_loop(world: &World, like: &Run) -> anyhow::Result<Run> {
    let client = world.client().await?;
    let clock = Clock::start(world)?;
    bare::run(client, like.n_events, like.n_actions, &[]).await?;
    let (took, cpu) = clock.stop(world)?;
    Ok(Run {
        n_events: like.n_events,
        n_actions: like.n_actions,
        took,
        cpu,
        stages: String::new(),
    })
}

/// Time and processor time.
struct Clock {
    start: Instant,
    cpu: [Duration; 2],
}

impl Clock {
    fn start(world: &World) -> anyhow::Result<Self> {
        Ok(Self {
            cpu: cpu(world)?,
            start: Instant::now(),
        })
    }

    fn stop(self, world: &World) -> anyhow::Result<(Duration, [Duration; 2])> {
        let took = self.start.elapsed();
        let now = cpu(world)?;
        let since = |idx: usize| now[idx].saturating_sub(self.cpu[idx]);
        Ok((took, [since(0), since(1)]))
    }
}

fn cpu(world: &World) -> anyhow::Result<[Duration; 2]> {
    let server = world.server.process_id().context("the server is gone")?;
    Ok([machine::cpu(std::process::id())?, machine::cpu(server)?])
}
