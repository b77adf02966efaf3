//! `attune test record`: a test from what a real customer did.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};

use crate::cli::history::{self, History, Range};
use crate::cli::test::document::document;
use crate::cli::test::draft::{draft, journeys};
use crate::cli::test::past::Past;
use crate::cli::test::suite;
use crate::domain::segment::Depth;
use crate::domain::{CustomerId, Timestamp};
use crate::policy::{self, Bundle, Diagnostics};
use crate::scoring::Scorer;
use crate::stream::Streams;
use crate::{app, cli, clock};

/// Arguments of `attune test record`.
#[derive(clap::Args)]
#[command(
    after_help = "The customer's events are read from the event stream and decided again, by these policies: the tests say what they \
                  do, which is what was done if they were in force. Up to 500 events of before go with them: they say where the \
                  customer stood.\n\n\
                  Exit codes: 0 a test is written, 1 there is nothing to record, or NATS cannot be reached, 2 wrong usage."
)]
pub struct Args {
    /// The customer's id.
    #[arg(value_parser = CustomerId::parse)]
    customer: CustomerId,
    /// Records what the customer did from then on: a time, or so long before now.
    #[arg(long, value_name = "2h|RFC3339", value_parser = history::moment)]
    since: Timestamp,
    /// Ends then [default: now].
    #[arg(long, value_name = "1h|RFC3339", value_parser = history::moment)]
    until: Option<Timestamp>,
    /// Only a test of this journey [default: a test of each journey that began].
    #[arg(long)]
    journey: Option<String>,
    /// Policy files, or folders of them.
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: Vec<PathBuf>,
    /// Folder of the models.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
    /// Where the tests go [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    source: history::Source,
}

/// Records tests.
///
/// # Errors
///
/// NATS cannot be reached, the policies are wrong, or there is nothing to record.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let color = cli::color(&std::io::stderr());
    let mut sources = app::sources(&args.policies, &args.models)?;
    // What is written over is not there any more.
    let out = args.out.as_ref().map(|path| path.display().to_string());
    sources.retain(|source| out.as_deref() != Some(source.name.as_ref()));
    let bundle = app::compile(&sources, color)?;
    let scorer = app::scorer(app::named(&bundle), None)?;
    let past = cli::block_on(read(args))?;
    let only = args.journey.as_deref();
    let texts = record(&bundle, scorer.as_ref(), &past, only)?;
    let text = texts.join("---\n");
    holds(&sources, &text, scorer.as_ref(), color)?;
    match &args.out {
        Some(path) => write(path, &text)?,
        None => cli::say(text.trim_end()),
    }
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let failed = || format!("cannot write `{}`", path.display());
    std::fs::write(path, text).with_context(failed)?;
    cli::say(&format!("recorded in {}", path.display()));
    Ok(())
}

/// Returns a document for each journey that began, or for one that is named.
///
/// # Errors
///
/// There is no such journey, or it did nothing.
pub fn record(
    bundle: &Bundle,
    scorer: &dyn Scorer,
    past: &Past,
    only: Option<&str>,
) -> anyhow::Result<Vec<String>> {
    let names: Vec<Arc<str>> = match only {
        Some(name) => {
            let known = bundle.journeys.iter().map(|journey| journey.name.as_ref());
            let hint = policy::hint(name, known);
            let journey = bundle.journey(name);
            vec![
                journey
                    .with_context(|| format!("there is no journey `{name}`{hint}"))?
                    .name
                    .clone(),
            ]
        }
        None => journeys(bundle, scorer, past),
    };
    let drafts = names
        .iter()
        .filter_map(|name| draft(bundle, scorer, past, Some(name)));
    let notes = past.notes(bundle);
    let texts: Vec<String> = drafts
        .map(|test| notes.clone() + &document(&test))
        .collect();
    if texts.is_empty() {
        let n_events = past.events.len();
        let who = &past.customer;
        bail!("no journey concerned `{who}` in this time (events read: {n_events})");
    }
    Ok(texts)
}

/// Reads what the customer did, also before: what was told then is given in the test.
async fn read(args: &Args) -> anyhow::Result<Past> {
    let config = args.source.config()?;
    let streams: Arc<dyn Streams> = Arc::new(app::connect(&config).await?);
    let until = args.until.unwrap_or_else(clock::now);
    let range = Range {
        since: Timestamp::MIN,
        until: args.until,
        customer: Some(args.customer.clone()),
    };
    let mut history = History::open(streams.as_ref(), &config, range).await?;
    let mut past = Past {
        customer: args.customer.clone(),
        before: Vec::new(),
        events: Vec::new(),
        until,
    };
    while let Some(batch) = history.next(|_| Depth::Whole).await? {
        for event in batch {
            let side = if event.now < args.since {
                &mut past.before
            } else {
                &mut past.events
            };
            side.extend(event.event.ok().map(|decoded| (event.now, decoded.event)));
        }
    }
    Ok(past)
}

/// Checks that what was written can be read, and holds.
fn holds(
    sources: &[policy::Source],
    text: &str,
    scorer: &dyn Scorer,
    color: bool,
) -> anyhow::Result<()> {
    let mut sources = sources.to_vec();
    sources.push(policy::Source::new("recorded", text));
    let checked = policy::check(&sources);
    let problems: Diagnostics = checked.problems.errors();
    let wrong = || {
        anyhow::anyhow!(
            "the recorded test is wrong:\n{}\n{text}",
            problems.render(color)
        )
    };
    let bundle = checked.bundle.with_context(wrong)?;
    let own = |test: &&policy::Test| test.place.file.as_ref() == "recorded";
    let tests: Vec<policy::Test> = checked.tests.iter().filter(own).cloned().collect();
    let reports = suite::run(&bundle, &tests, scorer);
    match reports.iter().find(|report| !report.holds()) {
        Some(report) => bail!("{}", crate::cli::test::shown::failed(&bundle, report)),
        None => Ok(()),
    }
}
