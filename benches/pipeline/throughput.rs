//! Events a second through the whole pipeline: abandoned carts, timers that become due, emails.

use std::io::{Write, stderr};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use attune::actors::Node;
use attune::config::Config;
use attune::store::Engine;

use crate::events::{Crowd, publish};
use crate::row::{Row, per_second};
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

/// What a run took.
struct Run {
    n_events: u64,
    n_actions: u64,
    took: Duration,
    /// Processor time of this process and of the server.
    cpu: [Duration; 2],
}

impl Run {
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    fn rate(&self) -> f64 {
        self.n_events as f64 / self.took.as_secs_f64()
    }

    fn show(&self, name: &str) -> anyhow::Result<()> {
        #[expect(clippy::cast_precision_loss, reason = "counts are small")]
        let each = |of: Duration| of.as_secs_f64() * 1e6 / self.n_events as f64;
        writeln!(
            stderr(),
            "{name}: {} ({} events, {} actions, {:.2} s; processor per event: {:.2} µs here, {:.2} µs nats-server)",
            per_second(self.rate()),
            self.n_events,
            self.n_actions,
            self.took.as_secs_f64(),
            each(self.cpu[0]),
            each(self.cpu[1]),
        )?;
        Ok(())
    }
}

/// Everything is in the stream when the reading begins.
pub fn stored() -> anyhow::Result<Vec<Row>> {
    runtime()?.block_on(measure(false))
}

/// The stream fills while it is read.
pub fn filling() -> anyhow::Result<Vec<Row>> {
    runtime()?.block_on(measure(true))
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

async fn measure(while_filling: bool) -> anyhow::Result<Vec<Row>> {
    let n_events = scaled(if while_filling { 300_000 } else { 500_000 });
    let (what, goal) = if while_filling {
        ("while it fills", 0.6)
    } else {
        ("already stored", 0.4)
    };
    let mut rows = Vec::new();
    let engines = if while_filling {
        vec![Engine::Sled]
    } else {
        vec![Engine::Sled, Engine::Fjall]
    };
    let mut world = World::start().await?;
    for (idx, engine) in engines.into_iter().enumerate() {
        let config = world.config(engine, POLICY)?;
        if while_filling || idx == 0 {
            world.streams(&config).await?;
        } else {
            forget(&world).await?;
        }
        let mut filler = None;
        if while_filling {
            filler = Some(spawn_filler(&world, n_events)?);
        } else if idx == 0 {
            fill_and_wait(&world, n_events)?;
        }
        let run = through_the_node(&world, &config, n_events).await?;
        end(filler)?;
        run.show(&format!("{what}, {}", engine.name()))?;
        if while_filling {
            world = World::start().await?;
            let config = world.config(engine, POLICY)?;
            world.streams(&config).await?;
            filler = Some(spawn_filler(&world, n_events)?);
        } else {
            filler = None;
        }
        let reference = through_the_loop(&world, &run).await?;
        end(filler)?;
        reference.show("bare loop")?;
        let ratio = run.rate() / reference.rate();
        rows.push(Row {
            what: format!("events through the pipeline, {what}, {}", engine.name()),
            figure: per_second(run.rate()),
            reference: per_second(reference.rate()),
            ratio: Some(ratio),
            goal: format!("≥ {goal}"),
            ok: ratio >= goal,
        });
    }
    Ok(rows)
}

fn spawn_filler(world: &World, n_events: usize) -> anyhow::Result<Child> {
    let program = std::env::current_exe()?;
    let args = ["--part", "fill", &world.server.url(), &n_events.to_string()];
    Ok(Command::new(program).args(args).spawn()?)
}

fn fill_and_wait(world: &World, n_events: usize) -> anyhow::Result<()> {
    end(Some(spawn_filler(world, n_events)?))
}

fn end(filler: Option<Child>) -> anyhow::Result<()> {
    if let Some(mut filler) = filler
        && !filler.wait()?.success()
    {
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
    stages(&node, n_events)?;
    node.stop().await;
    Ok(Run {
        n_events,
        n_actions,
        took,
        cpu,
    })
}

async fn through_the_loop(world: &World, like: &Run) -> anyhow::Result<Run> {
    let client = world.client().await?;
    let clock = Clock::start(world)?;
    bare::run(client, like.n_events, like.n_actions).await?;
    let (took, cpu) = clock.stop(world)?;
    Ok(Run { took, cpu, ..*like })
}

/// Says where the time went, in microseconds an event.
#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn stages(node: &Node, n_events: u64) -> anyhow::Result<()> {
    let meters = &node.engine.meters;
    let per_event = |n: u64| n as f64 / n_events as f64;
    for (name, stage) in meters.stages() {
        let (nanos, runs) = (stage.nanos.get(), stage.runs.get());
        writeln!(
            stderr(),
            "  {name:<10} {:>7.3} µs an event, {runs} times",
            per_event(nanos) / 1e3
        )?;
    }
    writeln!(
        stderr(),
        "  {} commits, {:.0} bytes an event; {} images; {} residents",
        meters.commits.get(),
        per_event(meters.commit_bytes.get()),
        meters.images.get(),
        meters.residents.get(),
    )?;
    Ok(())
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
