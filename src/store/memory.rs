//! A store in memory, with a crash switch.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Batch, Durability, Error, Row, Stats, Store, Table, is_empty};

type Key = (Table, Vec<u8>);

/// A store in memory; clones share the rows, so a clone that outlives [`Memory::crash`] is the store reopened.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    tables: Arc<Mutex<Tables>>,
}

#[derive(Debug, Default)]
struct Tables {
    rows: BTreeMap<Key, Vec<u8>>,
    /// What rows were before the commits that a crash would take away.
    before: BTreeMap<Key, Option<Vec<u8>>>,
}

impl Memory {
    /// Drops everything since the last commit with [`Durability::Process`] or better.
    pub fn crash(&self) {
        let mut tables = self.lock();
        for (key, value) in std::mem::take(&mut tables.before) {
            tables.set(key, value);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.lock().rows.get(&(table, key.to_vec())).cloned())
    }

    fn scan(&self, table: Table, range: Range<&[u8]>, limit: usize) -> Result<Vec<Row>, Error> {
        if is_empty(&range) {
            return Ok(Vec::new());
        }
        let tables = self.lock();
        let rows = tables
            .rows
            .range((table, range.start.to_vec())..)
            .take_while(|((of, key), _)| {
                *of == table && (range.end.is_empty() || key.as_slice() < range.end)
            })
            .take(limit)
            .map(|((_, key), value)| (key.clone(), value.clone()));
        Ok(rows.collect())
    }

    fn commit(&self, batch: Batch, durability: Durability) -> Result<(), Error> {
        batch.check()?;
        let mut tables = self.lock();
        for (table, key, value) in batch.into_ops() {
            let key = (table, key);
            let before = tables.set(key.clone(), value);
            tables.before.entry(key).or_insert(before);
        }
        if durability >= Durability::Process {
            tables.before.clear();
        }
        Ok(())
    }

    fn stats(&self) -> Result<Stats, Error> {
        let tables = self.lock();
        let bytes = tables
            .rows
            .iter()
            .map(|((_, key), value)| key.len() + value.len());
        Ok(Stats {
            bytes: bytes.sum::<usize>() as u64,
        })
    }
}

impl Tables {
    /// Puts or removes a row and returns what it was.
    fn set(&mut self, key: Key, value: Option<Vec<u8>>) -> Option<Vec<u8>> {
        match value {
            Some(value) => self.rows.insert(key, value),
            None => self.rows.remove(&key),
        }
    }
}
