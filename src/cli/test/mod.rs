//! `attune test`: the tests that stand beside the policies.

mod coverage;
mod document;
mod draft;
mod judge;
mod junit;
mod past;
mod record;
mod shown;
mod suite;
#[cfg(test)]
mod tests;
mod update;
mod watch;
mod world;
mod yaml;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;

use crate::policy::test::{Script, Test};
use crate::policy::{self, Bundle};
use crate::scoring::Scorer;
use crate::{app, cli};
use coverage::Coverage;
use suite::Report;

const HELP: &str =
    "Exit codes: 0 everything holds, 1 a test failed or the policies are wrong, 2 wrong usage.";
const LONG_HELP: &str = "\
A test is a document beside the policies, in any file below their folder:

  test: a quiet cart gets one mail
  journey: abandoned-cart                  # whose sends, runs and reasons are expected
  customer: { consent: granted }           # also id, traits, timezone, reachable: none | [email]
  models: { purchase-intent: 0.21 }        # or unknown, real, { OFFER: 0.4 }
  timeline:                                # `at` counts from the start: a Monday, 10:00 UTC, or `start:`
    - { at: 0m, event: Product Added, properties: { product_id: A1 } }
    - { at: 29m, expect: { sent: none, at_step: hold_until, next: 30m } }
    - { at: 30m, expect: { sent: cart-nudge } }

What happens: event (with properties, context, late: 2h, id), identify, page, screen, decide (with context, limit).
What is expected: sent, would_send (of shadows), state, at_step, reason, runs, blocked, refused, offer, offers, lost, segments, traits, next.
An expectation sees everything that was due up to and including its time. `sent`, `blocked` and `refused` look at what
came since the last expectation of the same. The customer has an address on every channel unless `reachable` says
otherwise, is in no holdout (`holdout: in`), and is dealt to arms by the id unless `split: { STEP: ARM }` says to which.

Exit codes: 0 everything holds, 1 a test failed or the policies are wrong, 2 wrong usage.";

/// Arguments of `attune test`.
#[derive(clap::Args)]
#[command(after_help = HELP, after_long_help = LONG_HELP)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Policy files with their tests, or folders of them.
    #[arg(default_value = "policies")]
    paths: Vec<PathBuf>,
    /// Folder of the models.
    #[arg(long, default_value = "models")]
    models: PathBuf,
    /// Runs only the tests whose name, journey or file has this in it.
    #[arg(short = 'k', value_name = "NAME")]
    name: Option<String>,
    /// Writes what there is in the place of every expectation that does not hold; comments and layout stay.
    #[arg(long, conflicts_with = "watch")]
    update: bool,
    /// Writes a report for build servers, as `JUnit` does.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Shows the steps, arms, exits, goals and offers that no test reaches.
    #[arg(long)]
    coverage: bool,
    /// Fails if tests reach less than so many percent of the policies; shows what they do not reach.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    coverage_min: Option<f64>,
    /// Runs the tests again whenever a file has changed, until it is stopped.
    #[arg(long)]
    watch: bool,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Writes a test from what a real customer did, and what these policies decide on it.
    Record(record::Args),
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse().ok();
    let number = number.filter(|number| (0.0..=100.0).contains(number));
    number.ok_or_else(|| format!("`{text}` is not a percentage from 0 to 100"))
}

/// Runs the tests of policy files. Exit code 0: everything holds, 1: something does not, or too little is reached.
///
/// # Errors
///
/// A file or a model cannot be read, the policies are wrong, or there is no such test.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(Command::Record(args)) = &args.command {
        return record::run(args);
    }
    if args.watch {
        watch::watch(args);
    }
    let holds = once(args)?;
    Ok(if holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What is tested.
struct Loaded {
    bundle: Bundle,
    tests: Vec<Test>,
    scorer: Arc<dyn Scorer>,
}

impl Loaded {
    fn read(args: &Args) -> anyhow::Result<Self> {
        let color = cli::color(&std::io::stderr());
        let checked = policy::check(&app::sources(&args.paths, &args.models)?);
        let problems = checked.problems.errors();
        let bundle = checked.bundle;
        let bundle = bundle.ok_or_else(|| anyhow::anyhow!("{}", problems.render(color)))?;
        let n_tests = checked.tests.len();
        let mut tests = checked.tests;
        tests.retain(|test| is_named(args, test));
        if tests.is_empty() {
            anyhow::bail!("{}", no_test(args, n_tests));
        }
        let scorer = app::scorer(real(&bundle, &tests), None)?;
        Ok(Self {
            bundle,
            tests,
            scorer,
        })
    }

    fn run(&self) -> Vec<Report<'_>> {
        suite::run(&self.bundle, &self.tests, self.scorer.as_ref())
    }
}

/// Runs the tests once; returns whether everything holds that was asked for.
fn once(args: &Args) -> anyhow::Result<bool> {
    let mut loaded = Loaded::read(args)?;
    if args.update {
        for line in update::write(&update::updated(&loaded.run()))? {
            cli::say(&line);
        }
        loaded = Loaded::read(args)?;
    }
    let started_at = Instant::now();
    let reports = loaded.run();
    let took = started_at.elapsed();
    for report in reports.iter().filter(|report| !report.holds()) {
        cli::say(&shown::failed(&loaded.bundle, report));
    }
    if let Some(path) = &args.junit {
        let failed = || format!("cannot write `{}`", path.display());
        std::fs::write(path, junit::junit(&loaded.bundle, &reports)).with_context(failed)?;
    }
    let is_reached = coverage(args, &loaded.bundle, &reports);
    let millis = took.as_secs_f64() * 1e3;
    cli::say(&format!("{} in {millis:.0} ms", summary(&reports)));
    Ok(is_reached && reports.iter().all(Report::holds))
}

/// Shows what no test reaches; returns whether it is enough.
fn coverage(args: &Args, bundle: &Bundle, reports: &[Report<'_>]) -> bool {
    if !args.coverage && args.coverage_min.is_none() {
        return true;
    }
    let coverage = Coverage::of(bundle, reports);
    cli::say(&coverage.table());
    let least = args.coverage_min.unwrap_or(0.0);
    let is_reached = coverage.percent() >= least;
    if !is_reached {
        cli::say_error(&format!(
            "error: tests reach less than {least}% of the policies"
        ));
    }
    is_reached
}

fn summary(reports: &[Report<'_>]) -> String {
    let n_failed = reports.iter().filter(|report| !report.holds()).count();
    let n_checks: usize = reports.iter().map(|report| report.n_checks).sum();
    let tests = counted(reports.len(), "test");
    let checks = counted(n_checks, "expectation");
    if n_failed == 0 {
        return format!("{tests} passed, {checks}");
    }
    format!("{n_failed} of {tests} failed, {checks}")
}

fn counted(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

fn is_named(args: &Args, test: &Test) -> bool {
    let Some(name) = &args.name else { return true };
    let words = [
        Some(&test.name),
        test.journey.as_ref(),
        Some(&test.place.file),
    ];
    words
        .into_iter()
        .flatten()
        .any(|word| word.contains(name.as_str()))
}

fn no_test(args: &Args, n_tests: usize) -> String {
    match &args.name {
        Some(name) if n_tests > 0 => {
            format!("none of the {n_tests} tests has `{name}` in its name, journey or file")
        }
        Some(_) | None => {
            "there is no test: write a document with `test:` beside the policies".into()
        }
    }
}

/// The models that tests run for real.
fn real<'a>(bundle: &'a Bundle, tests: &[Test]) -> Vec<&'a policy::model::Model> {
    let is_real = |model: &&policy::model::Model| {
        let mut scripts = tests.iter().filter_map(|test| test.models.get(&model.name));
        scripts.any(|script| *script == Script::Real)
    };
    bundle.models.values().filter(is_real).collect()
}
