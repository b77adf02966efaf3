//! What a checkpoint is made of: values behind each other, each with its length.

use std::io::{Read, Write};

use anyhow::{Context, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest value, in bytes: more is a damaged length.
const BYTES_MAX: u64 = 1 << 32;

/// Writes one value.
///
/// # Errors
///
/// The writer fails.
pub fn put(to: &mut dyn Write, value: &impl Serialize) -> anyhow::Result<()> {
    put_bytes(to, &postcard::to_stdvec(value)?)
}

/// Writes a value that is bytes already.
///
/// # Errors
///
/// The writer fails.
pub fn put_bytes(to: &mut dyn Write, bytes: &[u8]) -> anyhow::Result<()> {
    to.write_all(&(bytes.len() as u64).to_le_bytes())?;
    Ok(to.write_all(bytes)?)
}

/// Reads one value.
///
/// # Errors
///
/// It is not there, or damaged.
pub fn get<T: DeserializeOwned>(from: &mut dyn Read) -> anyhow::Result<T> {
    let mut length = [0; 8];
    from.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    ensure!(length <= BYTES_MAX, "a length is damaged");
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes)?;
    postcard::from_bytes(&bytes).context("a value is damaged")
}
