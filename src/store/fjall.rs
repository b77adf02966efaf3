//! The engine fjall: a keyspace for each table and one for the tally.

use std::ops::{Bound, Range};
use std::path::Path;

use ::fjall::{Database, Keyspace, KeyspaceCreateOptions, LsmError, PersistMode, Readable};

use super::{Batch, Durability, Engine, Error, Options, Row, Table, disk};

/// Above it the oldest tables are flushed; a larger journal takes seconds to read at the next start.
const JOURNAL_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Rows wait here, in memory, for their first sorted file; for each table.
const MEMTABLE_BYTES: u64 = 8 * 1024 * 1024;

const TALLY: &[u8] = b"tally";

/// fjall refuses empty keys, so every key has this in front.
const PREFIX: u8 = b'.';

/// A fjall database.
///
/// Reads go through a snapshot: a keyspace read directly shows half of a batch that is being applied.
pub(super) struct Rows {
    customers: Keyspace,
    timers: Keyspace,
    meta: Keyspace,
    own: Keyspace,
    db: Database,
}

impl disk::Rows for Rows {
    const ENGINE: Engine = Engine::Fjall;

    fn open(dir: &Path, options: &Options) -> Result<Self, Error> {
        let db = Database::builder(dir)
            .cache_size(options.cache_bytes)
            .max_journaling_size(JOURNAL_BYTES_MAX)
            .manual_journal_persist(true)
            .open()?;
        let keyspace = |name| {
            db.keyspace(name, || {
                KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES)
            })
        };
        Ok(Self {
            customers: keyspace("customers")?,
            timers: keyspace("timers")?,
            meta: keyspace("meta")?,
            own: keyspace("own")?,
            db,
        })
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let value = self.db.snapshot().get(self.keyspace(table), place(key))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn scan(&self, table: Table, range: Range<&[u8]>, limit: usize) -> Result<Vec<Row>, Error> {
        let end = match range.end {
            [] => vec![PREFIX + 1],
            end => place(end),
        };
        let bounds = (Bound::Included(place(range.start)), Bound::Excluded(end));
        let snapshot = self.db.snapshot();
        let rows = snapshot
            .range::<Vec<u8>, _>(self.keyspace(table), bounds)
            .take(limit)
            .map(|row| {
                let (key, value) = row.into_inner()?;
                Ok((key.get(1..).unwrap_or_default().to_vec(), value.to_vec()))
            });
        rows.collect()
    }

    fn tally(&self) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.own.get(TALLY)?.map(|tally| tally.to_vec()))
    }

    fn write(&self, batch: Batch, tally: &[u8], durability: Durability) -> Result<(), Error> {
        let mut writes = self.db.batch().durability(mode(durability));
        for (table, key, value) in batch.into_ops() {
            match value {
                Some(value) => writes.insert(self.keyspace(table), place(&key), value),
                None => writes.remove(self.keyspace(table), place(&key)),
            }
        }
        writes.insert(&self.own, TALLY, tally);
        Ok(writes.commit()?)
    }

    fn persist(&self, durability: Durability) -> Result<(), Error> {
        Ok(mode(durability).map_or(Ok(()), |mode| self.db.persist(mode))?)
    }
}

impl Rows {
    fn keyspace(&self, table: Table) -> &Keyspace {
        match table {
            Table::Customers => &self.customers,
            Table::Timers => &self.timers,
            Table::Meta => &self.meta,
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "fjall's errors are open-ended"
)]
impl From<::fjall::Error> for Error {
    fn from(error: ::fjall::Error) -> Self {
        match error {
            ::fjall::Error::Io(error) | ::fjall::Error::Storage(LsmError::Io(error)) => {
                error.into()
            }
            ::fjall::Error::Poisoned => Self::Engine {
                engine: Engine::Fjall,
                message: "an earlier write in the background failed, is the disk full?".into(),
            },
            ::fjall::Error::KeyspaceDeleted | ::fjall::Error::Locked => Self::Engine {
                engine: Engine::Fjall,
                message: error.to_string(),
            },
            damaged => Self::Damaged {
                what: damaged.to_string(),
            },
        }
    }
}

fn mode(durability: Durability) -> Option<PersistMode> {
    match durability {
        Durability::Buffered => None,
        Durability::Process => Some(PersistMode::Buffer),
        Durability::Power => Some(PersistMode::SyncData),
    }
}

fn place(key: &[u8]) -> Vec<u8> {
    let mut place = Vec::with_capacity(1 + key.len());
    place.push(PREFIX);
    place.extend(key);
    place
}
