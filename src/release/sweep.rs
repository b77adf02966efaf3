//! Lets go of the revisions of journeys that nobody is in any more.

use std::collections::BTreeSet;

use super::{Book, Error, Releases, check};
use crate::actors::Node;
use crate::actors::live::Policies;

impl Releases {
    /// Drops from what is kept the revisions of journeys that nobody is in; returns how many.
    ///
    /// Nobody comes into a revision once every batch that began by policies that had it live is committed: only counts
    /// that say so count. The live set and the last sets stay, and their texts with them, so that a rollback finds them.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read or written; nothing was dropped.
    pub async fn sweep(&self, node: &Node) -> Result<usize, Error> {
        // INVARIANT: while the book is held nothing else becomes live in this process.
        let mut book = self.book.lock().await;
        if book.ledger.old().is_empty() {
            return Ok(0);
        }
        self.read(&mut book).await?;
        let live = self.live().revision;
        if book.ledger.live().is_none_or(|set| set.revision != live) {
            return Ok(0);
        }
        let headcount = match node.headcount().await {
            Ok(headcount) if headcount.revision >= live => headcount,
            Ok(_) | Err(_) => return Ok(0),
        };
        let old = book.ledger.old().into_iter();
        let empty = old.filter(|(name, of)| headcount.people.n_in(name, of.0) == 0);
        let empty: BTreeSet<_> = empty.map(|(_, of)| of).collect();
        if empty.is_empty() {
            return Ok(0);
        }
        let n = empty.len();
        let mut ledger = book.ledger.clone();
        ledger.left.extend(empty);
        self.write(&mut book, ledger).await?;
        tracing::info!(n, "revisions of journeys that nobody is in are let go");
        self.lighten(&mut book).await?;
        Ok(n)
    }

    /// Compiles the live set again without what was let go.
    async fn lighten(&self, book: &mut Book) -> Result<(), Error> {
        let Some(set) = book.ledger.live() else {
            return Ok(());
        };
        let revision = set.revision;
        let sources = book.ledger.sources(set).ok_or(Error::Unknown(revision))?;
        let bundle = check(sources, &book.ledger).await?.bundle;
        let models = self.models(book.models, &bundle).await?;
        book.models = models.signature;
        let policies = Policies::new(revision, bundle, models.scorer);
        self.engine.live.set(policies);
        Ok(())
    }
}
