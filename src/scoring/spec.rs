//! What a manifest says about a model, as plain data.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Baseline, Golden};
use crate::policy::model::Drift;

/// One model to load.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The name that rows are scored under.
    pub name: Arc<str>,
    /// Where the ONNX file is.
    pub source: Source,
    /// The columns of a row, in order.
    pub inputs: Vec<InputSpec>,
    /// Which number of the answer is the score.
    pub output: OutputSpec,
    /// Known rows and their scores; run at load.
    pub golden: Option<Golden>,
    /// The SHA-256 that the file must have, in lower-case hex digits.
    pub sha256: Option<Arc<str>>,
    /// What its training saw; without it only outcomes are watched.
    pub baseline: Option<Baseline>,
    /// When it counts as having moved away from that.
    pub drift: Drift,
}

/// Where an ONNX file is.
#[derive(Clone, Debug)]
pub enum Source {
    /// On disk; files of external weights are looked for beside it.
    File(PathBuf),
    /// In memory, with the path that errors name it by.
    Bytes(PathBuf, Arc<[u8]>),
}

impl Source {
    /// Returns the path that errors name.
    pub fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Bytes(path, _) => path,
        }
    }
}

/// One column of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputSpec {
    /// Its name; a file with one input a column uses it too.
    pub column: Arc<str>,
    /// What its cells are.
    pub kind: Kind,
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Numbers.
    Number,
    /// Text.
    Text,
}

/// Which number of a model's answer is the score.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputSpec {
    /// The output; without it the only one that is float.
    pub name: Option<Arc<str>>,
    /// The column of an output with several, from 0.
    pub class: Option<usize>,
}
