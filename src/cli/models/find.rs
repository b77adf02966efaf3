//! Finds models: their manifests, and what is wrong with those.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};

use crate::app;
use crate::policy::model::Model;
use crate::policy::{self, Source};

/// A manifest, compiled or not.
pub struct Found {
    /// The manifest's path, or the path of an ONNX file without one.
    pub path: PathBuf,
    /// The model, or what is wrong, underlined.
    pub model: Result<Model, Fault>,
}

/// Why there is no model.
pub enum Fault {
    /// There is no manifest beside the file.
    NoManifest,
    /// The manifest is not right; underlined.
    Manifest(String),
}

/// Finds the models of files and folders.
///
/// - `policies`: what manifests may refer to.
///
/// # Errors
///
/// There is no such file or folder, or there is no model in it.
pub fn find(paths: &[PathBuf], policies: &[PathBuf]) -> anyhow::Result<Vec<Found>> {
    let mut manifests = Vec::new();
    for path in paths {
        collect(path, &mut manifests)?;
    }
    let mut files = Vec::new();
    for path in policies {
        app::collect(path, &mut files)?;
    }
    let around: anyhow::Result<Vec<_>> = files.iter().map(|path| read(path)).collect();
    let around = around?;
    manifests
        .into_iter()
        .map(|path| compile(path, &around))
        .collect()
}

fn collect(path: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let shown = path.display();
    if !path.exists() {
        bail!("there is no file or folder `{shown}`");
    }
    if !path.is_dir() {
        let manifest = path.with_file_name("model.yaml");
        let is_manifest = path
            .extension()
            .is_some_and(|end| end == "yaml" || end == "yml");
        found.push(match (is_manifest, manifest.is_file()) {
            (false, true) => manifest,
            (true, _) | (false, false) => path.to_owned(),
        });
        return Ok(());
    }
    if path.join("model.yaml").is_file() {
        found.push(path.join("model.yaml"));
        return Ok(());
    }
    let mut inside = Vec::new();
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot read `{shown}`"))?;
    for entry in entries {
        let folder = entry?.path();
        let lone = folder.extension().is_some_and(|end| end == "onnx");
        if lone || folder.join("model.yaml").is_file() {
            inside.push(if lone {
                folder
            } else {
                folder.join("model.yaml")
            });
        }
    }
    if inside.is_empty() {
        bail!(
            "there is no model in `{shown}`: a model is a folder with `model.yaml` and its ONNX file"
        );
    }
    inside.sort();
    found.extend(inside);
    Ok(())
}

fn compile(path: PathBuf, around: &[Source]) -> anyhow::Result<Found> {
    if path.extension().is_some_and(|end| end == "onnx") {
        let model = Err(Fault::NoManifest);
        return Ok(Found { path, model });
    }
    let manifest = read(&path)?;
    let sources = [around, std::slice::from_ref(&manifest)].concat();
    let checked = policy::check(&sources);
    let model = checked.bundle.and_then(|mut bundle| {
        let mut models = std::mem::take(&mut bundle.models).into_values();
        models.find(|model| model.place.file == manifest.name)
    });
    let model = model.ok_or_else(|| Fault::Manifest(wrong(&manifest.name, checked.problems)));
    Ok(Found { path, model })
}

fn wrong(file: &Arc<str>, problems: policy::Diagnostics) -> String {
    let text = problems.errors().render(false).trim_end().to_owned();
    if text.is_empty() {
        return format!("`{file}` describes no model");
    }
    text
}

fn read(path: &Path) -> anyhow::Result<Source> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(Source::new(&path.display().to_string(), &text))
}
