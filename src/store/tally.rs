//! The tally: one number that all rows add up to, so that a row cannot go missing or grow old unseen.
//!
//! Engines end their recovery, or skip a part, where a record is damaged: sled 0.34 leaves out the rest of a
//! segment and goes on with the next, which brings old rows back (measured: 16 of 600 flipped bytes). Every
//! commit carries what the rows add up to after it; an opened store is added up again.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::disk::Rows;
use super::{Batch, Error, Table};

/// Rows that are read at once while a store is added up.
const PAGE_ROWS: usize = 1024;

/// What goes into the engine with every commit: `counter u64 LE | sum u64 LE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// How many commits there were.
    pub counter: u64,
    /// The wrapping sum of a hash of every row.
    pub sum: u64,
}

impl Tally {
    /// Returns the tally after `batch`, whose rows are still the old ones in `rows`.
    pub fn after<R: Rows>(self, batch: &Batch, rows: &R) -> Result<Self, Error> {
        let mut sum = self.sum;
        for (table, key, value) in batch.ops() {
            if let Some(old) = rows.get(table, key)? {
                sum = sum.wrapping_sub(hash(table, key, &old));
            }
            if let Some(value) = value {
                sum = sum.wrapping_add(hash(table, key, value));
            }
        }
        Ok(Self {
            counter: self.counter + 1,
            sum,
        })
    }

    /// Reads all rows and returns what they add up to.
    pub fn sum_of<R: Rows>(rows: &R) -> Result<u64, Error> {
        Table::ALL
            .into_iter()
            .try_fold(0, |sum, table| add_table(sum, rows, table))
    }

    /// Returns the bytes of the tally.
    pub fn encode(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        let (counter, sum) = bytes.split_at_mut(8);
        counter.copy_from_slice(&self.counter.to_le_bytes());
        sum.copy_from_slice(&self.sum.to_le_bytes());
        bytes
    }

    /// Reads a tally; a store without one has no commits.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] when it has another length.
    pub fn decode(bytes: Option<Vec<u8>>) -> Result<Self, Error> {
        let Some(bytes) = bytes else {
            return Ok(Self::default());
        };
        let number = |at: usize| {
            bytes
                .get(at..at + 8)?
                .try_into()
                .ok()
                .map(u64::from_le_bytes)
        };
        match (number(0), number(8)) {
            (Some(counter), Some(sum)) if bytes.len() == 16 => Ok(Self { counter, sum }),
            _ => Err(Error::Damaged {
                what: "its tally is not 16 bytes long".into(),
            }),
        }
    }
}

/// Adds the rows of one table, page by page.
fn add_table<R: Rows>(mut sum: u64, rows: &R, table: Table) -> Result<u64, Error> {
    let mut from = Vec::new();
    loop {
        let page = rows.scan(table, &from..&[], PAGE_ROWS)?;
        let Some((last, _)) = page.last() else {
            return Ok(sum);
        };
        from.clone_from(last);
        from.push(0);
        let hashes = page.iter().map(|(key, value)| hash(table, key, value));
        sum = hashes.fold(sum, u64::wrapping_add);
    }
}

fn hash(table: Table, key: &[u8], value: &[u8]) -> u64 {
    xxh3_64_with_seed(value, xxh3_64_with_seed(key, table as u64))
}
