//! The crash switch of the store in memory.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::rows;
use crate::store::{Batch, Durability, Memory, Store, Table};

proptest! {
    #[test]
    fn a_crash_takes_what_came_after_the_last_kept_commit(
        commits in prop::collection::vec((prop::collection::vec((0..6_u8, any::<Option<u8>>()), 0..4), any::<bool>()), 0..12)
    ) {
        let memory = Memory::default();
        let (mut live, mut kept) = (BTreeMap::new(), BTreeMap::new());
        for (ops, keep) in commits {
            let mut batch = Batch::default();
            for (key, value) in ops {
                if let Some(value) = value {
                    batch.put(Table::Meta, [key], [value]);
                    live.insert(vec![key], vec![value]);
                } else {
                    batch.delete(Table::Meta, [key]);
                    live.remove([key].as_slice());
                }
            }
            let durability = if keep { Durability::Process } else { Durability::Buffered };
            memory.commit(batch, durability).unwrap();
            if keep { kept = live.clone(); }
        }
        prop_assert_eq!(rows(&memory, Table::Meta).unwrap(), live.into_iter().collect::<Vec<_>>());
        memory.clone().crash();
        prop_assert_eq!(rows(&memory, Table::Meta).unwrap(), kept.into_iter().collect::<Vec<_>>());
    }
}
