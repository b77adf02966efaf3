//! `attune models check`.

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;

use super::find::{Fault, Found, find};
use super::report::{FileFacts, Golden, Hazard, Port, Report, Severity};
use super::{CheckArgs, Format, batches, hazards, latency, rows, unknowns};
use crate::app;
use crate::cli;
use crate::policy;
use crate::policy::model::Drift;
use crate::scoring::{About, Cell, Error, Library, Model, Source, Spec};

/// Rows that a model is tried on.
const ROWS: usize = 256;
/// Rows that unknown values are tried on.
const UNKNOWN_ROWS: usize = 32;

/// Tries models out. Exit code 0: nothing is wrong, 1: something is.
///
/// # Errors
///
/// ONNX Runtime is missing, or there is no such file or folder.
pub fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let found = find(&args.paths, &args.policies)?;
    let library = Library::load(None)?;
    let reports = found
        .iter()
        .map(|found| examine(&library, found, !args.no_latency));
    let reports: Vec<_> = reports.collect();
    match args.format {
        Format::Human => {
            let texts: Vec<_> = reports.iter().map(Report::text).collect();
            cli::say(texts.join("\n").trim_end());
        }
        Format::Json => cli::say(&serde_json::to_string_pretty(&reports)?),
    }
    let least = if args.deny_warnings {
        Severity::Warning
    } else {
        Severity::Error
    };
    let is_bad = reports
        .iter()
        .any(|it| it.worst().is_some_and(|worst| worst >= least));
    Ok(if is_bad {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Finds out everything about one model.
///
/// - `clock`: how long scoring takes, too.
pub(super) fn examine(library: &Library, found: &Found, clock: bool) -> Report {
    let mut report = Report {
        model: found.path.display().to_string(),
        file: found.path.display().to_string(),
        ..Report::default()
    };
    match &found.model {
        Ok(model) => of_manifest(library, model, clock, &mut report),
        Err(Fault::Manifest(shown)) => report.hazards.push(Hazard::error(
            "manifest",
            format!("the manifest is not right:\n{shown}"),
            "`attune schema model` prints what an editor checks it with",
        )),
        Err(Fault::NoManifest) => alone(library, found, &mut report),
    }
    report
        .hazards
        .sort_by_key(|hazard| std::cmp::Reverse(hazard.severity));
    report.ok = report.worst() != Some(Severity::Error);
    report
}

/// Says what a file without a manifest needs.
fn alone(library: &Library, found: &Found, report: &mut Report) {
    let spec = Spec {
        name: "model".into(),
        source: Source::File(found.path.clone()),
        inputs: Vec::new(),
        output: crate::scoring::OutputSpec::default(),
        golden: None,
        sha256: None,
        baseline: None,
        drift: Drift::default(),
    };
    match Model::load(library, &spec, NonZeroUsize::new(1)) {
        // The signature of a sound file does not fit an empty manifest: the message says what it is.
        Err(Error::Signature { reason, .. }) => {
            let reason = reason.replace(", the manifest has 0", "");
            let help = "these are the columns that the manifest gives it";
            report.hazards.push(Hazard::note("takes", reason, help));
        }
        Err(error) => report.hazards.push(hazards::of_load(&error)),
        Ok(_) => {}
    }
    report.hazards.push(Hazard::error(
        "no_manifest",
        "there is no `model.yaml` beside the file",
        "write one: `model: NAME`, `file: model.onnx` and `inputs: [ { column: age, from: profile.traits.age, unknown: nan } ]`, one for each column, in the order of the training table",
    ));
}

fn of_manifest(library: &Library, model: &policy::model::Model, clock: bool, report: &mut Report) {
    report.model = model.name.to_string();
    let unreadable =
        |error: &anyhow::Error, help| Hazard::error("unreadable", format!("{error:#}"), help);
    // What its rows look like here says nothing of customers.
    let spec = match app::spec_without_baseline(model) {
        Ok(spec) => spec,
        Err(error) => {
            let help = "golden.json is `{\"tolerance\": 1e-5, \"rows\": [{\"inputs\": {\"age\": 41}, \"output\": 0.25}]}`";
            report.hazards.push(unreadable(&error, help));
            return;
        }
    };
    if let Err(error) = app::spec(model) {
        let help = "`attune models baseline` writes baseline.json again; without it, drift is not looked for";
        report.hazards.push(unreadable(&error, help));
    }
    report.file = spec.source.path().display().to_string();
    let Some((loaded, spec)) = load(library, spec, report) else {
        return;
    };
    let bytes = std::fs::read(spec.source.path()).unwrap_or_default();
    let about = About::read(&bytes);
    report.file_facts = Some(facts(&loaded, &about));
    report.walked = loaded.card().walked;
    report.golden = loaded.card().golden.as_ref().map(|proof| Golden {
        n_rows: proof.n_rows,
        worst: proof.worst,
        tolerance: proof.tolerance,
    });
    let rows = rows::rows(&spec, ROWS);
    let rows: Vec<&[Cell]> = rows.iter().map(Vec::as_slice).collect();
    report.batches = batches::batches(&loaded, &rows, &mut report.hazards);
    if clock {
        report.latency = latency::latency(&loaded, &rows);
    }
    let few = &rows[..rows.len().min(UNKNOWN_ROWS)];
    report.unknown = unknowns::unknowns(&loaded, &model.inputs, few, &mut report.hazards);
    hazards::of_model(&loaded, &about, &spec, few, &mut report.hazards);
}

/// Loads a model; one whose golden rows do not come out is loaded without them, to find what else is wrong.
fn load(library: &Library, spec: Spec, report: &mut Report) -> Option<(Arc<Model>, Spec)> {
    let threads = NonZeroUsize::new(1);
    let error = match Model::load(library, &spec, threads) {
        Ok(model) => return Some((Arc::new(model), spec)),
        Err(error) => error,
    };
    report.hazards.push(hazards::of_load(&error));
    let passes = matches!(
        error,
        Error::Golden { .. } | Error::GoldenRows { .. } | Error::Version { .. }
    );
    if !passes {
        return None;
    }
    let bare = Spec {
        golden: None,
        sha256: None,
        ..spec.clone()
    };
    let model = Model::load(library, &bare, threads).ok()?;
    Some((Arc::new(model), spec))
}

fn facts(model: &Model, about: &About) -> FileFacts {
    let card = model.card();
    let ports = |ports: &[crate::scoring::Port]| {
        let ports = ports.iter().map(|port| Port {
            name: port.name.clone(),
            shape: port.shape.clone(),
        });
        ports.collect()
    };
    FileFacts {
        n_bytes: card.n_bytes,
        sha256: card.sha256.to_string(),
        producer: about.producer.clone(),
        opsets: about.opsets.clone(),
        inputs: ports(&card.inputs),
        outputs: ports(&card.outputs),
        score: model.output().to_owned(),
    }
}
