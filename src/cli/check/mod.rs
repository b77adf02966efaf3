//! `attune check`.

mod github;
mod sarif;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::ValueEnum;

use crate::policy::{self, Bundle, Diagnostics, Source};
use crate::{app, cli};

/// How problems are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: underlined, on standard error.
    Human,
    /// A JSON list of `{severity, code, message, file, line, column, help}`.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of a GitHub workflow.
    Github,
}

/// Arguments of `attune check`.
#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 nothing is wrong (warnings are shown), 1 something is wrong, 2 wrong usage."
)]
pub struct Args {
    /// Policy files, or folders of them.
    #[arg(default_value = "policies")]
    paths: Vec<PathBuf>,
    /// Folder of the models.
    #[arg(long, default_value = "models")]
    models: PathBuf,
    /// Folder of the templates: a send of one that is not there is an error. Its files are named `NAME` or `NAME.EXT`.
    #[arg(long)]
    templates: Option<PathBuf>,
    /// Does not load the models themselves.
    #[arg(long)]
    no_env: bool,
    /// Counts warnings as errors.
    #[arg(long)]
    deny_warnings: bool,
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
    let mut sources = app::sources(&args.paths, &args.models)?;
    let n_files = sources.len();
    let templates = args.templates.as_deref().map(templates).transpose()?;
    sources.extend(templates);
    let checked = policy::check(&sources);
    let is_denied = args.deny_warnings && !checked.problems.0.is_empty();
    show(args.format, &checked.problems);
    let Some(bundle) = checked.bundle.filter(|_| !is_denied) else {
        return Ok(ExitCode::FAILURE);
    };
    if !args.no_env {
        app::scorer(bundle.models.values(), None)?;
    }
    if args.format == Format::Human {
        cli::say(&summary(n_files, &bundle));
    }
    Ok(ExitCode::SUCCESS)
}

fn show(format: Format, problems: &Diagnostics) {
    match format {
        Format::Human | Format::Github if problems.0.is_empty() => {}
        Format::Human => {
            let color = cli::color(&std::io::stderr());
            cli::say_error(&problems.render(color));
            cli::say_error(&problems.tally());
        }
        Format::Json => cli::say(&problems.to_json()),
        Format::Sarif => cli::say(&sarif::sarif(problems)),
        Format::Github => cli::say(&github::github(problems)),
    }
}

fn summary(n_files: usize, bundle: &Bundle) -> String {
    let counted = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let parts = [
        (bundle.journeys.len(), "journey"),
        (bundle.offers.len(), "offer"),
        (bundle.placements.len(), "placement"),
        (bundle.features.len(), "feature"),
        (bundle.models.len(), "model"),
    ];
    let parts = parts.map(|(n, word)| counted(n, word)).join(", ");
    let are = if n_files == 1 { "is" } else { "are" };
    let files = counted(n_files, "file");
    format!("{files} {are} right: {parts} (bundle {})", bundle.id)
}

/// Lists a folder of templates as the document that an author would write.
fn templates(folder: &Path) -> anyhow::Result<Source> {
    let shown = folder.display();
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read the folder `{shown}`"))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        names.extend(
            path.file_stem()
                .map(|stem| stem.to_string_lossy().into_owned()),
        );
    }
    names.sort();
    names.dedup();
    let text = serde_json::json!({ "templates": names }).to_string();
    Ok(Source::new(&shown.to_string(), &text))
}
