//! The two passes over a log.

use anyhow::{Context, bail, ensure};

use crate::cli::evaluate::names::Names;
use crate::cli::evaluate::policy::Policy;
use crate::cli::evaluate::source::{Logged, Source};
use crate::cli::progress::Progress;
use crate::decide::evaluate::{Report, Row, Seen, Situation, Valuation};

/// So many different actions in different situations are counted.
const CELLS_MAX: usize = 1_000_000;

/// So many lines that cannot be used are shown.
const SHOWN_MAX: usize = 5;

/// What the first pass has learnt.
pub struct Known {
    /// What was chosen.
    pub actions: Names,
    /// Where.
    pub positions: Names,
    contexts: Names,
    /// Counts.
    pub seen: Seen,
    /// Whether the log says what could have been chosen.
    pub has_candidates: bool,
    /// Lines that cannot be used: the first ones.
    problems: Vec<String>,
    n_problems: u64,
}

impl Known {
    /// Reads a log.
    ///
    /// # Errors
    ///
    /// The log cannot be read, is empty, or has lines that cannot be used: nothing is left out in silence.
    pub fn of(source: &Source) -> anyhow::Result<Self> {
        let mut known = Self {
            actions: Names::of("actions"),
            positions: Names::of("positions"),
            contexts: Names::of("contexts"),
            seen: Seen::default(),
            has_candidates: false,
            problems: Vec::new(),
            n_problems: 0,
        };
        let mut progress = Progress::start("counting");
        source.each(&mut |number, logged| {
            progress.show(number, "lines");
            match logged {
                Ok(logged) => known.count(&logged),
                Err(why) => {
                    known.problem(number, &why);
                    Ok(())
                }
            }
        })?;
        progress.end();
        known.check()?;
        Ok(known)
    }

    fn count(&mut self, logged: &Logged<'_>) -> anyhow::Result<()> {
        // The first pass looks at no probability: shares are not known yet.
        let row = self.row(logged, |_, _| 1.0)?;
        for candidate in &logged.candidates {
            self.actions.take(candidate)?;
        }
        self.has_candidates |= !logged.candidates.is_empty();
        self.seen.add(&row);
        ensure!(
            self.seen.n_cells() <= CELLS_MAX,
            "more than {CELLS_MAX} different actions in different situations: leave out a context column"
        );
        Ok(())
    }

    fn problem(&mut self, number: u64, why: &str) {
        self.n_problems += 1;
        if self.problems.len() < SHOWN_MAX {
            self.problems.push(format!("line {number}: {why}"));
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        if self.n_problems > 0 {
            let more = self.n_problems - self.problems.len() as u64;
            let more = if more > 0 {
                format!("\n  and {more} more")
            } else {
                String::new()
            };
            bail!(
                "the log has lines that cannot be used:\n  {}{more}",
                self.problems.join("\n  ")
            );
        }
        ensure!(self.seen.n_rows() > 0.0, "the log has no choices");
        Ok(())
    }

    /// Turns names to numbers.
    ///
    /// - `share`: of an action at a position, for a log without probabilities.
    fn row(&mut self, logged: &Logged<'_>, share: impl Fn(u32, u32) -> f64) -> anyhow::Result<Row> {
        let situation = Situation {
            position: self.positions.take(logged.position)?,
            context: self.contexts.take(logged.context)?,
        };
        let action = self.actions.take(logged.action)?;
        let share = || share(situation.position, action);
        Ok(Row {
            situation,
            action,
            reward: logged.reward,
            probability: logged.probability.unwrap_or_else(share),
        })
    }

    /// Weighs every row of the log.
    ///
    /// # Errors
    ///
    /// The log cannot be read again.
    pub fn value(&mut self, source: &Source, policy: &Policy) -> anyhow::Result<Report> {
        let seen = std::mem::take(&mut self.seen);
        let mut valuation = Valuation::new(&seen, !self.has_candidates);
        let mut progress = Progress::start("weighing");
        let mut candidates = Vec::new();
        source.each(&mut |number, logged| {
            progress.show(number, "lines");
            let Ok(logged) = logged else {
                bail!("the log has changed while it was read");
            };
            let row = self.row(&logged, |position, action| seen.share(position, action))?;
            candidates.clear();
            for candidate in &logged.candidates {
                candidates.push(self.actions.take(candidate)?);
            }
            let choices = policy.choices(&row, &logged, &candidates, &mut self.actions);
            let choices = choices.with_context(|| format!("line {number} cannot be valued"))?;
            let chosen = choices.iter().find(|(action, _)| *action == row.action);
            valuation.add(&row, &choices, chosen.map_or(0.0, |(_, of)| *of));
            Ok(())
        })?;
        progress.end();
        let report = valuation.report();
        self.seen = seen;
        Ok(report)
    }
}
