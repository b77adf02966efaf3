//! `attune check`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;

use crate::{app, policy};

/// How problems are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Human,
    /// A JSON list of `{code, message, file, line, column, help}`.
    Json,
}

/// Arguments of `attune check`.
#[derive(clap::Args)]
pub struct Args {
    /// Policy files, or folders of them.
    #[arg(default_value = "policies")]
    paths: Vec<PathBuf>,
    /// Folder of the models.
    #[arg(long, default_value = "models")]
    models: PathBuf,
    /// Does not load the models themselves.
    #[arg(long)]
    no_env: bool,
    /// How problems are shown.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// Checks policy files. Exit code 0: nothing is wrong, 1: something is.
///
/// # Errors
///
/// A file cannot be read, or a model cannot be loaded.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let sources = app::sources(&args.paths, &args.models)?;
    let bundle = match policy::compile(&sources) {
        Ok(bundle) => bundle,
        Err(problems) => {
            match args.format {
                Format::Human => {
                    let color = super::color(&std::io::stderr());
                    super::say_error(&problems.render(color));
                }
                Format::Json => super::say(&problems.to_json()),
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    if !args.no_env {
        app::scorer(bundle.models.values(), None)?;
    }
    match args.format {
        Format::Json => super::say("[]"),
        Format::Human => super::say(&format!(
            "{} files are right: {} journeys, {} offers, {} placements, {} features, {} models (bundle {})",
            sources.len(),
            bundle.journeys.len(),
            bundle.offers.len(),
            bundle.placements.len(),
            bundle.features.len(),
            bundle.models.len(),
            bundle.id,
        )),
    }
    Ok(ExitCode::SUCCESS)
}
