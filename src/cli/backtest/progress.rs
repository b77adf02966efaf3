//! How far a backtest is, for somebody who looks on.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use crate::cli::backtest::feed::Feed;
use crate::cli::backtest::summary::Summary;

/// The time between two looks.
const EVERY: Duration = Duration::from_millis(250);

/// The length of the bar.
const WIDTH: usize = 24;

/// Shows progress on standard error, if that is a terminal.
pub struct Progress {
    started_at: Instant,
    shown_at: Instant,
    /// How far the events were read when it started: not all of them in this run.
    read: Option<f64>,
    n_events: Option<u64>,
    on: bool,
}

impl Progress {
    /// Starts now.
    pub fn start() -> Self {
        let now = Instant::now();
        Self {
            started_at: now,
            shown_at: now,
            read: None,
            n_events: None,
            on: stderr().is_terminal(),
        }
    }

    /// Shows where the backtest is, if it is time to.
    pub fn show(&mut self, feed: &Feed, summary: &Summary) {
        if !self.on {
            return;
        }
        let read = feed.read();
        let first = *self.read.get_or_insert(read);
        let n_first = *self.n_events.get_or_insert(summary.events);
        if self.shown_at.elapsed() < EVERY {
            return;
        }
        self.shown_at = Instant::now();
        let passed = self.started_at.elapsed();
        let line = line(&Look {
            read,
            of_this_run: read - first,
            n_events: summary.events - n_first,
            passed,
        });
        // Nobody looks on any more: no reason to stop.
        let _gone = write!(stderr(), "\r{line} at {}\x1b[K", summary.clock);
    }

    /// Removes the line.
    pub fn end(&self) {
        if self.on {
            let _gone = write!(stderr(), "\r\x1b[K");
        }
    }
}

/// What is shown.
struct Look {
    /// How far the events are read, in `[0, 1]`.
    read: f64,
    /// How much of them was read in this run.
    of_this_run: f64,
    n_events: u64,
    passed: Duration,
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "shares of a bar and whole seconds are small and not negative"
)]
fn line(look: &Look) -> String {
    let n_full = ((look.read * WIDTH as f64) as usize).min(WIDTH);
    let (full, rest) = ("█".repeat(n_full), "░".repeat(WIDTH - n_full));
    let passed = look.passed.as_secs_f64().max(1e-3);
    let rate = look.n_events as f64 / passed;
    let left = if look.of_this_run > 0.0 {
        let seconds = passed * (1.0 - look.read) / look.of_this_run;
        clock(seconds.min(1e9) as u64)
    } else {
        "?".into()
    };
    let percent = 100.0 * look.read;
    format!("{full}{rest} {percent:5.1} %  {rate:.0} events/s  {left} left ")
}

fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        return format!("{hours}:{minutes:02}:{seconds:02}");
    }
    format!("{minutes}:{seconds:02}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use expect_test::expect;

    use super::{Look, line};

    #[test]
    fn the_line_says_how_far_how_fast_and_how_long() {
        let look = |read, of_this_run, n_events, secs| {
            let passed = Duration::from_secs(secs);
            line(&Look {
                read,
                of_this_run,
                n_events,
                passed,
            }) + "|\n"
        };
        let lines = [
            look(0.0, 0.0, 0, 0),
            look(0.25, 0.25, 1_000_000, 10),
            look(0.75, 0.01, 5, 100),
            look(1.0, 1.0, 7, 1),
        ];
        expect![[r#"
            ░░░░░░░░░░░░░░░░░░░░░░░░   0.0 %  0 events/s  ? left |
            ██████░░░░░░░░░░░░░░░░░░  25.0 %  100000 events/s  0:30 left |
            ██████████████████░░░░░░  75.0 %  0 events/s  41:40 left |
            ████████████████████████ 100.0 %  7 events/s  0:00 left |
        "#]]
        .assert_eq(&lines.concat());
    }
}
