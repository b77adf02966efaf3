//! `attune why`.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::Value;

use crate::cli::client::{Server, encode};

/// Arguments of `attune why`.
#[derive(clap::Args)]
pub struct Args {
    /// The customer's id.
    customer: String,
    /// Only what concerns this journey or placement.
    journey: Option<String>,
    #[command(flatten)]
    server: Server,
    /// Prints the timeline as JSON.
    #[arg(long)]
    json: bool,
}

/// Asks a running server for a customer's timeline and prints it, the oldest first.
///
/// # Errors
///
/// The server cannot be reached or does not know the customer.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut path = format!("/v1/customers/{}/timeline", encode(&args.customer));
    if let Some(journey) = &args.journey {
        path.push_str("?journey=");
        path.push_str(&encode(journey));
    }
    let timeline = super::block_on(args.server.get(&path))?;
    if args.json {
        super::say(&serde_json::to_string_pretty(&timeline)?);
        return Ok(ExitCode::SUCCESS);
    }
    let lines = timeline["timeline"]
        .as_array()
        .context("the server sent no timeline")?;
    if lines.is_empty() {
        super::say("nothing was decided");
    }
    for line in lines.iter().rev() {
        super::say(&shown(line));
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(line: &Value) -> String {
    let text = |key: &str| line[key].as_str().unwrap_or_default();
    let mark = match text("what") {
        "refused" | "blocked" => "✗",
        "entered" | "sent" | "ranked" => "✓",
        _ => "·",
    };
    format!("{mark} {}  {}", text("at"), text("text"))
}
