//! `attune eval`.

mod profile;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};

use crate::api::basis::Basis;
use crate::api::eval::{Evaluated, event_of};
use crate::cli::client::Server;
use crate::cli::history::moment;
use crate::decide::{Env, Scores};
use crate::domain::Timestamp;
use crate::policy::expr::Node;
use crate::policy::question::ask;
use crate::{app, clock, domain};
use profile::File;

/// Arguments of `attune eval`.
///
/// Says what an expression is worth for a customer: of a running server, checked against the live policies, or of a file,
/// checked against a folder. Nothing changes. What is unknown is said part by part.
#[derive(clap::Args)]
#[command(after_help = "\
A file of a customer is JSON or YAML with `traits`, `consent`, `timezone` and `events` (in Segment's form, each with its
`timestamp`), or the answer of `GET /v1/customers/ID`.

Examples:
  attune eval 'profile.cart.value >= 50' --customer ada
  attune eval \"count('Order Completed', '30d')\" --customer ada --at 24h
  attune eval 'event.properties.price * 2' --customer ada --event '{\"event\":\"Product Added\",\"properties\":{\"price\":5}}'
  attune eval \"in_segment('vip')\" --profile ada.json --policies policies

Exit codes: 0 evaluated (unknown is an answer), 1 the expression or the customer is wrong, or no server answers, 2 wrong usage.")]
pub struct Args {
    /// The expression, as in a policy.
    expression: String,
    /// The customer's id.
    #[arg(long, value_name = "ID", required_unless_present = "profile")]
    customer: Option<String>,
    /// The customer is what this file tells; no server is asked.
    #[arg(long, value_name = "FILE", conflicts_with = "customer")]
    profile: Option<PathBuf>,
    /// Policy files, or folders of them, that a file's customer is judged by.
    #[arg(
        long,
        value_name = "DIR",
        default_value = "policies",
        requires = "profile"
    )]
    policies: Vec<PathBuf>,
    /// Folder of the models' manifests.
    #[arg(
        long,
        value_name = "DIR",
        default_value = "models",
        requires = "profile"
    )]
    models: PathBuf,
    /// What it sees as `event`: JSON in Segment's form.
    #[arg(long, value_name = "JSON", value_parser = object)]
    event: Option<Value>,
    /// What it sees as `context`.
    #[arg(long, value_name = "JSON", value_parser = object)]
    context: Option<Value>,
    /// When: of a time of the past, or so long ago, the customer's events are played again up to it; at a time to come the
    /// customer is as they are, and the clock shows it.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<Timestamp>,
    #[command(flatten)]
    server: Server,
    /// Prints the answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Says what an expression is worth.
///
/// # Errors
///
/// The server cannot be reached, does not know the customer, the file is none, or the expression is wrong.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let answer = match (&args.profile, &args.customer) {
        (Some(path), _) => of_file(args, path)?,
        (None, customer) => {
            let call = json!({
                "customer": customer,
                "expression": args.expression,
                "event": args.event,
                "context": args.context,
                "at": args.at.map(|at| at.to_string()),
            });
            super::block_on(args.server.post("/v1/eval", &call))?
        }
    };
    if args.json {
        super::say(&serde_json::to_string_pretty(&answer)?);
        return Ok(ExitCode::SUCCESS);
    }
    show(&answer)?;
    Ok(ExitCode::SUCCESS)
}

/// Evaluates for the customer of a file.
fn of_file(args: &Args, path: &Path) -> anyhow::Result<Value> {
    let color = super::color(&std::io::stderr());
    let file = File::read(path)?;
    let bundle = app::compile(&app::sources(&args.policies, &args.models)?, color)?;
    let none = |_: &[crate::decide::Request]| Scores::new();
    let told = file.play(&bundle, args.at, clock::now(), &none)?;
    let left_out = told.left_out.join("`, `");
    if !left_out.is_empty() {
        super::say_error(&format!(
            "left out, because it follows from `events` alone: `{left_out}`"
        ));
    }
    let id = told.profile.id.as_str();
    let own = |given: &Value| -> anyhow::Result<_> {
        let map: domain::Map = serde_json::from_value(given.clone())?;
        event_of(map, id, told.at).map_err(anyhow::Error::msg)
    };
    let event = args.event.as_ref().map(own).transpose()?;
    let context = args.context.clone().map(serde_json::from_value);
    let context: Option<domain::Value> = context.transpose()?;
    let name = event.as_ref().map(|event| event.name.as_ref());
    let question = ask(&bundle, &args.expression, name);
    let question = question
        .map_err(|wrong| anyhow::anyhow!("the expression is not right\n{}", wrong.render(color)))?;
    let history = |node: &Node| matches!(node, Node::Feature(..) | Node::InSegment(_));
    let asks_history = question.expr.root.any(&history);
    if asks_history && told.n_events == 0 && !left_out.is_empty() {
        bail!("the expression asks what happened before, and the file has no `events` of it");
    }
    let env = Env {
        event: event.as_ref(),
        context: context.as_ref(),
        ..Env::new(&bundle, &told.profile, told.at)
    };
    let basis = Basis::file(told.n_events);
    let evaluated = Evaluated::of(&question, &env, &args.expression, basis);
    Ok(serde_json::to_value(evaluated)?)
}

/// Prints the value, or what of it is unknown; what it rests on goes to standard error.
fn show(answer: &Value) -> anyhow::Result<()> {
    for warning in list(answer, "warnings")? {
        super::say_error(&format!(
            "warning: {}",
            warning.as_str().unwrap_or_default()
        ));
    }
    if let Some(basis) = basis(answer) {
        super::say_error(&basis);
    }
    if answer["known"] == Value::Bool(true) {
        super::say(&answer["value"].to_string());
        return Ok(());
    }
    super::say("unknown");
    for of in list(answer, "unknown")? {
        let text = |key: &str| of[key].as_str().unwrap_or_default();
        super::say(&format!("  {}: {}", text("part"), text("why")));
    }
    Ok(())
}

/// Says of which time the customer is, if not of this moment.
fn basis(answer: &Value) -> Option<String> {
    let (basis, at) = (&answer["basis"], answer["at"].as_str().unwrap_or_default());
    let n = &basis["n_events"];
    Some(match basis["what"].as_str()? {
        "replay" if basis["complete"] == Value::Bool(false) => format!(
            "at {at}: {n} events of the stream played again by the live policies; not exact, the stream does not hold \
             everything that came before any more"
        ),
        "replay" => format!("at {at}: {n} events of the stream played again by the live policies"),
        "ahead" => format!("at {at}, a time to come: the customer is as they are at this moment"),
        "file" => format!("at {at}: the customer of the file, after {n} events"),
        _ => return None,
    })
}

fn list<'a>(answer: &'a Value, key: &str) -> anyhow::Result<&'a Vec<Value>> {
    answer[key].as_array().context("the server sent no answer")
}

fn object(text: &str) -> Result<Value, String> {
    let map: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| format!("not a JSON object: {error}"))?;
    Ok(Value::Object(map))
}
