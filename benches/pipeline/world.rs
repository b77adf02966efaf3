//! A nats-server and what a node needs, in a directory that goes away.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use attune::actors::{Engine, Node};
use attune::app;
use attune::clock::Clock;
use attune::config::Config;
use attune::store;
use attune::stream::Streams;
use attune::stream::server::{NatsServer, Settings, find_program};
use tempfile::TempDir;

use crate::machine::until;

/// The surroundings of a measurement.
pub struct World {
    /// Where everything lies.
    pub dir: TempDir,
    /// The server.
    pub server: NatsServer,
}

impl World {
    /// Starts a server.
    pub async fn start() -> anyhow::Result<Self> {
        let dir = TempDir::with_prefix("attune-bench-")?;
        let program = find_program(Path::new(env!("CARGO_MANIFEST_DIR")))?;
        let server = NatsServer::start(Settings::new(program, dir.path().join("nats"))).await?;
        Ok(Self { dir, server })
    }

    /// Returns a connection of its own.
    pub async fn client(&self) -> anyhow::Result<async_nats::Client> {
        Ok(async_nats::connect(self.server.url()).await?)
    }

    /// Returns a configuration with one policy file.
    pub fn config(&self, engine: store::Engine, policy: &str) -> anyhow::Result<Config> {
        let policies = self.dir.path().join("policies");
        fs::create_dir_all(&policies)?;
        fs::write(policies.join("policy.yaml"), policy)?;
        Ok(config(self.dir.path(), &self.server.url(), engine))
    }

    /// Makes the streams.
    pub async fn streams(&self, config: &Config) -> anyhow::Result<()> {
        let streams = app::connect(config).await?;
        streams.open().await?;
        streams.drain().await;
        Ok(())
    }
}

/// Returns the configuration of a node in a directory.
pub fn config(dir: &Path, url: &str, engine: store::Engine) -> Config {
    let mut config = Config::default();
    config.nats.urls = vec![url.into()];
    config.policies.dir = dir.join("policies");
    config.policies.models = dir.join("models");
    config.store.engine = engine;
    config.store.dir = dir.join(engine.name());
    config.clock = Clock::Event;
    config
}

/// Starts a node; its partitions come up in the background.
pub async fn start(config: &Config) -> anyhow::Result<Node> {
    let parts = app::parts(config, false)?;
    let streams = app::connect(config).await?;
    let opened = streams.open().await?;
    let engine: Engine = app::engine(config, parts, Arc::new(streams), &opened);
    Ok(Node::start(Arc::new(engine)))
}

/// Waits until a node has taken in so many events, and all its actions are out.
pub async fn until_done(node: &Node, client: &async_nats::Client, n: u64) -> anyhow::Result<()> {
    until_taken(node, n).await?;
    let context = async_nats::jetstream::new(client.clone());
    let mut actions = context.get_stream("ATTUNE_ACTIONS").await?;
    until(async || {
        let n_out = actions.info().await?.state.messages;
        Ok(n_out >= node.engine.meters.actions.get())
    })
    .await
}

/// Waits until a node has committed so many events since it started.
pub async fn until_taken(node: &Node, n: u64) -> anyhow::Result<()> {
    let meters = &node.engine.meters;
    let n_taken = || meters.events.get() + meters.duplicates.get() + meters.dead_letters.get();
    until(async || Ok(node.ready().is_ok() && n_taken() >= n)).await
}
