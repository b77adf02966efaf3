//! `attune init`: a project that works, to be changed into one's own.

mod templates;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::ValueEnum;

use crate::cli::{self, schema};
use templates::File;

/// Which project is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Template {
    /// Abandoned carts and reviews, with the standard e-commerce events and a model of purchase intent.
    Shop,
    /// Trials, silence and failed payments of a software product, with a model of trial conversion.
    Saas,
    /// Deposits and declined cards of a bank, with a model of who responds to an offer.
    Bank,
}

impl Template {
    fn files(self) -> &'static [File] {
        match self {
            Self::Shop => &templates::SHOP,
            Self::Saas => &templates::SAAS,
            Self::Bank => &templates::BANK,
        }
    }
}

/// Arguments of `attune init`.
#[derive(clap::Args)]
#[command(
    after_help = "Writes policies with tests, a model with its training script, past events to try them on, a configuration, and JSON Schema for \
                  your editor. Then:\n\n  \
                  attune check\n  \
                  attune test\n  \
                  attune backtest --events events.jsonl\n  \
                  attune dev --events events.jsonl\n\n\
                  Exit codes: 0 done, 1 a file is there already or cannot be written, 2 wrong usage."
)]
pub struct Args {
    /// The folder of the project; made if it is not there.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// What the project is like.
    #[arg(long, value_enum, default_value = "shop")]
    template: Template,
    /// Overwrites files that are there already.
    #[arg(long)]
    force: bool,
}

/// Writes a project.
///
/// # Errors
///
/// A file is there already, and then none is written, or a file cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let files = files(args.template)?;
    let is_there = |path: &&str| args.dir.join(path).symlink_metadata().is_ok();
    let paths = files.iter().map(|(path, _)| path.as_str());
    let there: Vec<&str> = paths.filter(is_there).collect();
    if !there.is_empty() && !args.force {
        bail!(
            "nothing was written: in `{}` there is already `{}`; give another folder, or `--force` to overwrite",
            args.dir.display(),
            there.join("`, `")
        );
    }
    for (path, content) in &files {
        write(&args.dir.join(path), content)?;
        cli::say(path);
    }
    cli::say(&next(&args.dir, files.len()));
    Ok(ExitCode::SUCCESS)
}

fn next(dir: &Path, n_files: usize) -> String {
    let enter = if dir == Path::new(".") {
        String::new()
    } else {
        format!("  cd {}\n", dir.display())
    };
    format!(
        "\n{n_files} files are written. Next:\n\n{enter}  \
         attune check                            # underlines every mistake\n  \
         attune test                             # runs the tests beside the policies\n  \
         attune backtest --events events.jsonl   # what would have been sent, and what not\n  \
         attune dev --events events.jsonl        # the same, live"
    )
}

/// Returns every file of a project by its path.
fn files(template: Template) -> anyhow::Result<Vec<(String, Cow<'static, [u8]>)>> {
    let mut files = Vec::new();
    for (path, content) in template.files() {
        let content = match modeline(path, content) {
            Some(line) => Cow::Owned([line.as_bytes(), content].concat()),
            None => Cow::Borrowed(*content),
        };
        files.push(((*path).to_owned(), content));
    }
    for (name, text) in schema::all()? {
        files.push((format!(".attune/{name}"), Cow::Owned(text.into_bytes())));
    }
    files.push((".gitignore".into(), Cow::Borrowed(b"data/\n")));
    Ok(files)
}

/// Returns the line by which editors find the schema of a YAML file.
fn modeline(path: &str, content: &[u8]) -> Option<String> {
    let name = path.strip_suffix(".yaml")?;
    let kind = match name.rsplit('/').next() {
        Some("attune") => "config",
        Some("model") => "model",
        Some(_) | None => "policy",
    };
    let up = "../".repeat(path.matches('/').count());
    // What a comment says of the file stands apart.
    let gap = if content.starts_with(b"#") { "\n" } else { "" };
    Some(format!(
        "# yaml-language-server: $schema={up}.attune/{kind}.schema.json\n{gap}"
    ))
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let failed = || format!("cannot write `{}`", path.display());
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).with_context(failed)?;
    }
    std::fs::write(path, content).with_context(failed)
}
