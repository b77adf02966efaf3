//! `attune why`.

mod account;
mod offers;

use std::process::ExitCode;

use anyhow::Context;
use clap::ArgGroup;
use serde_json::Value;

use crate::cli::client::{Refused, Server, encode};
use crate::cli::history::moment;
use crate::domain::Timestamp;

/// Arguments of `attune why`.
///
/// Without a journey it prints what was decided for a customer, the oldest first. With one it says how the two stand:
/// every condition with the values it compares, what would have to be different, where a run waits and what would end
/// it, and what may hold its sends back. With a placement it says which of its offers the customer would get at this moment, or would have got at one
/// of the past, and why, and of every other one which rule and value keeps it out, and what would have to be different.
#[derive(clap::Args)]
#[command(group = ArgGroup::new("subject").args(["journey", "placement"]))]
#[command(after_help = "\
Marks: ✓ lets the customer through, ✗ does not, · holds nobody back or depends on what is not at hand.

Examples:
  attune why ada
  attune why ada abandoned-cart
  attune why ada abandoned-cart --at 2026-01-31T10:00:00Z
  attune why ada abandoned-cart --event '{\"event\":\"Product Added\"}'
  attune why ada --placement hero --context '{\"page\":\"start\"}'
  attune why ada --placement hero --at 2h

Exit codes: 0 answered, 1 the customer or the journey is not known, or no server answers, 2 wrong usage.")]
pub struct Args {
    /// The customer's id.
    customer: String,
    /// The journey; of a placement the lines that concern it are printed.
    journey: Option<String>,
    /// An event that would enter, JSON in Segment's form: what would become of it.
    #[arg(
        long,
        value_name = "JSON",
        requires = "journey",
        conflicts_with = "placement"
    )]
    event: Option<String>,
    /// A time of the past, or a length of time before this moment: the customer's events are played again up to it.
    #[arg(long, value_name = "TIME", requires = "subject", conflicts_with = "event", value_parser = moment)]
    at: Option<Timestamp>,
    /// The placement whose offers are accounted for.
    #[arg(long, value_name = "NAME")]
    placement: Option<String>,
    /// What the caller of the placement would know, a JSON object.
    #[arg(
        long,
        value_name = "JSON",
        requires = "placement",
        conflicts_with = "journey"
    )]
    context: Option<String>,
    #[command(flatten)]
    server: Server,
    /// Prints the answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Asks a running server why, and prints what it says.
///
/// # Errors
///
/// The server cannot be reached, or does not know the customer or the journey.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let answer = super::block_on(ask(args))?;
    if args.json {
        super::say(&serde_json::to_string_pretty(&answer)?);
        return Ok(ExitCode::SUCCESS);
    }
    if answer["timeline"].is_array() {
        timeline(&answer)?;
    } else if args.placement.is_some() {
        super::say(offers::shown(&answer).trim_end());
    } else {
        super::say(account::shown(&answer).trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks for the account of a journey, or for the timeline.
async fn ask(args: &Args) -> anyhow::Result<Value> {
    let customer = format!("/v1/customers/{}", encode(&args.customer));
    let timeline = format!("{customer}/timeline");
    if let Some(placement) = &args.placement {
        let mut path = format!("{customer}/why/offers?placement={}", encode(placement));
        if let Some(context) = &args.context {
            path.push_str("&context=");
            path.push_str(&encode(context));
        }
        push_at(&mut path, args.at);
        return args.server.get(&path).await;
    }
    let Some(journey) = &args.journey else {
        return args.server.get(&timeline).await;
    };
    let mut path = format!("{customer}/why?journey={}", encode(journey));
    if let Some(event) = &args.event {
        path.push_str("&event=");
        path.push_str(&encode(event));
    }
    push_at(&mut path, args.at);
    let refused = match args.server.get(&path).await {
        Ok(account) => return Ok(account),
        Err(refused) => refused,
    };
    let kind = refused.downcast_ref::<Refused>().map(|of| of.kind.as_str());
    if args.at.is_some() || kind != Some("urn:attune:problem:unknown-journey") {
        return Err(refused);
    }
    // Placements, segments and journeys that are no more have lines, too.
    let path = format!("{timeline}?journey={}", encode(journey));
    let lines = args.server.get(&path).await?;
    let some = lines["timeline"]
        .as_array()
        .is_some_and(|lines| !lines.is_empty());
    if some { Ok(lines) } else { Err(refused) }
}

fn push_at(path: &mut String, at: Option<Timestamp>) {
    if let Some(at) = at {
        path.push_str("&at=");
        path.push_str(&encode(&at.to_string()));
    }
}

/// Prints a customer's timeline, the oldest line first.
fn timeline(answer: &Value) -> anyhow::Result<()> {
    let lines = answer["timeline"]
        .as_array()
        .context("the server sent no timeline")?;
    if lines.is_empty() {
        super::say("nothing was decided");
    }
    for line in lines.iter().rev() {
        super::say(&shown(line));
    }
    Ok(())
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
