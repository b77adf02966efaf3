//! Who, what and where: customers, events and partitions.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::domain::name;

/// The key of a customer: `userId`, else `anonymousId`; 1 to 512 bytes, any unicode but control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CustomerId(Arc<str>);

/// The digits of a token.
const DIGITS: &[u8; 16] = b"0123456789abcdef";

impl CustomerId {
    /// The longest key, in bytes.
    pub const BYTES_MAX: usize = 512;

    /// Takes a key from outside.
    ///
    /// # Errors
    ///
    /// A sentence that says why the text cannot be a key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("a customer id is empty".into());
        }
        if text.len() > Self::BYTES_MAX {
            return Err(format!(
                "a customer id has {} bytes, at most 512 are allowed",
                text.len()
            ));
        }
        if text.chars().any(char::is_control) {
            return Err("a customer id has a control character".into());
        }
        Ok(Self(text.into()))
    }

    /// Returns the key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the token that a publisher should use: `attune.events.<token>`, 16 hex digits.
    pub fn token(&self) -> String {
        format!("{:016x}", xxh3_64(self.0.as_bytes()))
    }

    /// Returns the partition of this customer among `n_partitions`.
    pub fn partition(&self, n_partitions: u16) -> Partition {
        // As `of_token(&self.token(), …)`, without the text in between: this runs once an event.
        let hash = xxh3_64(self.0.as_bytes());
        let digits = (0..16)
            .rev()
            .map(|idx| DIGITS[usize::from((hash >> (4 * idx)).to_le_bytes()[0] & 15)]);
        Partition::of_bytes(digits, n_partitions)
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The unit of order, ownership and recovery; in `[0, n_partitions)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Partition(pub u16);

impl Partition {
    /// Returns the partition that the server's `partition(n,1)` gives a subject token.
    ///
    /// Source: nats-server `getHashPartition`, FNV-1a with 32 bits over the token, modulo `n`.
    pub fn of_token(token: &str, n_partitions: u16) -> Self {
        Self::of_bytes(token.bytes(), n_partitions)
    }

    fn of_bytes(token: impl Iterator<Item = u8>, n_partitions: u16) -> Self {
        let hash = token.fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        let partition = hash % u32::from(n_partitions.max(1));
        Self(u16::try_from(partition).unwrap_or(0))
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The id that a sender gave an event (`messageId`), or one made from its place in the stream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(Arc<str>);

impl EventId {
    /// Takes an id; what is longer than 128 bytes is replaced by its hash.
    pub fn new(text: &str) -> Self {
        Self(name::bounded(text, 128))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns 64 bits that stand for the id in the ring of recent ids.
    pub fn fingerprint(&self) -> u64 {
        xxh3_64(self.0.as_bytes())
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
