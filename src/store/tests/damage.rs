//! Files that are not what they were.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::{ON_DISK, Place, Random, files, options};
use crate::store::{Batch, Durability, Engine, Error, Options, Store, Table, open};

#[test]
fn a_flipped_byte_is_never_a_wrong_or_missing_row() {
    survey("flip", |file, at| {
        let mut bytes = fs::read(file).unwrap();
        bytes[at] ^= 0x55;
        fs::write(file, bytes).unwrap();
    });
}

#[test]
fn a_cut_file_is_never_a_wrong_or_missing_row() {
    survey("cut", |file, at| {
        File::options()
            .write(true)
            .open(file)
            .unwrap()
            .set_len(at as u64)
            .unwrap();
    });
}

/// Damages a copy of a store many times over; every row must be right, or an error must say why not.
fn survey(how: &str, damage: impl Fn(&Path, usize)) {
    let mut random = Random::from_env(how);
    let n_rounds = std::env::var("ATTUNE_DAMAGES").map_or(8, |n| n.parse().unwrap());
    for engine in ON_DISK {
        let (place, expected) = filled(engine);
        let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
        for round in 0..n_rounds {
            let copy = Place::new(engine);
            copy_dir(place.dir(), copy.dir());
            let (file, used) = target(copy.dir(), round);
            let at = usize::try_from(random.below(used as u64)).unwrap();
            println!("{engine}: {how} at {at} of {}", file.display());
            damage(&file, at);
            let what = read(&copy, &expected).map_or_else(|error| name(&error), |()| "unharmed");
            println!("{engine}: {what}");
            *seen.entry(what).or_default() += 1;
        }
        println!("{engine} {how}: {seen:?}");
        assert!(
            seen.keys().any(|what| *what != "unharmed"),
            "{engine}: damage was never seen"
        );
    }
}

/// Returns one of the engine's files, the larger ones first, and how many bytes of it are in use.
fn target(dir: &Path, round: usize) -> (PathBuf, usize) {
    let used = |path: PathBuf| {
        let last = fs::read(&path)
            .unwrap()
            .iter()
            .rposition(|byte| *byte != 0)?;
        Some((path, last + 1))
    };
    let mut targets: Vec<_> = files(&dir.join("rows"))
        .into_iter()
        .filter_map(used)
        .collect();
    targets.sort_by_key(|(_, used)| std::cmp::Reverse(*used));
    let n_large = targets.iter().filter(|(_, used)| *used > 100_000).count();
    let n_targets = if round.is_multiple_of(4) {
        targets.len()
    } else {
        n_large
    };
    targets.swap_remove(round % n_targets)
}

fn read(place: &Place, expected: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<(), Error> {
    let store = open(place.engine, place.dir(), &options())?;
    let mut worst = Ok(());
    for (key, value) in expected {
        match store.get(Table::Customers, key) {
            Ok(found) => assert!(
                found.as_ref() == Some(value),
                "{}: silently {} row {key:?}",
                place.engine,
                if found.is_some() { "changed" } else { "lost" }
            ),
            Err(error) => worst = Err(error),
        }
    }
    worst
}

/// Returns a store of 2000 writes; for fjall large enough that the first rows have left the journal.
fn filled(engine: Engine) -> (Place, BTreeMap<Vec<u8>, Vec<u8>>) {
    let n_bytes = if engine == Engine::Fjall {
        10_000
    } else {
        1000
    };
    let place = Place::new(engine);
    let mut random = Random::new(3);
    let mut expected = BTreeMap::new();
    let store = place.open();
    for _ in 0..40 {
        let mut batch = Batch::default();
        for _ in 0..50 {
            let (key, value) = (
                random.below(1000).to_be_bytes().to_vec(),
                random.bytes(n_bytes),
            );
            batch.put(Table::Customers, key.clone(), value.clone());
            expected.insert(key, value);
        }
        store.commit(batch, Durability::Process).unwrap();
    }
    (place, expected)
}

fn name(error: &Error) -> &'static str {
    match error {
        Error::Damaged { .. } => "damaged",
        Error::LostTail { .. } => "lost tail",
        Error::Engine { .. } => "engine",
        Error::Stopped(_) => "stopped",
        Error::Io(_) => "io",
        Error::Full(_)
        | Error::Locked { .. }
        | Error::Version(_)
        | Error::Foreign { .. }
        | Error::Key { .. }
        | Error::UnknownEngine(_) => panic!("{error}"),
    }
}

fn copy_dir(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(file, target).unwrap();
    }
}

#[test]
fn a_lost_tail_is_refused_until_it_is_accepted() {
    for engine in ON_DISK {
        let place = Place::new(engine);
        let old = Place::new(engine);
        put(&*place.open(), 1);
        copy_dir(&place.dir().join("rows"), &old.dir().join("rows"));
        let store = place.open();
        (2..5).for_each(|n| put(&*store, n));
        drop(store);
        fs::remove_dir_all(place.dir().join("rows")).unwrap();
        copy_dir(&old.dir().join("rows"), &place.dir().join("rows"));

        let refuse = || open(engine, place.dir(), &options()).err().unwrap();
        let error = refuse();
        assert!(
            matches!(
                error,
                Error::LostTail {
                    stored: 1,
                    promised: 4,
                    ..
                }
            ),
            "{error}"
        );
        assert!(error.to_string().ends_with("has lost its last 3 commits"));
        assert!(
            matches!(refuse(), Error::LostTail { .. }),
            "{engine}: refused once only"
        );

        let accepting = Options {
            accept_loss: true,
            ..options()
        };
        drop(open(engine, place.dir(), &accepting).unwrap());
        let store = place.open();
        assert_eq!(
            store.get(Table::Meta, b"n").unwrap(),
            Some(vec![1]),
            "{engine}"
        );
        put(&*store, 2);
        drop(store);
        assert_eq!(
            place.open().get(Table::Meta, b"n").unwrap(),
            Some(vec![2]),
            "{engine}"
        );
    }
}

#[test]
fn a_row_that_an_engine_has_dropped_is_refused_until_it_is_accepted() {
    for engine in ON_DISK {
        let place = Place::new(engine);
        (1..4).for_each(|n| put(&*place.open(), n));
        drop_row(engine, &place.dir().join("rows"));

        let error = open(engine, place.dir(), &options())
            .err()
            .unwrap()
            .to_string();
        let expected = "the store is damaged: rows are missing or older than they should be";
        assert_eq!(error, expected, "{engine}");

        let accepting = Options {
            accept_loss: true,
            ..options()
        };
        drop(open(engine, place.dir(), &accepting).unwrap());
        let store = place.open();
        assert_eq!(store.get(Table::Meta, b"n").unwrap(), None, "{engine}");
        put(&*store, 5);
        drop(store);
        assert_eq!(
            place.open().get(Table::Meta, b"n").unwrap(),
            Some(vec![5]),
            "{engine}"
        );
    }
}

#[test]
fn what_was_written_without_verifying_is_taken_as_it_is_and_verified_from_then_on() {
    for engine in ON_DISK {
        let place = Place::new(engine);
        let rows = place.dir().join("rows");
        put(&*place.open(), 1);
        let careless = Options {
            verify: false,
            ..options()
        };
        put(&*open(engine, place.dir(), &careless).unwrap(), 2);
        drop_row(engine, &rows);
        let store = place.open();
        assert_eq!(store.get(Table::Meta, b"n").unwrap(), None, "{engine}");
        put(&*store, 3);
        drop(store);
        drop(place.open());
        drop_row(engine, &rows);
        let error = open(engine, place.dir(), &options()).err().unwrap();
        assert!(matches!(error, Error::Damaged { .. }), "{engine}: {error}");
    }
}

#[test]
fn a_start_without_verifying_that_writes_nothing_leaves_the_sum_as_it_is() {
    for engine in ON_DISK {
        let place = Place::new(engine);
        put(&*place.open(), 1);
        let careless = Options {
            verify: false,
            ..options()
        };
        drop(open(engine, place.dir(), &careless).unwrap());
        drop_row(engine, &place.dir().join("rows"));
        let error = open(engine, place.dir(), &options()).err().unwrap();
        assert!(matches!(error, Error::Damaged { .. }), "{engine}: {error}");
    }
}

/// Removes the row that `put` writes behind the back of the store.
fn drop_row(engine: Engine, rows: &Path) {
    match engine {
        Engine::Sled => {
            let db = ::sled::open(rows).unwrap();
            assert!(db.remove(b"\x03n").unwrap().is_some());
            db.flush().unwrap();
        }
        Engine::Fjall => {
            let db = ::fjall::Database::builder(rows).open().unwrap();
            let meta = db
                .keyspace("meta", ::fjall::KeyspaceCreateOptions::default)
                .unwrap();
            assert!(meta.contains_key(b".n").unwrap());
            meta.remove(b".n").unwrap();
            db.persist(::fjall::PersistMode::SyncAll).unwrap();
        }
        Engine::Memory => panic!("memory has no files"),
    }
}

#[test]
fn a_missing_or_spoiled_file_of_ours_is_damage() {
    for engine in ON_DISK {
        for (file, bytes, expected) in [
            (
                "HIGH_WATER",
                None,
                "the store is damaged: its file `HIGH_WATER` is missing",
            ),
            (
                "HIGH_WATER",
                Some(&[7; 80][..]),
                "the store is damaged: its file `HIGH_WATER` has no whole slot",
            ),
            (
                "HIGH_WATER",
                Some(&[]),
                "the store is damaged: its file `HIGH_WATER` has no whole slot",
            ),
            (
                "ENGINE",
                None,
                "the store is damaged: its file `ENGINE` is missing or no text",
            ),
            (
                "ENGINE",
                Some(&[0xff, 0xfe]),
                "the store is damaged: its file `ENGINE` is missing or no text",
            ),
        ] {
            let place = Place::new(engine);
            put(&*place.open(), 1);
            let path = place.dir().join(file);
            bytes
                .map_or_else(|| fs::remove_file(&path), |bytes| fs::write(&path, bytes))
                .unwrap();
            let error = open(engine, place.dir(), &options()).err().unwrap();
            assert_eq!(error.to_string(), expected);
        }
    }
}

#[test]
fn one_torn_slot_of_the_mark_leaves_the_other() {
    for engine in ON_DISK {
        for slot in 0..2 {
            let place = Place::new(engine);
            let store = place.open();
            (1..4).for_each(|n| put(&*store, n));
            drop(store);
            let path = place.dir().join("HIGH_WATER");
            let mut mark = fs::read(&path).unwrap();
            mark[slot * 40 + 3] ^= 1;
            fs::write(&path, mark).unwrap();
            assert_eq!(
                place.open().get(Table::Meta, b"n").unwrap(),
                Some(vec![3]),
                "{engine}"
            );
        }
    }
}

fn put(store: &dyn Store, n: u8) {
    let mut batch = Batch::default();
    batch.put(Table::Meta, "n", [n]);
    store.commit(batch, Durability::Process).unwrap();
}
