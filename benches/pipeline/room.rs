//! Room: memory of a resident customer, and disk of a stored one.

use std::sync::Arc;

use anyhow::Context;
use attune::actors::Node;
use attune::app;
use attune::clock::Clock;
use attune::store::{self, Batch, Durability, Store, Table};
use attune::stream::Streams;
use ractor::{Actor, ActorProcessingErr, ActorRef, ActorRuntime};

use crate::events::{person, publish};
use crate::machine::{resident_bytes, until};
use crate::row::Row;
use crate::throughput::{runtime, scaled};
use crate::world::{World, start, until_taken};

/// Remembers everybody who identifies.
const POLICY: &str = "
journey: hello
enter: { event: Nobody }
steps: [stop]
";

/// A store that keeps nothing, so that what is measured is the customers.
struct Nowhere;

impl Store for Nowhere {
    fn get(&self, _: Table, _: &[u8]) -> Result<Option<Vec<u8>>, store::Error> {
        Ok(None)
    }

    fn scan(
        &self,
        _: Table,
        _: std::ops::Range<&[u8]>,
        _: usize,
    ) -> Result<Vec<store::Row>, store::Error> {
        Ok(Vec::new())
    }

    fn commit(&self, _: Batch, _: Durability) -> Result<(), store::Error> {
        Ok(())
    }

    fn stats(&self) -> Result<store::Stats, store::Error> {
        Ok(store::Stats::default())
    }
}

/// An actor that holds nothing.
struct Bare;

impl Actor for Bare {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

/// Measures the memory of residents.
pub fn memory() -> anyhow::Result<Vec<Row>> {
    let n = scaled(100_000);
    runtime()?.block_on(async {
        let world = World::start().await?;
        let config = world.config(store::Engine::Memory, POLICY)?;
        world.streams(&config).await?;
        publish(
            world.client().await?,
            (0..n).map(|idx| person("attune", idx)),
        )
        .await?;
        let streams = app::connect(&config).await?;
        let opened = streams.open().await?;
        let parts = app::Parts {
            store: Arc::new(Nowhere),
            ..app::parts(&config, false)?
        };
        let engine = app::engine(&config, parts, Arc::new(streams), &opened);
        let before = resident_bytes()?;
        let node = Node::start(Arc::new(engine));
        until_taken(&node, n as u64).await?;
        // Who has nothing to do is at rest from the next checkpoint on.
        let all = n as u64;
        until(async || Ok(node.engine.meters.images.get() >= all)).await?;
        let each = (resident_bytes()?.saturating_sub(before)) / n as u64;
        // After the residents and beside them: memory that was given back would flatter whoever comes second.
        let reference = bare_actors(n).await?;
        anyhow::ensure!(
            node.engine.meters.residents.get() == n as u64,
            "not all are resident"
        );
        node.stop().await;
        anyhow::Ok(vec![row(
            "memory of a resident customer, 1 KB profile",
            each,
            kilo(reference),
            10_000,
        )])
    })
}

/// Measures the disk of customers that were written twice.
pub fn disk() -> anyhow::Result<Vec<Row>> {
    let n = scaled(100_000);
    let mut rows = Vec::new();
    for engine in [store::Engine::Sled, store::Engine::Fjall] {
        let bytes = runtime()?.block_on(async {
            let world = World::start().await?;
            let mut config = world.config(engine, POLICY)?;
            config.clock = Clock::Event;
            world.streams(&config).await?;
            let everybody = || (0..n).map(|idx| person("attune", idx));
            publish(world.client().await?, everybody().chain(everybody())).await?;
            let node = start(&config).await?;
            until_taken(&node, 2 * n as u64).await?;
            node.stop().await;
            let bytes = node.engine.store.stats()?.bytes;
            anyhow::Ok(bytes / n as u64)
        })?;
        let what = format!("disk of a stored customer, 1 KB profile, {}", engine.name());
        rows.push(row(&what, bytes, String::new(), 1_500));
    }
    Ok(rows)
}

#[expect(clippy::cast_precision_loss, reason = "kilobytes for people")]
fn kilo(bytes: u64) -> String {
    format!("{:.2} KB", bytes as f64 / 1e3)
}

fn row(what: &str, bytes: u64, reference: String, max: u64) -> Row {
    Row {
        what: what.into(),
        figure: kilo(bytes),
        reference,
        ratio: None,
        goal: format!("< {}", kilo(max)),
        ok: bytes < max,
    }
}

/// Returns the bytes that an actor takes which holds nothing.
async fn bare_actors(n: usize) -> anyhow::Result<u64> {
    let before = resident_bytes()?;
    let mut actors = Vec::with_capacity(n);
    for _ in 0..n {
        let (actor, _) =
            ActorRuntime::spawn_instant(None, Bare, ()).context("an actor cannot start")?;
        actors.push(actor);
    }
    for actor in &actors {
        actor.cast(())?;
    }
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let each = resident_bytes()?.saturating_sub(before) / n as u64;
    for actor in &actors {
        actor.drain()?;
    }
    Ok(each)
}
