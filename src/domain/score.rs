//! What goes into a model and what comes out.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One input column of one row; equal if every bit is, so that an unknown number equals itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Cell {
    /// A number; NaN is *unknown*.
    Number(f32),
    /// Text.
    Text(Arc<str>),
}

impl PartialEq for Cell {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.to_bits() == b.to_bits(),
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Number(_), Self::Text(_)) | (Self::Text(_), Self::Number(_)) => false,
        }
    }
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
