//! `attune policies` and `attune rollback`: what is live, what was, and the way back.

use std::fmt::Write;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};

use crate::cli::client::Server;

/// Arguments of `attune policies`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    server: Server,
    /// Shows so many revisions, the newest first.
    #[arg(short, default_value_t = 20)]
    n: usize,
    /// Prints what the server says as JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `attune rollback`.
#[derive(clap::Args)]
pub struct RollBack {
    /// The revision that is to be live again, as `attune policies` lists it.
    revision: u64,
    #[command(flatten)]
    server: Server,
}

/// Lists what is live and what was.
///
/// # Errors
///
/// The server cannot be reached, or says why not.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let page = super::block_on(args.server.get("/v1/policies"))?;
    if args.json {
        super::say(&serde_json::to_string_pretty(&page)?);
    } else {
        super::say(list(&page, args.n).trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes an earlier revision live again, and says what has changed by it.
///
/// # Errors
///
/// The server cannot be reached, or says why not.
pub fn roll_back(args: &RollBack) -> anyhow::Result<ExitCode> {
    let (server, to) = (&args.server, args.revision);
    let applied = super::block_on(async {
        let page = server.get("/v1/policies").await?;
        let live = page["live"].as_u64();
        let expected = live.context("the server does not say what is live")?;
        let body = json!({ "to": to, "expected": expected });
        server.post("/v1/policies/rollback", &body).await
    })?;
    super::say(changes(&applied, to).trim_end());
    Ok(ExitCode::SUCCESS)
}

/// One line a revision.
fn list(page: &Value, n: usize) -> String {
    let mut out = String::new();
    let live = &page["live"];
    let revisions = page["revisions"].as_array().map_or(&[][..], Vec::as_slice);
    for of in revisions.iter().take(n) {
        let mark = if of["revision"] == *live { "*" } else { " " };
        let origin = of["origin"].as_str().unwrap_or_default().to_owned();
        let old = of["of"].as_u64();
        let origin = old.map_or(origin, |old| format!("rollback to {old}"));
        let n_journeys = of["journeys"].as_object().map_or(0, serde_json::Map::len);
        let text = |key: &str| of[key].as_str().unwrap_or_default().to_owned();
        let people = of["people"].as_u64();
        let people = people.map_or_else(|| "?".to_owned(), |n| n.to_string());
        let (revision, at, bundle) = (of["revision"].to_string(), text("at"), text("bundle"));
        // Writing to a text does not fail.
        let _ = writeln!(
            out,
            "{mark} {revision:>4}  {at}  {bundle}  {n_journeys} journeys  {people:>6} people  {origin}"
        );
    }
    if revisions.len() > n {
        let _ = writeln!(
            out,
            "  and {} more: -n {}",
            revisions.len() - n,
            revisions.len()
        );
    }
    if let Some(shown) = page["rejected"]["shown"].as_str() {
        let _ = writeln!(
            out,
            "\nthe folder of the server has policies that are rejected:\n{shown}"
        );
    }
    out
}

/// Says what has changed, journey by journey.
fn changes(applied: &Value, to: u64) -> String {
    let (revision, previous) = (&applied["revision"], &applied["previous"]);
    if revision == previous {
        return format!("revision {revision} is what revision {to} was: nothing has changed");
    }
    let mut out =
        format!("revision {to} is live again, as revision {revision}; before it was {previous}\n");
    let mut any = false;
    for (key, word) in [
        ("changed", "changed"),
        ("added", "there again"),
        (
            "removed",
            "not there any more: who is in it goes on to its end",
        ),
    ] {
        for name in applied[key].as_array().into_iter().flatten() {
            any = true;
            let name = name.as_str().unwrap_or_default();
            let _ = writeln!(out, "  {name}: {word}");
        }
    }
    if !any {
        out.push_str("  no journey has changed\n");
    }
    out
}
