//! What a partition has of budgets: in its commits, kept by its checkpoints.

use std::collections::BTreeSet;

use super::{Error, State};
use crate::actors::image::{self, quota_key};
use crate::domain::Partition;
use crate::domain::budget::{Holder, Key, Market, Quota};
use crate::store::{Batch, Table};

/// Whose quotas, and which of them the store does not have as they are.
#[derive(Debug)]
pub struct Quotas {
    /// Who they belong to.
    pub holder: Holder,
    /// Rows that have changed since the last checkpoint.
    pub touched: BTreeSet<Key>,
}

impl Quotas {
    /// Writes what has changed, as the log has it; what is forgotten goes.
    ///
    /// # Errors
    ///
    /// A row cannot be encoded.
    pub fn write(
        &mut self,
        id: Partition,
        market: &Market,
        batch: &mut Batch,
    ) -> Result<(), image::Error> {
        for key in std::mem::take(&mut self.touched) {
            let at = quota_key(id, &key);
            match market.kept(self.holder, &key) {
                Some(quota) => batch.put(Table::Meta, at, image::seal_value(&(key, quota))?),
                None => batch.delete(Table::Meta, at),
            }
        }
        Ok(())
    }
}

impl State {
    /// Tells if others want something back that this partition has leased.
    pub(super) fn owes(&self) -> bool {
        self.engine.exchange.open().owes(self.quotas.holder)
    }

    /// Ends a batch that has given these; returns what its commit says of quotas.
    pub(super) fn settle_quotas(&self, spent: &[Key]) -> Vec<(Key, Quota)> {
        let mut market = self.engine.exchange.open();
        market.settle(self.quotas.holder, spent)
    }

    /// Notes the quotas of a commit that stands.
    pub(super) fn keep_quotas(&mut self, moved: &[(Key, Quota)]) {
        let holder = self.quotas.holder;
        let gone = self.engine.exchange.open().stands(holder, moved);
        let moved = moved.iter().map(|(key, _)| key.clone());
        self.quotas.touched.extend(moved.chain(gone));
    }

    /// Writes the quotas up to the last commit.
    pub(super) fn write_quotas(&mut self, batch: &mut Batch) -> Result<(), Error> {
        let market = self.engine.exchange.open();
        let written = self.quotas.write(self.id, &market, batch);
        written.map_err(|error| Error::Encoding(error.to_string()))
    }
}
