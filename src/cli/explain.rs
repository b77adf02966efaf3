//! `attune explain`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::ValueEnum;

use crate::policy::journey::Journey;
use crate::policy::offer::Placement;
use crate::policy::{Bundle, Place, explain, hint};
use crate::{app, cli};

/// Where policies are unless somebody says otherwise.
const POLICIES: &str = "policies";

/// How a journey is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// In plain words.
    Text,
    /// As a flow chart of Mermaid: journeys alone.
    Mermaid,
    /// Both: words, then the chart as a Markdown block.
    Both,
}

/// Arguments of `attune explain`.
///
/// Says who enters a journey, what happens then, what may hold its sends back, and what ends it; of a placement, who gets which
/// of its offers, how they are ranked, how it learns and what is compared. The numbers before the steps are those that timelines
/// and actions name.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  attune explain
  attune explain abandoned-cart
  attune explain policies/abandoned-cart.yaml --format mermaid > cart.mmd
  attune explain policies/offers.yaml

Exit codes: 0 explained, 1 the policies are wrong or have no such journey or placement, 2 wrong usage.")]
pub struct Args {
    /// A policy file, a folder of them, or the name of a journey or a placement [default: all of `policies`].
    #[arg(value_name = "FILE|DIR|NAME")]
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

/// Explains the journeys and placements of a file, or one by name.
///
/// # Errors
///
/// A file cannot be read, a policy is wrong, or there is nothing of that name.
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
    if let (Some(name), [only], None, None) = (named, paths.as_slice(), file, dir)
        && !only.exists()
    {
        let shown = only.display();
        bail!(
            "there is no file `{name}`, and no folder `{shown}` with a journey or placement of that name"
        );
    }
    let sources = app::sources(&paths, &args.models)?;
    let bundle = app::compile(&sources, cli::color(&std::io::stderr()))?;
    let subjects = match (file, named) {
        (Some(file), _) => of_file(&bundle, file)?,
        (None, Some(name)) if dir.is_none() => by_name(&bundle, name)?,
        (None, _) => Subjects {
            journeys: bundle.journeys.iter().collect(),
            placements: bundle.placements.values().collect(),
        },
    };
    for page in pages(args.format, &bundle, &subjects)? {
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

/// What is explained.
struct Subjects<'b> {
    journeys: Vec<&'b Journey>,
    placements: Vec<&'b Placement>,
}

/// Returns the journeys of a file, its placements, and those of its offers.
fn of_file<'b>(bundle: &'b Bundle, file: &Path) -> anyhow::Result<Subjects<'b>> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let wanted = real(file);
    let is_there = |place: &Place| real(Path::new(place.file.as_ref())) == wanted;
    let journeys = bundle.journeys.iter();
    let journeys: Vec<&Journey> = journeys.filter(|it| is_there(&it.place)).collect();
    let offers = bundle.offers.values().filter(|it| is_there(&it.place));
    let named: BTreeSet<&str> = offers
        .flat_map(|offer| &offer.placements)
        .map(AsRef::as_ref)
        .collect();
    let placements = bundle.placements.values();
    let placements: Vec<&Placement> = placements
        .filter(|it| named.contains(it.name.as_ref()) || is_there(&it.place))
        .collect();
    if journeys.is_empty() && placements.is_empty() {
        let shown = file.display();
        bail!(
            "there is no journey and no placement in `{shown}`; {}",
            known(bundle)
        );
    }
    Ok(Subjects {
        journeys,
        placements,
    })
}

fn by_name<'b>(bundle: &'b Bundle, name: &str) -> anyhow::Result<Subjects<'b>> {
    let journeys: Vec<&Journey> = bundle.journey(name).into_iter().collect();
    let placements: Vec<&Placement> = bundle.placement(name).into_iter().collect();
    if !journeys.is_empty() || !placements.is_empty() {
        return Ok(Subjects {
            journeys,
            placements,
        });
    }
    let hint = hint(name, names(bundle));
    let end = if hint.is_empty() { ";" } else { "" };
    bail!(
        "there is no file, no journey and no placement `{name}`{hint}{end} {}",
        known(bundle)
    )
}

fn names(bundle: &Bundle) -> impl Iterator<Item = &str> {
    let journeys = bundle.journeys.iter().map(|journey| journey.name.as_ref());
    journeys.chain(bundle.placements.keys().map(AsRef::as_ref))
}

fn known(bundle: &Bundle) -> String {
    let names: Vec<String> = names(bundle).map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        return "the policies have none".into();
    }
    format!("the policies have {}", names.join(", "))
}

fn pages(format: Format, bundle: &Bundle, of: &Subjects<'_>) -> anyhow::Result<Vec<String>> {
    let text = || {
        let journeys = of.journeys.iter();
        let journeys = journeys.map(|journey| explain::text(bundle, journey));
        let placements = of.placements.iter();
        let placements = placements.map(|it| explain::placement(bundle, it));
        let texts: Vec<String> = journeys.chain(placements).collect();
        texts.join("\n")
    };
    let chart = || explain::mermaid(&of.journeys);
    Ok(match (format, of.journeys.is_empty()) {
        (Format::Text, _) | (Format::Both, true) => vec![text()],
        (Format::Mermaid, true) => bail!("only journeys are drawn, and there is none"),
        (Format::Mermaid, false) => vec![chart()],
        (Format::Both, false) => vec![text(), format!("\n```mermaid\n{}```", chart())],
    })
}
