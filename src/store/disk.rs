//! What both engines need around them: one owner, kept promises, and an end to panics and hangs.

use std::any::Any;
use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use super::mark::Mark;
use super::tally::Tally;
use super::worker::Worker;
use super::{Batch, Durability, Engine, Error, Options, Row, Stats, Store, Table, is_empty};

/// How long one commit may take; both engines can wait for a background thread that has died.
const COMMIT_MAX: Duration = Duration::from_mins(1);

/// What an engine does; ranges are never empty and keys never too long.
pub(super) trait Rows: Send + Sync + Sized + 'static {
    /// Which one it is.
    const ENGINE: Engine;

    /// Opens the files in `dir`, or makes them.
    fn open(dir: &Path, options: &Options) -> Result<Self, Error>;

    /// Returns the value of one key.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// Returns rows in ascending order; an empty end means the end of the table.
    fn scan(&self, table: Table, range: Range<&[u8]>, limit: usize) -> Result<Vec<Row>, Error>;

    /// Returns the tally of the last commit.
    fn tally(&self) -> Result<Option<Vec<u8>>, Error>;

    /// Applies the batch and the tally after it, or nothing, then persists.
    fn write(&self, batch: Batch, tally: &[u8], durability: Durability) -> Result<(), Error>;

    /// Keeps every commit so far.
    fn persist(&self, durability: Durability) -> Result<(), Error>;
}

/// A store on disk.
pub(super) struct Disk<R: Rows> {
    dir: PathBuf,
    /// `None` only while it is dropped.
    held: Option<Arc<Held<R>>>,
    /// Whether a commit keeps what all rows add up to.
    adds_up: bool,
    /// Writes, so that a panic or a hang of the engine stays there.
    worker: Worker,
    commits: Mutex<Commits>,
    /// Why it has stopped, once it has.
    stopped: OnceLock<String>,
}

/// The engine and the lock on its directory, let go in this order.
struct Held<R> {
    rows: R,
    _lock: Lock,
}

struct Commits {
    tally: Tally,
    mark: Mark,
}

impl<R: Rows> Disk<R> {
    /// Opens the store in `dir`, or makes one.
    ///
    /// # Errors
    ///
    /// See [`super::open`].
    pub fn open(dir: &Path, options: &Options) -> Result<Self, Error> {
        fs::create_dir_all(dir)?;
        let lock = lock(dir)?;
        claim(dir, R::ENGINE)?;
        let rows_dir = dir.join("rows");
        let mut mark = Mark::open(&dir.join("HIGH_WATER"), rows_dir.exists())?;
        if !rows_dir.exists() {
            caught::<R, _>(|| make::<R>(dir, &rows_dir, options))?;
        }
        let rows = caught::<R, _>(|| R::open(&rows_dir, options))?;
        let tally = caught::<R, _>(|| examine(&rows, dir, &mark, options))?;
        if tally.counter < mark.promised() {
            mark.accept(tally.counter)?;
        }
        Ok(Self {
            dir: dir.into(),
            held: Some(Arc::new(Held { rows, _lock: lock })),
            adds_up: options.verify,
            worker: Worker::start("store")?,
            commits: Mutex::new(Commits { tally, mark }),
            stopped: OnceLock::new(),
        })
    }

    fn held(&self) -> Result<&Arc<Held<R>>, Error> {
        if let Some(why) = self.stopped.get() {
            return Err(Error::Stopped(why.clone()));
        }
        self.held
            .as_ref()
            .ok_or_else(|| Error::Stopped("it is closed".into()))
    }

    fn commits(&self) -> MutexGuard<'_, Commits> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the store for good; the first reason stays.
    fn stop(&self, error: &Error) {
        let _stopped_before = self.stopped.set(error.to_string());
    }

    /// Writes on the thread for it.
    fn limited<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let answer = self.worker.run(COMMIT_MAX, || caught::<R, _>(work));
        answer.unwrap_or_else(|why| Err(failed::<R>(why)))
    }

    /// Reads, and stops the store if the engine panics: its locks may be held for ever.
    fn read<T>(&self, read: impl FnOnce(&R) -> Result<T, Error>) -> Result<T, Error> {
        let held = self.held()?;
        catch_unwind(AssertUnwindSafe(|| read(&held.rows))).unwrap_or_else(|panic| {
            let error = panicked::<R>(&*panic);
            self.stop(&error);
            Err(error)
        })
    }
}

impl<R: Rows> Store for Disk<R> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.read(|rows| rows.get(table, key))
    }

    fn scan(&self, table: Table, range: Range<&[u8]>, limit: usize) -> Result<Vec<Row>, Error> {
        self.read(|rows| {
            if is_empty(&range) {
                Ok(Vec::new())
            } else {
                rows.scan(table, range, limit)
            }
        })
    }

    fn commit(&self, batch: Batch, durability: Durability) -> Result<(), Error> {
        batch.check()?;
        let mut commits = self.commits();
        let held = Arc::clone(self.held()?);
        let mut before = commits.tally;
        if !self.adds_up {
            // To read what a batch replaces would cost a tenth of writing it.
            before.sum = None;
        }
        let written = self.limited(move || {
            let tally = before.after(&batch, &held.rows)?;
            held.rows.write(batch, &tally.encode(), durability)?;
            Ok(tally)
        });
        let promised = written.and_then(|tally| {
            commits.tally = tally;
            commits.mark.promise(tally.counter, durability)
        });
        promised.inspect_err(|error| self.stop(error))
    }

    fn stats(&self) -> Result<Stats, Error> {
        self.held()?;
        Ok(Stats {
            bytes: bytes_in(&self.dir)?,
        })
    }
}

impl<R: Rows> Drop for Disk<R> {
    /// Keeps what was buffered; an engine that has failed may never end, so nobody waits for it.
    fn drop(&mut self) {
        let Some(held) = self.held.take() else { return };
        if self.stopped.get().is_some() {
            thread::spawn(move || drop(held));
            return;
        }
        let mut commits = self.commits();
        let counter = commits.tally.counter;
        let closing = self.limited(move || {
            let outcome = held.rows.persist(Durability::Process);
            drop(held);
            outcome
        });
        let promised = closing.and_then(|()| commits.mark.promise(counter, Durability::Process));
        if let Err(error) = promised {
            tracing::error!(%error, "the store did not close cleanly");
        }
    }
}

/// Makes the engine's files aside: fjall cannot open what it was killed over while making it.
fn make<R: Rows>(dir: &Path, rows_dir: &Path, options: &Options) -> Result<(), Error> {
    let draft = dir.join("rows.new");
    if draft.exists() {
        fs::remove_dir_all(&draft)?;
    }
    drop(R::open(&draft, options)?);
    sync_all(&draft)?;
    fs::rename(&draft, rows_dir)?;
    Ok(File::open(dir)?.sync_all()?)
}

/// Syncs a directory and all that is in it.
fn sync_all(dir: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            sync_all(&path)?;
        } else {
            File::open(&path)?.sync_all()?;
        }
    }
    Ok(File::open(dir)?.sync_all()?)
}

/// Returns the tally of a store whose rows are those that were promised, or may be less.
fn examine<R: Rows>(rows: &R, dir: &Path, mark: &Mark, options: &Options) -> Result<Tally, Error> {
    let mut tally = Tally::decode(rows.tally()?)?;
    let (stored, promised) = (tally.counter, mark.promised());
    if stored < promised && !options.accept_loss {
        return Err(Error::LostTail {
            dir: dir.into(),
            stored,
            promised,
        });
    }
    if !options.verify {
        return Ok(tally);
    }
    let sum = Some(Tally::sum_of(rows)?);
    let is_damaged = tally.sum.is_some() && sum != tally.sum;
    if is_damaged && !options.accept_loss {
        return Err(Error::Damaged {
            what: "rows are missing or older than they should be".into(),
        });
    }
    if tally.sum.is_none() {
        tracing::warn!(
            "the store was written to without `verify`: its rows are taken as they are, and verified from now on"
        );
    }
    if sum != tally.sum {
        tally.sum = sum;
        rows.write(Batch::default(), &tally.encode(), Durability::Process)?;
    }
    Ok(tally)
}

/// A directory that this process has taken.
pub(super) struct Lock(pub(super) File);

impl Drop for Lock {
    /// Closing the file is not enough: a child that is being started holds a copy of it until it runs.
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "cannot let go of the store's lock");
        }
    }
}

/// Takes the directory for this process.
pub(super) fn lock(dir: &Path) -> Result<Lock, Error> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join("LOCK"))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(Error::Locked { dir: dir.into() }),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Writes whose directory this is, or checks it.
fn claim(dir: &Path, engine: Engine) -> Result<(), Error> {
    let path = dir.join("ENGINE");
    match fs::read_to_string(&path) {
        Ok(text) if text.trim() == engine.name() => Ok(()),
        Ok(text) => Err(Error::Foreign {
            dir: dir.into(),
            found: text.trim().into(),
            wanted: engine,
        }),
        Err(error) if error.kind() == ErrorKind::NotFound && !dir.join("rows").exists() => {
            let draft = dir.join("ENGINE.new");
            let mut file = File::create(&draft)?;
            writeln!(file, "{engine}")?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            Ok(File::open(dir)?.sync_all()?)
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => {
            Err(Error::Damaged {
                what: "its file `ENGINE` is missing or no text".into(),
            })
        }
        Err(error) => Err(error.into()),
    }
}

fn caught<R: Rows, T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panicked::<R>(&*panic)))
}

fn panicked<R: Rows>(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    failed::<R>(format!("it panicked: {}", text.unwrap_or("without a word")))
}

fn failed<R: Rows>(message: String) -> Error {
    Error::Engine {
        engine: R::ENGINE,
        message,
    }
}

/// Returns the bytes that a directory occupies; files that vanish meanwhile count nothing.
fn bytes_in(dir: &Path) -> Result<u64, Error> {
    use std::os::unix::fs::MetadataExt;

    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        bytes += match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_in(&entry.path())?,
            Ok(metadata) => metadata.blocks() * 512,
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(error.into()),
        };
    }
    Ok(bytes)
}
