//! For operators: alive, ready, and the numbers.

mod budgets;
mod drift;
mod placements;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::auth::Caller;
use crate::api::customer::{At, Json, json};
use crate::api::openapi::Status;
use crate::api::problem::Problem;
use crate::domain::{People, Timestamp};
use crate::policy::Bundle;
use crate::release::Releases;
use crate::telemetry::Meters;

type Page<T> = ([(HeaderName, &'static str); 1], T);

/// What a process says that is alive.
pub const ALIVE: Page<&str> = (
    [(CONTENT_TYPE, "application/json")],
    "{\"status\":\"alive\"}",
);

/// Is the process alive?
#[utoipa::path(get, path = "/livez", responses((status = 200, description = "It is", body = Status)))]
pub async fn livez() -> Page<&'static str> {
    ALIVE
}

/// Can the server answer and does it read events?
#[utoipa::path(
    get,
    path = "/readyz",
    responses(
        (status = 200, description = "It is ready; with the live policies, and what of the folder was rejected", body = Ready),
        (status = 503, description = "It is not, and why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn readyz(State(api): State<Arc<Api>>) -> Result<Json, Problem> {
    api.node.ready().map_err(Problem::not_ready)?;
    let live = api.releases.live();
    Ok(json(&Ready {
        status: "ready",
        policies: Stand {
            revision: live.revision,
            bundle: &live.bundle.id,
            rejected: api.releases.state().rejected.map(|rejected| Refused {
                at: At(rejected.at),
                why: rejected.summary,
            }),
        },
    }))
}

/// How a server is that is ready.
#[derive(Serialize, ToSchema)]
pub struct Ready<'a> {
    /// `ready`.
    status: &'static str,
    /// How the policies stand.
    policies: Stand<'a>,
}

/// How the policies stand.
#[derive(Serialize, ToSchema)]
struct Stand<'a> {
    /// The live revision.
    revision: u64,
    /// Hash of its content.
    bundle: &'a str,
    /// What is in the folder and cannot be live; the live revision is the last good one.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<Refused>,
}

/// Policies that were rejected.
#[derive(Serialize, ToSchema)]
struct Refused {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: At,
    /// Why, in one line; `GET /v1/policies` has all.
    why: String,
}

/// The numbers, in the text format of Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    security(("token" = [])),
    responses(
        (status = 200, description = "The numbers", body = String, content_type = "text/plain; version=0.0.4"),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn metrics(_: Caller, State(api): State<Arc<Api>>) -> Page<String> {
    let mut text = exposition(&api.node.engine.meters, api.node.ready().is_ok());
    placements::placements(&mut text, &api.node.engine.meters);
    policies(&mut text, &api.releases);
    drift::drift(&mut text, &api.releases.live());
    budgets::budgets(&mut text, &api.node.engine);
    // Where people are is not known while a partition is not up: nothing is said then, rather than zero.
    if let Ok(headcount) = api.node.headcount().await {
        people(&mut text, &api.releases.live().bundle, &headcount.people);
    }
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        text,
    )
}

/// Writes the numbers.
///
/// Source: Prometheus, "Text-based format", version 0.0.4.
pub fn exposition(meters: &Meters, ready: bool) -> String {
    let mut out = String::with_capacity(8_192);
    for (name, help, value) in meters.counters() {
        head(&mut out, name, help, "counter");
        sample(&mut out, name, value);
    }
    head(&mut out, STAGE_SECONDS, "Time spent in a stage", "counter");
    for (stage, of) in meters.stages() {
        let seconds = Duration::from_nanos(of.nanos.get()).as_secs_f64();
        sample(&mut out, &labelled(STAGE_SECONDS, stage), seconds);
    }
    head(&mut out, STAGE_RUNS, "Runs of a stage", "counter");
    for (stage, of) in meters.stages() {
        sample(&mut out, &labelled(STAGE_RUNS, stage), of.runs.get());
    }
    let gauges = [
        (
            "attune_customer_state_bytes_max",
            "Bytes of the largest customer image written since the start",
            meters.image_bytes_max.get(),
        ),
        (
            "attune_ready",
            "Whether every partition is up and NATS is reachable",
            u64::from(ready),
        ),
        (
            "attune_resident_customers",
            "Customers resident in memory",
            meters.residents.get(),
        ),
        (
            "attune_rounds_open",
            "Partitions in which not everybody was looked at since segments, absences or schedules became others",
            meters.rounds_open.get(),
        ),
    ];
    for (name, help, value) in gauges {
        head(&mut out, name, help, "gauge");
        sample(&mut out, name, value);
    }
    out
}

/// Writes how the policies stand.
fn policies(out: &mut String, releases: &Releases) {
    let (live, state) = (releases.live(), releases.state());
    let name = "attune_policies_info";
    head(out, name, "The live policies", "gauge");
    let (revision, bundle) = (live.revision, &live.bundle.id);
    let series = format!("{name}{{revision=\"{revision}\",bundle=\"{bundle}\"}}");
    sample(out, &series, 1);
    let name = "attune_policies_stale";
    let help = "Whether the folder has policies that were rejected";
    head(out, name, help, "gauge");
    sample(out, name, u64::from(state.rejected.is_some()));
    let name = "attune_policies_last_reload_timestamp_seconds";
    let help = "When the live policies became live in this process";
    head(out, name, help, "gauge");
    let millis = state.since.map_or(0, Timestamp::as_millis);
    sample(
        out,
        name,
        Duration::from_millis(millis.unsigned_abs()).as_secs_f64(),
    );
}

/// Writes how many are in each journey that is live or that somebody is in.
fn people(out: &mut String, bundle: &Bundle, people: &People) {
    let live = bundle.journeys.iter().map(|it| (it.name.clone(), 0));
    let mut by_journey: BTreeMap<_, u64> = live.collect();
    for (spot, n) in people.iter() {
        *by_journey.entry(spot.journey.clone()).or_default() += n;
    }
    let name = "attune_journey_people";
    head(
        out,
        name,
        "Runs in progress, in all revisions of the journey",
        "gauge",
    );
    for (journey, n) in by_journey {
        sample(out, &format!("{name}{{journey=\"{journey}\"}}"), n);
    }
}

const STAGE_SECONDS: &str = "attune_stage_seconds_total";
const STAGE_RUNS: &str = "attune_stage_runs_total";

fn head(out: &mut String, name: &str, help: &str, kind: &str) {
    // Writing to a text does not fail.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn sample(out: &mut String, series: &str, value: impl std::fmt::Display) {
    let _ = writeln!(out, "{series} {value}");
}

fn labelled(name: &str, stage: &str) -> String {
    format!("{name}{{stage=\"{stage}\"}}")
}
