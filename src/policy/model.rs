//! Model manifests: which feature is which input column.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::policy::bundle::Place;
use crate::policy::expr::Expr;

/// One model as its manifest describes it.
#[derive(Clone, Debug)]
pub struct Model {
    /// Unique among models.
    pub name: Arc<str>,
    /// What it predicts.
    pub about: Arc<str>,
    /// The ONNX file, relative to the manifest.
    pub file: Arc<str>,
    /// The input columns in order.
    pub inputs: Vec<Input>,
    /// Which output is the score.
    pub output: Output,
    /// Whether an input depends on the offer being judged: one row an offer instead of one a customer.
    pub per_offer: bool,
    /// What its author measured, such as `auc`, by name.
    pub metrics: BTreeMap<Arc<str>, f64>,
    /// The SHA-256 that its file must have, in lower-case hex digits.
    pub sha256: Option<Arc<str>>,
    /// When what it sees and says counts as having moved.
    pub drift: Drift,
    /// The SHA-256 of the file that was loaded for it; empty before.
    pub version: Arc<str>,
    /// Where it stands.
    pub place: Place,
}

/// When the inputs, scores and outcomes of a model count as having moved away from its training.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// The population stability index of a column, or of the scores, above which it has moved: 0.25, the usual bound
    /// of a major shift. Source: N. Siddiqi, Credit Risk Scorecards (2006).
    pub psi: f64,
    /// Rows that are compared with the training at a time.
    pub rows: u32,
    /// The share by which outcomes may differ from what the scores promise.
    pub tolerance: f64,
    /// A model that keeps its promise raises a false alarm once in so many outcomes, or less often.
    pub run_length: f64,
    /// Columns that are expected to move, such as the month.
    pub ignore: Vec<Arc<str>>,
}

impl Default for Drift {
    fn default() -> Self {
        Self {
            psi: 0.25,
            rows: 1_000,
            tolerance: 0.25,
            run_length: 100_000.0,
            ignore: Vec::new(),
        }
    }
}

/// One input column.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its name in the model.
    pub column: Arc<str>,
    /// Its value; booleans are 0 and 1.
    pub from: Expr,
    /// Number or text.
    pub kind: Kind,
    /// What an unknown value becomes.
    pub unknown: Unknown,
    /// Whether the value depends on the offer being judged.
    pub per_offer: bool,
}

/// The type of an input column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A 32-bit float.
    #[default]
    Number,
    /// Text.
    Text,
}

/// What an unknown value becomes.
#[derive(Clone, Debug, PartialEq)]
pub enum Unknown {
    /// The score is unknown.
    Fail,
    /// Not a number: the model was trained with it.
    Nan,
    /// A number.
    Number(f64),
    /// A text.
    Text(Arc<str>),
}

/// Which output of the model is the score.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Name of the output; without one the only float output.
    pub name: Option<Arc<str>>,
    /// Column of an `[n, k]` output.
    pub class: Option<usize>,
}
