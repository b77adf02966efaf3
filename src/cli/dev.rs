//! `attune dev`: everything in one process, on real shop sessions.

mod replay;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use futures::StreamExt;
use serde_json::Value;

use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::stream::JetStream;
use crate::stream::server::{NatsServer, Settings, find_program};
use replay::Replay;

/// Arguments of `attune dev`.
#[derive(clap::Args)]
pub struct Args {
    /// Folder of the policies.
    #[arg(long, default_value = "policies")]
    policies: PathBuf,
    /// Folder of the models.
    #[arg(long, default_value = "models")]
    models: PathBuf,
    /// Where NATS and the store keep their files; emptied at the start.
    #[arg(long, default_value = "data/dev")]
    dir: PathBuf,
    /// Goes on with what is in the directory instead of emptying it.
    #[arg(long)]
    keep: bool,
    /// Events to replay, as JSON lines in Segment's form (.gz too); without it sessions of the OTTO shop.
    #[arg(long)]
    events: Option<PathBuf>,
    /// How many times faster than it happened.
    #[arg(long, default_value_t = 3_600.0)]
    speed: f64,
    /// The longest pause between two events, in milliseconds of real time.
    #[arg(long, default_value_t = 50)]
    pause_max: u64,
    /// Address of the API.
    #[arg(long, default_value = "127.0.0.1:7070")]
    listen: String,
    /// Port of the NATS server.
    #[arg(long)]
    nats_port: Option<u16>,
    /// Ends when the replay has ended.
    #[arg(long)]
    once: bool,
}

/// Runs a NATS server, the engine and a replay until interrupted.
///
/// # Errors
///
/// Something cannot start.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    super::block_on(dev(args))?;
    Ok(ExitCode::SUCCESS)
}

async fn dev(args: &Args) -> anyhow::Result<()> {
    if !args.keep {
        empty(&args.dir)?;
    }
    let replay = Replay::open(args.events.as_deref(), args.speed, args.pause_max)?;
    let program = find_program(Path::new("."))?;
    let settings = Settings {
        port: args.nats_port,
        // Else Ctrl-C would end it first, and nothing that was read could be finished.
        own_group: true,
        ..Settings::new(program, args.dir.join("nats"))
    };
    let server = NatsServer::start(settings).await?;
    let config = config(args, &server);
    welcome(args, &server);
    let streams = app::connect(&config).await?;
    let ended = Arc::new(tokio::sync::Notify::new());
    let showing = tokio::spawn(show(streams.clone(), config.nats.prefix.clone()));
    let playing = tokio::spawn(play(replay, streams, ended.clone()));
    let once = args.once;
    let told_to_stop = super::serve::told_to_stop()?;
    let stop = async {
        let over = async {
            ended.notified().await;
            if !once {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = told_to_stop => {}
            () = over => {}
        }
    };
    let result = super::serve::serve(&config, stop).await;
    playing.abort();
    showing.abort();
    drop(server);
    result
}

/// Empties a directory that an earlier run has made; another one is left alone.
fn empty(dir: &Path) -> anyhow::Result<()> {
    let mark = dir.join("made-by-attune-dev");
    if dir.exists() {
        let is_empty = std::fs::read_dir(dir)?.next().is_none();
        anyhow::ensure!(
            is_empty || mark.exists(),
            "`{}` is not a directory that `attune dev` made; give another one with `--dir`",
            dir.display()
        );
        std::fs::remove_dir_all(dir)?;
    }
    std::fs::create_dir_all(dir)
        .and_then(|()| std::fs::write(&mark, ""))
        .with_context(|| format!("cannot use the directory `{}`", dir.display()))
}

fn config(args: &Args, server: &NatsServer) -> Config {
    let mut config = Config::default();
    config.nats.urls = vec![server.url()];
    config.nats.varz_url = Some(server.varz_url());
    config.store.dir = args.dir.join("store");
    config.policies.dir.clone_from(&args.policies);
    config.policies.models.clone_from(&args.models);
    config.http.listen.clone_from(&args.listen);
    config.clock = Clock::Event;
    config
}

fn welcome(args: &Args, server: &NatsServer) {
    super::say(&format!(
        "Attune runs. Try in another terminal:\n\n  \
         curl -s http://{0}/v1/decide -H 'content-type: application/json' -d '{{\"customer\":\"otto-12\",\"placement\":\"home_hero\"}}'\n  \
         curl -s http://{0}/v1/customers/otto-12\n  \
         attune why otto-12 abandoned-cart --url http://{0}\n  \
         nats --server {1} sub 'attune.actions.>'\n",
        args.listen,
        server.url(),
    ));
}

/// Prints what leaves.
async fn show(streams: JetStream, prefix: String) -> anyhow::Result<()> {
    let actions = streams.tail(&format!("{prefix}.actions.>")).await?;
    let decisions = streams.tail(&format!("{prefix}.decisions.>")).await?;
    let dead = streams.tail(&format!("{prefix}.dlq.>")).await?;
    let mut all = futures::stream::select_all([actions, decisions, dead]);
    while let Some((subject, payload)) = all.next().await {
        let line = serde_json::from_slice(&payload).map_or_else(|_| String::new(), |of| line(&of));
        super::say(&format!("{subject}  {line}"));
    }
    Ok(())
}

/// Says in one line what an action or decision is.
fn line(of: &Value) -> String {
    let text = |key: &str| of[key].as_str().unwrap_or_default().to_owned();
    if of["offers"].is_array() {
        let offers = of["offers"].as_array().into_iter().flatten();
        let offers: Vec<_> = offers.filter_map(|offer| offer["offer"].as_str()).collect();
        return format!(
            "{}  {}: {}",
            text("decided_at"),
            text("customer"),
            offers.join(", ")
        );
    }
    let lines = of["trace"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let why = lines.fold("", |_, line| line);
    format!(
        "{}  {}: {}  ({why})",
        text("decided_at"),
        text("customer"),
        text("template")
    )
}

async fn play(replay: Replay, streams: JetStream, ended: Arc<tokio::sync::Notify>) {
    match replay.run(&streams).await {
        Ok(n) => super::say(&format!("The replay has ended after {n} events.")),
        Err(error) => super::say_error(&format!("the replay failed: {error:#}")),
    }
    ended.notify_one();
}
