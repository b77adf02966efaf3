//! `attune plan` and `attune apply`: what a change of policies means, before it is live; then the change itself.

mod apply;
mod effect;
mod people;
mod show;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

use crate::app;
use crate::cli::client::Server;
use crate::cli::history;
use crate::domain::Timestamp;
use crate::policy::diff::{self, Change};
use crate::policy::{Bundle, Source};
use crate::release::folder;
use effect::Effect;
use people::Standing;

pub use apply::{Args as ApplyArgs, run as apply};

/// The version of plans that this build writes and reads.
const FORMAT_VERSION: u32 = 1;

/// How a plan is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Human,
    /// The plan itself.
    Json,
}

/// Arguments of `attune plan`.
///
/// Compares policy files with what a server has live: what is added, changed and removed, step by step, and what the
/// events of the last 24 hours would have led to under both, and how many are on the way through what changes. Nothing is changed; `attune apply` does that.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  attune plan                                 policies/ against the server at 127.0.0.1:7070
  attune plan -o plan.json && attune apply plan.json
  attune plan --base ../main/policies --events yesterday.jsonl.gz

Exit codes: 0 planned, 1 a file or policy is wrong or the server does not answer, 2 wrong usage. With
`--detailed-exitcode`: 0 nothing changes, 1 as before, 2 something changes.")]
pub struct Args {
    /// Policy files, or folders of them.
    #[arg(value_name = "PATH", default_value = "policies")]
    policies: Vec<PathBuf>,
    /// The server's API.
    #[arg(
        long,
        value_name = "URL",
        env = "ATTUNE_URL",
        default_value = "http://127.0.0.1:7070"
    )]
    against: String,
    /// The server's token.
    #[arg(long, env = "ATTUNE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Compares with these policies instead of a server; such a plan cannot be applied.
    #[arg(long, value_name = "DIR")]
    base: Option<PathBuf>,
    /// Folder of the models; against a server its own manifests are used.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
    /// Past events to try both on, one JSON event a line, instead of the event stream.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Tries both on the event stream from then on: a time, or so long before now [default: 24h against a server].
    #[arg(long, value_name = "24h|RFC3339", value_parser = history::moment, conflicts_with = "events")]
    since: Option<Timestamp>,
    /// Does not try them on past events.
    #[arg(long, conflicts_with_all = ["events", "since"])]
    no_effect: bool,
    #[command(flatten)]
    source: history::Source,
    /// Writes the plan there, for `attune apply`.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Exits with 2 if anything changes.
    #[arg(long)]
    detailed_exitcode: bool,
    /// How the plan is printed.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// What is to become live, what it replaces, and what that means.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`FORMAT_VERSION`].
    format_version: u32,
    /// The server; `None`: two folders were compared.
    server: Option<String>,
    /// The revision that was live there.
    live: Option<u64>,
    /// Hash of what is compared with.
    before: Arc<str>,
    /// Hash of what is to be live.
    after: Arc<str>,
    /// Hash of `sources`.
    sources_hash: String,
    /// What differs.
    changes: Vec<Change>,
    /// Who is on the way through what changes; `None`: two folders were compared, or the server does not know.
    people: Option<Vec<Standing>>,
    /// What past events lead to under both.
    effect: Option<Effect>,
    /// Why there is no `effect`.
    effect_unknown: Option<String>,
    /// The policy files, whole.
    sources: Vec<File>,
}

/// A policy file.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct File {
    name: String,
    text: String,
}

/// What the files are compared with.
struct Base {
    server: Option<String>,
    live: Option<u64>,
    sources: Vec<Source>,
    /// The manifests that the files are compiled with.
    manifests: Vec<Source>,
    /// Where people are, as the server says.
    people: Option<Value>,
}

/// Plans.
///
/// # Errors
///
/// A file cannot be read, a policy is wrong, the server does not answer, or the plan cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let plan = plan(args)?;
    let json = serde_json::to_string_pretty(&plan)?;
    if let Some(path) = &args.out {
        let failed = || format!("cannot write `{}`", path.display());
        std::fs::write(path, &json).with_context(failed)?;
    }
    match args.format {
        Format::Human => super::say(show::plan(&plan).trim_end()),
        Format::Json => super::say(&json),
    }
    let changes = args.detailed_exitcode && !plan.changes.is_empty();
    Ok(if changes {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    })
}

fn plan(args: &Args) -> anyhow::Result<Plan> {
    let base = base(args)?;
    // A folder of models that is not there has no manifests.
    let own = folder::sources(&args.policies, Path::new(""))?;
    let all: Vec<Source> = own.iter().chain(&base.manifests).cloned().collect();
    let before = compile(&base.sources).context("the policies that it is compared with")?;
    let after = compile(&all)?;
    let sources: Vec<File> = own.iter().map(File::of).collect();
    let changes = diff::diff(&before, &after);
    let people = base.people.as_ref();
    let people = people
        .map(|page| people::of(page, &before, &after))
        .transpose()?;
    let (ids, server) = ((before.id.clone(), after.id.clone()), base.server);
    let (effect, effect_unknown) = match effect::of(args, server.is_some(), before, after) {
        Ok(effect) => (effect, None),
        Err(error) if args.events.is_some() || args.since.is_some() => return Err(error),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    Ok(Plan {
        format_version: FORMAT_VERSION,
        server,
        live: base.live,
        before: ids.0,
        after: ids.1,
        sources_hash: hash(&sources),
        changes,
        people,
        effect,
        effect_unknown,
        sources,
    })
}

fn base(args: &Args) -> anyhow::Result<Base> {
    if let Some(dir) = &args.base {
        let sources = folder::sources(std::slice::from_ref(dir), &args.models)?;
        let with_models = folder::sources(&args.policies, &args.models)?;
        let own = folder::sources(&args.policies, Path::new(""))?;
        let is_own = |source: &Source| own.iter().any(|it| it.name == source.name);
        return Ok(Base {
            server: None,
            live: None,
            sources,
            people: None,
            manifests: with_models.into_iter().filter(|it| !is_own(it)).collect(),
        });
    }
    let server = Server::at(&args.against, args.token.as_deref());
    let (page, people) = super::block_on(async {
        let live = server.get("/v1/policies").await?["live"].clone();
        let page = server.get(&format!("/v1/policies/{live}")).await?;
        anyhow::Ok((page, server.get("/v1/journeys").await?))
    })?;
    let text = |file: &Value, key: &str| file[key].as_str().unwrap_or_default().to_owned();
    let files = page["sources"].as_array();
    let files = files
        .context("the server does not say what is live")?
        .iter();
    let sources = files.map(|file| Source::new(&text(file, "name"), &text(file, "text")));
    let sources: Vec<Source> = sources.collect();
    let is_manifest = |source: &&Source| source.name.ends_with("model.yaml");
    Ok(Base {
        server: Some(args.against.clone()),
        live: page["revision"].as_u64(),
        people: Some(people),
        manifests: sources.iter().filter(is_manifest).cloned().collect(),
        sources,
    })
}

fn compile(sources: &[Source]) -> anyhow::Result<Bundle> {
    app::compile(sources, super::color(&std::io::stderr()))
}

impl File {
    fn of(source: &Source) -> Self {
        Self {
            name: source.name.to_string(),
            text: source.text.to_string(),
        }
    }
}

/// Hashes files with their names.
fn hash(files: &[File]) -> String {
    let all = files.iter().map(|file| (&file.name, &file.text));
    // Names and texts in quotes: nothing runs into each other.
    let all = format!("{:?}", all.collect::<Vec<_>>());
    format!("{:032x}", xxh3_128(all.as_bytes()))
}
