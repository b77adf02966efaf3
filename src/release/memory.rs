//! What this server last took in from its folder, kept in its own store.

use std::sync::Arc;

use super::Releases;
use crate::store::{Batch, Durability, Table, envelope};

/// The version of the row that this build writes.
const VERSION: u16 = 1;

/// The key of the row.
const KEY: &[u8] = b"folder";

impl Releases {
    /// Returns the bundle that was last taken in from the folder, by this process or one before on the same store.
    pub(super) fn remembered(&self) -> Option<Arc<str>> {
        let row = self.engine.store.get(Table::Meta, KEY).ok().flatten()?;
        let (_, body) = envelope::open(&row, VERSION).ok()?;
        Some(std::str::from_utf8(body).ok()?.into())
    }

    /// Notes that a bundle was taken in from the folder.
    pub(super) fn remember(&self, id: &str) {
        if self.remembered().as_deref() == Some(id) {
            return;
        }
        let mut batch = Batch::default();
        batch.put(Table::Meta, KEY, envelope::seal(VERSION, id.as_bytes()));
        // Without it the next start goes by the ledger alone.
        if let Err(error) = self.engine.store.commit(batch, Durability::Process) {
            tracing::warn!(%error, "the store does not take what was in the folder");
        }
    }
}
