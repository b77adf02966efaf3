//! The checkpoint of a backtest: written now and then and when it is interrupted, so that the same command goes on.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use crate::cli::backtest::course::Course;
use crate::cli::backtest::feed::Place;
use crate::cli::backtest::saved;
use crate::cli::interrupt::Interrupt;

/// The form of what is written; another one is refused.
const VERSION: u16 = 4;

/// Between two checkpoints passes at least so many times what the last one took.
const PAUSE: u32 = 20;

/// What a checkpoint begins with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    version: u16,
    /// Which backtest it is of, for people.
    pub of: String,
    /// Where in the events it is.
    pub place: Place,
    /// How much had been written by then, in bytes.
    pub n_out: u64,
}

/// A checkpoint that was found.
pub struct Found {
    /// What it begins with.
    pub head: Head,
    /// What follows.
    pub rest: BufReader<File>,
}

impl Found {
    /// Opens a checkpoint; nothing if there is none.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is not a checkpoint of this build.
    pub fn of(path: Option<&Path>) -> anyhow::Result<Option<Self>> {
        let Some(path) = path else { return Ok(None) };
        let failed = || format!("cannot go on from the checkpoint `{}`", path.display());
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(failed),
        };
        let mut rest = BufReader::new(file);
        let version: u16 = saved::get(&mut rest)
            .with_context(|| format!("`{}` is no checkpoint of a backtest", path.display()))?;
        ensure!(
            version == VERSION,
            "the checkpoint `{}` was written by another build; remove it to begin anew",
            path.display()
        );
        let head = saved::get(&mut rest).with_context(failed)?;
        Ok(Some(Self { head, rest }))
    }

    /// Refuses to go on with other policies or events.
    ///
    /// # Errors
    ///
    /// Says what the checkpoint is of.
    pub fn must_be(&self, of: &str) -> anyhow::Result<()> {
        ensure!(
            self.head.of == of,
            "the checkpoint is of another backtest; remove it to begin anew\n  it is of: {}\n  this is: {of}",
            self.head.of
        );
        Ok(())
    }
}

/// Writes checkpoints.
pub struct Keeper {
    path: PathBuf,
    of: String,
    every: Duration,
    due: Instant,
    interrupt: Interrupt,
}

impl Keeper {
    /// Starts: the first checkpoint is due after `every`; an interruption is heard from now on.
    ///
    /// - `of`: see [`Head::of`].
    ///
    /// # Errors
    ///
    /// Signals cannot be heard.
    pub fn start(path: &Path, of: String, every: Duration) -> anyhow::Result<Self> {
        let interrupt = Interrupt::listen()?;
        Ok(Self {
            path: path.to_owned(),
            of,
            every,
            due: Instant::now() + every,
            interrupt,
        })
    }

    /// Tells if somebody wants the backtest to stop.
    pub fn is_interrupted(&self) -> bool {
        self.interrupt.is_heard()
    }

    /// Tells if it is time for a checkpoint.
    pub fn is_due(&self) -> bool {
        Instant::now() >= self.due
    }

    /// Writes a checkpoint in place of the last one. What was written of the output must be on disk.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write(&mut self, course: &dyn Course, place: Place, n_out: u64) -> anyhow::Result<()> {
        let began = Instant::now();
        let head = Head {
            version: VERSION,
            of: self.of.clone(),
            place,
            n_out,
        };
        let failed = || format!("cannot write the checkpoint `{}`", self.path.display());
        self.replace(&head, course).with_context(failed)?;
        self.due = Instant::now() + self.every.max(began.elapsed() * PAUSE);
        Ok(())
    }

    fn replace(&self, head: &Head, course: &dyn Course) -> anyhow::Result<()> {
        let mut half = self.path.clone().into_os_string();
        half.push(".half");
        let half = PathBuf::from(half);
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&half)?);
        saved::put(&mut file, &VERSION)?;
        saved::put(&mut file, head)?;
        course.save(&mut file)?;
        file.flush()?;
        file.get_ref().sync_data()?;
        Ok(fs::rename(&half, &self.path)?)
    }

    /// Removes the checkpoint: the backtest has ended.
    ///
    /// # Errors
    ///
    /// It is there and cannot be removed.
    pub fn remove(&self) -> anyhow::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let failed = || format!("cannot remove the checkpoint `{}`", self.path.display());
                Err(error).with_context(failed)
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
