//! `GET /v1/customers/{id}/why`.

pub mod offers;
mod shown;

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use tokio::sync::SemaphorePermit;

use crate::actors::live::Policies;
use crate::actors::past;
use crate::api::Api;
use crate::api::auth::Caller;
use crate::api::basis::Basis;
use crate::api::customer::{Json, json, look, now};
use crate::api::eval::event_of;
use crate::api::problem::Problem;
use crate::decide::why::{Account, why as account};
use crate::domain::{Duration, Event, Map, Profile, Timestamp, What};
use crate::policy::journey::Journey;
use crate::policy::{Bundle, hint};
use shown::{Scene, Why, agrees, last};

/// How far the clock of a caller may be ahead.
const AHEAD_MAX: Duration = Duration::from_secs(60);

/// How a customer and a journey stand: what was decided last, every condition with its values, and what would have to
/// be different.
#[utoipa::path(
    get,
    path = "/v1/customers/{id}/why",
    params(
        ("id" = String, Path, description = "The customer's id, percent-encoded"),
        ("journey" = String, Query, description = "The journey"),
        ("event" = Option<String>, Query, description = "JSON of an event in Segment's form that would enter; without one the event of the last refusal counts, and else what depends on it stays open"),
        ("at" = Option<String>, Query, description = "A time of the past: the customer's events are read from the stream and played again up to it", format = DateTime),
    ),
    security(("token" = [])),
    responses(
        (status = 200, description = "The account", body = Why),
        (status = 400, description = "The id or the query is not right", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Nothing is known of this customer, or there is no such journey", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not ready: try again in a second", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn why(
    _: Caller,
    State(api): State<Arc<Api>>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json, Problem> {
    let asked = Asked::read(&query?)?;
    let live = api.node.engine.live.get();
    let bundle = &live.bundle;
    if let Some(at) = asked.at {
        let profile = look(&api, &id?).await?;
        return then(&api, &live, &profile, &asked.journey, at).await;
    }
    let journey = find(bundle, "the live policies", &asked.journey)?;
    let profile = look(&api, &id?).await?;
    let at = now(&api.node, &profile);
    let event = match asked.event {
        Some(given) => {
            let made = event_of(given, profile.id.as_str(), at);
            Some((made.map_err(Problem::bad_request)?, at))
        }
        None => refused_event(&api, &live, &profile, journey).await,
    };
    let standing = account(bundle, &profile, journey, None, at);
    let account = match &event {
        None => standing,
        Some((event, at)) => {
            let entry = account(bundle, &profile, journey, Some(event), *at);
            Account {
                verdict: entry.verdict,
                entry: entry.entry,
                ..standing
            }
        }
    };
    let scene = Scene {
        bundle,
        revision: live.revision,
        profile: &profile,
        journey,
        event: event.as_ref().map(|(event, now)| (event, *now)),
        at,
    };
    let basis = Basis::now();
    Ok(json(&Why::of(&scene, &account, basis)))
}

/// Plays the past again by the policies of the time, and gives the account of then.
async fn then(
    api: &Api,
    policies: &Policies,
    live: &Profile,
    journey: &str,
    at: Timestamp,
) -> Result<Json, Problem> {
    let at = not_ahead(api, live, at)?;
    let _one = turn(api)?;
    let eras = api.releases.eras(at).await;
    let eras = eras.map_err(|error| Problem::not_ready(error.to_string()))?;
    let last = eras.iter().next_back().unwrap_or(&eras.first);
    let whose = format!("those of {at}, revision {},", last.revision);
    if eras.iter().all(|era| era.bundle.journey(journey).is_none()) {
        find(&last.bundle, &whose, journey)?;
    }
    let engine = &api.node.engine;
    let told = past::replay(engine, policies, &eras, journey, live.id.clone(), at).await;
    let told = told.map_err(|error| Problem::not_ready(error.to_string()))?;
    let Some(replayed) = &told.what else {
        return Err(unknown(&last.bundle, &whose, journey));
    };
    let scene = Scene {
        bundle: replayed.bundle,
        revision: last.revision,
        profile: &replayed.profile,
        journey: replayed.journey,
        event: replayed.event.as_ref().map(|(event, now)| (event, *now)),
        at,
    };
    let basis = Basis::replayed(&told, agrees(&scene, live));
    Ok(json(&Why::of(&scene, &replayed.account, basis)))
}

/// Takes the turn of a replay: one at a time.
///
/// # Errors
///
/// Another one is going on.
pub fn turn(api: &Api) -> Result<SemaphorePermit<'_>, Problem> {
    let taken = api.replays.try_acquire();
    taken.map_err(|_| {
        Problem::overloaded("another replay of the past is going on, try again in a moment")
    })
}

/// Refuses a time that is yet to come; the clock of the caller may be a little ahead.
fn not_ahead(api: &Api, live: &Profile, at: Timestamp) -> Result<Timestamp, Problem> {
    let now = now(&api.node, live);
    if at > now + AHEAD_MAX {
        let detail = format!("`at` is {at}, a time of the past is expected: it is {now}");
        return Err(Problem::bad_request(detail));
    }
    Ok(at.min(now))
}

/// Finds the event of the last refusal, with the time at which it was refused.
async fn refused_event(
    api: &Api,
    policies: &Policies,
    profile: &Profile,
    journey: &Journey,
) -> Option<(Event, Timestamp)> {
    let last = last(profile, journey)?;
    let What::Refused(..) = last.what else {
        return None;
    };
    let id = last.event.as_ref()?;
    let found = past::event(&api.node.engine, policies, &profile.id, id, last.at).await;
    // Without it the account is less complete, not wrong.
    let event = found.ok().flatten()?;
    let enters = journey.enter.on.event() == Some(&event.name);
    enters.then_some((event, last.at))
}

/// What is asked for.
struct Asked {
    journey: String,
    event: Option<Map>,
    at: Option<Timestamp>,
}

impl Asked {
    fn read(query: &[(String, String)]) -> Result<Self, Problem> {
        let (mut journey, mut event, mut at) = (None, None, None);
        for (name, value) in query {
            match name.as_str() {
                "journey" => journey = Some(value.clone()),
                "event" => event = Some(object("event", value)?),
                "at" => at = Some(time(value)?),
                other => {
                    let hint = hint(other, ["journey", "event", "at"]);
                    let detail = format!("unknown parameter `{other}`{hint}");
                    return Err(Problem::bad_request(detail));
                }
            }
        }
        if event.is_some() && at.is_some() {
            let detail = "`at` plays real events, `event` makes one up: give one of them";
            return Err(Problem::bad_request(detail));
        }
        let missing = || Problem::bad_request("missing parameter `journey`");
        Ok(Self {
            journey: journey.ok_or_else(missing)?,
            event,
            at,
        })
    }
}

fn object(name: &str, text: &str) -> Result<Map, Problem> {
    let wrong = |error| Problem::bad_request(format!("`{name}` is no JSON object: {error}"));
    serde_json::from_str(text).map_err(wrong)
}

/// Reads the parameter `at`.
fn time(text: &str) -> Result<Timestamp, Problem> {
    let expected = || {
        let detail = format!("`at` is `{text}`, a time such as `2026-01-31T10:00:00Z` is expected");
        Problem::bad_request(detail)
    };
    Timestamp::parse(text).ok_or_else(expected)
}

/// - `whose`: which policies these are, in words.
fn find<'b>(bundle: &'b Bundle, whose: &str, name: &str) -> Result<&'b Journey, Problem> {
    let found = bundle.journey(name);
    found.ok_or_else(|| unknown(bundle, whose, name))
}

fn unknown(bundle: &Bundle, whose: &str, name: &str) -> Problem {
    let known = || bundle.journeys.iter().map(|journey| journey.name.as_ref());
    let names: Vec<String> = known().map(|name| format!("`{name}`")).collect();
    let hint = hint(name, known());
    let end = if hint.is_empty() { ";" } else { "" };
    let names = if names.is_empty() {
        "none".into()
    } else {
        names.join(", ")
    };
    Problem::unknown_journey(format!(
        "unknown journey `{name}`{hint}{end} {whose} have {names}"
    ))
}
