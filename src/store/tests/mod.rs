//! The store: one suite that every engine passes, then crashes, full disks and damaged files.

mod conformance;
mod crash;
mod damage;
mod dictionary;
mod envelope;
mod memory;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::{Engine, Error, Memory, Options, Store, Table, open};

/// A place where a store of one engine can be opened, closed and opened again.
struct Place {
    engine: Engine,
    dir: TempDir,
    memory: Memory,
}

impl Place {
    fn new(engine: Engine) -> Self {
        Self {
            engine,
            dir: TempDir::new().unwrap(),
            memory: Memory::default(),
        }
    }

    fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn open(&self) -> Arc<dyn Store> {
        match self.engine {
            Engine::Memory => Arc::new(self.memory.clone()),
            Engine::Sled | Engine::Fjall => open(self.engine, self.dir(), &options()).unwrap(),
        }
    }
}

fn options() -> Options {
    Options {
        cache_bytes: 16 * 1024 * 1024,
        ..Options::default()
    }
}

/// The engines that have files.
const ON_DISK: [Engine; 2] = [Engine::Sled, Engine::Fjall];

/// A generator of numbers that a seed decides.
struct Random(u64);

impl Random {
    /// Takes the seed from `ATTUNE_SEED`, and prints it for the next run.
    fn from_env(of: &str) -> Self {
        let seed = std::env::var("ATTUNE_SEED").map_or(42, |seed| seed.parse().unwrap());
        println!("{of}: ATTUNE_SEED={seed}");
        Self::new(seed)
    }

    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Returns bytes that do not compress.
    fn bytes(&mut self, len: usize) -> Vec<u8> {
        let words = std::iter::repeat_with(|| self.next().to_le_bytes());
        words.flatten().take(len).collect()
    }
}

/// Returns all rows of a table.
fn rows(store: &dyn Store, table: Table) -> Result<Vec<super::Row>, Error> {
    store.scan(table, &[]..&[], usize::MAX)
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in dir.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_closed_store_is_free_although_a_child_that_starts_still_holds_its_files() {
    let dir = TempDir::new().unwrap();
    let lock = super::disk::lock(dir.path()).unwrap();
    let copy_of_child = lock.0.try_clone().unwrap();
    assert!(matches!(
        super::disk::lock(dir.path()),
        Err(Error::Locked { .. })
    ));
    drop(lock);
    assert!(super::disk::lock(dir.path()).is_ok());
    drop(copy_of_child);
}
