//! `attune fmt`: lays policy files out.

#[cfg(test)]
mod tests;

use std::fs;
use std::io::{Read, Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};

use crate::policy::{self, Source};
use crate::{app, cli};

/// Arguments of `attune fmt`.
#[derive(clap::Args)]
#[command(
    after_help = "Indents, spaces and quotes become regular. Order, comments, blank lines, the choice between `{ }` and lines, and the \
                  text of expressions stay, so the bundle stays the same, and nobody in a journey notices. That is checked before a \
                  file is written; where it would not hold the file is left alone.\n\n\
                  Exit codes: 0 done, 1 a file could not be laid out (with `--check`: or is not), 2 wrong usage."
)]
pub struct Args {
    /// Policy files, or folders of them; `-` lays standard input out to standard output [default: policies, and models].
    paths: Vec<PathBuf>,
    /// Writes nothing, and lists the files that are not laid out.
    #[arg(long)]
    check: bool,
}

/// Lays files out, and lists those that change.
///
/// # Errors
///
/// A file or folder cannot be read or written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.paths.iter().any(|path| path == Path::new("-")) {
        return input(args);
    }
    let mut files = Vec::new();
    for path in paths(args) {
        app::collect(&path, &mut files)?;
    }
    files.sort();
    files.dedup();
    let mut done = Done::default();
    for path in &files {
        done.add(file(path, args.check)?);
    }
    Ok(done.end(args.check))
}

fn paths(args: &Args) -> Vec<PathBuf> {
    if !args.paths.is_empty() {
        return args.paths.clone();
    }
    let models = Some(PathBuf::from("models")).filter(|it| it.is_dir());
    [PathBuf::from("policies")]
        .into_iter()
        .chain(models)
        .collect()
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Same,
    Changed,
    Refused,
}

/// How many files became what.
#[derive(Default)]
struct Done {
    files: usize,
    changed: usize,
    refused: usize,
}

impl Done {
    fn add(&mut self, outcome: Outcome) {
        self.files += 1;
        self.changed += usize::from(outcome == Outcome::Changed);
        self.refused += usize::from(outcome == Outcome::Refused);
    }

    fn end(&self, check: bool) -> ExitCode {
        let Self {
            files,
            changed,
            refused,
        } = self;
        let what = if check { "not laid out" } else { "changed" };
        let left = match refused {
            0 => String::new(),
            n => format!(", {n} could not be laid out"),
        };
        cli::say_error(&format!("{changed} of {files} files {what}{left}"));
        if *refused > 0 || (check && *changed > 0) {
            return ExitCode::FAILURE;
        }
        ExitCode::SUCCESS
    }
}

fn file(path: &PathBuf, check: bool) -> anyhow::Result<Outcome> {
    let shown = path.display().to_string();
    let Source { text, .. } = app::read(path)?;
    let Some(laid) = laid(&shown, &text) else {
        return Ok(Outcome::Refused);
    };
    if laid == *text {
        return Ok(Outcome::Same);
    }
    if !check {
        replace(path, &laid).with_context(|| format!("cannot write `{shown}`"))?;
    }
    cli::say(&shown);
    Ok(Outcome::Changed)
}

/// Lays a text out; what is wrong with it is shown.
fn laid(name: &str, text: &str) -> Option<String> {
    match policy::format(&Source::new(name, text)) {
        Ok(laid) => Some(laid),
        Err(problems) => {
            let color = cli::color(&std::io::stderr());
            cli::say_error(&problems.render(color));
            None
        }
    }
}

fn input(args: &Args) -> anyhow::Result<ExitCode> {
    if args.paths.len() > 1 {
        bail!("`-` is standard input, and stands alone");
    }
    let mut text = String::new();
    stdin()
        .read_to_string(&mut text)
        .context("cannot read standard input")?;
    let Some(laid) = laid("-", &text) else {
        return Ok(ExitCode::FAILURE);
    };
    if args.check {
        let same = laid == text;
        return Ok(if same {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    stdout().write_all(laid.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Replaces a file as a whole: whoever reads it meanwhile sees the old one or the new one.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let path = fs::canonicalize(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.draft"));
    let permissions = fs::metadata(&path)?.permissions();
    let written = fs::write(&draft, text)
        .and_then(|()| fs::set_permissions(&draft, permissions))
        .and_then(|()| fs::rename(&draft, &path));
    if written.is_err() {
        let _gone = fs::remove_file(&draft);
    }
    written
}
