//! What was found out about a model when it was loaded.

use std::fmt::Write;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::domain::Timestamp;

/// What was found out about a model when it was loaded.
#[derive(Clone, Debug)]
pub struct Card {
    /// SHA-256 of its file, 64 hex digits: its version.
    pub sha256: Arc<str>,
    /// The size of its file, in bytes.
    pub n_bytes: u64,
    /// When it was loaded.
    pub loaded_at: Timestamp,
    /// What the file takes, in its order.
    pub inputs: Vec<Port>,
    /// What the file gives.
    pub outputs: Vec<Port>,
    /// How its golden rows came out; nothing without any.
    pub golden: Option<Proof>,
    /// On how many rows its trees, walked by Attune, gave to the bit what ONNX Runtime gives; nothing where ONNX Runtime
    /// runs it.
    pub walked: Option<usize>,
    /// Whether the rows of a batch are run together.
    pub batched: bool,
    /// The text of the `README.md` beside it, if there is one.
    pub readme: Option<Arc<str>>,
}

/// An input or output of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Its type and shape, such as `float[n, 17]`.
    pub shape: String,
}

/// How golden rows came out: all within the tolerance, or the model would not be loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// How many there are.
    pub n_rows: usize,
    /// The largest difference to a score that was expected, alone or in a batch.
    pub worst: f64,
    /// What was allowed.
    pub tolerance: f64,
}

/// Returns the SHA-256 of bytes, as `sha256sum` prints it.
pub(super) fn sha256(bytes: &[u8]) -> Arc<str> {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.into()
}
