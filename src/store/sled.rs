//! The engine sled: one tree, its keys prefixed by a byte for the table.
//!
//! One tree and `apply_batch` are a third faster than three trees and a transaction, and as atomic.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::ops::{Bound, Range};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::{Batch, Durability, Engine, Error, Options, Row, Table, disk};

/// Where the tally rests; no table has this prefix.
const TALLY: [u8; 1] = [0];

/// How often sled rewrites the pages that hold nearly empty segments; without it, cold rows pin dead bytes.
const SWEEP_MS: u64 = 500;

/// How long a handle that was just closed may keep sled's own lock: its last writes hold it.
const LINGER: Duration = Duration::from_secs(5);

/// A sled database.
pub(super) struct Rows {
    db: ::sled::Db,
    dir: PathBuf,
    /// The newest of the files in `blobs` that was synced.
    synced: Mutex<u64>,
    /// Readers see a batch whole: sled shows it to iterators row by row.
    batches: RwLock<()>,
}

impl disk::Rows for Rows {
    const ENGINE: Engine = Engine::Sled;

    fn open(dir: &Path, options: &Options) -> Result<Self, Error> {
        let config = ::sled::Config::new()
            .path(dir)
            .cache_capacity(options.cache_bytes)
            .use_compression(false)
            .flush_every_ms(Some(SWEEP_MS));
        let db = open_patiently(&config)?;
        Ok(Self {
            db,
            dir: dir.into(),
            synced: Mutex::default(),
            batches: RwLock::default(),
        })
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.db.get(place(table, key))?.map(|value| value.to_vec()))
    }

    fn scan(&self, table: Table, range: Range<&[u8]>, limit: usize) -> Result<Vec<Row>, Error> {
        let _whole = self.batches.read().unwrap_or_else(PoisonError::into_inner);
        let end = match range.end {
            [] => vec![prefix(table) + 1],
            end => place(table, end),
        };
        let bounds = (
            Bound::Included(place(table, range.start)),
            Bound::Excluded(end),
        );
        let rows = self.db.range::<Vec<u8>, _>(bounds).take(limit).map(|row| {
            let (key, value) = row?;
            Ok((key.get(1..).unwrap_or_default().to_vec(), value.to_vec()))
        });
        rows.collect()
    }

    fn tally(&self) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.db.get(TALLY)?.map(|tally| tally.to_vec()))
    }

    fn write(&self, batch: Batch, tally: &[u8], durability: Durability) -> Result<(), Error> {
        let mut writes = ::sled::Batch::default();
        for (table, key, value) in batch.into_ops() {
            match value {
                Some(value) => writes.insert(place(table, &key), value),
                None => writes.remove(place(table, &key)),
            }
        }
        writes.insert(&TALLY, tally);
        let whole = self.batches.write().unwrap_or_else(PoisonError::into_inner);
        self.db.apply_batch(writes)?;
        drop(whole);
        self.persist(durability)
    }

    fn persist(&self, durability: Durability) -> Result<(), Error> {
        match durability {
            Durability::Buffered => Ok(()),
            Durability::Process => Ok(self.db.flush().map(drop)?),
            Durability::Power => {
                self.db.flush()?;
                self.sync()
            }
        }
    }
}

impl Rows {
    /// Syncs what sled has written: its flush syncs neither `db` nor `blobs`, where pages over 128 KB go.
    fn sync(&self) -> Result<(), Error> {
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = self.dir.join("blobs");
        let mut newest = *synced;
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            let blob = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
                .unwrap_or(0);
            if blob > *synced {
                sync_file(&entry.path())?;
                newest = newest.max(blob);
            }
        }
        if newest > *synced {
            sync_file(&dir)?;
            *synced = newest;
        }
        sync_file(&self.dir.join("db"))
    }
}

/// Syncs one file; a blob that sled has dropped meanwhile needs none.
fn sync_file(path: &Path) -> Result<(), Error> {
    match File::open(path) {
        Ok(file) => Ok(file.sync_all()?),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

impl From<::sled::Error> for Error {
    fn from(error: ::sled::Error) -> Self {
        let engine = Engine::Sled;
        match error {
            ::sled::Error::Io(error) => error.into(),
            ::sled::Error::Corruption { .. } => Self::Damaged {
                what: "a page of sled is not what was written".into(),
            },
            ::sled::Error::CollectionNotFound(_)
            | ::sled::Error::Unsupported(_)
            | ::sled::Error::ReportableBug(_) => Self::Engine {
                engine,
                message: error.to_string(),
            },
        }
    }
}

/// Opens sled; the caller holds the directory, so a lock that is taken is our own of a moment ago.
fn open_patiently(config: &::sled::Config) -> Result<::sled::Db, Error> {
    let start = Instant::now();
    loop {
        match config.open() {
            Err(::sled::Error::Io(error))
                if error.to_string().contains("acquire lock") && start.elapsed() < LINGER =>
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            outcome => return Ok(outcome?),
        }
    }
}

fn place(table: Table, key: &[u8]) -> Vec<u8> {
    let mut place = Vec::with_capacity(1 + key.len());
    place.push(prefix(table));
    place.extend(key);
    place
}

fn prefix(table: Table) -> u8 {
    match table {
        Table::Customers => 1,
        Table::Timers => 2,
        Table::Meta => 3,
    }
}
