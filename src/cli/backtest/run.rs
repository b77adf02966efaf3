//! Takes a backtest from its first event to its last, or to where it is interrupted.

use std::fs::File;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::cli::backtest::course::Course;
use crate::cli::backtest::feed::Feed;
use crate::cli::backtest::keeper::Keeper;
use crate::cli::backtest::problems::Problems;
use crate::cli::backtest::progress::Progress;

/// Where lines go, and how much went.
pub struct Output<'a> {
    to: &'a mut dyn Write,
    /// The file behind `to`, if it must be on disk before a checkpoint.
    file: Option<File>,
    n_bytes: u64,
}

impl<'a> Output<'a> {
    /// Takes any writer.
    pub fn new(to: &'a mut dyn Write) -> Self {
        Self {
            to,
            file: None,
            n_bytes: 0,
        }
    }

    /// Takes a writer to a file that holds so many bytes already.
    pub fn of_file(to: &'a mut dyn Write, file: File, n_bytes: u64) -> Self {
        Self {
            to,
            file: Some(file),
            n_bytes,
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.to.write(bytes)?;
        self.n_bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Runs to the end of the events; returns how long it took, or nothing when it is interrupted and the checkpoint says
/// where.
///
/// - `problems`: gets one line for each of the first events that are none.
///
/// # Errors
///
/// The events cannot be read, the lines or a checkpoint cannot be written, or the disk fails.
pub fn run(
    course: &mut dyn Course,
    mut feed: Feed,
    out: &mut Output<'_>,
    problems: &mut dyn Write,
    mut keeper: Option<&mut Keeper>,
) -> anyhow::Result<Option<Duration>> {
    let started_at = Instant::now();
    let mut progress = Progress::start();
    let mut problems = Problems::new(problems, feed.unit);
    while let Some(items) = feed.batch()? {
        problems.show(&items)?;
        course.take(&items)?;
        course.write(out, false)?;
        progress.show(&feed, course.summary());
        // What is read again for a range of the stream is no progress, and no reason for a checkpoint.
        if let Some(keeper) = &mut keeper
            && (keeper.is_due() && !items.is_empty() || keeper.is_interrupted())
        {
            out.sync().context("cannot write an action")?;
            keeper.write(course, feed.place(course.summary().clock), out.n_bytes)?;
            if keeper.is_interrupted() {
                progress.end();
                return Ok(None);
            }
        }
    }
    if let Some(until) = feed.until {
        course.advance(until)?;
    }
    course.write(out, true)?;
    out.flush().context("cannot write the last actions")?;
    progress.end();
    Ok(Some(started_at.elapsed()))
}
