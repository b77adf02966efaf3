//! `attune schema`: what editors are told about policies and the configuration.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::builder::{PossibleValue, PossibleValuesParser};
use serde_json::Value;

use crate::cli;
use crate::policy::json_schema;

const CONFIG: &str = include_str!("schema/config.yaml");

/// Arguments of `attune schema`.
#[derive(clap::Args)]
#[command(
    after_help = "Editors with yaml-language-server (VS Code, Neovim, Helix, Emacs) find a schema by the first line of a file:\n\n  \
                  attune schema --out .attune\n  \
                  # yaml-language-server: $schema=../.attune/policy.schema.json\n\n\
                  Exit codes: 0 done, 1 a file cannot be written, 2 wrong usage."
)]
pub struct Args {
    /// Of what.
    #[arg(required_unless_present = "out", value_parser = PossibleValuesParser::new(kinds()))]
    kind: Option<String>,
    /// Writes all of them as `DIR/KIND.schema.json`.
    #[arg(long, value_name = "DIR", conflicts_with = "kind")]
    out: Option<PathBuf>,
}

fn kinds() -> Vec<PossibleValue> {
    let policies = json_schema::KINDS.into_iter();
    let all = policies.chain([("config", "The configuration of `attune serve`")]);
    all.map(|(name, about)| PossibleValue::new(name).help(about))
        .collect()
}

/// Prints a schema, or writes all of them.
///
/// # Errors
///
/// A file cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(kind) = &args.kind {
        cli::say(&text(kind)?);
    }
    if let Some(dir) = &args.out {
        for (name, text) in all()? {
            write(&dir.join(name), &text)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns every schema with the name of its file.
///
/// # Errors
///
/// A schema is broken, which tests rule out.
pub fn all() -> anyhow::Result<Vec<(String, String)>> {
    let file = |kind: &PossibleValue| {
        let kind = kind.get_name();
        Ok((format!("{kind}.schema.json"), text(kind)? + "\n"))
    };
    kinds().iter().map(file).collect()
}

fn text(kind: &str) -> anyhow::Result<String> {
    let schema = of(kind).map_err(anyhow::Error::msg)?;
    Ok(serde_json::to_string_pretty(&schema)?)
}

fn of(kind: &str) -> Result<Value, String> {
    match kind {
        "config" => json_schema::document(&json_schema::read(&[CONFIG])?, kind),
        kind => json_schema::of(kind),
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let failed = || format!("cannot write `{}`", path.display());
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).with_context(failed)?;
    }
    std::fs::write(path, text).with_context(failed)
}
