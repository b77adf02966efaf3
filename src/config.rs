//! The configuration: one YAML file, with `ATTUNE_*` variables and flags on top.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

use crate::clock::Clock;
use crate::domain::Duration;
use crate::store::Engine;

/// The events that the reader hands over at once: fewer could never be on their way.
const IN_FLIGHT_MIN: usize = 1_024;
/// The largest cache, in MB.
const CACHE_MB_MAX: u64 = 1 << 20;

/// Everything a server is told. Every key has a default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// NATS.
    pub nats: Nats,
    /// The disk.
    pub store: Store,
    /// The policy files and folders.
    pub policies: Policies,
    /// The API.
    pub http: Http,
    /// Whose time events are handled at: `stream` (live) or `event` (replays of the past).
    pub clock: Clock,
    /// What may grow, and how far.
    pub limits: Limits,
}

/// Where the policies are.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policies {
    /// Folder of the policy files.
    pub dir: PathBuf,
    /// Folder of the models.
    pub models: PathBuf,
    /// ONNX Runtime's shared library, if it is not where it is looked for.
    pub onnxruntime: Option<PathBuf>,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            dir: "policies".into(),
            models: "models".into(),
            onnxruntime: None,
        }
    }
}

/// How NATS is reached and used.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Nats {
    /// Addresses of the servers.
    pub urls: Vec<String>,
    /// The first token of every subject.
    pub prefix: String,
    /// How many partitions the streams are created with; fixed from then on.
    pub partitions: u16,
    /// Copies of each stream.
    pub replicas: usize,
    /// A user, with `password`.
    pub user: Option<String>,
    /// The password of the user.
    pub password: Option<Secret>,
    /// A token.
    pub token: Option<Secret>,
    /// A credentials file.
    pub credentials: Option<PathBuf>,
    /// Refuses a connection without TLS.
    pub tls: bool,
    /// Root certificates besides those of the system.
    pub tls_roots: Option<PathBuf>,
    /// The server's monitoring page: proves how often the server syncs to disk.
    pub varz_url: Option<String>,
    /// The least that must survive: `process`, `power` or `machine`.
    pub require_durability: Durability,
}

impl Default for Nats {
    fn default() -> Self {
        Self {
            urls: vec!["nats://127.0.0.1:4222".into()],
            prefix: "attune".into(),
            partitions: 16,
            replicas: 1,
            user: None,
            password: None,
            token: None,
            credentials: None,
            tls: false,
            tls_roots: None,
            varz_url: None,
            require_durability: Durability::Process,
        }
    }
}

/// What acknowledged data must survive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// The crash of any process.
    #[default]
    Process,
    /// The loss of power.
    Power,
    /// The loss of a machine.
    Machine,
}

/// Where images are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// `sled`, `fjall` or `memory`.
    pub engine: Engine,
    /// The directory.
    pub dir: PathBuf,
    /// Memory for pages or blocks, in MB.
    pub cache_mb: u64,
    /// What a checkpoint survives: `process` or `power`.
    pub durability: Durability,
    /// Adds up every row at the start, about 3 s a million customers, and keeps the sum with every checkpoint:
    /// finds rows that a damaged file has lost or brought back. Without it damage is found when a row is read.
    pub verify: bool,
    /// Goes on with what is left of a store that has lost rows or commits.
    pub accept_loss: bool,
}

impl Default for Store {
    fn default() -> Self {
        let durability = Durability::Process;
        Self {
            engine: Engine::Sled,
            dir: "data".into(),
            cache_mb: 256,
            durability,
            verify: false,
            accept_loss: false,
        }
    }
}

/// The API.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Address and port.
    pub listen: String,
    /// Callers must show it as `Authorization: Bearer …`.
    pub token: Option<Secret>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:7070".into(),
            token: None,
        }
    }
}

/// What may grow, and how far.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Customers in memory.
    pub residents: usize,
    /// Events read and not yet committed.
    pub in_flight: usize,
    /// Inputs of one commit.
    pub batch: usize,
    /// The largest event, in KB.
    pub event_kb: usize,
    /// The least time between two checkpoints of a partition.
    pub checkpoint_every: Length,
}

impl Default for Limits {
    fn default() -> Self {
        let limits = crate::actors::Limits::default();
        let checkpoint_every = Length(Duration::from_secs(limits.checkpoint_every.as_secs()));
        Self {
            residents: limits.residents,
            in_flight: limits.in_flight,
            batch: limits.batch_inputs,
            event_kb: limits.event_bytes >> 10,
            checkpoint_every,
        }
    }
}

/// A duration such as `1s`.
#[derive(Clone, Copy, Debug)]
pub struct Length(pub Duration);

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Duration::parse(&text)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

/// A text that is never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a key or value is not known: with line and column.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the configuration `{}`", path.display()))?;
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_saphyr::from_str(&text).map_err(|error| {
            let error = error.to_string();
            let error = error.strip_prefix("error: ").unwrap_or(&error);
            anyhow::anyhow!("the configuration `{}`: {error}", path.display())
        })
    }

    /// Refuses limits with which nothing would ever move.
    ///
    /// # Errors
    ///
    /// The first limit that is out of its range.
    pub fn check(&self) -> anyhow::Result<()> {
        let limits = &self.limits;
        let at_least = |name: &str, value: usize, least: usize| {
            anyhow::ensure!(
                value >= least,
                "`{name}` is {value}, at least {least} is expected"
            );
            Ok(())
        };
        at_least("limits.batch", limits.batch, 1)?;
        at_least("limits.in_flight", limits.in_flight, IN_FLIGHT_MIN)?;
        at_least("limits.residents", limits.residents, 1)?;
        at_least("limits.event_kb", limits.event_kb, 1)?;
        let cache_mb = self.store.cache_mb;
        anyhow::ensure!(
            cache_mb <= CACHE_MB_MAX,
            "`store.cache_mb` is {cache_mb}, at most {CACHE_MB_MAX} is expected"
        );
        Ok(())
    }
}
