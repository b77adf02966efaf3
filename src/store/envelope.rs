//! The envelope of a value: which version wrote it, and whether a byte has changed since.
//!
//! ```text
//! magic u8 | version u16 LE | checksum u32 LE | payload
//! ```

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::Error;

/// The bytes before the payload.
pub const BYTES: usize = 7;

const MAGIC: u8 = 0xa7;

/// Returns `payload` in an envelope.
///
/// - `version`: of the payload's format, chosen by the caller.
pub fn seal(version: u16, payload: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(BYTES + payload.len());
    sealed.push(MAGIC);
    sealed.extend(version.to_le_bytes());
    sealed.extend(checksum(version, payload));
    sealed.extend(payload);
    sealed
}

/// Returns the version and the payload of an envelope.
///
/// - `newest`: the newest version that the caller can read.
///
/// # Errors
///
/// [`Error::Damaged`] when a byte differs from what was sealed; [`Error::Version`] when it is whole but newer.
pub fn open(sealed: &[u8], newest: u16) -> Result<(u16, &[u8]), Error> {
    let &[MAGIC, low, high, a, b, c, d, ref payload @ ..] = sealed else {
        return Err(damaged("a value without an envelope", sealed));
    };
    let version = u16::from_le_bytes([low, high]);
    if checksum(version, payload) != [a, b, c, d] {
        return Err(damaged("a value whose checksum differs", sealed));
    }
    if version > newest {
        return Err(Error::Version(version));
    }
    Ok((version, payload))
}

fn damaged(what: &str, sealed: &[u8]) -> Error {
    Error::Damaged {
        what: format!("{what}, {} bytes", sealed.len()),
    }
}

/// Returns the low 32 bits of xxh3, with the version as its seed.
fn checksum(version: u16, payload: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = xxh3_64_with_seed(payload, u64::from(version)).to_le_bytes();
    [a, b, c, d]
}
