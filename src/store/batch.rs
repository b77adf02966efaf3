//! The puts and deletes of one commit.

use std::collections::BTreeMap;

use super::{Error, KEY_BYTES_MAX};

/// What kind of row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Images of customers.
    Customers,
    /// Timers by due time.
    Timers,
    /// Positions in the log and the like.
    Meta,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Customers, Self::Timers, Self::Meta];
}

/// Puts and deletes that are applied together; of two for the same key the later counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    ops: BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>,
    bytes: usize,
}

impl Batch {
    /// Adds a row or replaces it.
    pub fn put(&mut self, table: Table, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.set(table, key.into(), Some(value.into()));
    }

    /// Removes a row; one that is not there is no error.
    pub fn delete(&mut self, table: Table, key: impl Into<Vec<u8>>) {
        self.set(table, key.into(), None);
    }

    /// Returns how many rows the batch touches.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Returns whether the batch touches no row.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Returns the bytes of all keys and values.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns what becomes of each row, `None` for a delete, by table and key.
    pub(super) fn ops(&self) -> impl Iterator<Item = (Table, &[u8], Option<&[u8]>)> {
        self.ops
            .iter()
            .map(|((table, key), value)| (*table, key.as_slice(), value.as_deref()))
    }

    /// Returns the same as [`Batch::ops`], to keep.
    pub(super) fn into_ops(self) -> impl Iterator<Item = (Table, Vec<u8>, Option<Vec<u8>>)> {
        self.ops
            .into_iter()
            .map(|((table, key), value)| (table, key, value))
    }

    /// Refuses what an engine cannot hold.
    ///
    /// # Errors
    ///
    /// [`Error::Key`] for the first key that is too long.
    pub(super) fn check(&self) -> Result<(), Error> {
        let too_long = self
            .ops
            .keys()
            .map(|(_, key)| key.len())
            .find(|len| *len > KEY_BYTES_MAX);
        too_long.map_or(Ok(()), |bytes| Err(Error::Key { bytes }))
    }

    fn set(&mut self, table: Table, key: Vec<u8>, value: Option<Vec<u8>>) {
        let n_key = key.len();
        self.bytes += n_key + value.as_ref().map_or(0, Vec::len);
        if let Some(earlier) = self.ops.insert((table, key), value) {
            self.bytes -= n_key + earlier.map_or(0, |value| value.len());
        }
    }
}
