//! What comes of a backtest: a table, JSON, or a page.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::cli::backtest::Args;
use crate::cli::backtest::compare::Comparison;
use crate::cli::backtest::html::Page;
use crate::cli::backtest::summary::Summary;

/// What came of a backtest.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Report {
    /// Of one set of policies.
    One(Summary),
    /// Of two.
    Two(Comparison),
}

impl Report {
    /// Writes the report with plots.
    pub fn html(&self, args: &Args) -> String {
        let named = |paths: &[PathBuf]| {
            let names = paths.iter().map(|path| path.display().to_string());
            names.collect::<Vec<_>>().join(", ")
        };
        let (against, after, comparison) = match self {
            Self::One(summary) => (None, summary, None),
            Self::Two(of) => (Some(named(&args.against)), &of.after, Some(of)),
        };
        let policies = named(&args.policies);
        Page {
            policies,
            against,
            after,
            comparison,
        }
        .html()
    }

    /// Returns what was counted, of two sets of policies under those on trial.
    pub fn summary(&self) -> &Summary {
        match self {
            Self::One(summary) => summary,
            Self::Two(comparison) => &comparison.after,
        }
    }
}

/// The table.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(summary) => summary.fmt(f),
            Self::Two(comparison) => comparison.fmt(f),
        }
    }
}
