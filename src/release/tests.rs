//! The ledger: what it keeps, and for whom.

use std::collections::BTreeMap;

use super::eras::unbroken_since;
use super::ledger::{Error, Ledger, Origin, Revision};
use crate::domain::Timestamp;
use crate::policy::{Source, compile};

/// A set of two journeys, each with this many steps.
fn push(ledger: &mut Ledger, a: usize, b: usize) -> u64 {
    push_at(ledger, a, b, Timestamp::MIN)
}

fn push_at(ledger: &mut Ledger, a: usize, b: usize, at: Timestamp) -> u64 {
    let journey = |name: &str, n: usize| {
        let steps = vec!["wait: 1d"; n].join(", ");
        let text = format!("journey: {name}\nenter: {{ event: Product Viewed }}\nsteps: [{steps}]");
        Source::new(&format!("{name}.yaml"), &text)
    };
    let sources = [journey("a", a), journey("b", b)];
    let bundle = compile(&sources).unwrap();
    ledger.push(&sources, &bundle, Origin::Folder, at)
}

fn revisions(ledger: &Ledger) -> Vec<u64> {
    ledger.sets.iter().map(|set| set.revision).collect()
}

#[test]
fn a_set_goes_only_if_nobody_can_be_in_a_journey_that_only_it_has() {
    let mut ledger = Ledger::default();
    for (a, b) in [(1, 1), (2, 1), (2, 2), (2, 1), (3, 1)] {
        push(&mut ledger, a, b);
    }
    ledger.trim(2);
    // Only 1 has the first `a`, only 3 the second `b`; what 2 has, 4 has, too.
    assert_eq!(revisions(&ledger), [1, 3, 4, 5]);
    let first: BTreeMap<_, _> = ledger.set(1).unwrap().journeys.clone();
    ledger.left.insert(first["a"]);
    ledger.trim(2);
    assert_eq!(revisions(&ledger), [3, 4, 5]);
    // Nobody asks any more who has left what no set has: the record must not grow for ever.
    assert!(ledger.left.is_empty());

    // Whoever makes it live again lets people in.
    assert_eq!(push(&mut ledger, 1, 1), 6);
    assert_eq!(ledger.left.len(), 0);
}

#[test]
fn the_past_is_exact_only_after_the_last_set_that_was_let_go() {
    let mut ledger = Ledger::default();
    let at = Timestamp::from_millis;
    for (n, (a, b)) in (1..).zip([(1, 1), (2, 1), (2, 2), (2, 1), (3, 1)]) {
        push_at(&mut ledger, a, b, at(n * 10));
    }
    let since = |ledger: &Ledger, now| unbroken_since(&ledger.sets, at(now));
    assert_eq!(since(&ledger, 99), Timestamp::MIN);
    ledger.trim(2);
    assert_eq!(revisions(&ledger), [1, 3, 4, 5]);
    assert_eq!(since(&ledger, 99), at(30));
    assert_eq!(since(&ledger, 30), at(30));
    // The second one may have been live already.
    assert_eq!(since(&ledger, 29), Timestamp::MAX);
    assert_eq!(since(&ledger, 9), Timestamp::MIN);
}

#[test]
fn what_is_kept_beside_what_is_live_is_told_until_it_is_let_go() {
    let mut ledger = Ledger::default();
    for (a, b) in [(1, 1), (2, 1), (3, 1)] {
        push(&mut ledger, a, b);
    }
    let names = |ledger: &Ledger| {
        let old = ledger.old().into_iter().map(|(name, _)| name.to_string());
        old.collect::<Vec<_>>()
    };
    assert_eq!(names(&ledger), ["a", "a"]);
    let first = ledger.set(1).unwrap().journeys["a"];
    ledger.left.insert(first);
    assert_eq!(names(&ledger), ["a"]);
    let kept = ledger.kept().into_iter().flat_map(|set| set.journeys);
    assert!(!kept.collect::<Vec<_>>().contains(&first.0));
    // Its text stays for a rollback.
    assert!(ledger.sources(ledger.set(1).unwrap()).is_some());
}

#[test]
fn what_is_written_is_read_again_with_the_sources_of_every_set() {
    let mut ledger = Ledger::default();
    push(&mut ledger, 1, 1);
    push(&mut ledger, 2, 1);
    let record = ledger.encode().unwrap();
    let read = Ledger::decode(&record).unwrap();
    assert_eq!(read, ledger);
    let kept = read.kept();
    let texts: Vec<_> = kept.iter().map(|set| set.sources[0].text.len()).collect();
    assert_eq!(texts.len(), 2);
    assert!(texts[0] > texts[1], "the newest first: {texts:?}");
    let Revision(newest) = read.live().unwrap().journeys["a"];
    assert!(kept[0].journeys.contains(&newest));
}

#[test]
fn a_record_that_is_damaged_is_refused() {
    let record = Ledger::default().encode().unwrap();
    let cut = Ledger::decode(&record[..record.len() - 9]);
    assert!(matches!(cut, Err(Error::Damaged(_))), "{cut:?}");
}
