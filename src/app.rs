//! Builds everything from the configuration, and says in which order it starts and stops.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;

use crate::actors::engine::CrashPoint;
use crate::actors::live::{Live, Policies};
use crate::actors::packing::Packing;
use crate::actors::{self, Engine};
use crate::config::{Config, Durability};
use crate::policy::{self, Bundle, Source};
use crate::release::Folder;
use crate::release::folder;
pub use crate::release::folder::{collect, read};
pub use crate::release::models::{named, scorer, spec, spec_without_baseline};
use crate::scoring::Scorer;
use crate::store::{self, Store};
use crate::stream::{self, JetStream, Layout, Opened, Streams};

/// Where models lie if nobody says where; who names no folder need not have one.
const MODELS_DEFAULT: &str = "models";

/// Reads every policy file below folders and every manifest below another, and warns of one that was named and is not there.
///
/// # Errors
///
/// A folder or file cannot be read, or there is no policy file.
pub fn sources(policies: &[PathBuf], models: &Path) -> anyhow::Result<Vec<Source>> {
    if !models.is_dir() && models != Path::new(MODELS_DEFAULT) {
        tracing::warn!(
            "there is no folder of models `{}`: `--models` (`policies.models`) names the folder that has a folder for each model",
            models.display()
        );
    }
    folder::sources(policies, models)
}

/// Compiles policies.
///
/// # Errors
///
/// Everything that is wrong with the files, underlined.
pub fn compile(sources: &[Source], color: bool) -> anyhow::Result<Bundle> {
    let policy::Checked {
        bundle, problems, ..
    } = policy::check(sources);
    let n_warnings = problems.0.len() - problems.n_errors();
    if bundle.is_some() && n_warnings > 0 {
        tracing::warn!(
            n_warnings,
            "`attune check` has something to say about the policies"
        );
    }
    bundle.ok_or_else(|| anyhow::anyhow!("{}", problems.errors().render(color)))
}

/// What a node needs besides NATS.
pub struct Parts {
    /// The live policies.
    pub bundle: Arc<Bundle>,
    /// Models.
    pub scorer: Arc<dyn Scorer>,
    /// Disk.
    pub store: Arc<dyn Store>,
    /// How the images in it are written and read.
    pub packing: Packing,
}

/// Reads policies and models and opens the store: what can be wrong is found before NATS is reached.
///
/// # Errors
///
/// Whatever is wrong, with what to do about it.
pub fn parts(config: &Config, color: bool) -> anyhow::Result<Parts> {
    config.check()?;
    let policies = &config.policies;
    let sources = sources(std::slice::from_ref(&policies.dir), &policies.models)?;
    let bundle = Arc::new(compile(&sources, color)?);
    let scorer = scorer(named(&bundle), policies.onnxruntime.as_deref())?;
    let options = store::Options {
        cache_bytes: config.store.cache_mb << 20,
        verify: config.store.verify,
        accept_loss: config.store.accept_loss,
    };
    let dir = &config.store.dir;
    let store = store::open(config.store.engine, dir, &options)
        .with_context(|| format!("cannot open the store in `{}`", dir.display()))?;
    let packing = Packing::load(store.as_ref())
        .with_context(|| format!("cannot read the store in `{}`", dir.display()))?;
    Ok(Parts {
        bundle,
        scorer,
        store,
        packing,
    })
}

/// Says where policies and models lie.
pub fn folder(config: &Config) -> Folder {
    let policies = &config.policies;
    Folder {
        policies: vec![policies.dir.clone()],
        models: policies.models.clone(),
        onnxruntime: policies.onnxruntime.clone(),
    }
}

/// Starts to connect to NATS.
///
/// # Errors
///
/// An address, a credentials file or the layout cannot be used.
pub async fn connect(config: &Config) -> anyhow::Result<JetStream> {
    let nats = &config.nats;
    let mut layout = Layout::new(&nats.prefix, nats.partitions)?;
    layout.replicas = nats.replicas;
    let secret = |secret: &Option<crate::config::Secret>| secret.as_ref().map(|of| of.0.clone());
    let connect = stream::Connect {
        urls: nats.urls.clone(),
        user: nats.user.clone(),
        password: secret(&nats.password),
        token: secret(&nats.token),
        credentials: nats.credentials.clone(),
        tls: nats.tls,
        tls_roots: nats.tls_roots.clone(),
        ..stream::Connect::default()
    };
    let options = stream::Options {
        connect,
        layout,
        require_durability: match nats.require_durability {
            Durability::Process => stream::Durability::Process,
            Durability::Power => stream::Durability::Power,
            Durability::Machine => stream::Durability::Machine,
        },
        varz_url: nats.varz_url.clone(),
        ..stream::Options::default()
    };
    Ok(JetStream::connect(options).await?)
}

/// Puts a node's engine together.
pub fn engine(config: &Config, parts: Parts, streams: Arc<dyn Streams>, opened: &Opened) -> Engine {
    let limits = &config.limits;
    Engine {
        live: Live::new(Policies::new(0, parts.bundle, parts.scorer)),
        streams,
        store: parts.store,
        packing: parts.packing,
        clock: config.clock,
        prefix: config.nats.prefix.clone(),
        n_partitions: opened.n_partitions,
        payload_max: opened.payload_max,
        created: opened.created.as_millis(),
        limits: actors::Limits {
            residents: limits.residents,
            in_flight: limits.in_flight,
            batch_inputs: limits.batch,
            event_bytes: limits.event_kb << 10,
            checkpoint_every: std::time::Duration::from_millis(
                limits.checkpoint_every.0.as_millis(),
            ),
            checkpoint_durability: match config.store.durability {
                Durability::Process => store::Durability::Process,
                Durability::Power | Durability::Machine => store::Durability::Power,
            },
            ..actors::Limits::default()
        },
        board: actors::board::Board::default(),
        exchange: actors::exchange::Exchange::new(opened.n_partitions),
        meters: crate::telemetry::Meters::default(),
        crash: std::env::var("ATTUNE_CRASH_AT")
            .map_or_else(|_| CrashPoint::default(), |point| CrashPoint::parse(&point)),
    }
}
