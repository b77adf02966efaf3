//! `attune backtest`: the same decisions on past events, at the speed of the machine.

pub mod compare;
mod customers;
pub mod feed;
mod file;
pub mod html;
mod line;
mod lines;
mod problems;
mod progress;
pub mod replay;
pub mod summary;
mod table;

use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write, stderr, stdout};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use serde::Serialize;

use crate::app;
use crate::cli::history;
use crate::domain::{CustomerId, Timestamp};
use crate::policy::wanted::Wanted;
use compare::Comparison;
use feed::Feed;
use html::Page;
use problems::Problems;
use progress::Progress;
use replay::{Replay, Side};
use summary::Summary;

/// Arguments of `attune backtest`.
///
/// Writes one line of JSON for every action, in the order in which they would have left, and a summary.
#[derive(clap::Args)]
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
    /// Where actions go, one JSON object a line [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Also writes a report with plots, one page of HTML that needs nothing else.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// So many customers stay in memory; the others are put on disk until they return.
    #[arg(long, value_name = "N", default_value = "1000000")]
    customers_max: NonZeroUsize,
}

/// What came of a backtest.
#[derive(Serialize)]
#[serde(untagged)]
enum Report {
    /// Of one set of policies.
    One(Summary),
    /// Of two.
    Two(Comparison),
}

impl Report {
    fn html(&self, args: &Args) -> String {
        let named = |paths: &[PathBuf]| {
            let names = paths.iter().map(|path| path.display().to_string());
            names.collect::<Vec<_>>().join(", ")
        };
        let (against, after, comparison) = match self {
            Self::One(summary) => (None, summary, None),
            Self::Two(of) => (Some(named(&args.against)), &of.after, Some(of)),
        };
        let policies = named(&args.policies);
        Page {
            policies,
            against,
            after,
            comparison,
        }
        .html()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(summary) => summary.fmt(f),
            Self::Two(comparison) => comparison.fmt(f),
        }
    }
}

/// Runs a backtest. Actions go to `--out` and the summary to standard output; without `--out` actions go to
/// standard output and the summary to standard error. Exit code 1: there was not a single event.
///
/// # Errors
///
/// Policies, models or events cannot be read, or actions cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let report = match &args.out {
        Some(path) => {
            let failed = || format!("cannot write `{}`", path.display());
            report(
                args,
                &mut BufWriter::new(File::create(path).with_context(failed)?),
            )?
        }
        None => report(args, &mut BufWriter::new(stdout().lock()))?,
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
    let (Report::One(summary) | Report::Two(Comparison { after: summary, .. })) = &report;
    Ok(if summary.events > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn report(args: &Args, out: &mut dyn Write) -> anyhow::Result<Report> {
    if args.against.is_empty() {
        return backtest(args, out, &mut stderr()).map(Report::One);
    }
    compared(args, out, &mut stderr()).map(Report::Two)
}

/// Compares two sets of policies into any writer.
///
/// # Errors
///
/// Policies, models or events cannot be read, or lines cannot be written.
pub fn compared(
    args: &Args,
    out: &mut dyn Write,
    problems: &mut dyn Write,
) -> anyhow::Result<Comparison> {
    let before = side(&args.against, &args.models).context("`--against`")?;
    let after = side(&args.policies, &args.models)?;
    let wanted = Wanted::of(&before.bundle).and(Wanted::of(&after.bundle));
    let feed = Feed::open(args, wanted)?;
    compare::compare(&before, &after, feed, args.customers_max, out, problems)
}

/// Runs a backtest into any writer.
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
    let mut feed = Feed::open(args, Wanted::of(&side.bundle))?;
    let started_at = Instant::now();
    let mut progress = Progress::start();
    let mut problems = Problems::new(problems, feed.unit);
    let mut replay = Replay::new(&side, args.customers_max);
    while let Some(items) = feed.batch()? {
        problems.show(&items)?;
        replay.take(&items)?;
        write(&mut replay, out)?;
        progress.show(&replay.summary);
    }
    if let Some(until) = feed.until {
        replay.advance(until)?;
    }
    write(&mut replay, out)?;
    out.flush().context("cannot write the last actions")?;
    progress.end();
    let mut summary = replay.summary;
    summary.took(started_at.elapsed());
    Ok(summary)
}

fn write(replay: &mut Replay<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    replay.held.clear();
    for action in replay.left.drain(..) {
        line::write(out, &action, None).context("cannot write an action")?;
    }
    Ok(())
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
