//! Rows of the store: a customer's image, timers, and the position of a partition.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::budget;
use crate::domain::learning::Key;
use crate::domain::{CustomerId, Partition, Profile, Timestamp};
use crate::store::envelope;

/// The version of rows that this build writes.
const VERSION: u16 = 1;

/// The version of plain images; the first one ended before [`Profile::quiet`].
pub(super) const PLAIN: u16 = 2;

/// The version of images that are packed with a dictionary; what is packed is of the version before.
pub(super) const PACKED: u16 = 3;

/// An image is seldom larger.
const USUAL_BYTES: usize = 2048;

/// Why a row cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The envelope is damaged or newer than this build.
    #[error("a row of the store cannot be read")]
    Store(#[from] crate::store::Error),
    /// The content is not what was written.
    #[error("a row of the store is damaged: {0}")]
    Content(#[from] postcard::Error),
}

/// How far a partition's images reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Every image has what the state log says up to this sequence.
    pub log_seq: u64,
    /// Offset in the event stream.
    pub offset: u64,
    /// Everything that leaves because of commits up to this log sequence has left.
    pub emitted: u64,
    /// By lane: the sequence at which something of this partition was last published.
    pub marks: crate::stream::Marks,
    /// When the event stream was created.
    pub created: i64,
    /// How far time has come.
    pub watermark: Option<Timestamp>,
}

/// Encodes an image: the sequence of the last commit in it, and the profile.
///
/// # Errors
///
/// [`Error::Content`] if the profile cannot be encoded.
pub(super) fn encode(log_seq: u64, profile: &Profile) -> Result<Vec<u8>, Error> {
    let room = Vec::with_capacity(USUAL_BYTES);
    Ok(postcard::to_extend(&(log_seq, profile), room)?)
}

/// Decodes an image of a version up to [`PLAIN`].
///
/// # Errors
///
/// [`Error::Content`] if it is damaged.
pub(super) fn decode(version: u16, image: &[u8]) -> Result<(u64, Profile), Error> {
    if version < PLAIN {
        // A map without entries is its length alone.
        return Ok(postcard::from_bytes(&[image, &[0]].concat())?);
    }
    Ok(postcard::from_bytes(image)?)
}

impl Position {
    /// Seals the position.
    ///
    /// # Errors
    ///
    /// [`Error::Content`] if it cannot be encoded.
    pub fn seal(&self) -> Result<Vec<u8>, Error> {
        Ok(envelope::seal(VERSION, &postcard::to_stdvec(self)?))
    }

    /// Opens a position.
    ///
    /// # Errors
    ///
    /// The row is damaged, or newer than this build.
    pub fn open(row: &[u8]) -> Result<Self, Error> {
        let (_, body) = envelope::open(row, VERSION)?;
        Ok(postcard::from_bytes(body)?)
    }

    /// Returns the key of a partition's position.
    pub fn key(partition: Partition) -> Vec<u8> {
        [b"position/".as_slice(), &partition.0.to_be_bytes()].concat()
    }
}

/// Seals any other value.
///
/// # Errors
///
/// [`Error::Content`] if it cannot be encoded.
pub fn seal_value(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    Ok(envelope::seal(VERSION, &postcard::to_stdvec(value)?))
}

/// Opens such a value.
///
/// # Errors
///
/// The row is damaged, or newer than this build.
pub fn open_value<T: DeserializeOwned>(row: &[u8]) -> Result<T, Error> {
    let (_, body) = envelope::open(row, VERSION)?;
    Ok(postcard::from_bytes(body)?)
}

/// Returns what the keys of a partition's evidence begin with.
pub fn learnt_from(partition: Partition) -> Vec<u8> {
    [b"learnt/rows/".as_slice(), &partition.0.to_be_bytes()].concat()
}

/// Returns the key of the evidence of a learner about the offers of a placement.
pub fn learnt_key(partition: Partition, (version, placement): &Key) -> Vec<u8> {
    let own = learnt_from(partition);
    [&own[..], &version.to_be_bytes(), placement.as_bytes()].concat()
}

/// Reads whose evidence a key is of.
pub fn read_learnt_key(key: &[u8]) -> Option<Key> {
    let own = key.get(learnt_from(Partition(0)).len()..)?;
    let (version, placement) = own.split_at_checked(8)?;
    let version = u64::from_be_bytes(version.try_into().ok()?);
    Some((version, std::str::from_utf8(placement).ok()?.into()))
}

/// Returns the key of how the arms of placements fare in a partition.
pub fn shares_key(partition: Partition) -> Vec<u8> {
    [b"learnt/shares/".as_slice(), &partition.0.to_be_bytes()].concat()
}

/// Returns the key of the sequence of the last commit in the evidence of a partition.
pub fn learnt_seq_key(partition: Partition) -> Vec<u8> {
    [b"learnt/seq/".as_slice(), &partition.0.to_be_bytes()].concat()
}

/// Returns what the keys of a partition's quotas begin with.
pub fn quotas_from(partition: Partition) -> Vec<u8> {
    [b"quota/".as_slice(), &partition.0.to_be_bytes()].concat()
}

/// Returns the key of a partition's quota of a budget.
pub fn quota_key(partition: Partition, of: &budget::Key) -> Vec<u8> {
    let own = quotas_from(partition);
    let number = of.period.number.to_be_bytes();
    [
        &own[..],
        &[of.period.per as u8],
        &number,
        of.offer.as_bytes(),
    ]
    .concat()
}

/// Returns the key of a customer's image.
pub fn customer_key(partition: Partition, customer: &CustomerId) -> Vec<u8> {
    [&partition.0.to_be_bytes(), customer.as_str().as_bytes()].concat()
}

/// Returns the key of a customer's timer: partition, due time, customer, in this order.
pub fn timer_key(partition: Partition, due: Timestamp, customer: &CustomerId) -> Vec<u8> {
    let mut key = timers_from(partition, due);
    key.extend_from_slice(customer.as_str().as_bytes());
    key
}

/// Returns the key that sorts before every timer of a partition from a time on.
pub fn timers_from(partition: Partition, from: Timestamp) -> Vec<u8> {
    [&partition.0.to_be_bytes(), &ordered(from)[..]].concat()
}

/// Reads the due time and the customer of a timer's key.
pub fn read_timer_key(key: &[u8]) -> Option<(Timestamp, CustomerId)> {
    let due = u64::from_be_bytes(key.get(2..10)?.try_into().ok()?);
    let due = Timestamp::from_millis((due ^ (1 << 63)).cast_signed());
    let customer = CustomerId::parse(std::str::from_utf8(key.get(10..)?).ok()?).ok()?;
    Some((due, customer))
}

/// Bytes that sort as the times do.
fn ordered(due: Timestamp) -> [u8; 8] {
    (due.as_millis().cast_unsigned() ^ (1 << 63)).to_be_bytes()
}
