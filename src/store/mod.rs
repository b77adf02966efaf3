//! The store door: where customers, timers and positions rest between two runs.
//!
//! ```text
//! Store ── Memory                    a map with a crash switch, for tests and backtests
//!       └─ disk::Disk<R: Rows>       lock, engine file, promises, panics and hangs
//!             ├─ sled::Rows          the default engine
//!             └─ fjall::Rows         the other one
//! ```
//!
//! A directory holds `ENGINE` (whose files these are), `LOCK` (who has them open), `HIGH_WATER` (what was
//! promised) and `rows/` (the engine's own). Every commit carries its number into the engine, and what all rows
//! add up to after it; a promise writes that number beside the engine. An engine that silently cuts its log at
//! a damaged record comes back with a smaller number than was promised, one that skips a part comes back with
//! rows that do not add up; both are refused.

mod batch;
pub mod dictionary;
mod disk;
pub mod envelope;
mod error;
mod fjall;
mod mark;
mod memory;
mod options;
mod sled;
mod tally;
#[cfg(test)]
mod tests;
mod worker;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

pub use batch::{Batch, Table};
pub use error::Error;
pub use memory::Memory;
pub use options::{Engine, Options};

/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 4096;

/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Where customers, timers and positions rest between two runs.
///
/// A read sees whole commits only. After a commit has failed nobody knows what the engine holds in memory, so
/// the store is stopped: every later call gives [`Error::Stopped`] until it is opened again.
pub trait Store: Send + Sync + 'static {
    /// Returns the value of one key.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] when the engine's files are; [`Error::Stopped`]; otherwise what the engine says.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// Returns rows in ascending order of key, at most `limit` of them.
    ///
    /// - `range`: `from <= key < to`; an empty `to` means up to the end of the table.
    ///
    /// # Errors
    ///
    /// As for [`Store::get`].
    fn scan(&self, table: Table, range: Range<&[u8]>, limit: usize) -> Result<Vec<Row>, Error>;

    /// Applies all puts and deletes, across tables, or none.
    ///
    /// A commit also keeps the promise of `durability` for every commit before it; an empty batch is a barrier.
    ///
    /// # Errors
    ///
    /// [`Error::Key`] when a key is too long, nothing happened; every other error stops the store, and whether
    /// the batch is there is known only after it was opened again.
    fn commit(&self, batch: Batch, durability: Durability) -> Result<(), Error>;

    /// Returns what the store takes.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the directory cannot be read; [`Error::Stopped`].
    fn stats(&self) -> Result<Stats, Error>;
}

/// What a commit survives once it has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// Nothing but a clean close.
    Buffered,
    /// The death of this process, `kill -9` too.
    Process,
    /// A power failure: the bytes were synced to the disk.
    Power,
}

/// What a store takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes that the directory occupies on disk (allocated blocks); for memory, the bytes of all rows.
    pub bytes: u64,
}

/// Opens the store in `dir`, or makes one.
///
/// # Errors
///
/// [`Error::Locked`] when another process has it open, [`Error::Foreign`] when another engine made it,
/// [`Error::Damaged`] or [`Error::LostTail`] when it is not what it was, [`Error::Full`] when there is no room.
pub fn open(engine: Engine, dir: &Path, options: &Options) -> Result<Arc<dyn Store>, Error> {
    Ok(match engine {
        Engine::Sled => Arc::new(disk::Disk::<sled::Rows>::open(dir, options)?),
        Engine::Fjall => Arc::new(disk::Disk::<fjall::Rows>::open(dir, options)?),
        Engine::Memory => Arc::new(Memory::default()),
    })
}

/// Returns whether `range` holds no key at all.
fn is_empty(range: &Range<&[u8]>) -> bool {
    !range.end.is_empty() && range.start >= range.end
}
