//! For operators: alive, ready, and the numbers.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderName};

use crate::api::Api;
use crate::api::auth::Caller;
use crate::api::openapi::Status;
use crate::api::problem::Problem;
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
        (status = 200, description = "It is ready", body = Status),
        (status = 503, description = "It is not, and why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn readyz(State(api): State<Arc<Api>>) -> Result<Page<&'static str>, Problem> {
    api.node.ready().map_err(Problem::not_ready)?;
    Ok((
        [(CONTENT_TYPE, "application/json")],
        "{\"status\":\"ready\"}",
    ))
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
    let text = exposition(&api.node.engine.meters, api.node.ready().is_ok());
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
            "attune_ready",
            "Whether every partition is up and NATS is reachable",
            u64::from(ready),
        ),
        (
            "attune_resident_customers",
            "Customers resident in memory",
            meters.residents.get(),
        ),
    ];
    for (name, help, value) in gauges {
        head(&mut out, name, help, "gauge");
        sample(&mut out, name, value);
    }
    out
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
