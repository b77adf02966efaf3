//! The models that policies name: loaded, checked, and kept while nothing about them changes.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use xxhash_rust::xxh3::xxh3_64;

use crate::policy::Bundle;
use crate::policy::journey::{Act, Step};
use crate::policy::model::{Input, Kind, Model};
use crate::scoring::{self, Baseline, Library, Onnx, Scorer};

/// Returns the models that only journeys of earlier sets name, and whose files are still there.
pub fn kept(bundle: &Bundle) -> Vec<&Model> {
    let models = bundle.archive.models.values();
    models.filter(|model| is_there(model)).collect()
}

/// Returns the models that only journeys of earlier sets name, and whose files are gone: their scores are unknown.
pub fn gone(bundle: &Bundle) -> Vec<&Model> {
    let models = bundle.archive.models.values();
    models.filter(|model| !is_there(model)).collect()
}

fn is_there(model: &Model) -> bool {
    dir(model).join(model.file.as_ref()).is_file()
}

/// Returns the models that a journey, a placement or an offer names.
pub fn named(bundle: &Bundle) -> Vec<&Model> {
    let scored = |step: &Step, name: &str| match &step.act {
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
    let is_named = |model: &&Model| {
        let is = |of: &Option<Arc<str>>| of.as_ref() == Some(&model.name);
        let journeys = bundle.journeys.iter().chain(&bundle.archive.journeys);
        let mut steps = journeys.flat_map(|journey| &journey.flow);
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
    models: impl IntoIterator<Item = &'a Model>,
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

/// Hashes everything that loading models depends on: equal hashes, equal scorers.
pub fn signature(models: &[&Model]) -> u64 {
    let mut all = String::new();
    for model in models {
        let dir = dir(model);
        let columns = model.inputs.iter().map(|input| (&input.column, input.kind));
        let columns: Vec<_> = columns.collect();
        all.extend([format!("{} {columns:?} {:?}\n", model.name, model.output)]);
        all.extend([format!("{:?} {:?}\n", model.sha256, model.drift)]);
        for file in [model.file.as_ref(), "golden.json", "baseline.json"] {
            let file = dir.join(file);
            let of = file.metadata().map(|of| (of.len(), of.modified().ok()));
            all.extend([file.display().to_string(), format!(" {:?}\n", of.ok())]);
        }
    }
    xxh3_64(all.as_bytes())
}

fn dir(model: &Model) -> &Path {
    let manifest = Path::new(model.place.file.as_ref());
    manifest.parent().unwrap_or(Path::new("."))
}

/// Returns what is to be loaded for a model; reads its golden rows and its baseline.
///
/// # Errors
///
/// The golden rows or the baseline cannot be read.
pub fn spec(model: &Model) -> anyhow::Result<scoring::Spec> {
    let bare = spec_without_baseline(model)?;
    let baseline = baseline(&dir(model).join("baseline.json"), &bare.inputs)?;
    Ok(scoring::Spec { baseline, ..bare })
}

/// Returns what is to be loaded for a model, whatever its baseline is: that says nothing of what a score is.
///
/// # Errors
///
/// The golden rows cannot be read.
pub fn spec_without_baseline(model: &Model) -> anyhow::Result<scoring::Spec> {
    let dir = dir(model);
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
    let input = |input: &Input| scoring::InputSpec {
        column: input.column.clone(),
        kind: kind(input.kind),
    };
    let inputs: Vec<_> = model.inputs.iter().map(input).collect();
    Ok(scoring::Spec {
        name: model.name.clone(),
        source: scoring::Source::File(dir.join(model.file.as_ref())),
        inputs,
        output: scoring::OutputSpec {
            name: model.output.name.clone(),
            class: model.output.class,
        },
        golden,
        sha256: model.sha256.clone(),
        baseline: None,
        drift: model.drift.clone(),
    })
}

/// Reads what the training saw; a model without it is as good.
fn baseline(path: &Path, inputs: &[scoring::InputSpec]) -> anyhow::Result<Option<Baseline>> {
    let shown = path.display();
    match std::fs::read(path) {
        Ok(bytes) => match Baseline::read(&bytes, inputs) {
            Ok(baseline) => Ok(Some(baseline)),
            Err(why) => bail!("cannot use `{shown}`: {why}; `attune models baseline` writes it"),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read `{shown}`")),
    }
}
