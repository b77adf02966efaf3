//! Back after `kill -9`: a million stored customers, and a second of log to fold.

use std::io::{BufRead, BufReader, Write, stdout};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use attune::actors::packing::Packing;
use attune::config::{Config, Length};
use attune::decide::Ask;
use attune::domain::{CustomerId, Profile, Value};
use attune::store::{Batch, Durability, Engine, Options, Table, open};

use crate::events::{Crowd, publish};
use crate::latency::millis;
use crate::person::traits;
use crate::row::Row;
use crate::throughput::{runtime, scaled};
use crate::world::{World, start, until_taken};

/// Remembers carts, and has something to offer.
const POLICY: &str = "
journey: abandoned-cart
class: transactional
enter: { event: Product Added, on_repeat: ignore }
goal: { event: Order Completed }
steps:
  - hold_until: { quiet: 30m }
  - send: { channel: email, template: cart, with: { items: profile.cart.items } }
---
offers:
  hello: { placements: [home], value: 1 }
placements:
  home: { limit: 1 }
channels: { email: { address: none } }
";

/// Events that the last checkpoint lacks: what a second brings.
const N_LOG: usize = 60_000;

/// Measures the time from the start of a process to its first decision.
pub fn after_a_kill() -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for engine in [Engine::Sled, Engine::Fjall] {
        rows.push(runtime()?.block_on(with(engine))?);
    }
    Ok(rows)
}

async fn with(engine: Engine) -> anyhow::Result<Row> {
    let world = World::start().await?;
    let config = world.config(engine, POLICY)?;
    world.streams(&config).await?;
    fill(&config, scaled(1_000_000))?;
    // What the log touches must be known before, or there would be nothing to read.
    send(&world, 0, N_LOG).await?;
    let mut first = Served::start(&world, engine, "stop", N_LOG)?;
    first.wait_for("done")?;
    first.child.wait()?;
    send(&world, N_LOG, N_LOG).await?;
    let mut second = Served::start(&world, engine, "stay", N_LOG)?;
    second.wait_for("done")?;
    drop(second);
    copy(&config.store.dir, &world.dir.path().join("copy"))?;
    let bare = {
        let start = Instant::now();
        let options = Options {
            cache_bytes: config.store.cache_mb << 20,
            verify: config.store.verify,
            accept_loss: false,
        };
        let _store = open(engine, &world.dir.path().join("copy"), &options)?;
        start.elapsed()
    };
    let start = Instant::now();
    let mut third = Served::start(&world, engine, "ask", 0)?;
    third.wait_for("decided")?;
    let took = start.elapsed();
    drop(third);
    Ok(Row {
        what: format!(
            "kill -9 to the first decision, {} customers, {}",
            scaled(1_000_000),
            engine.name()
        ),
        figure: millis(took),
        reference: millis(bare),
        ratio: Some(took.as_secs_f64() / bare.as_secs_f64().max(1e-9)),
        goal: "< 2 s".into(),
        ok: took < Duration::from_secs(2),
    })
}

/// Fills a store with customers that nobody will ask for, every tenth with a timer.
fn fill(config: &Config, n: usize) -> anyhow::Result<()> {
    let options = Options {
        cache_bytes: config.store.cache_mb << 20,
        verify: false,
        accept_loss: false,
    };
    let store = open(config.store.engine, &config.store.dir, &options)?;
    let packing = Packing::load(store.as_ref())?;
    for from in (0..n).step_by(4_096) {
        let mut batch = Batch::default();
        for idx in from..n.min(from + 4_096) {
            let id = format!("stored-{idx:08}");
            let id = CustomerId::parse(&id).map_err(anyhow::Error::msg)?;
            let place = id.partition(16).0.to_be_bytes();
            let customer = id.as_str().to_owned();
            let mut profile = Profile::new(id);
            if let Value::Map(traits) = serde_json::from_str(&traits(idx as u64))? {
                profile.traits = traits;
            }
            batch.put(
                Table::Customers,
                [&place, customer.as_bytes()].concat(),
                packing.seal(0, &profile)?,
            );
            if idx % 10 == 0 {
                // The end of the year 9999, as rows of timers have it.
                let due = (0xe677_cc8b_a6e7_u64 ^ (1 << 63)).to_be_bytes();
                let key = [&place, due.as_slice(), customer.as_bytes()].concat();
                batch.put(Table::Timers, key, Vec::new());
            }
        }
        store.commit(batch, Durability::Process)?;
        packing.tend(store.as_ref(), Durability::Process)?;
    }
    Ok(())
}

async fn send(world: &World, from: usize, n: usize) -> anyhow::Result<()> {
    let mut crowd = Crowd::new(from as u64);
    publish(
        world.client().await?,
        (from..from + n).map(|idx| crowd.event("attune", idx)),
    )
    .await
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let copied = Command::new("cp").arg("-r").arg(from).arg(to).status()?;
    ensure!(copied.success(), "the store cannot be copied");
    Ok(())
}

/// A node in a process of its own.
struct Served {
    child: Child,
    says: BufReader<std::process::ChildStdout>,
}

impl Drop for Served {
    /// Ends a node that an error left behind; it fails only when it has ended already.
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Served {
    fn start(world: &World, engine: Engine, then: &str, upto: usize) -> anyhow::Result<Self> {
        let dir = world.dir.path().display().to_string();
        let args = [
            "--part",
            "node",
            &dir,
            &world.server.url(),
            engine.name(),
            then,
            &upto.to_string(),
        ];
        let mut child = Command::new(std::env::current_exe()?)
            .args(args)
            .stdout(Stdio::piped())
            .spawn()?;
        let says = BufReader::new(child.stdout.take().context("no output")?);
        Ok(Self { child, says })
    }

    fn wait_for(&mut self, word: &str) -> anyhow::Result<()> {
        let mut line = String::new();
        self.says.read_line(&mut line)?;
        ensure!(line.trim() == word, "the node said `{line}`, not `{word}`");
        Ok(())
    }
}

/// Runs a node until it has read so far; then stops it, stays, or asks it for an offer.
pub fn node(dir: &str, url: &str, engine: &str, then: &str, upto: u64) -> anyhow::Result<()> {
    let engine = match engine {
        "sled" => Engine::Sled,
        "fjall" => Engine::Fjall,
        _ => bail!("there is no engine `{engine}`"),
    };
    let mut config = crate::world::config(Path::new(dir), url, engine);
    if then == "stay" {
        config.limits.checkpoint_every = Length(attune::domain::Duration::from_secs(3_600));
    }
    runtime()?.block_on(async {
        let node = start(&config).await?;
        until_taken(&node, upto).await?;
        match then {
            "stop" => {
                node.stop().await;
                writeln!(stdout(), "done")?;
            }
            "stay" => {
                writeln!(stdout(), "done")?;
                std::future::pending::<()>().await;
            }
            _ => {
                let customer = CustomerId::parse("customer-000001").map_err(anyhow::Error::msg)?;
                let ask = Ask {
                    id: "first".into(),
                    placement: "home".into(),
                    context: Value::Null,
                    limit: None,
                    stranger: false,
                };
                let answer = node.ask(customer, ask).await?;
                ensure!(answer.offers.len() == 1, "nothing was offered");
                writeln!(stdout(), "decided")?;
                std::future::pending::<()>().await;
            }
        }
        anyhow::Ok(())
    })
}
