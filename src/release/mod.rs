//! Releases: how policies become live, and what was live before.
//!
//! ```text
//! folder (watched) ─┐
//! POST /v1/policies ├─► check ─► load models ─► ledger (compare-and-swap) ─► live
//! rollback ─────────┘
//! ```
//!
//! A set is in the ledger before it is live, so nobody is ever in a journey whose text is not kept. Every server follows
//! the ledger; a folder is taken in when it changes, and one that has not changed never replaces what came later.

mod eras;
mod error;
pub mod folder;
mod follow;
pub mod ledger;
mod memory;
pub mod models;
mod sweep;
mod tend;
#[cfg(test)]
mod tests;
mod watch;

use std::sync::{Arc, Mutex, PoisonError};

use xxhash_rust::xxh3::xxh3_128;

pub use error::Error;
pub use folder::Folder;
pub use ledger::{Ledger, Origin, Set};
pub use tend::tend;
pub use watch::watch;

use crate::actors::Engine;
use crate::actors::live::Policies;
use crate::clock;
use crate::domain::Timestamp;
use crate::policy::{self, Bundle, Source};
use crate::scoring::Scorer;
use crate::stream::{CommitId, POLICIES};

/// So many sets are kept, and those before them in whose journeys somebody may be.
const SETS_MAX: usize = 100;

/// The policies of a node, and the way to change them.
pub struct Releases {
    engine: Arc<Engine>,
    folder: Folder,
    /// One change at a time.
    book: tokio::sync::Mutex<Book>,
    state: Mutex<State>,
    /// Asks for a look at the folder.
    nudge: tokio::sync::Notify,
}

/// The ledger as it was last read or written.
#[derive(Default)]
struct Book {
    /// The sequence of its record; 0 before the first.
    seq: u64,
    ledger: Ledger,
    /// What the loaded models were loaded from.
    models: u64,
}

/// How the policies stand, for operators.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// When the live set became live in this process.
    pub since: Option<Timestamp>,
    /// What is in the folder and cannot be live.
    pub rejected: Option<Rejection>,
}

/// Policies that were refused.
#[derive(Clone, Debug)]
pub struct Rejection {
    /// When.
    pub at: Timestamp,
    /// Why, in one line.
    pub summary: String,
    /// Why, underlined.
    pub detail: String,
    /// They are right, and older than what is live.
    pub outdated: bool,
}

/// Loaded models and what they were loaded from.
struct Models {
    signature: u64,
    scorer: Arc<dyn Scorer>,
}

/// Checked policies that may become live.
struct Candidate {
    sources: Vec<Source>,
    bundle: Arc<Bundle>,
}

impl Releases {
    /// Prepares to change the policies of an engine.
    pub fn new(engine: Arc<Engine>, folder: Folder) -> Self {
        let live = engine.live.get();
        let book = Book {
            models: models::signature(&models::named(&live.bundle)),
            ..Book::default()
        };
        Self {
            engine,
            folder,
            book: tokio::sync::Mutex::new(book),
            state: Mutex::default(),
            nudge: tokio::sync::Notify::new(),
        }
    }

    /// Reads the ledger and makes live what is to be: the ledger's newest set while the folder is what it was when it was
    /// last taken in, else the folder.
    ///
    /// # Errors
    ///
    /// The ledger or the folder cannot be read, or the policies are not right.
    pub async fn open(&self) -> Result<(), Error> {
        let mut book = self.book.lock().await;
        match self.read_folder(&mut book).await {
            Err(error @ Error::Outdated { .. }) => {
                self.reject(&error);
                Ok(())
            }
            opened => opened,
        }
    }

    /// Asks for a look at the folder, whatever the file system says.
    pub fn nudge(&self) {
        self.nudge.notify_one();
    }

    /// Returns how the policies stand.
    pub fn state(&self) -> State {
        self.lock().clone()
    }

    /// Returns the live set.
    pub fn live(&self) -> Arc<Policies> {
        self.engine.live.get()
    }

    /// Returns every set that is kept.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    pub async fn ledger(&self) -> Result<Ledger, Error> {
        let mut book = self.book.lock().await;
        self.read(&mut book).await?;
        Ok(book.ledger.clone())
    }

    /// Looks at the folder: takes it in if it has changed. What is wrong with it is noted, and the last good set stays.
    ///
    /// Returns false if it is to be tried again.
    pub async fn look(&self) -> bool {
        let mut book = self.book.lock().await;
        match self.read_folder(&mut book).await {
            Ok(()) => self.lock().rejected = None,
            Err(error) if error.passes() => {
                tracing::warn!(%error, "the policies cannot be taken in yet");
                return false;
            }
            Err(error) => self.reject(&error),
        }
        true
    }

    /// Makes policies live that a caller brings.
    ///
    /// - `expected`: the revision that they were made against.
    /// - Returns the live revision.
    ///
    /// # Errors
    ///
    /// Another revision is live, or the policies are not right; nothing has changed.
    pub async fn apply(&self, mut sources: Vec<Source>, expected: u64) -> Result<u64, Error> {
        let mut book = self.book.lock().await;
        self.read(&mut book).await?;
        expect(&book, expected)?;
        let has_manifest = sources
            .iter()
            .any(|source| source.name.ends_with("model.yaml"));
        if !has_manifest {
            sources.extend(
                self.folder
                    .manifests()
                    .map_err(|error| Error::folder(&error))?,
            );
        }
        let candidate = check(sources, &book.ledger).await?;
        self.release(&mut book, candidate, Origin::Apply).await
    }

    /// Makes the set of an earlier revision live again, as a revision of its own.
    ///
    /// - `expected`: the revision that is live; without it any may be.
    /// - Returns the live revision.
    ///
    /// # Errors
    ///
    /// There is no such revision, another one is live than was expected, or its models are gone; nothing has changed.
    pub async fn roll_back(&self, to: u64, expected: Option<u64>) -> Result<u64, Error> {
        let mut book = self.book.lock().await;
        self.read(&mut book).await?;
        if let Some(expected) = expected {
            expect(&book, expected)?;
        }
        let set = book.ledger.set(to).ok_or(Error::Unknown(to))?;
        let sources = book.ledger.sources(set).ok_or(Error::Unknown(to))?;
        let candidate = check(sources, &book.ledger).await?;
        self.release(&mut book, candidate, Origin::Rollback(to))
            .await
    }

    /// Writes a set into the ledger, then makes it live.
    async fn release(
        &self,
        book: &mut Book,
        candidate: Candidate,
        origin: Origin,
    ) -> Result<u64, Error> {
        let Candidate { sources, bundle } = candidate;
        let mut ledger = book.ledger.clone();
        if origin == Origin::Folder {
            ledger.folder = Some(bundle.id.clone());
        }
        let is_live = ledger.live().is_some_and(|set| set.bundle == bundle.id);
        if !is_live {
            ledger.push(&sources, &bundle, origin, clock::now());
        }
        let models = self.models(book.models, &bundle).await?;
        self.write(book, ledger).await?;
        let revision = book.ledger.live().map_or(0, |set| set.revision);
        if revision != self.live().revision {
            self.engine.crash.pass("before_swap");
            self.swap(book, revision, bundle, models);
            self.engine.crash.pass("after_swap");
        }
        Ok(revision)
    }

    /// Replaces the ledger, if nobody else has.
    async fn write(&self, book: &mut Book, mut ledger: Ledger) -> Result<(), Error> {
        ledger.trim(SETS_MAX);
        let record = ledger.encode()?;
        let bytes_max = self.engine.payload_max.saturating_sub(1_024);
        if record.len() > bytes_max {
            let n_bytes = record.len();
            return Err(Error::TooLarge { n_bytes, bytes_max });
        }
        let commit = CommitId(xxh3_128(&record) ^ u128::from(book.seq));
        let streams = &self.engine.streams;
        let appended = streams.append(POLICIES, book.seq, commit, record).await;
        book.seq = appended.map_err(Error::of_append)?;
        book.ledger = ledger;
        // A failure leaves an older record before the one that counts.
        if let Err(error) = streams.trim(POLICIES, book.seq).await {
            tracing::debug!(%error, "the old ledger of the policies stays for a while");
        }
        Ok(())
    }

    /// Loads the models, unless they are loaded.
    async fn models(&self, loaded: u64, bundle: &Arc<Bundle>) -> Result<Models, Error> {
        let live = self.live();
        let (bundle, library) = (bundle.clone(), self.folder.onnxruntime.clone());
        let loading = tokio::task::spawn_blocking(move || {
            let (named, kept) = (models::named(&bundle), models::kept(&bundle));
            let all = [named.clone(), kept].concat();
            let signature = models::signature(&all);
            if signature == loaded {
                let scorer = live.scorer.clone();
                return Ok(Models { signature, scorer });
            }
            for model in models::gone(&bundle) {
                let model = &model.name;
                tracing::warn!(%model, "its files are gone and somebody may still need it: its scores are unknown");
            }
            let scorer = models::scorer(all, library.as_deref()).or_else(|error| {
                // Those of earlier journeys must not keep good policies out: their scores are unknown then.
                tracing::warn!(
                    "a model cannot be loaded, perhaps one of earlier policies: {error:#}"
                );
                models::scorer(named, library.as_deref())
            })?;
            Ok(Models { signature, scorer })
        });
        loading
            .await
            .map_err(|error| Error::died(&error))?
            .map_err(|error| Error::models(&error))
    }

    fn swap(&self, book: &mut Book, revision: u64, bundle: Arc<Bundle>, models: Models) {
        tracing::info!(revision, bundle = %bundle.id, "policies are live");
        book.models = models.signature;
        let policies = Policies::new(revision, bundle, models.scorer);
        self.engine.live.set(policies);
        self.engine.meters.policies_reloads.add(1);
        self.lock().since = Some(clock::now());
    }

    fn reject(&self, error: &Error) {
        let detail = error.detail();
        let live = self.live().revision;
        tracing::error!(
            live,
            "policies are rejected, the last good ones stay\n{detail}"
        );
        self.engine.meters.policies_rejected.add(1);
        self.lock().rejected = Some(Rejection {
            at: clock::now(),
            summary: error.to_string(),
            detail,
            outdated: matches!(error, Error::Outdated { .. }),
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn expect(book: &Book, expected: u64) -> Result<(), Error> {
    let live = book.ledger.live().map_or(0, |set| set.revision);
    if live == expected {
        return Ok(());
    }
    Err(Error::Moved { live, expected })
}

/// Checks policies; it may take a second, so it does not stand in the way of others.
///
/// - `ledger`: what was live before, for those who are still in it.
async fn check(sources: Vec<Source>, ledger: &Ledger) -> Result<Candidate, Error> {
    let kept = ledger.kept();
    let checking = tokio::task::spawn_blocking(move || {
        let policy::Checked {
            bundle, problems, ..
        } = policy::check_with(&sources, &kept);
        let bundle = bundle
            .map(Arc::new)
            .ok_or(Error::Wrong(problems.errors()))?;
        Ok(Candidate { sources, bundle })
    });
    checking.await.map_err(|error| Error::died(&error))?
}
