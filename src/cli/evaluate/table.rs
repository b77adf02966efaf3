//! A log as a table: CSV with a header, one choice a line.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::cli::backtest::lines::{Line, Lines};
use crate::cli::csv;
use crate::cli::evaluate::Columns;
use crate::cli::evaluate::source::{Each, Logged, Probability};
use crate::policy::hint;

/// What a column is called when nothing is said: ours first, then those of the Open Bandit Dataset.
const ACTION: [&str; 3] = ["action", "offer", "item_id"];
const REWARD: [&str; 2] = ["reward", "click"];
const PROBABILITY: [&str; 3] = ["probability", "propensity_score", "propensity"];
const POSITION: [&str; 2] = ["position", "slot"];

/// So many columns are named in an error.
const SHOWN_MAX: usize = 12;

/// Between the values of context columns: the sign of text files for it.
const UNIT: char = '\u{1f}';

/// A table and where its columns are.
pub struct Table {
    path: PathBuf,
    n_columns: usize,
    action: usize,
    reward: usize,
    position: Option<usize>,
    context: Vec<usize>,
    probability: Probability,
}

impl Table {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a column is not there.
    pub fn open(path: &Path, wanted: &Columns) -> anyhow::Result<Self> {
        let mut lines = Lines::open(path)?;
        let name = path.display();
        let first = lines
            .take_next()
            .with_context(|| format!("cannot read `{name}`"))?;
        let first = first.with_context(|| format!("`{name}` is empty"))?;
        let header = Header::read(&first).map_err(|why| anyhow::anyhow!("`{name}`: {why}"))?;
        let table = header.table(path, wanted);
        table.with_context(|| format!("`{name}` is not a log of choices"))
    }

    /// Hands out every line.
    ///
    /// # Errors
    ///
    /// The file cannot be read further, or `each` fails.
    pub fn each(&self, each: &mut Each<'_>) -> anyhow::Result<()> {
        let mut lines = Lines::open(&self.path)?;
        let failed = || format!("cannot read `{}`", self.path.display());
        let mut context = String::new();
        lines.take_next().with_context(failed)?;
        while let Some(line) = lines.take_next().with_context(failed)? {
            let number = line.number;
            let fields = line.text().and_then(|of| csv::record(of, self.n_columns));
            let logged = fields
                .as_ref()
                .map_err(Clone::clone)
                .and_then(|fields| self.logged(fields, &mut context));
            each(number, logged)?;
        }
        Ok(())
    }

    fn logged<'a>(
        &self,
        fields: &'a [std::borrow::Cow<'a, str>],
        context: &'a mut String,
    ) -> Result<Logged<'a>, String> {
        let field = |idx: usize| fields[idx].trim();
        context.clear();
        for idx in &self.context {
            context.push_str(field(*idx));
            context.push(UNIT);
        }
        let action = field(self.action);
        if action.is_empty() {
            return Err("no action".into());
        }
        Ok(Logged {
            position: self.position.map_or("", field),
            context,
            action,
            reward: number(field(self.reward), "reward")?,
            probability: match &self.probability {
                Probability::Column(idx) => Some(probability(field(*idx))?),
                Probability::Given(given) => Some(*given),
                Probability::Share => None,
            },
            candidates: Vec::new(),
            decision: None,
        })
    }
}

struct Header(Vec<String>);

impl Header {
    fn read(line: &Line<'_>) -> Result<Self, String> {
        let fields = csv::split(line.text()?)?;
        let trimmed = fields.iter().map(|field| field.trim().to_owned());
        Ok(Self(trimmed.collect()))
    }

    fn table(&self, path: &Path, wanted: &Columns) -> anyhow::Result<Table> {
        let position = match &wanted.position {
            Some(name) => Some(self.find(name)?),
            None => POSITION.iter().find_map(|name| self.place(name)),
        };
        let context: anyhow::Result<_> =
            wanted.context.iter().map(|name| self.find(name)).collect();
        Ok(Table {
            path: path.to_owned(),
            n_columns: self.0.len(),
            action: self.one_of(wanted.action.as_deref(), "--action", &ACTION)?,
            reward: self.one_of(wanted.reward.as_deref(), "--reward", &REWARD)?,
            position,
            context: context?,
            probability: self.probability(wanted.probability.as_deref())?,
        })
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|column| column == name)
    }

    fn find(&self, name: &str) -> anyhow::Result<usize> {
        let names = || self.0.iter().map(String::as_str);
        self.place(name).with_context(|| {
            let hint = hint(name, names());
            let all = self.0.len();
            let shown = names().take(SHOWN_MAX).collect::<Vec<_>>().join(", ");
            let more = match all.saturating_sub(SHOWN_MAX) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("there is no column `{name}`{hint} (there are {shown}{more})")
        })
    }

    fn one_of(&self, given: Option<&str>, flag: &str, usual: &[&str]) -> anyhow::Result<usize> {
        if let Some(given) = given {
            return self.find(given);
        }
        let found = usual.iter().find_map(|name| self.place(name));
        found.map_or_else(
            || {
                let missing = self.find(usual[0]);
                missing.with_context(|| format!("name the column with `{flag}`"))
            },
            Ok,
        )
    }

    /// A column, a number for all rows, or the shares of the log.
    fn probability(&self, given: Option<&str>) -> anyhow::Result<Probability> {
        let Some(given) = given else {
            let idx = self.one_of(None, "--probability", &PROBABILITY)?;
            return Ok(Probability::Column(idx));
        };
        if let Some(idx) = self.place(given) {
            return Ok(Probability::Column(idx));
        }
        if given == "share" {
            return Ok(Probability::Share);
        }
        let fraction = match given.split_once('/') {
            Some((n, of)) => n.parse::<f64>().ok().zip(of.parse::<f64>().ok()),
            None => given.parse().ok().map(|number: f64| (number, 1.0)),
        };
        match fraction {
            Some((n, of)) => probability(&(n / of).to_string())
                .map(Probability::Given)
                .map_err(anyhow::Error::msg),
            None => self.find(given).map(Probability::Column),
        }
    }
}

/// Reads a number that can be counted with.
///
/// # Errors
///
/// It is none, or not finite.
pub fn number(field: &str, what: &str) -> Result<f64, String> {
    match field {
        "true" | "True" => return Ok(1.0),
        "false" | "False" => return Ok(0.0),
        _ => {}
    }
    let number = field.parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| format!("{what} `{field}` is not a number"))
}

/// Reads the probability of something that was chosen.
///
/// # Errors
///
/// It is not in `(0, 1]`.
pub fn probability(field: &str) -> Result<f64, String> {
    let of = number(field, "probability")?;
    if of > 0.0 && of <= 1.0 {
        return Ok(of);
    }
    Err(if of == 0.0 {
        "probability 0, and yet it was chosen".into()
    } else {
        format!("probability {field} is not in (0, 1]")
    })
}
