//! What goes into a model and what comes out.

use std::sync::Arc;

/// One input column of one row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A number; NaN is *unknown*.
    Number(f32),
    /// Text.
    Text(Arc<str>),
}

/// What a model says of one row.
#[derive(Clone, Debug, PartialEq)]
pub enum Score {
    /// A finite number; a probability in `[0, 1]` unless the model is a regressor.
    Value(f64),
    /// There is no score, and why.
    Unavailable(Arc<str>),
}

impl Score {
    /// Returns a score that is not there.
    pub fn unavailable(reason: impl Into<Arc<str>>) -> Self {
        Self::Unavailable(reason.into())
    }

    /// Returns the number, if there is one.
    pub fn known(&self) -> Option<f64> {
        match self {
            Self::Value(value) => Some(*value),
            Self::Unavailable(_) => None,
        }
    }
}
