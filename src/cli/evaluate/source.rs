//! Where logged choices come from, whatever the form of the log.

use std::path::Path;

use anyhow::{Context, bail};

use crate::cli::backtest::lines::Lines;
use crate::cli::evaluate::decisions::Decisions;
use crate::cli::evaluate::record::Record;
use crate::cli::evaluate::table::Table;
use crate::cli::evaluate::{Args, Columns};

/// One choice as a log has it.
pub struct Logged<'a> {
    /// The position or slot; empty if there is only one.
    pub position: &'a str,
    /// The values of the context columns.
    pub context: &'a str,
    /// What was chosen.
    pub action: &'a str,
    /// What came of it.
    pub reward: f64,
    /// How likely the choice was; `None`: as its share of the log.
    pub probability: Option<f64>,
    /// What could have been chosen, this one included; empty if the log does not say.
    pub candidates: Vec<&'a str>,
    /// The decision and the place of the answer, from 0; `None` in a table.
    pub decision: Option<(&'a Record<'a>, usize)>,
}

/// How the probabilities of a table are known.
#[derive(Clone, Debug, PartialEq)]
pub enum Probability {
    /// A column says them.
    Column(usize),
    /// All are equal.
    Given(f64),
    /// The share of the action among the rows of its position.
    Share,
}

/// Takes a choice of the log, or what is wrong with it, with the number of its line.
pub type Each<'a> = dyn for<'b> FnMut(u64, Result<Logged<'b>, String>) -> anyhow::Result<()> + 'a;

/// A log.
pub enum Source {
    /// A table.
    Table(Table),
    /// Decisions of the engine.
    Decisions(Decisions),
}

impl Source {
    /// Opens a log: a table, or lines of JSON, as its first byte says.
    ///
    /// # Errors
    ///
    /// It cannot be read, or a column is not there.
    pub fn open(path: &Path, args: &Args) -> anyhow::Result<Self> {
        let shown = path.display();
        if is_json(path)? {
            if let Some(flag) = args.columns.first_given() {
                bail!(
                    "`{flag}` names a column of a table, and `{shown}` is a log of decisions, which says that itself"
                );
            }
            let decisions = Decisions::open(path, &args.outcome)?;
            return Ok(Self::Decisions(decisions));
        }
        if let Some(flag) = args.outcome.first_given() {
            bail!(
                "`{flag}` is for a log of decisions, and `{shown}` is a table: its rewards stand in a column (`--reward`)"
            );
        }
        let columns: &Columns = &args.columns;
        Table::open(path, columns).map(Self::Table)
    }

    /// Hands out every choice.
    ///
    /// # Errors
    ///
    /// The log cannot be read further, or `each` fails.
    pub fn each(&self, each: &mut Each<'_>) -> anyhow::Result<()> {
        match self {
            Self::Table(table) => table.each(each),
            Self::Decisions(decisions) => decisions.each(each),
        }
    }
}

fn is_json(path: &Path) -> anyhow::Result<bool> {
    let failed = || format!("cannot read `{}`", path.display());
    anyhow::ensure!(!path.is_dir(), "`{}` is a folder", path.display());
    let mut lines = Lines::open(path)?;
    let first = lines.take_next().with_context(failed)?;
    let first = first.with_context(|| format!("`{}` is empty", path.display()))?;
    Ok(first.bytes.starts_with(b"{"))
}
