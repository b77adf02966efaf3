//! What rows share, and nothing that is said of few.
//!
//! A dictionary is kept when the rows that it was trained on are gone, so it must not say anything of one customer.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::domain::Dice;

/// So many bytes are compared at a time.
const GRAM: usize = 8;

/// What fewer rows have is not shared.
const ROWS_MIN: u32 = 8;

/// Returns rows as long as these, with what at least eight of them have, eight bytes at a time; every other byte is
/// some other byte, so that rows are as hard to pack as before.
pub fn shared(rows: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let masks = masks(rows);
    let own = || {
        rows.iter()
            .zip(&masks)
            .flat_map(|(row, mask)| own(row, mask))
    };
    let mut bytes: Vec<u8> = own().collect();
    bytes.sort_unstable();
    let mut dice = Dice::new(0);
    let mut any = || {
        let idx = usize::try_from(dice.bits() >> 33).unwrap_or(0) % bytes.len().max(1);
        bytes.get(idx).copied().unwrap_or(0)
    };
    let mut mix = |(row, mask): (&Vec<u8>, &Vec<bool>)| {
        let each = row.iter().zip(mask);
        each.map(|(byte, is_shared)| if *is_shared { *byte } else { any() })
            .collect()
    };
    rows.iter().zip(&masks).map(&mut mix).collect()
}

/// Returns the bytes that few rows have.
fn own<'a>(row: &'a [u8], mask: &'a [bool]) -> impl Iterator<Item = u8> + 'a {
    let own = |(byte, is_shared): (&u8, &bool)| (!is_shared).then_some(*byte);
    row.iter().zip(mask).filter_map(own)
}

/// Tells of every byte whether it is part of something that enough rows have.
fn masks(rows: &[Vec<u8>]) -> Vec<Vec<bool>> {
    let counts = counts(rows);
    let is_shared = |gram| counts.get(&gram).is_some_and(|count| count.n >= ROWS_MIN);
    let mask = |row: &Vec<u8>| {
        let mut mask = vec![false; row.len()];
        for (at, gram) in grams(row).enumerate() {
            if is_shared(gram) {
                mask[at..at + GRAM].fill(true);
            }
        }
        mask
    };
    rows.iter().map(mask).collect()
}

/// How many rows have something, and the last of them.
struct Count {
    n: u32,
    last: usize,
}

fn grams(row: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let grams = row.windows(GRAM).filter_map(|gram| gram.try_into().ok());
    grams.map(u64::from_le_bytes)
}

fn counts(rows: &[Vec<u8>]) -> HashMap<u64, Count, RandomState> {
    let mut counts = HashMap::default();
    for (idx, row) in rows.iter().enumerate() {
        for gram in grams(row) {
            let count = counts.entry(gram).or_insert(Count { n: 0, last: idx });
            if count.n == 0 || count.last != idx {
                *count = Count {
                    n: count.n + 1,
                    last: idx,
                };
            }
        }
    }
    counts
}
