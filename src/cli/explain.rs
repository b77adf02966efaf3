//! `attune explain`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::ValueEnum;

use crate::policy::journey::Journey;
use crate::policy::{Bundle, explain, hint};
use crate::{app, cli};

/// Where policies are unless somebody says otherwise.
const POLICIES: &str = "policies";

/// How a journey is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// In plain words.
    Text,
    /// As a flow chart of Mermaid.
    Mermaid,
    /// Both: words, then the chart as a Markdown block.
    Both,
}

/// Arguments of `attune explain`.
///
/// Says who enters a journey, what happens then, what may hold its sends back, and what ends it. The numbers before the
/// steps are those that timelines and actions name.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  attune explain
  attune explain abandoned-cart
  attune explain policies/abandoned-cart.yaml --format mermaid > cart.mmd

Exit codes: 0 explained, 1 the policies are wrong or have no such journey, 2 wrong usage.")]
pub struct Args {
    /// A policy file, a folder of them, or the name of a journey [default: every journey of `policies`].
    #[arg(value_name = "FILE|DIR|JOURNEY")]
    what: Option<String>,
    /// Policy files, or folders of them, that it is read with [default: `policies`, or else the folder of FILE].
    #[arg(long, value_name = "DIR")]
    policies: Vec<PathBuf>,
    /// Folder of the models.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
    /// How it is explained.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Explains the journeys of a file, or one by name.
///
/// # Errors
///
/// A file cannot be read, a policy is wrong, or there is no such journey.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let named = args.what.as_deref();
    let path = named.map(Path::new);
    let (file, dir) = (
        path.filter(|it| it.is_file()),
        path.filter(|it| it.is_dir()),
    );
    let mut paths = args.policies.clone();
    if paths.is_empty() {
        paths.push(dir.map_or_else(|| folder(file), Path::to_owned));
    }
    let sources = app::sources(&paths, &args.models)?;
    let bundle = app::compile(&sources, cli::color(&std::io::stderr()))?;
    let journeys = match (file, named) {
        (Some(file), _) => of_file(&bundle, file)?,
        (None, Some(name)) if dir.is_none() => vec![by_name(&bundle, name)?],
        (None, _) => bundle.journeys.iter().collect(),
    };
    for page in pages(args.format, &bundle, &journeys) {
        cli::say(page.trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

/// Policies name each other, so a file is read with those around it.
fn folder(file: Option<&Path>) -> PathBuf {
    let usual = Path::new(POLICIES);
    let around = file.filter(|file| !file.starts_with(usual));
    let around = around.map(|file| file.parent().unwrap_or(Path::new("")));
    match around {
        Some(folder) if folder.as_os_str().is_empty() => PathBuf::from("."),
        Some(folder) => folder.to_owned(),
        None => usual.to_owned(),
    }
}

fn of_file<'b>(bundle: &'b Bundle, file: &Path) -> anyhow::Result<Vec<&'b Journey>> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let wanted = real(file);
    let is_there = |journey: &&Journey| real(Path::new(journey.place.file.as_ref())) == wanted;
    let journeys: Vec<&Journey> = bundle.journeys.iter().filter(is_there).collect();
    if journeys.is_empty() {
        let shown = file.display();
        bail!("there is no journey in `{shown}`; {}", known(bundle));
    }
    Ok(journeys)
}

fn by_name<'b>(bundle: &'b Bundle, name: &str) -> anyhow::Result<&'b Journey> {
    if let Some(journey) = bundle.journey(name) {
        return Ok(journey);
    }
    let names = bundle.journeys.iter().map(|journey| journey.name.as_ref());
    let hint = hint(name, names);
    let end = if hint.is_empty() { ";" } else { "" };
    bail!(
        "there is no file and no journey `{name}`{hint}{end} {}",
        known(bundle)
    )
}

fn known(bundle: &Bundle) -> String {
    let names = bundle
        .journeys
        .iter()
        .map(|journey| format!("`{}`", journey.name));
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        return "the policies have none".into();
    }
    format!("the policies have {}", names.join(", "))
}

fn pages(format: Format, bundle: &Bundle, journeys: &[&Journey]) -> Vec<String> {
    let text = || {
        let texts = journeys
            .iter()
            .map(|journey| explain::text(bundle, journey));
        texts.collect::<Vec<String>>().join("\n")
    };
    match format {
        Format::Text => vec![text()],
        Format::Mermaid => vec![explain::mermaid(journeys)],
        Format::Both => {
            let chart = explain::mermaid(journeys);
            vec![text(), format!("\n```mermaid\n{chart}```")]
        }
    }
}
