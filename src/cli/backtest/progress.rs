//! How far a backtest is, once a second, for somebody who looks on.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use crate::cli::backtest::summary::Summary;

/// The time between two lines.
const EVERY: Duration = Duration::from_secs(1);

/// Shows progress on standard error, if that is a terminal.
pub struct Progress {
    shown_at: Instant,
    n_events: u64,
    on: bool,
}

impl Progress {
    /// Starts now.
    pub fn start() -> Self {
        Self {
            shown_at: Instant::now(),
            n_events: 0,
            on: stderr().is_terminal(),
        }
    }

    /// Shows where the backtest is, if it is time to.
    #[expect(
        clippy::cast_precision_loss,
        reason = "events of a second are fewer than 2^52"
    )]
    pub fn show(&mut self, summary: &Summary) {
        if !self.on {
            return;
        }
        let length = self.shown_at.elapsed();
        if length < EVERY {
            return;
        }
        let rate = (summary.events - self.n_events) as f64 / length.as_secs_f64();
        let (events, clock) = (summary.events, summary.clock);
        // Nobody looks on any more: no reason to stop.
        let _gone = write!(stderr(), "\r{events} events, {rate:.0}/s, at {clock}\x1b[K");
        self.shown_at = Instant::now();
        self.n_events = events;
    }

    /// Removes the line.
    pub fn end(&self) {
        if self.on {
            let _gone = write!(stderr(), "\r\x1b[K");
        }
    }
}
