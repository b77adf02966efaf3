//! How a server follows the ledger, and when its folder counts.

use super::{Book, Error, Origin, Releases, check};
use crate::release::Ledger;
use crate::stream::POLICIES;

impl Releases {
    /// Takes in what is in the folder if it has changed; else follows the ledger.
    ///
    /// A folder has changed if it holds what no set ever was, or something else than when this server last took it in.
    /// Else what is in the ledger came later, from somebody else: it stays.
    pub(super) async fn read_folder(&self, book: &mut Book) -> Result<(), Error> {
        let folder = self.folder.clone();
        let sources = tokio::task::spawn_blocking(move || folder.read()).await;
        let sources = sources
            .map_err(|error| Error::died(&error))?
            .map_err(|error| Error::folder(&error))?;
        self.read(book).await?;
        let candidate = check(sources, &book.ledger).await?;
        let id = candidate.bundle.id.clone();
        if book.ledger.folder.as_ref() == Some(&id) {
            self.remember(&id);
            return self.follow(book).await;
        }
        if let Some(outdated) = self.outdated(&book.ledger, &id) {
            self.follow(book).await?;
            return Err(outdated);
        }
        self.release(book, candidate, Origin::Folder).await?;
        self.remember(&id);
        Ok(())
    }

    /// Tells if a folder that is not the last one that was taken in is an earlier one, and why it does not count.
    fn outdated(&self, ledger: &Ledger, id: &str) -> Option<Error> {
        let live = ledger.live()?;
        ledger.folder.as_ref()?;
        let mut sets = ledger.sets.iter().rev();
        let was = sets.find(|set| *set.bundle == *id).map(|set| set.revision);
        let unchanged = match self.remembered() {
            Some(last) => *last == *id,
            None => was.is_some(),
        };
        let live = live.revision;
        (unchanged && was != Some(live)).then_some(Error::Outdated { was, live })
    }

    /// Makes live what another server made live.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read, or a model cannot be loaded here.
    pub async fn keep_up(&self) -> Result<(), Error> {
        let mut book = self.book.lock().await;
        let before = book.seq;
        self.read(&mut book).await?;
        let last = book.ledger.live().map(|set| set.revision);
        if book.seq == before && last.is_none_or(|last| last == self.live().revision) {
            return Ok(());
        }
        self.follow(&mut book).await?;
        let mut state = self.lock();
        let is_outdated = state.rejected.as_ref().is_some_and(|of| of.outdated);
        if is_outdated && book.ledger.folder.as_deref() == self.remembered().as_deref() {
            state.rejected = None;
        }
        Ok(())
    }

    /// Reads the ledger.
    pub(super) async fn read(&self, book: &mut Book) -> Result<(), Error> {
        let Some(last) = self.engine.streams.log_last(POLICIES).await? else {
            return Ok(());
        };
        if last.seq != book.seq {
            book.ledger = Ledger::decode(&last.record)?;
            book.seq = last.seq;
        }
        Ok(())
    }

    /// Makes the ledger's newest set live, if another one is.
    async fn follow(&self, book: &mut Book) -> Result<(), Error> {
        let Some(set) = book.ledger.live() else {
            return Ok(());
        };
        let (revision, live) = (set.revision, self.live());
        let bundle = if revision == live.revision {
            live.bundle.clone()
        } else {
            let sources = book.ledger.sources(set).ok_or(Error::Unknown(revision))?;
            check(sources, &book.ledger).await?.bundle
        };
        let models = self.models(book.models, &bundle).await?;
        if revision != live.revision || models.signature != book.models {
            self.swap(book, revision, bundle, models);
        }
        Ok(())
    }
}
