//! `attune export`: decisions, features and customers as files, in bounded memory.

mod customers;
mod decisions;
mod features;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args as ClapArgs, Subcommand};

use crate::cli::history;
use crate::cli::interrupt::{INTERRUPTED, Interrupt};
use crate::cli::sheet::{Column, Format, Sheet};
use crate::domain::Timestamp;

/// Arguments of `attune export`.
///
/// Takes what the engine knows elsewhere: to a warehouse, a notebook, or `attune evaluate`. Everything passes through
/// memory row by row, so the size does not matter. A file appears under its name when it is whole; Ctrl-C leaves none.
#[derive(ClapArgs)]
#[command(after_help = "\
Examples:
  attune export decisions --since 24h --out decisions.jsonl
  attune export decisions --since 2026-01-01T00:00:00Z --format parquet --out decisions.parquet
  attune export features --url http://127.0.0.1:7070 --out features.parquet
  attune export customers --format jsonl | gzip > customers.jsonl.gz

Exit codes: 0 written, 1 failed, 2 wrong usage, 130 interrupted.")]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The log of decisions, from its stream: candidates, reasons, probabilities and what the models were shown.
    ///
    /// As lines of JSON each decision is as it was published. As a table there is a row for each offer that was given,
    /// and one without an offer for a decision that gave none; what is about the whole decision stands at its first row.
    Decisions(Decisions),
    /// The value of every declared feature of every customer, at one time.
    ///
    /// From the last checkpoint of a running server. What is not known is empty.
    Features(Features),
    /// Every customer, as `GET /v1/customers/{id}` shows them.
    ///
    /// From the last checkpoint of a running server: whoever is new since then is not there yet.
    Customers(Customers),
}

/// Where rows go.
#[derive(Clone, Debug, ClapArgs)]
struct Out {
    /// The file [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How it is written [default: as the end of the file's name says, else jsonl].
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(ClapArgs)]
struct Decisions {
    /// From then on: a time, or so long before now [default: all that the stream keeps].
    #[arg(long, value_name = "24h|RFC3339", value_parser = history::moment)]
    since: Option<Timestamp>,
    #[command(flatten)]
    source: history::Source,
    #[command(flatten)]
    out: Out,
}

#[derive(ClapArgs)]
struct Features {
    /// At which time windows end, not before a customer's last input [default: the start of the export].
    #[arg(long, value_name = "RFC3339", value_parser = history::moment)]
    at: Option<Timestamp>,
    #[command(flatten)]
    server: super::client::Server,
    #[command(flatten)]
    out: Out,
}

#[derive(ClapArgs)]
struct Customers {
    #[command(flatten)]
    server: super::client::Server,
    #[command(flatten)]
    out: Out,
}

impl What {
    fn out(&self) -> &Out {
        match self {
            Self::Decisions(args) => &args.out,
            Self::Features(args) => &args.out,
            Self::Customers(args) => &args.out,
        }
    }
}

impl Out {
    fn format(&self) -> anyhow::Result<Format> {
        match (self.format, &self.out) {
            (Some(format), _) => Ok(format),
            (None, None) => Ok(Format::Jsonl),
            (None, Some(out)) => Format::of(out).context("add `--format`"),
        }
    }

    fn sheet(&self, columns: Vec<Column>) -> anyhow::Result<Sheet> {
        Sheet::create(self.out.as_deref(), self.format()?, columns)
    }

    /// What becomes of the rows when not all are written.
    fn rest(&self) -> &'static str {
        if self.out.is_some() {
            "nothing is written"
        } else {
            "what was written is not all"
        }
    }
}

/// Writes what is asked for.
///
/// # Errors
///
/// NATS or the server cannot be reached, or the file cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let interrupt = Interrupt::listen()?;
    let written = super::block_on(async {
        match &args.what {
            What::Decisions(args) => decisions::export(args, &interrupt).await,
            What::Features(args) => features::export(args, &interrupt).await,
            What::Customers(args) => customers::export(args, &interrupt).await,
        }
    });
    let rest = args.what.out().rest();
    let n_rows = written.context(rest)?;
    let Some(n_rows) = n_rows else {
        super::say_error(&format!("interrupted; {rest}"));
        return Ok(ExitCode::from(INTERRUPTED));
    };
    super::say_error(&format!("{n_rows} rows"));
    Ok(ExitCode::SUCCESS)
}
