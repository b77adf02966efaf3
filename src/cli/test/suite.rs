//! Runs tests.

use std::time::{self, Instant};

use crate::cli::test::judge::judge;
use crate::cli::test::world::{Line, World, without_holdouts};
use crate::domain::Duration;
use crate::policy::Bundle;
use crate::policy::test::{Check, Test, Wanted};
use crate::scoring::Scorer;

/// What came of one test.
pub struct Report<'a> {
    /// The test.
    pub test: &'a Test,
    /// What did not hold, in the order of the timeline.
    pub failures: Vec<Failure<'a>>,
    /// How many expectations there were.
    pub n_checks: usize,
    /// What came in and what was decided.
    pub log: Vec<Line>,
    /// How long it took, in real time.
    pub took: time::Duration,
}

impl Report<'_> {
    /// Tells if everything holds.
    pub fn holds(&self) -> bool {
        self.failures.is_empty()
    }
}

/// An expectation that did not hold.
pub struct Failure<'a> {
    /// When, since the start.
    pub at: Duration,
    /// The expectation.
    pub check: &'a Check,
    /// What there was instead.
    pub got: Wanted,
    /// How much of the log there was by then.
    pub n_lines: usize,
}

/// Runs tests, each with a customer of its own.
pub fn run<'a>(bundle: &Bundle, tests: &'a [Test], scorer: &dyn Scorer) -> Vec<Report<'a>> {
    let bundle = without_holdouts(bundle.clone());
    let run = |test| play(&bundle, test, scorer);
    tests.iter().map(run).collect()
}

fn play<'a>(bundle: &Bundle, test: &'a Test, scorer: &dyn Scorer) -> Report<'a> {
    let started_at = Instant::now();
    let mut world = World::new(bundle, test, scorer);
    let mut failures = Vec::new();
    let mut n_checks = 0;
    for entry in &test.timeline {
        if let Some(what) = &entry.what {
            world.happen(entry.at, what);
        }
        if !entry.expect.is_empty() {
            world.pass(entry.at);
        }
        for check in &entry.expect {
            n_checks += 1;
            let got = judge(&mut world, check);
            failures.extend(got.map(|got| Failure {
                at: entry.at,
                check,
                got,
                n_lines: world.log.len(),
            }));
        }
    }
    Report {
        test,
        failures,
        n_checks,
        log: world.log,
        took: started_at.elapsed(),
    }
}
