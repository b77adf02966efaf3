//! Model manifests: which feature is which input column.

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
    /// Where it stands.
    pub place: Place,
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
