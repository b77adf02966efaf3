//! `attune test`: the tests that stand beside the policies.

mod judge;
mod shown;
mod suite;
#[cfg(test)]
mod tests;
mod world;
mod yaml;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;

use crate::policy::test::{Script, Test};
use crate::policy::{self, Bundle};
use crate::{app, cli};
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
What is expected: sent, state, at_step, reason, runs, blocked, refused, offer, offers, lost, segments, traits, next.
An expectation sees everything that was due up to and including its time. `sent`, `blocked` and `refused` look at what
came since the last expectation of the same. The customer has an address on every channel unless `reachable` says
otherwise, is in no holdout (`holdout: in`), and is dealt to arms by the id unless `split: { STEP: ARM }` says to which.

Exit codes: 0 everything holds, 1 a test failed or the policies are wrong, 2 wrong usage.";

/// Arguments of `attune test`.
#[derive(clap::Args)]
#[command(after_help = HELP, after_long_help = LONG_HELP)]
pub struct Args {
    /// Policy files with their tests, or folders of them.
    #[arg(default_value = "policies")]
    paths: Vec<PathBuf>,
    /// Folder of the models.
    #[arg(long, default_value = "models")]
    models: PathBuf,
    /// Runs only the tests whose name, journey or file has this in it.
    #[arg(short = 'k', value_name = "NAME")]
    name: Option<String>,
}

/// Runs the tests of policy files.
///
/// # Errors
///
/// A file or a model cannot be read, the policies are wrong, or there is no such test.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let color = cli::color(&std::io::stderr());
    let sources = app::sources(&args.paths, &args.models)?;
    let checked = policy::check(&sources);
    let errors = || anyhow::anyhow!("{}", checked.problems.clone().errors().render(color));
    let bundle = checked.bundle.as_ref().with_context(errors)?;
    let tests: Vec<Test> = checked
        .tests
        .iter()
        .filter(|test| is_named(args, test))
        .cloned()
        .collect();
    if tests.is_empty() {
        anyhow::bail!("{}", no_test(args, checked.tests.len()));
    }
    let scorer = app::scorer(real(bundle, &tests), None)?;
    let started_at = Instant::now();
    let reports = suite::run(bundle, &tests, scorer.as_ref());
    let took = started_at.elapsed();
    let failed: Vec<&Report<'_>> = reports
        .iter()
        .filter(|report| !report.failures.is_empty())
        .collect();
    for report in &failed {
        cli::say(&shown::failed(bundle, report));
    }
    cli::say(&format!(
        "{} in {:.0} ms",
        summary(&reports),
        took.as_secs_f64() * 1e3
    ));
    Ok(if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn summary(reports: &[Report<'_>]) -> String {
    let n_failed = reports
        .iter()
        .filter(|report| !report.failures.is_empty())
        .count();
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
