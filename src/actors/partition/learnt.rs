//! What a partition has learnt of offers: folded from its commits, kept by its checkpoints.

use std::collections::BTreeSet;

use super::{Error, State};
use crate::actors::image::{self, learnt_key, learnt_seq_key, shares_key};
use crate::domain::Partition;
use crate::domain::learning::{Key, Tallies, Update};
use crate::store::{Batch, Table};

/// Tallies, and what of them the store does not have.
#[derive(Debug, Default)]
pub struct Learnt {
    /// Everything that was learnt.
    pub tallies: Tallies,
    /// Rows that have changed since the last checkpoint.
    pub touched: BTreeSet<Key>,
    /// Whether anything has changed since then.
    pub dirty: bool,
}

impl Learnt {
    /// Folds the updates of one commit, in its order.
    pub fn learn(&mut self, updates: &[Update]) -> BTreeSet<Key> {
        let mut touched = BTreeSet::new();
        for update in updates {
            self.tallies.apply_to(update, &mut touched);
        }
        self.dirty |= !updates.is_empty();
        self.touched.extend(touched.iter().cloned());
        touched
    }

    /// Writes what has changed, as of a commit: all of it is in one batch, so that it is counted once.
    ///
    /// # Errors
    ///
    /// A row cannot be encoded.
    pub fn write(
        &mut self,
        id: Partition,
        log_seq: u64,
        batch: &mut Batch,
    ) -> Result<(), image::Error> {
        if !self.dirty {
            return Ok(());
        }
        self.dirty = false;
        for key in std::mem::take(&mut self.touched) {
            let at = learnt_key(id, &key);
            match self.tallies.offers(key.0, &key.1) {
                Some(offers) => batch.put(Table::Meta, at, image::seal_value(offers)?),
                None => batch.delete(Table::Meta, at),
            }
        }
        let shares = image::seal_value(self.tallies.all_shares())?;
        batch.put(Table::Meta, shares_key(id), shares);
        batch.put(
            Table::Meta,
            learnt_seq_key(id),
            image::seal_value(&log_seq)?,
        );
        Ok(())
    }
}

impl State {
    /// Learns what a commit that stands teaches, and shows it to all decisions of the node.
    pub(super) fn learn(&mut self, updates: &[Update]) {
        if updates.is_empty() {
            return;
        }
        let touched = self.learnt.learn(updates);
        let n_lessons = updates.iter();
        let n_lessons = n_lessons.filter(|of| matches!(of, Update::Learnt(_)));
        self.engine.meters.lessons.add(n_lessons.count() as u64);
        self.engine
            .board
            .put(self.id, &self.learnt.tallies, &touched);
    }

    /// Writes what was learnt up to the last commit.
    pub(super) fn write_learnt(&mut self, batch: &mut Batch) -> Result<(), Error> {
        let written = self.learnt.write(self.id, self.log_end, batch);
        written.map_err(|error| Error::Encoding(error.to_string()))
    }
}
