//! `attune backtest`: the same decisions on past events, at the speed of the machine.

pub mod compare;
mod course;
mod customers;
pub mod feed;
mod file;
mod folder;
pub mod html;
mod keeper;
mod line;
pub mod lines;
mod problems;
mod progress;
pub mod replay;
mod report;
mod run;
mod saved;
mod sink;
pub mod summary;
mod table;
pub mod training;

use std::io::{Read, Write, stderr, stdout};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use crate::app;
use crate::cli::history;
use crate::cli::interrupt::INTERRUPTED;
use crate::domain::{CustomerId, Duration, Timestamp};
use crate::policy::wanted::Wanted;
use compare::{Comparison, Two};
use course::One;
use feed::Feed;
use keeper::Found;
use replay::Side;
use report::Report;
use run::Output;
use sink::Sink;
use summary::Summary;

/// Arguments of `attune backtest`.
///
/// Writes one line of JSON for every action, in the order in which they would have left, and a summary.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  attune backtest --events past.jsonl.gz --out actions.jsonl
  attune backtest --since 24h --against live/ --policies next/ --html report.html --out diff.jsonl
  attune backtest --events past.jsonl.gz --features repeat-purchase --label 'Order Completed within 28d' \\
         --at 'every 7d' --out train.parquet")]
pub struct Args {
    /// Policy files, or folders of them.
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: Vec<PathBuf>,
    /// Compares with these policies, which stand for what is live: writes the actions that `--policies` adds
    /// (`gained`) and takes away (`lost`), and shows both sides of every count.
    #[arg(long, value_name = "DIR")]
    against: Vec<PathBuf>,
    /// Folder of the models.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
    /// Past events: one JSON event a line, in the order of time; may be packed by gzip.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "since",
        conflicts_with = "since"
    )]
    events: Option<PathBuf>,
    /// Reads the event stream of a NATS server instead of a file, from then on: a time, or so long before now.
    #[arg(long, value_name = "24h|RFC3339", value_parser = history::moment)]
    since: Option<Timestamp>,
    /// Ends then: timers due before fire, later events are left out [default: the last event of a file, this
    /// moment for a stream].
    #[arg(long, value_name = "2h|RFC3339", value_parser = history::moment)]
    until: Option<Timestamp>,
    /// Only what this customer did.
    #[arg(long, value_name = "ID", value_parser = CustomerId::parse)]
    customer: Option<CustomerId>,
    #[command(flatten)]
    source: history::Source,
    /// Where actions go, one JSON object a line [default: standard output]; with `--features` the table, as the end of
    /// its name says: `.parquet`, `.csv` or `.jsonl`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Also writes a report with plots, one page of HTML that needs nothing else.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Keeps the state of the backtest in this file, every now and then and when it is interrupted: the same command
    /// goes on from there, and writes what it would have written. Removed at the end.
    #[arg(long, value_name = "FILE", requires = "out")]
    checkpoint: Option<PathBuf>,
    /// The least time between two checkpoints.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = Duration::parse, requires = "checkpoint")]
    checkpoint_every: Duration,
    /// Writes the training table of this model instead: one row a moment with what the model would have seen, by the
    /// code that serves it, and whether the label came true after. The model itself need not be there yet.
    #[arg(
        long,
        value_name = "MODEL",
        requires = "label",
        requires = "out",
        conflicts_with_all = ["against", "html", "checkpoint"]
    )]
    features: Option<String>,
    /// What is to be foreseen: an event, or an event and a condition, strictly after the moment of the row and within
    /// a time. Rows whose time is not over at the end of the events are left out.
    #[arg(
        long,
        value_name = "EVENT [where EXPR] within TIME",
        requires = "features"
    )]
    label: Option<training::Label>,
    /// The moments of the rows: right after an event of the customer, or everybody at whole multiples of a time (UTC).
    #[arg(
        long,
        value_name = "EVENT|every TIME",
        default_value = "every 1d",
        requires = "features"
    )]
    at: training::Moments,
    /// So many customers stay in memory; the others are put on disk until they return.
    #[arg(long, value_name = "N", default_value = "1000000")]
    customers_max: NonZeroUsize,
}

/// Runs a backtest. Actions go to `--out` and the summary to standard output; without `--out` actions go to
/// standard output and the summary to standard error. Exit codes: 1 there was not a single event, 130 it was
/// interrupted and the checkpoint is written.
///
/// # Errors
///
/// Policies, models or events cannot be read, or actions cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let (Some(model), Some(label), Some(path)) = (&args.features, &args.label, &args.out) {
        return training::run(args, model, label, path);
    }
    let report = if args.against.is_empty() {
        one(args)?
    } else {
        two(args)?
    };
    let Some(report) = report else {
        super::say_error("interrupted; the same command goes on from the checkpoint");
        return Ok(ExitCode::from(INTERRUPTED));
    };
    if let Some(path) = &args.html {
        let failed = || format!("cannot write `{}`", path.display());
        std::fs::write(path, report.html(args)).with_context(failed)?;
    }
    writeln!(stderr(), "{report}")?;
    let json = serde_json::to_string(&report)?;
    match &args.out {
        Some(_) => writeln!(stdout(), "{json}")?,
        None => writeln!(stderr(), "{json}")?,
    }
    Ok(if report.summary().events > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Runs one set of policies as the arguments say; nothing comes of it when it is interrupted.
fn one(args: &Args) -> anyhow::Result<Option<Report>> {
    let side = side(&args.policies, &args.models)?;
    let mut found = Found::of(args.checkpoint.as_deref())?;
    let place = found.as_ref().map(|found| &found.head.place);
    let feed = Feed::open(args, Wanted::of(&side.bundle), place)?;
    let of = format!("policies {}, {}", side.bundle.id, feed.of);
    let sink = Sink::open(args, of, found.as_ref())?;
    let saved = found.as_mut().map(|found| &mut found.rest as &mut dyn Read);
    let mut one = One::start(&side, args.customers_max, saved)?;
    let ended = sink.run(&mut one, feed)?;
    Ok(ended.map(|ended| Report::One(one.end(ended))))
}

/// Does the same with two.
fn two(args: &Args) -> anyhow::Result<Option<Report>> {
    let (before, after, wanted) = sides(args)?;
    let mut found = Found::of(args.checkpoint.as_deref())?;
    let place = found.as_ref().map(|found| &found.head.place);
    let feed = Feed::open(args, wanted, place)?;
    let ids = (&before.bundle.id, &after.bundle.id);
    let of = format!("policies {} against {}, {}", ids.1, ids.0, feed.of);
    let sink = Sink::open(args, of, found.as_ref())?;
    let saved = found.as_mut().map(|found| &mut found.rest as &mut dyn Read);
    let mut two = Two::start(&before, &after, args.customers_max, saved)?;
    let ended = sink.run(&mut two, feed)?;
    Ok(ended.map(|ended| Report::Two(two.end(ended))))
}

/// Runs a backtest into any writer, without a checkpoint.
///
/// - `out`: gets one line of JSON an action; flushed at the end.
/// - `problems`: gets one line for each of the first lines that are no events.
///
/// # Errors
///
/// Policies, models or events cannot be read, or actions cannot be written.
pub fn backtest(
    args: &Args,
    out: &mut dyn Write,
    problems: &mut dyn Write,
) -> anyhow::Result<Summary> {
    let side = side(&args.policies, &args.models)?;
    let feed = Feed::open(args, Wanted::of(&side.bundle), None)?;
    let mut one = One::start(&side, args.customers_max, None)?;
    let took = run::run(&mut one, feed, &mut Output::new(out), problems, None)?;
    Ok(one.end(took.unwrap_or_default()))
}

/// Compares two sets of policies into any writer, without a checkpoint.
///
/// # Errors
///
/// Policies, models or events cannot be read, or lines cannot be written.
pub fn compared(
    args: &Args,
    out: &mut dyn Write,
    problems: &mut dyn Write,
) -> anyhow::Result<Comparison> {
    let (before, after, wanted) = sides(args)?;
    let feed = Feed::open(args, wanted, None)?;
    compare::compare(&before, &after, feed, args.customers_max, out, problems)
}

fn sides(args: &Args) -> anyhow::Result<(Side, Side, Wanted)> {
    let before = side(&args.against, &args.models).context("`--against`")?;
    let after = side(&args.policies, &args.models)?;
    let wanted = Wanted::of(&before.bundle).and(Wanted::of(&after.bundle));
    Ok((before, after, wanted))
}

/// Compiles policies and loads the models that they name.
///
/// # Errors
///
/// Policies or models cannot be read, or are wrong.
pub fn side(policies: &[PathBuf], models: &Path) -> anyhow::Result<Side> {
    let color = super::color(&stderr());
    let bundle = app::compile(&app::sources(policies, models)?, color)?;
    let scorer = app::scorer(app::named(&bundle), None)?;
    Ok(Side { bundle, scorer })
}
