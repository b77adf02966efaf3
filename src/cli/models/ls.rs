//! `attune models ls`.

use std::fmt::Write;
use std::num::NonZeroUsize;
use std::process::ExitCode;

use serde::Serialize;

use super::find::{Fault, Found, find};
use super::{Format, LsArgs};
use crate::app;
use crate::cli;
use crate::scoring::{Library, Model};

/// Digits of a hash that people see.
const HASH_SHOWN: usize = 12;

/// One model.
#[derive(Serialize)]
struct Line {
    model: String,
    sha256: Option<String>,
    n_bytes: Option<u64>,
    inputs: usize,
    per_offer: bool,
    /// Rows of golden.json that came out right; absent without any.
    golden: Option<usize>,
    auc: Option<f64>,
    about: String,
    /// Why it cannot be loaded.
    error: Option<String>,
}

/// Lists models. Exit code 0: all of them load, 1: one does not.
///
/// # Errors
///
/// ONNX Runtime is missing, or there is no such folder.
pub fn run(args: &LsArgs) -> anyhow::Result<ExitCode> {
    let found = find(std::slice::from_ref(&args.models), &args.policies)?;
    let library = Library::load(None)?;
    let lines: Vec<_> = found.iter().map(|found| line(&library, found)).collect();
    match args.format {
        Format::Human => cli::say(table(&lines).trim_end()),
        Format::Json => cli::say(&serde_json::to_string_pretty(&lines)?),
    }
    Ok(if lines.iter().any(|line| line.error.is_some()) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn line(library: &Library, found: &Found) -> Line {
    let mut line = Line {
        model: found.path.display().to_string(),
        sha256: None,
        n_bytes: None,
        inputs: 0,
        per_offer: false,
        golden: None,
        auc: None,
        about: String::new(),
        error: None,
    };
    let model = match &found.model {
        Ok(model) => model,
        Err(Fault::NoManifest) => {
            line.error = Some("there is no `model.yaml` beside it".to_owned());
            return line;
        }
        Err(Fault::Manifest(shown)) => {
            line.error = Some(shown.clone());
            return line;
        }
    };
    line.model = model.name.to_string();
    line.inputs = model.inputs.len();
    line.per_offer = model.per_offer;
    line.about = model.about.to_string();
    line.auc = model.metrics.get("auc").copied();
    let loaded = app::spec(model).map_err(|error| format!("{error:#}"));
    let loaded = loaded.and_then(|spec| {
        let loaded = Model::load(library, &spec, NonZeroUsize::new(1));
        loaded.map_err(|error| error.to_string())
    });
    match loaded {
        Ok(loaded) => {
            let card = loaded.card();
            line.sha256 = Some(card.sha256.to_string());
            line.n_bytes = Some(card.n_bytes);
            line.golden = card.golden.as_ref().map(|proof| proof.n_rows);
        }
        Err(error) => line.error = Some(error),
    }
    line
}

fn table(lines: &[Line]) -> String {
    let width = lines.iter().map(|line| line.model.len()).max().unwrap_or(0);
    let mut out = String::new();
    for line in lines {
        let Line { model, inputs, .. } = line;
        // Writing to a text does not fail.
        let _ = write!(out, "{model:width$}  ");
        if let Some(error) = &line.error {
            let _ = writeln!(out, "ERROR {error}");
            continue;
        }
        let hash = line.sha256.as_deref().unwrap_or_default();
        let hash = hash.get(..HASH_SHOWN).unwrap_or(hash);
        let n_bytes = line.n_bytes.unwrap_or_default();
        let golden = line.golden.map_or("no golden rows".to_owned(), |n| {
            format!("{n} golden rows ok")
        });
        let auc = line.auc.map_or(String::new(), |auc| format!("  AUC {auc}"));
        let per_offer = if line.per_offer { " per offer" } else { "" };
        let _ = writeln!(
            out,
            "{hash}  {n_bytes:>9} bytes  {inputs} columns{per_offer}  {golden}{auc}"
        );
    }
    out
}
