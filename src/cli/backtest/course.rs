//! A backtest under way, of one set of policies or of two.

use std::io::{Read, Write};
use std::num::NonZeroUsize;
use std::time::Duration;

use anyhow::Context;

use crate::cli::backtest::feed::Item;
use crate::cli::backtest::line;
use crate::cli::backtest::replay::{Replay, Side};
use crate::cli::backtest::summary::Summary;
use crate::domain::Timestamp;

/// A backtest under way.
pub trait Course {
    /// Handles what was read, in its order.
    ///
    /// # Errors
    ///
    /// The disk fails.
    fn take(&mut self, items: &[Item]) -> anyhow::Result<()>;

    /// Fires every timer that is due before a time, and moves the clock there.
    ///
    /// # Errors
    ///
    /// The disk fails.
    fn advance(&mut self, to: Timestamp) -> anyhow::Result<()>;

    /// Writes what is certain by now.
    ///
    /// - `is_over`: nothing follows, so that everything is certain.
    ///
    /// # Errors
    ///
    /// The writer fails.
    fn write(&mut self, out: &mut dyn Write, is_over: bool) -> anyhow::Result<()>;

    /// Returns what was counted so far.
    fn summary(&self) -> &Summary;

    /// Writes everything that a loaded one needs to go on as this one.
    ///
    /// # Errors
    ///
    /// The writer or the disk fails.
    fn save(&self, to: &mut dyn Write) -> anyhow::Result<()>;
}

/// A backtest of one set of policies.
pub struct One<'a>(Replay<'a>);

impl<'a> One<'a> {
    /// Starts, or goes on from what was saved.
    ///
    /// # Errors
    ///
    /// What was saved is damaged.
    pub fn start(
        side: &'a Side,
        customers_max: NonZeroUsize,
        saved: Option<&mut dyn Read>,
    ) -> anyhow::Result<Self> {
        let mut replay = Replay::new(side, customers_max);
        if let Some(saved) = saved {
            replay
                .load(saved)
                .context("cannot go on from the checkpoint")?;
        }
        Ok(Self(replay))
    }

    /// Returns what was counted.
    ///
    /// - `took`: how long the run took.
    pub fn end(self, took: Duration) -> Summary {
        let mut summary = self.0.summary;
        summary.took(took);
        summary
    }
}

impl Course for One<'_> {
    fn take(&mut self, items: &[Item]) -> anyhow::Result<()> {
        self.0.take(items)
    }

    fn advance(&mut self, to: Timestamp) -> anyhow::Result<()> {
        self.0.advance(to)
    }

    fn write(&mut self, out: &mut dyn Write, _is_over: bool) -> anyhow::Result<()> {
        self.0.held.clear();
        for action in self.0.left.drain(..) {
            line::write(out, &action, None).context("cannot write an action")?;
        }
        Ok(())
    }

    fn summary(&self) -> &Summary {
        &self.0.summary
    }

    fn save(&self, to: &mut dyn Write) -> anyhow::Result<()> {
        self.0.save(to)
    }
}
