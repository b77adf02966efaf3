//! Builds everything from the configuration, and says in which order it starts and stops.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};

use crate::actors::engine::CrashPoint;
use crate::actors::{self, Engine};
use crate::config::{Config, Durability};
use crate::policy::journey::Act;
use crate::policy::model::Kind;
use crate::policy::wanted::Wanted;
use crate::policy::{self, Bundle, Source};
use crate::scoring::{self, Library, Onnx, Scorer};
use crate::store::{self, Store};
use crate::stream::{self, JetStream, Layout, Opened, Streams};

/// Reads every policy file below a folder and every manifest below another.
///
/// # Errors
///
/// A folder or file cannot be read, or there is no policy file.
pub fn sources(policies: &[PathBuf], models: &Path) -> anyhow::Result<Vec<Source>> {
    let mut files = Vec::new();
    for path in policies {
        collect(path, &mut files)?;
    }
    if files.is_empty() {
        let shown: Vec<_> = policies
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        bail!(
            "there is no policy file (*.yaml) in `{}`",
            shown.join("`, `")
        );
    }
    if models.is_dir() {
        collect_manifests(models, &mut files)?;
    }
    files.sort();
    files.dedup();
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        Ok(Source::new(&path.display().to_string(), &text))
    };
    files.iter().map(read).collect()
}

/// Finds YAML files, also in folders below; what begins with a dot is passed over.
///
/// # Errors
///
/// A folder cannot be read, or there is no such file or folder.
pub fn collect(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !path.is_dir() {
        if !path.exists() {
            bail!("there is no file or folder `{}`", path.display());
        }
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = std::fs::read_dir(path)
        .with_context(|| format!("cannot read the folder `{}`", path.display()))?;
    for entry in entries {
        let path = entry?.path();
        let is_yaml = path
            .extension()
            .is_some_and(|end| end == "yaml" || end == "yml");
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && (path.is_dir() || is_yaml) {
            collect(&path, files)?;
        }
    }
    Ok(())
}

fn collect_manifests(models: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(models)? {
        let manifest = entry?.path().join("model.yaml");
        if manifest.is_file() {
            files.push(manifest);
        }
    }
    Ok(())
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

/// Returns the models that a journey, a placement or an offer names.
pub fn named(bundle: &Bundle) -> Vec<&policy::model::Model> {
    let scored = |step: &policy::journey::Step, name: &str| match &step.act {
        Act::Score { model, .. } => model.as_ref() == name,
        Act::Wait(_)
        | Act::HoldUntil { .. }
        | Act::Branch { .. }
        | Act::Offer { .. }
        | Act::WaitFor { .. }
        | Act::Split { .. }
        | Act::Send(_)
        | Act::Set(_)
        | Act::Stop { .. } => false,
    };
    let is_named = |model: &&policy::model::Model| {
        let is = |of: &Option<Arc<str>>| of.as_ref() == Some(&model.name);
        let mut steps = bundle.journeys.iter().flat_map(|journey| &journey.flow);
        steps.any(|step| scored(step, &model.name))
            || bundle
                .placements
                .values()
                .any(|placement| is(&placement.model))
            || bundle.offers.values().any(|offer| is(&offer.model))
    };
    bundle.models.values().filter(is_named).collect()
}

/// Loads models; without any ONNX Runtime is not needed.
///
/// # Errors
///
/// ONNX Runtime is missing, or a model is not what its manifest says: all of them at once.
pub fn scorer<'a>(
    models: impl IntoIterator<Item = &'a policy::model::Model>,
    onnxruntime: Option<&Path>,
) -> anyhow::Result<Arc<dyn Scorer>> {
    let models: Vec<_> = models.into_iter().collect();
    if models.is_empty() {
        return Ok(Arc::new(Onnx::default()));
    }
    let library = Library::load(onnxruntime)?;
    let specs: anyhow::Result<Vec<_>> = models.into_iter().map(spec).collect();
    match Onnx::load(&library, specs?, None) {
        Ok(onnx) => Ok(Arc::new(onnx)),
        Err(errors) => {
            let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
            bail!("{}", errors.join("\n"))
        }
    }
}

fn spec(model: &policy::model::Model) -> anyhow::Result<scoring::Spec> {
    let manifest = Path::new(model.place.file.as_ref());
    let dir = manifest.parent().unwrap_or(Path::new("."));
    let golden = dir.join("golden.json");
    let golden = match std::fs::read(&golden) {
        Ok(bytes) => Some(
            serde_json::from_slice(&bytes)
                .with_context(|| format!("cannot read `{}`", golden.display()))?,
        ),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).context(format!("cannot read `{}`", golden.display())),
    };
    let kind = |kind| match kind {
        Kind::Number => scoring::Kind::Number,
        Kind::Text => scoring::Kind::Text,
    };
    let input = |input: &policy::model::Input| scoring::InputSpec {
        column: input.column.clone(),
        kind: kind(input.kind),
    };
    Ok(scoring::Spec {
        name: model.name.clone(),
        source: scoring::Source::File(dir.join(model.file.as_ref())),
        inputs: model.inputs.iter().map(input).collect(),
        output: scoring::OutputSpec {
            name: model.output.name.clone(),
            class: model.output.class,
        },
        golden,
    })
}

/// What a node needs besides NATS.
pub struct Parts {
    /// The live policies.
    pub bundle: Arc<Bundle>,
    /// Models.
    pub scorer: Arc<dyn Scorer>,
    /// Disk.
    pub store: Arc<dyn Store>,
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
    Ok(Parts {
        bundle,
        scorer,
        store,
    })
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
        wanted: Wanted::of(&parts.bundle),
        bundle: parts.bundle,
        scorer: parts.scorer,
        streams,
        store: parts.store,
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
        meters: crate::telemetry::Meters::default(),
        crash: std::env::var("ATTUNE_CRASH_AT")
            .map_or_else(|_| CrashPoint::default(), |point| CrashPoint::parse(&point)),
    }
}
