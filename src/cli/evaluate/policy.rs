//! The policy that is valued.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, bail, ensure};

use crate::cli::backtest::lines::{Line, Lines};
use crate::cli::csv;
use crate::cli::evaluate::folder::Folder;
use crate::cli::evaluate::names::Names;
use crate::cli::evaluate::read::Known;
use crate::cli::evaluate::source::Logged;
use crate::cli::evaluate::table::number;
use crate::decide::evaluate::Row;
use crate::policy::hint;

/// What the columns of a table of probabilities are called.
const ACTION: [&str; 3] = ["action", "offer", "item_id"];
const PROBABILITY: [&str; 3] = ["probability", "prob", "pscore"];
const POSITION: [&str; 2] = ["position", "slot"];

/// How far the probabilities of a position may be from 1 together.
const ROUNDING: f64 = 0.005;

/// So many lines a table may have.
const LINES_MAX: usize = 1_000_000;

/// `COLUMN=VALUE`: only lines of the table with this value.
#[derive(Clone, Debug, PartialEq)]
pub struct Where {
    column: String,
    value: String,
}

impl FromStr for Where {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (column, value) = text
            .split_once('=')
            .ok_or_else(|| format!("`{text}` is not COLUMN=VALUE"))?;
        Ok(Self {
            column: column.trim().into(),
            value: value.trim().into(),
        })
    }
}

/// What a policy does.
pub enum Policy {
    /// One action, whatever happens.
    Always(u32),
    /// Every action with the same probability: of what could be chosen, or of all that the log has.
    Uniform(Vec<(u32, f64)>),
    /// What a table says, by position, or the same at all of them; in the order of actions.
    Table(BTreeMap<Option<u32>, Vec<(u32, f64)>>),
    /// What the placements of a folder of policies do.
    Folder(Box<Folder>),
}

/// A policy as it was given, before it is held against a log.
pub enum Given {
    /// One action.
    Always(String),
    /// Every action with the same probability.
    Uniform,
    /// A table of probabilities, and its name.
    Table(Table, String),
    /// A folder of policies.
    Folder(Box<Folder>),
}

impl Given {
    /// Reads `uniform`, `always:ACTION`, a folder of policies, or a table of probabilities.
    ///
    /// - `models`: the folder of the models of policies.
    ///
    /// # Errors
    ///
    /// It is none of them, or cannot be read.
    pub fn read(name: &str, only: &[Where], models: &Path) -> anyhow::Result<Self> {
        let path = Path::new(name);
        if name == "uniform" || name.starts_with("always:") || path.is_dir() {
            ensure!(
                only.is_empty(),
                "`--policy-where` picks lines of a table, and `{name}` is none"
            );
        }
        if let Some(action) = name.strip_prefix("always:") {
            return Ok(Self::Always(action.to_owned()));
        }
        if name == "uniform" {
            return Ok(Self::Uniform);
        }
        if path.is_dir() {
            let folder = Folder::read(path, models)?;
            return Ok(Self::Folder(folder.into()));
        }
        ensure!(
            path.is_file(),
            "`{name}` is no policy: neither `uniform` nor `always:ACTION`, and there is no such folder of policies, nor a CSV file with action and probability"
        );
        ensure!(
            !path
                .extension()
                .is_some_and(|end| end == "yaml" || end == "yml"),
            "`{name}` is one file of policies: name the folder that it lies in, with all that it refers to"
        );
        Ok(Self::Table(Table::read(path, only)?, name.to_owned()))
    }

    /// Returns what it does in the rows of a log.
    ///
    /// # Errors
    ///
    /// It does not fit the log.
    pub fn held_against(self, known: &mut Known) -> anyhow::Result<Policy> {
        Ok(match self {
            Self::Always(action) => always(&action, &mut known.actions)?,
            Self::Uniform => Policy::Uniform(equal(0..u32::try_from(known.actions.len())?)),
            Self::Folder(folder) => Policy::Folder(folder),
            Self::Table(table, name) => {
                let policy = table.policy(known);
                policy.with_context(|| format!("`{name}` is not a policy for this log"))?
            }
        })
    }
}

impl Policy {
    /// Returns what it does in a row. What could not have been chosen there is left out, so that the probabilities may sum
    /// to less than 1.
    ///
    /// - `logged`: the row as the log has it.
    /// - `candidates`: what could have been chosen; empty if the log does not say.
    ///
    /// # Errors
    ///
    /// The log does not say what is needed for it.
    pub fn choices(
        &self,
        row: &Row,
        logged: &Logged<'_>,
        candidates: &[u32],
        actions: &mut Names,
    ) -> anyhow::Result<Vec<(u32, f64)>> {
        Ok(match self {
            Self::Folder(folder) => folder.choices(logged, actions)?,
            Self::Always(action) if candidates.is_empty() || candidates.contains(action) => {
                vec![(*action, 1.0)]
            }
            Self::Always(_) => Vec::new(),
            Self::Uniform(all) if candidates.is_empty() => all.clone(),
            Self::Uniform(_) => equal(candidates.iter().copied()),
            Self::Table(table) => {
                let of = table.get(&Some(row.situation.position));
                let of = of.or_else(|| table.get(&None)).cloned();
                let mut of = of.unwrap_or_default();
                of.retain(|(action, _)| candidates.is_empty() || candidates.contains(action));
                of
            }
        })
    }

    /// Says what of the policy is taken from the log, and what the log does not have.
    ///
    /// # Errors
    ///
    /// The policy is for other logs.
    pub fn notes(&self, known: &Known) -> anyhow::Result<Vec<String>> {
        match self {
            Self::Folder(folder) => folder.notes(known),
            Self::Always(_) | Self::Uniform(_) | Self::Table(_) => Ok(Vec::new()),
        }
    }
}

fn always(action: &str, actions: &mut Names) -> anyhow::Result<Policy> {
    let known = actions.find(action).with_context(|| {
        let hint = hint(action, actions.iter());
        format!("the log has no action `{action}`{hint}")
    })?;
    Ok(Policy::Always(known))
}

#[expect(clippy::cast_precision_loss, reason = "at most 100,000 actions")]
fn equal(actions: impl ExactSizeIterator<Item = u32>) -> Vec<(u32, f64)> {
    let each = 1.0 / actions.len() as f64;
    actions.map(|action| (action, each)).collect()
}

/// The lines of a table of probabilities that count.
pub struct Table {
    has_position: bool,
    /// Position, action, probability.
    lines: Vec<(String, String, f64)>,
}

impl Table {
    fn read(path: &Path, only: &[Where]) -> anyhow::Result<Self> {
        let name = path.display();
        let mut lines = Lines::open(path)?;
        let wrong = |number: u64, why: String| anyhow::anyhow!("`{name}` line {number}: {why}");
        let first = lines.take_next()?;
        let first = first.with_context(|| format!("`{name}` is empty"))?;
        let header = fields(&first).map_err(|why| wrong(1, why))?;
        let of = |usual: &[&str]| usual.iter().find_map(|name| place(&header, name));
        let action = of(&ACTION)
            .with_context(|| format!("`{name}` has no column `{}`", ACTION.join("` or `")))?;
        let probability = of(&PROBABILITY)
            .with_context(|| format!("`{name}` has no column `{}`", PROBABILITY.join("` or `")))?;
        let position = of(&POSITION);
        let only: anyhow::Result<Vec<_>> = only
            .iter()
            .map(|only| {
                let names = header.iter().map(String::as_str);
                let missing = || {
                    format!(
                        "`{name}` has no column `{}`{}",
                        only.column,
                        hint(&only.column, names)
                    )
                };
                Ok((
                    place(&header, &only.column).with_context(missing)?,
                    &only.value,
                ))
            })
            .collect();
        let only = only?;
        let mut table = Self {
            has_position: position.is_some(),
            lines: Vec::new(),
        };
        while let Some(line) = lines.take_next()? {
            let number_of = line.number;
            let fields = line
                .text()
                .and_then(|text| csv::record(text, header.len()))
                .map(trimmed)
                .map_err(|why| wrong(number_of, why))?;
            if only.iter().any(|(idx, value)| fields[*idx] != **value) {
                continue;
            }
            let of =
                number(&fields[probability], "probability").map_err(|why| wrong(number_of, why))?;
            if !(0.0..=1.0).contains(&of) {
                return Err(wrong(
                    number_of,
                    format!("probability {of} is not in [0, 1]"),
                ));
            }
            ensure!(table.lines.len() < LINES_MAX, "more than {LINES_MAX} lines");
            let position = position.map_or(String::new(), |idx| fields[idx].clone());
            table.lines.push((position, fields[action].clone(), of));
        }
        Ok(table)
    }

    fn policy(&self, known: &mut Known) -> anyhow::Result<Policy> {
        let mut table: BTreeMap<Option<u32>, BTreeMap<u32, f64>> = BTreeMap::new();
        for (position, action, probability) in &self.lines {
            let at = self.has_position.then(|| known.positions.find(position));
            if at == Some(None) {
                // The log has nothing there: what is done there is not valued.
                continue;
            }
            let of = table.entry(at.flatten()).or_default();
            if of
                .insert(known.actions.take(action)?, *probability)
                .is_some()
            {
                bail!(
                    "action `{action}` stands there twice{}: pick its lines with `--policy-where COLUMN=VALUE`",
                    at_position(self.has_position, position)
                );
            }
        }
        for number in 0..u32::try_from(known.positions.len())? {
            let position = known.positions.name(number);
            let of = table.get(&self.has_position.then_some(number));
            let of = of.with_context(|| {
                let at = at_position(self.has_position, position);
                format!("it says nothing{at}, where the log has choices")
            })?;
            let sum: f64 = of.values().sum();
            let at = at_position(self.has_position, position);
            ensure!(
                (sum - 1.0).abs() <= ROUNDING,
                "its probabilities{at} sum to {sum:.4}, not 1"
            );
        }
        let sorted = |of: BTreeMap<u32, f64>| of.into_iter().collect();
        let table = table.into_iter().map(|(at, of)| (at, sorted(of)));
        Ok(Policy::Table(table.collect()))
    }
}

fn at_position(has_position: bool, position: &str) -> String {
    if has_position {
        format!(" at position `{position}`")
    } else {
        String::new()
    }
}

fn fields(line: &Line<'_>) -> Result<Vec<String>, String> {
    line.text().and_then(csv::split).map(trimmed)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the end of a chain of results"
)]
fn trimmed(fields: Vec<Cow<'_, str>>) -> Vec<String> {
    fields.iter().map(|field| field.trim().to_owned()).collect()
}

fn place(header: &[String], name: &str) -> Option<usize> {
    header.iter().position(|column| column == name)
}
