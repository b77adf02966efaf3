//! Names and short values that many customers have in common: a thread keeps one copy of each.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Visitor};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// The names that a thread keeps, one a slot; of two that want the same slot the later one has it.
const SLOTS: usize = 4_096;

/// A longer text is hardly one that many have.
const BYTES_MAX: usize = 24;

thread_local! {
    static NAMES: RefCell<Vec<Option<Arc<str>>>> = RefCell::new(vec![None; SLOTS]);
}

/// Returns a name, in the copy that the thread has of it, so that thousands of profiles hold one allocation.
pub fn shared(name: &str) -> Arc<str> {
    if name.len() > BYTES_MAX {
        return name.into();
    }
    let [low, high, ..] = xxh3_64(name.as_bytes()).to_le_bytes();
    let idx = usize::from(u16::from_le_bytes([low, high])) % SLOTS;
    NAMES.with_borrow_mut(|names| {
        let slot = &mut names[idx];
        match slot {
            Some(known) if **known == *name => known.clone(),
            _ => slot.insert(name.into()).clone(),
        }
    })
}

/// Returns a text, or its hash if it has more than `bytes_max` bytes: equal texts are still equal.
pub fn bounded(text: &str, bytes_max: usize) -> Arc<str> {
    if text.len() <= bytes_max {
        return text.into();
    }
    format!("xxh3:{:032x}", xxh3_128(text.as_bytes())).into()
}

/// Reads a name, for `deserialize_with`.
///
/// # Errors
///
/// What is read is not a text.
pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    Name::deserialize(deserializer).map(|name| name.0)
}

/// A name to be read where there is no field to be marked.
pub struct Name(pub Arc<str>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, name: &str) -> Result<Name, E> {
        Ok(Name(shared(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once_however_often_it_is_read() {
        let read = |json| serde_json::from_str::<Name>(json).unwrap().0;
        assert!(Arc::ptr_eq(&read(r#""cart""#), &shared("cart")));
        assert!(!Arc::ptr_eq(&shared("cart"), &shared("card")));
    }

    #[test]
    fn names_without_end_are_names_and_take_no_room() {
        for number in 0..100_000 {
            let name = number.to_string();
            assert_eq!(*shared(&name), *name);
        }
        let kept = NAMES.with_borrow(Vec::len);
        assert_eq!(kept, SLOTS);
        let long = "x".repeat(BYTES_MAX + 1);
        assert_eq!(Arc::strong_count(&shared(&long)), 1);
    }
}
