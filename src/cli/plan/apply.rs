//! `attune apply`: makes what was planned live, if nothing has moved since.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::cli::client::Server;
use crate::cli::plan::{FORMAT_VERSION, Plan, hash};

/// Arguments of `attune apply`.
///
/// Makes the policies of a plan live on the server that it was made against: all of them at once, or none. Refused
/// if another revision is live there by now.
#[derive(clap::Args)]
#[command(after_help = "\
Exit codes: 0 they are live, 1 they are not: the world has moved, a policy is wrong, or the server does not answer;
2 wrong usage.")]
pub struct Args {
    /// What `attune plan -o` wrote.
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// The server's token.
    #[arg(long, env = "ATTUNE_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// Applies a plan.
///
/// # Errors
///
/// The plan cannot be read or was changed, another revision is live, or the server refuses the policies.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let path = args.plan.display();
    let text = std::fs::read_to_string(&args.plan);
    let text = text.with_context(|| format!("cannot read `{path}`"))?;
    let no_plan = || format!("`{path}` is no plan: `attune plan -o` writes one");
    let object: serde_json::Map<String, Value> =
        serde_json::from_str(&text).with_context(no_plan)?;
    let plan: Plan = serde_json::from_value(object.into()).with_context(no_plan)?;
    let (server, live) = check(&plan)?;
    let server = Server::at(server, args.token.as_deref());
    let body = json!({ "expected": live, "sources": plan.sources });
    let applied = super::super::block_on(async {
        let now = server.get("/v1/policies").await?["live"].clone();
        if now.as_u64() != Some(live) {
            bail!(
                "the plan was made against revision {live}, and revision {now} is live: make a new plan"
            );
        }
        server.post("/v1/policies", &body).await
    })?;
    super::super::say(&told(&applied));
    Ok(ExitCode::SUCCESS)
}

/// Returns the server and the revision that a plan was made against.
fn check(plan: &Plan) -> anyhow::Result<(&str, u64)> {
    let version = plan.format_version;
    if version != FORMAT_VERSION {
        bail!("the plan has format version {version}, this build reads {FORMAT_VERSION}");
    }
    if plan.sources_hash != hash(&plan.sources) {
        bail!("the files in the plan are not those that it was made of: make a new plan");
    }
    let server = plan.server.as_deref().zip(plan.live);
    server.context("the plan compares two folders: make one against a server, without `--base`")
}

fn told(applied: &Value) -> String {
    let bundle = applied["bundle"].as_str().unwrap_or_default();
    let mut text = format!("revision {} is live (bundle {bundle})", applied["revision"]);
    for what in ["added", "changed", "removed"] {
        let names = applied[what].as_array().into_iter().flatten();
        let names: Vec<&str> = names.filter_map(Value::as_str).collect();
        if !names.is_empty() {
            text.extend(["\n  ", what, ": ", &names.join(", ")]);
        }
    }
    text
}
