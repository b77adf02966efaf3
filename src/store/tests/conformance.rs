//! What every engine does alike.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{ON_DISK, Place, options, rows};
use crate::store::{Batch, Durability, Engine, Error, KEY_BYTES_MAX, Options, Store, Table, open};

#[test]
fn a_row_is_what_was_put_last() {
    check(|store, _| {
        put(store, "a", "1");
        assert_eq!(text(store, "a"), Some("1".into()));
        put(store, "a", "2");
        assert_eq!(text(store, "a"), Some("2".into()));
        let mut batch = Batch::default();
        batch.delete(Table::Customers, "a");
        batch.delete(Table::Customers, "never there");
        store.commit(batch, Durability::Process).unwrap();
        assert_eq!(text(store, "a"), None);
        assert_eq!(text(store, "never there"), None);
    });
}

#[test]
fn of_two_ops_on_a_key_the_later_counts() {
    check(|store, _| {
        let mut batch = Batch::default();
        batch.put(Table::Customers, "a", "1");
        batch.delete(Table::Customers, "a");
        batch.put(Table::Customers, "b", "12345");
        batch.put(Table::Customers, "b", "2");
        assert_eq!((batch.len(), batch.bytes()), (2, 3));
        store.commit(batch, Durability::Process).unwrap();
        assert_eq!(
            (text(store, "a"), text(store, "b")),
            (None, Some("2".into()))
        );
    });
}

#[test]
fn a_scan_is_ascending_and_keeps_its_bounds_and_limit() {
    check(|store, engine| {
        let keys: [&[u8]; 7] = [b"", b"\0", b"a", b"a\0", b"ab", b"b", b"\xff\xff"];
        let mut batch = Batch::default();
        for key in keys.iter().rev() {
            batch.put(Table::Timers, *key, *key);
        }
        batch.put(Table::Customers, "a", "another table");
        batch.put(Table::Meta, "a", "another table");
        store.commit(batch, Durability::Buffered).unwrap();
        let scan = |from: &[u8], to: &[u8], limit| {
            let rows = store.scan(Table::Timers, from..to, limit).unwrap();
            assert!(rows.iter().all(|(key, value)| key == value), "{engine}");
            rows.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert_eq!(scan(b"", b"", 100), keys, "{engine}");
        assert_eq!(scan(b"", b"", 3), keys[..3], "{engine}");
        assert_eq!(scan(b"", b"", 0).len(), 0, "{engine}");
        assert_eq!(scan(b"a", b"b", 100), keys[2..5], "{engine}");
        assert_eq!(scan(b"a\0", b"", 100), keys[3..], "{engine}");
        assert_eq!(scan(b"", b"\0", 100), keys[..1], "{engine}");
        assert_eq!(scan(b"b", b"b", 100).len(), 0, "{engine}");
        assert_eq!(scan(b"b", b"a", 100).len(), 0, "{engine}");
    });
}

#[test]
fn empty_keys_empty_values_and_large_values_are_rows() {
    check(|store, engine| {
        let large = super::Random::new(7).bytes(1024 * 1024);
        let longest = vec![0xee; KEY_BYTES_MAX];
        let mut batch = Batch::default();
        batch.put(Table::Meta, "", "of the empty key");
        batch.put(Table::Meta, "empty", "");
        batch.put(Table::Meta, "large", large.clone());
        batch.put(Table::Meta, longest.clone(), "of the longest key");
        store.commit(batch, Durability::Power).unwrap();
        let get = |key: &[u8]| store.get(Table::Meta, key).unwrap();
        assert_eq!(
            get(b"").as_deref(),
            Some(b"of the empty key".as_slice()),
            "{engine}"
        );
        assert_eq!(get(b"empty").as_deref(), Some(b"".as_slice()), "{engine}");
        assert!(get(b"large") == Some(large), "{engine}");
        assert_eq!(
            get(&longest).as_deref(),
            Some(b"of the longest key".as_slice()),
            "{engine}"
        );
    });
}

#[test]
fn a_key_that_is_too_long_is_refused_and_nothing_happens() {
    check(|store, engine| {
        let mut batch = Batch::default();
        batch.put(Table::Customers, "a", "1");
        batch.put(Table::Timers, vec![0; KEY_BYTES_MAX + 1], "");
        let error = store.commit(batch, Durability::Process).unwrap_err();
        assert!(
            matches!(error, Error::Key { bytes } if bytes == KEY_BYTES_MAX + 1),
            "{engine}"
        );
        assert_eq!(text(store, "a"), None, "{engine}");
        put(store, "a", "2");
        assert_eq!(text(store, "a"), Some("2".into()), "{engine}");
    });
}

#[test]
fn a_reader_sees_whole_batches_across_keys() {
    check(|store, engine| {
        let write = |n: u32| {
            let mut batch = Batch::default();
            for key in 0..100_u8 {
                batch.put(Table::Customers, [key], n.to_le_bytes());
            }
            store.commit(batch, Durability::Buffered).unwrap();
        };
        write(0);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| (1..100).for_each(write));
            while !writer.is_finished() {
                let mut values = rows(store, Table::Customers).unwrap();
                assert_eq!(values.len(), 100, "{engine}");
                values.dedup_by(|(_, a), (_, b)| a == b);
                assert_eq!(values.len(), 1, "{engine}: a scan saw half a batch");
            }
        });
    });
}

#[test]
fn a_closed_store_opens_with_all_its_commits() {
    for engine in Engine::ALL {
        for durability in [Durability::Buffered, Durability::Process, Durability::Power] {
            let place = Place::new(engine);
            for n in 0..5_u8 {
                let store = place.open();
                let mut batch = Batch::default();
                batch.put(Table::Customers, [n], [n]);
                batch.put(Table::Timers, [n], [n]);
                batch.put(Table::Meta, "n", [n]);
                store.commit(batch, durability).unwrap();
            }
            let store = place.open();
            let expected: Vec<_> = (0..5_u8).map(|n| (vec![n], vec![n])).collect();
            assert_eq!(
                rows(&*store, Table::Customers).unwrap(),
                expected,
                "{engine}"
            );
            assert_eq!(rows(&*store, Table::Timers).unwrap(), expected, "{engine}");
            assert_eq!(
                store.get(Table::Meta, b"n").unwrap(),
                Some(vec![4]),
                "{engine}"
            );
        }
    }
}

#[test]
fn stats_grow_with_the_rows() {
    check(|store, engine| {
        let before = store.stats().unwrap().bytes;
        let mut batch = Batch::default();
        batch.put(Table::Customers, "a", super::Random::new(1).bytes(500_000));
        store.commit(batch, Durability::Power).unwrap();
        let grown = store.stats().unwrap().bytes - before;
        assert!((400_000..5_000_000).contains(&grown), "{engine}: {grown}");
    });
}

#[test]
fn a_store_has_one_owner() {
    for engine in ON_DISK {
        let place = Place::new(engine);
        let store = place.open();
        let error = open(engine, place.dir(), &options()).err().unwrap();
        let expected = format!(
            "another process uses the store in `{}`",
            place.dir().display()
        );
        assert_eq!(error.to_string(), expected);
        drop(store);
        place.open();
    }
}

#[test]
fn a_directory_belongs_to_the_engine_that_made_it() {
    for (maker, other) in [(Engine::Sled, Engine::Fjall), (Engine::Fjall, Engine::Sled)] {
        let place = Place::new(maker);
        drop(place.open());
        let error = open(other, place.dir(), &options())
            .err()
            .unwrap()
            .to_string();
        let expected = format!("was made by the engine `{maker}`, not by `{other}`");
        assert!(error.ends_with(&expected), "{error}");
        drop(place.open());
    }
}

#[test]
fn an_engine_has_one_name_everywhere() {
    for engine in Engine::ALL {
        assert_eq!(engine.to_string().parse::<Engine>().unwrap(), engine);
        assert_eq!(
            serde_json::to_string(&engine).unwrap(),
            format!("\"{engine}\"")
        );
    }
    assert_eq!(Engine::default(), Engine::Sled);
    let error = "rocks".parse::<Engine>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown store engine `rocks`, there are `sled`, `fjall` and `memory`"
    );
}

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<(Table, Vec<u8>, Option<Vec<u8>>)>, Durability),
    Get(Table, Vec<u8>),
    Scan(Table, Vec<u8>, Vec<u8>, usize),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let table = prop::sample::select(Table::ALL.to_vec());
    let key = prop::collection::vec(prop::sample::select(vec![0, 1, b'.', 0xff]), 0..4);
    let value = prop::option::of(prop::collection::vec(any::<u8>(), 0..40));
    let ops = prop::collection::vec((table.clone(), key.clone(), value), 0..12);
    let durability = prop::sample::select(vec![Durability::Buffered, Durability::Process]);
    prop_oneof![
        8 => (ops, durability).prop_map(|(ops, durability)| Step::Commit(ops, durability)),
        4 => (table.clone(), key.clone()).prop_map(|(table, key)| Step::Get(table, key)),
        4 => (table, key.clone(), key, 0..9_usize)
            .prop_map(|(table, from, to, limit)| Step::Scan(table, from, to, limit)),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_engine_behaves_like_a_sorted_map(steps in prop::collection::vec(step(), 1..40)) {
        for engine in Engine::ALL {
            like_a_map(engine, &steps);
        }
    }
}

fn like_a_map(engine: Engine, steps: &[Step]) {
    let place = Place::new(engine);
    let mut store = place.open();
    let mut model: BTreeMap<(Table, Vec<u8>), Vec<u8>> = BTreeMap::new();
    for step in steps {
        match step.clone() {
            Step::Commit(ops, durability) => {
                let mut batch = Batch::default();
                for (table, key, value) in ops {
                    apply(&mut batch, &mut model, table, key, value);
                }
                store.commit(batch, durability).unwrap();
            }
            Step::Get(table, key) => {
                let expected = model.get(&(table, key.clone())).cloned();
                assert_eq!(store.get(table, &key).unwrap(), expected, "{engine}");
            }
            Step::Scan(table, from, to, limit) => {
                let within = |key: &[u8]| key >= &from[..] && (to.is_empty() || key < &to[..]);
                let expected: Vec<_> = model
                    .iter()
                    .filter(|((of, key), _)| *of == table && within(key))
                    .map(|((_, key), value)| (key.clone(), value.clone()))
                    .take(limit)
                    .collect();
                assert_eq!(
                    store.scan(table, &from..&to, limit).unwrap(),
                    expected,
                    "{engine}"
                );
            }
            Step::Reopen => {
                drop(store);
                store = place.open();
            }
        }
    }
}

fn apply(
    batch: &mut Batch,
    model: &mut BTreeMap<(Table, Vec<u8>), Vec<u8>>,
    table: Table,
    key: Vec<u8>,
    value: Option<Vec<u8>>,
) {
    if let Some(value) = value {
        batch.put(table, key.clone(), value.clone());
        model.insert((table, key), value);
    } else {
        batch.delete(table, key.clone());
        model.remove(&(table, key));
    }
}

/// Runs one script on a fresh store of every engine.
fn check(script: impl Fn(&dyn Store, Engine)) {
    for engine in Engine::ALL {
        let place = Place::new(engine);
        script(&*place.open(), engine);
    }
}

fn put(store: &dyn Store, key: &str, value: &str) {
    let mut batch = Batch::default();
    batch.put(Table::Customers, key, value);
    store.commit(batch, Durability::Process).unwrap();
}

fn text(store: &dyn Store, key: &str) -> Option<String> {
    let value = store.get(Table::Customers, key.as_bytes()).unwrap();
    value.map(|value| String::from_utf8(value).unwrap())
}

#[test]
fn the_default_cache_fits_a_small_machine() {
    assert_eq!(Options::default().cache_bytes, 256 * 1024 * 1024);
    assert!(Options::default().verify && !Options::default().accept_loss);
}
