//! `attune backtest`: the same decisions on past events, at the speed of the machine.

mod customers;
mod feed;
mod file;
mod lines;
mod progress;
mod replay;
pub mod summary;

use std::fs::File;
use std::io::{BufWriter, Write, stderr, stdout};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;

use crate::app;
use crate::cli::history;
use crate::domain::{CustomerId, Timestamp};
use crate::policy::wanted::Wanted;
use feed::Feed;
use progress::Progress;
use replay::Replay;
use summary::Summary;

/// So many lines that are no events are shown; all are counted.
const PROBLEMS_MAX: u64 = 10;

/// Arguments of `attune backtest`.
///
/// Writes one line of JSON for every action, in the order in which they would have left, and a summary.
#[derive(clap::Args)]
pub struct Args {
    /// Policy files, or folders of them.
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: Vec<PathBuf>,
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
    /// So many customers stay in memory; the others are put on disk until they return.
    #[arg(long, value_name = "N", default_value = "1000000")]
    customers_max: NonZeroUsize,
}

/// Runs a backtest. Actions go to `--out` and the summary to standard output; without `--out` actions go to
/// standard output and the summary to standard error. Exit code 1: there was not a single event.
///
/// # Errors
///
/// Policies, models or events cannot be read, or actions cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let summary = match &args.out {
        Some(path) => {
            let failed = || format!("cannot write `{}`", path.display());
            let mut out = BufWriter::new(File::create(path).with_context(failed)?);
            backtest(args, &mut out, &mut stderr())?
        }
        None => backtest(args, &mut BufWriter::new(stdout().lock()), &mut stderr())?,
    };
    writeln!(stderr(), "{summary}")?;
    let json = serde_json::to_string(&summary)?;
    match &args.out {
        Some(_) => writeln!(stdout(), "{json}")?,
        None => writeln!(stderr(), "{json}")?,
    }
    Ok(if summary.events > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
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
    let color = super::color(&std::io::stderr());
    let bundle = app::compile(&app::sources(&args.policies, &args.models)?, color)?;
    let scorer = app::scorer(app::named(&bundle), None)?;
    let mut feed = Feed::open(args, Wanted::of(&bundle))?;
    let started_at = Instant::now();
    let mut progress = Progress::start();
    let mut replay = Replay::new(&bundle, scorer.as_ref(), args.customers_max, out);
    while let Some(items) = feed.next()? {
        for item in items {
            let (place, unit) = (item.place, feed.unit);
            if let Err(why) = replay.item(item)?
                && replay.summary.undecodable <= PROBLEMS_MAX
            {
                writeln!(problems, "{unit} {place}: {why}")?;
            }
            progress.show(&replay.summary);
        }
    }
    if let Some(until) = feed.until {
        replay.advance(until)?;
    }
    progress.end();
    let mut summary = replay.end()?;
    summary.took(started_at.elapsed());
    Ok(summary)
}
