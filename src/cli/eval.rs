//! `attune eval`.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Map, Value, json};

use crate::cli::client::Server;

/// Arguments of `attune eval`.
///
/// Asks a running server what an expression is worth for a customer. It is checked against the live policies and looks
/// at the customer as everything that was committed left them; nothing changes. What is unknown is said part by part.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  attune eval 'profile.cart.value >= 50' --customer ada
  attune eval \"count('Order Completed', '30d')\" --customer ada
  attune eval 'event.properties.price * 2' --customer ada --event '{\"event\":\"Product Added\",\"properties\":{\"price\":5}}'

Exit codes: 0 evaluated (unknown is an answer), 1 the expression or the customer is wrong, or no server answers, 2 wrong usage.")]
pub struct Args {
    /// The expression, as in a policy.
    expression: String,
    /// The customer's id.
    #[arg(long, value_name = "ID")]
    customer: String,
    /// What it sees as `event`: JSON in Segment's form.
    #[arg(long, value_name = "JSON", value_parser = object)]
    event: Option<Value>,
    /// What it sees as `context`.
    #[arg(long, value_name = "JSON", value_parser = object)]
    context: Option<Value>,
    /// What the clock shows; the customer stays as they are at this moment.
    #[arg(long, value_name = "RFC3339")]
    at: Option<String>,
    #[command(flatten)]
    server: Server,
    /// Prints the answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Asks a running server for the value of an expression and prints it.
///
/// # Errors
///
/// The server cannot be reached, does not know the customer, or the expression is wrong.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let call = json!({
        "customer": args.customer,
        "expression": args.expression,
        "event": args.event,
        "context": args.context,
        "at": args.at,
    });
    let answer = super::block_on(args.server.post("/v1/eval", &call))?;
    if args.json {
        super::say(&serde_json::to_string_pretty(&answer)?);
        return Ok(ExitCode::SUCCESS);
    }
    for warning in list(&answer, "warnings")? {
        super::say_error(&format!(
            "warning: {}",
            warning.as_str().unwrap_or_default()
        ));
    }
    if answer["known"] == Value::Bool(true) {
        super::say(&answer["value"].to_string());
        return Ok(ExitCode::SUCCESS);
    }
    super::say("unknown");
    for of in list(&answer, "unknown")? {
        let text = |key: &str| of[key].as_str().unwrap_or_default();
        super::say(&format!("  {}: {}", text("part"), text("why")));
    }
    Ok(ExitCode::SUCCESS)
}

fn list<'a>(answer: &'a Value, key: &str) -> anyhow::Result<&'a Vec<Value>> {
    answer[key].as_array().context("the server sent no answer")
}

fn object(text: &str) -> Result<Value, String> {
    let map: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| format!("not a JSON object: {error}"))?;
    Ok(Value::Object(map))
}
