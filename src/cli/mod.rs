//! The command line.

pub mod backtest;
pub mod check;
mod client;
pub mod completions;
pub mod csv;
pub mod dev;
pub mod eval;
pub mod evaluate;
pub mod explain;
pub mod export;
pub mod fmt;
pub mod history;
pub mod init;
mod interrupt;
pub mod models;
pub mod plan;
pub mod policies;
mod progress;
pub mod schema;
pub mod serve;
pub mod sheet;
pub mod test;
pub mod why;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// Decides, for every customer, what to do next, while the customer is still there.
///
/// Start with `attune dev`: it runs a NATS server, the engine and a replay of real shop sessions, and shows
/// the actions as they leave. Then write policies, `attune check` them, `attune backtest` them on past
/// events, and `attune serve`.
#[derive(Parser)]
#[command(name = "attune", version, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// What is logged: `error`, `warn`, `info`, `debug`, or a filter such as `attune=debug,info`.
    #[arg(long, global = true, env = "ATTUNE_LOG", default_value = "info")]
    log: String,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the engine against a NATS server.
    Serve(serve::Args),
    /// Tries everything out: NATS server, engine, and a replay of real shop sessions in one process.
    Dev(dev::Args),
    /// Writes a project that works: policies, a model, past events and a configuration.
    Init(init::Args),
    /// Checks policy files and shows every mistake, underlined.
    Check(check::Args),
    /// Runs the tests that stand beside the policies, on a virtual clock.
    Test(test::Args),
    /// Lays policy files out: indents, spaces and quotes become regular, nothing else changes.
    Fmt(fmt::Args),
    /// Says in plain words what a policy does, or draws it.
    Explain(explain::Args),
    /// Prints JSON Schema for editors: completion, help and red lines while you type.
    Schema(schema::Args),
    /// Runs policies on past events, on a virtual clock.
    Backtest(backtest::Args),
    /// Shows what a change of policies means before it is live: a diff, and the effect on past events.
    Plan(plan::Args),
    /// Makes a plan live, all of it at once; refused if the world has moved since.
    Apply(plan::ApplyArgs),
    /// Says what an expression is worth for a customer, and what of it is unknown.
    Eval(eval::Args),
    /// Writes decisions, features or customers to files: Parquet, CSV or lines of JSON.
    Export(export::Args),
    /// Says what a policy would have earned, from a log of choices that another one made.
    Evaluate(evaluate::Args),
    /// Lists the revisions of the policies of a server: what is live, and what was.
    Policies(policies::Args),
    /// Makes an earlier revision of the policies live again, at once.
    ///
    /// It becomes a revision of its own, so it can be rolled back, too. It stays live through restarts of the server
    /// until its folder changes. Who is in a journey stays on the revision that they entered.
    Rollback(policies::RollBack),
    /// Tries models out, and lists them.
    Models(models::Args),
    /// Prints the completions of a shell.
    Completions(completions::Args),
    /// Says what was decided for a customer and why, and why not.
    Why(why::Args),
}

/// Runs the command line. Exit codes: 0 done, 1 failed, 2 wrong usage.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log(&arguments.log);
    crate::pages::keep_small();
    let result = match &arguments.command {
        Command::Serve(args) => serve::run(args),
        Command::Dev(args) => dev::run(args),
        Command::Init(args) => init::run(args),
        Command::Check(args) => check::run(args),
        Command::Test(args) => test::run(args),
        Command::Fmt(args) => fmt::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Backtest(args) => backtest::run(args),
        Command::Plan(args) => plan::run(args),
        Command::Apply(args) => plan::apply(args),
        Command::Eval(args) => eval::run(args),
        Command::Evaluate(args) => evaluate::run(args),
        Command::Export(args) => export::run(args),
        Command::Policies(args) => policies::run(args),
        Command::Rollback(args) => policies::roll_back(args),
        Command::Models(args) => models::run(args),
        Command::Completions(args) => completions::run(args),
        Command::Why(args) => why::run(args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            say_error(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn log(filter: &str) {
    let filter = format!("{filter},ractor=warn,async_nats=warn,ort=warn,sled=warn");
    let filter = EnvFilter::try_new(&filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(color(&std::io::stderr()))
        .with_target(false);
    let _already = subscriber.try_init();
}

/// Tells if colours are wanted on a stream.
fn color(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Writes a line to standard output; a reader that went away is no error.
fn say(text: &str) {
    let _gone = writeln!(std::io::stdout().lock(), "{text}");
}

/// Writes a line to standard error.
fn say_error(text: &str) {
    let _gone = writeln!(std::io::stderr().lock(), "{text}");
}

/// Runs something asynchronous to its end on all cores.
fn block_on<T>(run: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run)
}
