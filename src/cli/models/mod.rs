//! `attune models`: for the people who own them.

mod baseline;
mod batches;
mod check;
mod find;
mod hazards;
mod latency;
mod ls;
mod report;
mod rows;
#[cfg(test)]
mod tests;
mod unknowns;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};

/// Arguments of `attune models`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Tries a model out before anyone relies on it: its signature, its golden rows, what it makes of unknown values, how
    /// fast it is alone and in batches, and what exporters are known to get wrong.
    #[command(
        after_help = "Exit codes: 0 nothing is wrong (warnings are shown), 1 something is wrong, 2 wrong usage."
    )]
    Check(CheckArgs),
    /// Lists the models of a folder.
    #[command(after_help = "Exit codes: 0 all of them load, 1 one does not, 2 wrong usage.")]
    Ls(LsArgs),
    /// Counts the rows of a training table into `baseline.json`, so that a server can tell when its customers are others.
    #[command(after_help = "Exit codes: 0 it is written, 1 it is not, 2 wrong usage.")]
    Baseline(BaselineArgs),
}

/// Arguments of `attune models baseline`.
#[derive(clap::Args)]
struct BaselineArgs {
    /// The folder of the model.
    model: PathBuf,
    /// The training table: CSV with the columns of the manifest, `.gz` too; an empty number is unknown.
    #[arg(long)]
    rows: PathBuf,
    /// Policy files or folders with the segments and schemas that the manifest names.
    #[arg(long)]
    policies: Vec<PathBuf>,
}

/// Arguments of `attune models check`.
#[derive(clap::Args)]
struct CheckArgs {
    /// ONNX files, folders of one model, or folders of them.
    #[arg(default_value = "models")]
    paths: Vec<PathBuf>,
    /// Policy files or folders with the segments and schemas that the manifests name.
    #[arg(long)]
    policies: Vec<PathBuf>,
    /// Leaves out how long scoring takes, so that the output is the same every time.
    #[arg(long)]
    no_latency: bool,
    /// Counts warnings as errors.
    #[arg(long)]
    deny_warnings: bool,
    /// How the findings are shown.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// Arguments of `attune models ls`.
#[derive(clap::Args)]
struct LsArgs {
    /// Folder of the models.
    #[arg(long, env = "ATTUNE_MODELS", default_value = "models")]
    models: PathBuf,
    /// Policy files or folders with the segments and schemas that the manifests name.
    #[arg(long)]
    policies: Vec<PathBuf>,
    /// How the models are shown.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// How something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Human,
    /// A JSON list, one object a model.
    Json,
}

/// Runs a subcommand.
///
/// # Errors
///
/// ONNX Runtime is missing, or there is no such file or folder.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Check(args) => check::run(args),
        Command::Ls(args) => ls::run(args),
        Command::Baseline(args) => baseline::run(args),
    }
}
