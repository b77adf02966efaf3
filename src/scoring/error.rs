//! Why a model or ONNX Runtime could not be loaded.

use std::path::PathBuf;
use std::sync::Arc;

/// Why a model or ONNX Runtime could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no library in any of the usual places.
    #[error(
        "ONNX Runtime was not found: run `make setup`, or set ORT_DYLIB_PATH to libonnxruntime.so (version 1.20 or newer)"
    )]
    LibraryMissing,
    /// There is no library where the configuration or the environment says.
    #[error(
        "ONNX Runtime was not found at `{}`, which {named_by} names: run `make setup`, or set ORT_DYLIB_PATH to libonnxruntime.so (version 1.20 or newer)", .path.display()
    )]
    LibraryMisplaced {
        /// The place.
        path: PathBuf,
        /// Who named it.
        named_by: &'static str,
    },
    /// The file is no ONNX Runtime, or too old.
    #[error(
        "ONNX Runtime at `{}` cannot be used: {reason}; run `make setup`, or set ORT_DYLIB_PATH to libonnxruntime.so (version 1.20 or newer)", .path.display()
    )]
    LibraryRefused {
        /// The library.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The library did not come back from loading; the process is aborted soon, so say it at once.
    #[error("ONNX Runtime at `{}` did not load within {seconds} s", .path.display())]
    LibraryStuck {
        /// The library.
        path: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The model's file cannot be read.
    #[error("model `{model}`: cannot read `{}`: {source}", .path.display())]
    File {
        /// The model.
        model: Arc<str>,
        /// Its file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// ONNX Runtime does not take the file: it is no ONNX, broken, or of a newer standard.
    #[error("model `{model}`: `{}` is not a model that ONNX Runtime can load: {reason}", .path.display())]
    Graph {
        /// The model.
        model: Arc<str>,
        /// Its file.
        path: PathBuf,
        /// What ONNX Runtime said.
        reason: String,
    },
    /// What the file takes or gives is not what the manifest says.
    #[error("model `{model}`: `{}` does not fit its manifest: {reason}", .path.display())]
    Signature {
        /// The model.
        model: Arc<str>,
        /// Its file.
        path: PathBuf,
        /// What the file has and what the manifest says.
        reason: String,
    },
    /// The file is another one than the manifest means.
    #[error(
        "model `{model}`: `{}` is not the file that its manifest means: its sha256 is {found}, not {expected}", .path.display()
    )]
    Version {
        /// The model.
        model: Arc<str>,
        /// Its file.
        path: PathBuf,
        /// What the manifest says.
        expected: Arc<str>,
        /// The hash of the file.
        found: Arc<str>,
    },
    /// A trial run failed.
    #[error("model `{model}`: `{}` fails on {rows}: {reason}", .path.display())]
    Trial {
        /// The model.
        model: Arc<str>,
        /// Its file.
        path: PathBuf,
        /// Which rows were run, in words.
        rows: String,
        /// What went wrong.
        reason: String,
    },
    /// The golden rows do not fit the columns of the manifest.
    #[error("model `{model}`: its golden rows do not fit its manifest: {reason}")]
    GoldenRows {
        /// The model.
        model: Arc<str>,
        /// What does not fit.
        reason: String,
    },
    /// A golden row gives another score than it should.
    #[error(
        "model `{model}`: golden row {row} should give {expected} but gives {score} {run}; the tolerance is {tolerance}"
    )]
    Golden {
        /// The model.
        model: Arc<str>,
        /// The row, from 1.
        row: usize,
        /// The score in the golden file.
        expected: f64,
        /// The score of the model.
        score: f64,
        /// `alone` or `in a batch`.
        run: &'static str,
        /// How much they may differ.
        tolerance: f64,
    },
}

/// Returns what ONNX Runtime says, without the places in its source code.
pub(super) fn said(error: &ort::Error) -> String {
    let line = error.message().lines().next().unwrap_or_default();
    let message = if line.starts_with('/') {
        after_signature(line)
    } else {
        line
    };
    message.trim().to_owned()
}

/// Cuts `/file.cc:12 void name(types) const ` off.
fn after_signature(line: &str) -> &str {
    let mut depth = 0_usize;
    for (idx, byte) in line.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 1 => {
                let rest = line[idx + 1..].trim_start();
                return rest.strip_prefix("const ").unwrap_or(rest);
            }
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    line
}
