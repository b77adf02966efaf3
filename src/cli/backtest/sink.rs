//! Where the lines of a backtest go, from the beginning or behind what a checkpoint says is there.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, stderr, stdout};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::cli::backtest::Args;
use crate::cli::backtest::course::Course;
use crate::cli::backtest::feed::Feed;
use crate::cli::backtest::keeper::{Found, Keeper};
use crate::cli::backtest::run::{Output, run};

/// A file, or standard output, and the checkpoint that belongs to it.
pub struct Sink {
    file: Option<File>,
    n_bytes: u64,
    keeper: Option<Keeper>,
}

impl Sink {
    /// Opens what the arguments name.
    ///
    /// - `of`: which backtest it is; another one's checkpoint is refused, and nothing is touched.
    ///
    /// # Errors
    ///
    /// The file cannot be written, or lacks what the checkpoint says was written.
    pub fn open(args: &Args, of: String, found: Option<&Found>) -> anyhow::Result<Self> {
        if let Some(found) = found {
            found.must_be(&of)?;
        }
        let n_bytes = found.map_or(0, |found| found.head.n_out);
        let file = args.out.as_deref();
        let file = file.map(|path| open(path, n_bytes)).transpose()?;
        let every = Duration::from_millis(args.checkpoint_every.as_millis());
        let keeper = args.checkpoint.as_deref();
        let keeper = keeper.map(|path| Keeper::start(path, of, every));
        Ok(Self {
            file,
            n_bytes,
            keeper: keeper.transpose()?,
        })
    }

    /// Runs to the end of the events; returns how long it took, or nothing when it is interrupted.
    ///
    /// # Errors
    ///
    /// As for [`run`].
    pub fn run(mut self, course: &mut dyn Course, feed: Feed) -> anyhow::Result<Option<Duration>> {
        let keeper = self.keeper.as_mut();
        let ended = if let Some(file) = self.file {
            let mut writer = BufWriter::new(file.try_clone()?);
            let mut out = Output::of_file(&mut writer, file, self.n_bytes);
            run(course, feed, &mut out, &mut stderr(), keeper)?
        } else {
            let mut writer = BufWriter::new(stdout().lock());
            run(
                course,
                feed,
                &mut Output::new(&mut writer),
                &mut stderr(),
                keeper,
            )?
        };
        if let (Some(keeper), Some(_)) = (&self.keeper, ended) {
            keeper.remove()?;
        }
        Ok(ended)
    }
}

/// Opens a file behind its first bytes; the rest of it goes.
fn open(path: &Path, n_bytes: u64) -> anyhow::Result<File> {
    let failed = || format!("cannot write `{}`", path.display());
    let mut options = File::options();
    let mut file = options
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .with_context(failed)?;
    // A pipe or a device has no length.
    let length = file.metadata().with_context(failed)?;
    if length.is_file() {
        ensure!(
            length.len() >= n_bytes,
            "`{}` has {} bytes, the checkpoint says that {n_bytes} were written; remove the checkpoint to begin anew",
            path.display(),
            length.len()
        );
        file.set_len(n_bytes).with_context(failed)?;
        file.seek(SeekFrom::End(0)).with_context(failed)?;
    }
    Ok(file)
}
