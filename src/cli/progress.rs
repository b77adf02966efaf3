//! How far a long command is, for somebody who looks on.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// The time between two looks.
const EVERY: Duration = Duration::from_millis(250);

/// Shows a count on standard error, if that is a terminal.
pub struct Progress {
    what: &'static str,
    started_at: Instant,
    shown_at: Instant,
    on: bool,
}

impl Progress {
    /// Starts.
    ///
    /// - `what`: what is being done: `counting`.
    pub fn start(what: &'static str) -> Self {
        let now = Instant::now();
        Self {
            what,
            started_at: now,
            shown_at: now,
            on: stderr().is_terminal(),
        }
    }

    /// Shows how many there were so far, if it is time to.
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    pub fn show(&mut self, n: u64, of: &str) {
        // A look at the clock for each of millions would be seen in the figures.
        if !self.on || !n.is_multiple_of(256) || self.shown_at.elapsed() < EVERY {
            return;
        }
        self.shown_at = Instant::now();
        let rate = n as f64 / self.started_at.elapsed().as_secs_f64().max(1e-3);
        // Nobody looks on any more: no reason to stop.
        let _gone = write!(stderr(), "\r{}: {n} {of}, {rate:.0}/s\x1b[K", self.what);
    }

    /// Removes the line.
    pub fn end(&self) {
        if self.on {
            let _gone = write!(stderr(), "\r\x1b[K");
        }
    }
}
