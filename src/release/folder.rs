//! The folder of the policies: what is in it, and whether it changed.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use xxhash_rust::xxh3::xxh3_64;

use crate::clock;
use crate::policy::{FILE_BYTES_MAX, Source};

/// A file that was written so short ago may be written again within the same tick of its file system's clock.
const FRESH_MS: i64 = 2_000;

/// Where policies and models lie.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    /// Files or folders of the policies.
    pub policies: Vec<PathBuf>,
    /// The folder of the models.
    pub models: PathBuf,
    /// ONNX Runtime's shared library, if it is not where it is looked for.
    pub onnxruntime: Option<PathBuf>,
}

impl Folder {
    /// Reads what is in it.
    ///
    /// # Errors
    ///
    /// A folder or file cannot be read, or there is no policy file.
    pub fn read(&self) -> anyhow::Result<Vec<Source>> {
        sources(&self.policies, &self.models)
    }

    /// Reads the manifests of the models alone.
    ///
    /// # Errors
    ///
    /// One cannot be read.
    pub fn manifests(&self) -> anyhow::Result<Vec<Source>> {
        let mut files = Vec::new();
        if self.models.is_dir() {
            collect_manifests(&self.models, &mut files)?;
        }
        files.sort();
        files.iter().map(read).collect()
    }

    /// Returns what the file system says of the files: as long as it is equal and not fresh, nothing has changed.
    pub fn stamp(&self) -> Stamp {
        let mut files = Vec::new();
        // What cannot be listed is found out when it is read.
        let _unreadable = find(&self.policies, &self.models, &mut files);
        files.extend(model_files(&self.models));
        files.sort();
        let fresh_from = clock::now().as_millis() - FRESH_MS;
        let (mut fresh, mut all) = (files.is_empty(), String::new());
        for file in files {
            // A link is followed: where a config map is mounted, the links stay and what is behind them is replaced.
            let Ok(of) = file.metadata() else {
                fresh = true;
                continue;
            };
            let millis = of.mtime() * 1_000 + of.mtime_nsec() / 1_000_000;
            fresh |= millis >= fresh_from;
            let (n_bytes, inode, nanos) = (of.len(), of.ino(), of.mtime_nsec());
            let name = file.display();
            all.extend([format!("{name}\n{n_bytes} {inode} {millis} {nanos}\n")]);
        }
        Stamp {
            hash: xxh3_64(all.as_bytes()),
            fresh,
        }
    }

    /// Hashes the content: policies and manifests by their text, the files of models by what the file system says.
    pub fn content(&self) -> u64 {
        let mut all = match self.read() {
            Ok(sources) => text(&sources),
            Err(error) => format!("{error:#}"),
        };
        for file in model_files(&self.models) {
            let stamp = file
                .metadata()
                .map(|of| (of.len(), of.mtime(), of.mtime_nsec()));
            all.extend([file.display().to_string(), format!("\n{:?}\n", stamp.ok())]);
        }
        xxh3_64(all.as_bytes())
    }
}

/// What the file system says of the files of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    hash: u64,
    /// Something was written a moment ago, or is about to be: equal stamps prove nothing.
    pub fresh: bool,
}

fn text(sources: &[Source]) -> String {
    let texts = sources
        .iter()
        .flat_map(|source| [&source.name, &source.text]);
    texts.map(AsRef::as_ref).collect::<Vec<_>>().join("\n")
}

/// Returns the files of models, their weights beside them, and what proves and watches them.
fn model_files(models: &Path) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(models).into_iter().flatten().flatten();
    let files = folders.filter_map(|folder| std::fs::read_dir(folder.path()).ok());
    let mut files: Vec<_> = files.flatten().flatten().map(|file| file.path()).collect();
    files.retain(|file| {
        file.extension()
            .is_some_and(|end| end == "onnx" || end == "json" || end == "data")
    });
    files.sort();
    files
}

/// Reads every policy file below a folder and every manifest below another.
///
/// # Errors
///
/// A folder or file cannot be read, or there is no policy file.
pub fn sources(policies: &[PathBuf], models: &Path) -> anyhow::Result<Vec<Source>> {
    let mut files = Vec::new();
    find(policies, models, &mut files)?;
    files.dedup();
    files.iter().map(read).collect()
}

/// Finds every policy file and manifest, sorted.
fn find(policies: &[PathBuf], models: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for path in policies {
        collect(path, files)?;
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
        collect_manifests(models, files)?;
    }
    files.sort();
    Ok(())
}

/// Reads a policy file, or the beginning of one that is too large. What is not UTF-8 is replaced by a letter that no
/// policy may have, so that it is a mistake like any other, beside those of other files.
///
/// # Errors
///
/// It cannot be read.
pub fn read(path: &PathBuf) -> anyhow::Result<Source> {
    let shown = path.display().to_string();
    let n_max = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX) + 1;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path);
    let n_read = file.and_then(|file| file.take(n_max).read_to_end(&mut bytes));
    n_read.with_context(|| format!("cannot read `{shown}`"))?;
    Ok(Source::new(&shown, &String::from_utf8_lossy(&bytes)))
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
