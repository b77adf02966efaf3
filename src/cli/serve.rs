//! `attune serve`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::actors::Node;
use crate::api;
use crate::app;
use crate::config::{Config, Secret};
use crate::release::{self, Releases};
use crate::stream::{self, JetStream, Streams};

/// The pause before NATS is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// Arguments of `attune serve`; each wins over the configuration file.
#[derive(Default, clap::Args)]
pub struct Args {
    /// The configuration file; without one everything has its default.
    #[arg(long, short, env = "ATTUNE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Addresses of the NATS servers, separated by commas.
    #[arg(long, env = "ATTUNE_NATS_URL", value_delimiter = ',')]
    pub nats: Vec<String>,
    /// Folder of the policies.
    #[arg(long, env = "ATTUNE_POLICIES")]
    pub policies: Option<PathBuf>,
    /// Folder of the models.
    #[arg(long, env = "ATTUNE_MODELS")]
    pub models: Option<PathBuf>,
    /// Directory of the store.
    #[arg(long, env = "ATTUNE_DATA")]
    pub data: Option<PathBuf>,
    /// Address of the API.
    #[arg(long, env = "ATTUNE_LISTEN")]
    pub listen: Option<String>,
    /// The token that callers of the API must show.
    #[arg(long, env = "ATTUNE_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

impl Args {
    /// Reads the configuration file and puts the flags on top.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn config(&self) -> anyhow::Result<Config> {
        let mut config = match &self.config {
            Some(path) => Config::read(path)?,
            None => Config::default(),
        };
        if !self.nats.is_empty() {
            config.nats.urls.clone_from(&self.nats);
        }
        let set = |to: &mut PathBuf, from: &Option<PathBuf>| {
            if let Some(from) = from {
                to.clone_from(from);
            }
        };
        set(&mut config.policies.dir, &self.policies);
        set(&mut config.policies.models, &self.models);
        set(&mut config.store.dir, &self.data);
        if let Some(listen) = &self.listen {
            config.http.listen.clone_from(listen);
        }
        if let Some(token) = &self.token {
            config.http.token = Some(Secret(token.clone()));
        }
        Ok(config)
    }
}

/// Runs the server until it is told to stop.
///
/// # Errors
///
/// It cannot start, or cannot go on.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let config = args.config()?;
    super::block_on(async { serve(&config, told_to_stop()?).await })?;
    Ok(ExitCode::SUCCESS)
}

/// Returns what ends when the process is asked to: by SIGTERM, or by SIGINT as Ctrl-C sends it.
///
/// # Errors
///
/// The system does not tell us of signals.
pub fn told_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Starts everything, runs until `stop`, and stops in the right order.
///
/// # Errors
///
/// It cannot start, or cannot go on.
pub async fn serve(config: &Config, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let parts = app::parts(config, super::color(&std::io::stderr()))?;
    tracing::info!(
        bundle = %parts.bundle.id,
        journeys = parts.bundle.journeys.len(),
        offers = parts.bundle.offers.len(),
        models = parts.bundle.models.len(),
        store = config.store.engine.name(),
        "policies, models and store are ready"
    );
    let listen = &config.http.listen;
    let listener = tokio::net::TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on `{listen}`"))?;
    tracing::info!(address = %listener.local_addr()?, "the API listens");
    let streams = app::connect(config).await?;
    let gate = Arc::new(api::Gate::default());
    let (halt, halted) = watch::channel(false);
    let http = tokio::spawn(api::serve(
        listener,
        api::gated(gate.clone()),
        until(halted.clone()),
    ));
    tokio::pin!(stop);
    let node = tokio::select! {
        node = start(config, parts, &streams, &gate) => Some(node?),
        () = &mut stop => None,
    };
    let mut failed = None;
    if let Some((node, releases)) = &node {
        let token = config.http.token.as_ref().map(|token| token.0.as_str());
        let api = Arc::new(api::Api::new(node.clone(), releases.clone(), token));
        gate.open(api::router(api.clone()));
        let subject = format!("{}.decide", config.nats.prefix);
        let requests = api::requests::serve(api, streams.requests(&subject), until(halted));
        let requests = tokio::spawn(requests);
        let hangup = signal(SignalKind::hangup())?;
        let watching = tokio::spawn(watch(releases.clone(), node.clone(), hangup));
        tokio::select! {
            () = &mut stop => tracing::info!("stopping: what was read is finished first"),
            why = node.failed() => failed = Some(why),
        }
        watching.abort();
        let _nobody = halt.send(true);
        let _ended = requests.await;
        match &failed {
            None => node.stop().await,
            Some(_) => streams.drain().await,
        }
    }
    let _nobody = halt.send(true);
    let _ended = tokio::time::timeout(Duration::from_secs(5), http).await;
    match failed {
        None => Ok(()),
        Some(why) => anyhow::bail!("{why}"),
    }
}

/// Watches the folder of the policies and the ledger; `SIGHUP` forces a look at the folder.
async fn watch(releases: Arc<Releases>, node: Arc<Node>, mut hangup: Signal) {
    let forcing = async {
        while hangup.recv().await.is_some() {
            releases.nudge();
        }
    };
    let tending = release::tend(releases.clone(), node);
    tokio::join!(release::watch(releases.clone()), tending, forcing);
}

async fn until(mut halted: watch::Receiver<bool>) {
    // An error says that the server is gone.
    let _gone = halted.wait_for(|halted| *halted).await;
}

/// Waits for NATS and starts the node.
async fn start(
    config: &Config,
    parts: app::Parts,
    streams: &JetStream,
    gate: &api::Gate,
) -> anyhow::Result<(Arc<Node>, Arc<Releases>)> {
    let opened = loop {
        match streams.open().await {
            Ok(opened) => break opened,
            Err(error @ stream::Error::Setup(_)) => return Err(error.into()),
            Err(error) => {
                tracing::warn!(%error, "NATS is not ready, trying again");
                gate.wait_for(&error.to_string());
                tokio::time::sleep(PAUSE).await;
            }
        }
    };
    tracing::info!(
        server = %opened.server_version,
        survives = ?opened.durability,
        partitions = opened.n_partitions,
        "NATS is ready"
    );
    let engine = Arc::new(app::engine(
        config,
        parts,
        Arc::new(streams.clone()),
        &opened,
    ));
    let releases = Releases::new(engine.clone(), app::folder(config));
    while let Err(error) = releases.open().await {
        if !error.passes() {
            anyhow::bail!("{}", error.detail());
        }
        tracing::warn!(%error, "the policies cannot be taken in yet, trying again");
        gate.wait_for(&error.to_string());
        tokio::time::sleep(PAUSE).await;
    }
    Ok((Arc::new(Node::start(engine)), Arc::new(releases)))
}
