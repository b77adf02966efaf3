//! `attune evaluate`: what a policy would have earned, told from a log of another one.

mod asked;
mod decisions;
mod folder;
mod names;
mod policy;
mod read;
mod record;
mod show;
mod source;
mod table;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap::ValueEnum;

use crate::decide::evaluate::{Concern, Report, concerns};
use crate::domain::Duration;
use policy::{Given, Policy, Where};
use read::Known;
use show::Shown;
use source::Source;

/// Arguments of `attune evaluate`.
///
/// Says what a policy would have earned per choice, from a log of choices that another policy made with known
/// probabilities, without trying it on anybody. Three estimates: IPS weighs every logged reward by the policy's
/// probability over the logged one; SNIPS divides by the sum of the weights, which is steadier; DR adds what a model of
/// the rewards expects, and is right if either is. Believe a value when the effective sample size is large, the largest
/// weight small, and the three agree. Without support in the log no value is given.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  attune evaluate log.csv.gz --policy probabilities.csv --policy-where campaign=all
  attune evaluate trial.csv --action segment --reward visit --probability share --policy 'always:Mens E-Mail'
  attune evaluate decisions.jsonl --policy uniform --event 'Offer Converted' --placement home_hero
  attune evaluate decisions.jsonl --policy next/ --outcomes events.jsonl --placement home_hero

A log is CSV, plain or gzip, with a header and one choice a line, or the decisions of the engine as JSON, one a line
(`attune export decisions`), with the events that tell their outcomes among them or in `--outcomes`.

A policy is `uniform`, `always:ACTION`, a CSV file with the columns action, probability and maybe position, or, for a log
of decisions, a folder of policies: the placement of each decision then says how likely each candidate is.

Of a folder, computed anew: levers, values and context weights that look at no customer, `rank`, the order of groups,
diversity, the share that explores, the chances of Thompson sampling, the control and the challenger, and the scores of
another version of a model, from the logged rows. Taken from the log: who could be chosen (conditions, consent, caps,
budgets), what a learner believed or the same file of a model said, and values and C that look at the customer. Refused: a
`rank` that looks at the customer, a learner that did not decide, a model whose rows the log does not have.

Exit codes: 0 valued, 1 refused for want of support, or something cannot be read, 2 wrong usage.")]
pub struct Args {
    /// The log of choices.
    // `log` is the name of a flag of every command.
    #[arg(id = "choices", value_name = "LOG")]
    log: PathBuf,
    /// The policy to value.
    #[arg(long, value_name = "uniform|always:ACTION|FILE|FOLDER")]
    policy: String,
    /// Folder of the models of a folder of policies.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
    /// Only the lines of the policy's file with this value.
    #[arg(long, value_name = "COLUMN=VALUE")]
    policy_where: Vec<Where>,
    #[command(flatten)]
    columns: Columns,
    #[command(flatten)]
    outcome: Outcome,
    /// A log of the policy itself, in the same form: shows how far the estimates are from what it did earn.
    #[arg(long, value_name = "LOG")]
    truth: Option<PathBuf>,
    /// The least share of the policy's choices that the log must have made: below it no value is given.
    #[arg(long, value_name = "SHARE", default_value_t = 0.8, value_parser = share)]
    support_min: f64,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Which columns of a table are what.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Columns {
    /// The column of what was chosen [default: `action`, `offer` or `item_id`].
    #[arg(long, value_name = "COLUMN")]
    action: Option<String>,
    /// The column of what came of it [default: `reward` or `click`].
    #[arg(long, value_name = "COLUMN")]
    reward: Option<String>,
    /// The column of the logged probability [default: `probability`, `propensity_score` or `propensity`]; or one number for
    /// all, such as 1/3; or `share`, the share of the action in the log, for a randomised trial.
    #[arg(long, value_name = "COLUMN|NUMBER|share")]
    probability: Option<String>,
    /// The column of the position: probabilities and policies may differ by it [default: `position` or `slot`, if there is one].
    #[arg(long, value_name = "COLUMN")]
    position: Option<String>,
    /// Columns that the reward model of DR looks at, separated by commas.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    context: Vec<String>,
}

impl Columns {
    /// Returns a flag that was given.
    fn first_given(&self) -> Option<&'static str> {
        let given = [
            ("--action", self.action.is_some()),
            ("--reward", self.reward.is_some()),
            ("--probability", self.probability.is_some()),
            ("--position", self.position.is_some()),
            ("--context", !self.context.is_empty()),
        ];
        first(&given)
    }
}

/// What is the reward of a decision.
#[derive(Clone, Debug, clap::Args)]
pub struct Outcome {
    /// Only decisions of this placement.
    #[arg(long, value_name = "NAME")]
    placement: Option<String>,
    /// The event that is worth 1 [default: `Offer Clicked`].
    #[arg(long, value_name = "EVENT")]
    event: Option<String>,
    /// How long after the decision [default: 7d].
    #[arg(long, value_name = "TIME", value_parser = Duration::parse)]
    within: Option<Duration>,
    /// Events with the outcomes of the decisions, one JSON event a line.
    #[arg(long, value_name = "FILE")]
    outcomes: Option<PathBuf>,
}

impl Outcome {
    /// Returns a flag that was given.
    fn first_given(&self) -> Option<&'static str> {
        let given = [
            ("--placement", self.placement.is_some()),
            ("--event", self.event.is_some()),
            ("--within", self.within.is_some()),
            ("--outcomes", self.outcomes.is_some()),
        ];
        first(&given)
    }
}

fn first(given: &[(&'static str, bool)]) -> Option<&'static str> {
    let found = given.iter().find(|(_, is_given)| *is_given);
    found.map(|(flag, _)| *flag)
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Human,
    Json,
}

/// What was valued, and what came out.
pub struct Valued {
    known: Known,
    report: Report,
    concerns: Vec<Concern>,
    /// What of the policy is taken from the log, and what the log does not have.
    notes: Vec<String>,
    /// What the policy did earn, and in how many rows.
    truth: Option<(f64, f64)>,
}

/// Values a policy and shows it.
///
/// # Errors
///
/// The log or the policy cannot be read, or does not say what is needed.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let valued = value(args)?;
    let shown = Shown { args, of: &valued };
    match args.format {
        Format::Human => super::say(shown.human().trim_end()),
        Format::Json => super::say(&serde_json::to_string_pretty(&shown.json())?),
    }
    Ok(if valued.is_refused() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn value(args: &Args) -> anyhow::Result<Valued> {
    let in_log = || format!("`{}`", args.log.display());
    let log = log(&args.log, args);
    let given = Given::read(&args.policy, &args.policy_where, &args.models);
    let truth = args.truth.as_deref().map(|path| truth(path, args));
    let truth = truth.transpose();
    complain(&[
        log.as_ref().err(),
        given.as_ref().err(),
        truth.as_ref().err(),
    ])?;
    let ((source, mut known), given, truth) = (log?, given?, truth?);
    let policy = given.held_against(&mut known)?;
    ensure!(
        matches!(source, Source::Decisions(_)) || !matches!(policy, Policy::Folder(_)),
        "a folder of policies is valued on a log of decisions, and `{}` is a table: it does not say what offers were ranked with",
        args.log.display()
    );
    let notes = policy.notes(&known)?;
    let report = known.value(&source, &policy).with_context(in_log)?;
    Ok(Valued {
        known,
        concerns: concerns(&report, args.support_min),
        report,
        notes,
        truth,
    })
}

/// Opens a log and reads it once.
fn log(path: &Path, args: &Args) -> anyhow::Result<(Source, Known)> {
    let source = Source::open(path, args)?;
    let known = Known::of(&source).with_context(|| match &args.outcome.placement {
        Some(only) => format!("`{}`, placement `{only}`", path.display()),
        None => format!("`{}`", path.display()),
    })?;
    Ok((source, known))
}

/// Returns what the policy did earn, and in how many rows.
fn truth(path: &Path, args: &Args) -> anyhow::Result<(f64, f64)> {
    let (_, known) = log(path, args)?;
    Ok((known.seen.mean(), known.seen.n_rows()))
}

/// Says all that is wrong if it is more than one thing.
fn complain(wrong: &[Option<&anyhow::Error>]) -> anyhow::Result<()> {
    let wrong: Vec<String> = wrong.iter().flatten().map(|of| format!("{of:#}")).collect();
    ensure!(wrong.len() < 2, "{}", wrong.join("\nerror: "));
    Ok(())
}

impl Valued {
    fn is_refused(&self) -> bool {
        self.concerns.iter().any(|concern| concern.refuses)
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share = text
        .parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("`{text}` is not a share between 0 and 1"))
}
