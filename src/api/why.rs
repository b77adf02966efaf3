//! `GET /v1/customers/{id}/why`.

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::auth::Caller;
use crate::api::customer::{At, Json, json, look, now};
use crate::api::eval::event_of;
use crate::api::problem::Problem;
use crate::api::timeline::Line;
use crate::decide::why::{Account, Condition, Mark, Outgoing, Standing, Verdict, why as account};
use crate::domain::{Event, Map, Profile, Timestamp, Trace, What};
use crate::policy::journey::Journey;
use crate::policy::{Bundle, hint};

/// How a customer and a journey stand: what was decided last, every condition with its values, and what would have to
/// be different.
#[utoipa::path(
    get,
    path = "/v1/customers/{id}/why",
    params(
        ("id" = String, Path, description = "The customer's id, percent-encoded"),
        ("journey" = String, Query, description = "The journey"),
        ("event" = Option<String>, Query, description = "JSON of an event in Segment's form that would enter; without one what depends on it stays open"),
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
    let bundle = api.node.engine.bundle.clone();
    let journey = find(&bundle, &asked.journey)?;
    let profile = look(&api, &id?).await?;
    let at = now(&api.node, &profile);
    let event = asked.event;
    let event = event.map(|event| event_of(event, profile.id.as_str(), at));
    let event = event.transpose()?;
    let account = account(&bundle, &profile, journey, event.as_ref(), at);
    let scene = Scene {
        bundle: &bundle,
        profile: &profile,
        journey,
        event: event.as_ref(),
        at,
    };
    Ok(json(&Why::of(&scene, &account)))
}

/// What is asked for.
struct Asked {
    journey: String,
    event: Option<Map>,
}

impl Asked {
    fn read(query: &[(String, String)]) -> Result<Self, Problem> {
        let (mut journey, mut event) = (None, None);
        for (name, value) in query {
            match name.as_str() {
                "journey" => journey = Some(value.clone()),
                "event" => event = Some(object(value)?),
                other => {
                    let hint = hint(other, ["journey", "event"]);
                    let detail = format!("unknown parameter `{other}`{hint}");
                    return Err(Problem::bad_request(detail));
                }
            }
        }
        let missing = || Problem::bad_request("missing parameter `journey`");
        Ok(Self {
            journey: journey.ok_or_else(missing)?,
            event,
        })
    }
}

fn object(text: &str) -> Result<Map, Problem> {
    let wrong = |error| Problem::bad_request(format!("`event` is no JSON object: {error}"));
    serde_json::from_str(text).map_err(wrong)
}

fn find<'b>(bundle: &'b Bundle, name: &str) -> Result<&'b Journey, Problem> {
    bundle.journey(name).ok_or_else(|| {
        let known = || bundle.journeys.iter().map(|journey| journey.name.as_ref());
        let names: Vec<String> = known().map(|name| format!("`{name}`")).collect();
        let hint = hint(name, known());
        let end = if hint.is_empty() { ";" } else { "" };
        let names = if names.is_empty() {
            "none".into()
        } else {
            names.join(", ")
        };
        let detail = format!("unknown journey `{name}`{hint}{end} the live policies have {names}");
        Problem::unknown_journey(detail)
    })
}

/// What an account is about.
struct Scene<'a> {
    bundle: &'a Bundle,
    profile: &'a Profile,
    journey: &'a Journey,
    event: Option<&'a Event>,
    at: Timestamp,
}

/// How a customer and a journey stand.
#[derive(Serialize, ToSchema)]
pub struct Why<'a> {
    customer: &'a str,
    journey: &'a str,
    /// Where the journey stands.
    place: String,
    /// The live policies.
    bundle: &'a str,
    /// The time that the account is of.
    at: At,
    /// The last input of the customer that it looks at.
    last_input_at: At,
    /// All of it in one sentence.
    text: String,
    /// The newest line of the timeline that begins, refuses or ends a run, or holds a send back or lets it go; `null` if
    /// there is none among the last 32.
    last: Option<Line<'a>>,
    /// The event that the entry is judged by; `null` if none is at hand.
    event: Option<Trigger<'a>>,
    /// What would become of an entry: `enters`, `repeats`, `refused`, or `open` if that depends on an event.
    verdict: &'static str,
    /// The code of a refusal.
    reason: Option<&'a str>,
    /// What would have to be different for the customer to enter.
    remedy: Option<String>,
    /// What the entry asks, in order.
    entry: Vec<Shown<'a>>,
    /// The runs in progress.
    runs: Vec<InProgress<'a>>,
    /// What each kind of send of the journey asks, in order, as if it were to leave at this moment.
    sends: Vec<Sending<'a>>,
}

/// An event.
#[derive(Serialize, ToSchema)]
struct Trigger<'a> {
    name: &'a str,
    id: &'a str,
    at: At,
}

/// One condition.
#[derive(Serialize, ToSchema)]
struct Shown<'a> {
    /// Where it stands in the policy.
    part: &'a str,
    /// What it asks.
    text: &'a str,
    /// The values of what it compares, or why it does not hold.
    values: &'a str,
    /// `met`, `missed`, or `open`: it holds nobody back, or depends on what is not at hand.
    mark: &'static str,
    /// The code of a refusal, if this is what decides.
    reason: Option<&'static str>,
    /// File and line.
    place: Option<String>,
    /// What would have to be different.
    remedy: Option<&'a str>,
}

/// A run in progress.
#[derive(Serialize, ToSchema)]
struct InProgress<'a> {
    instance: u32,
    key: &'a str,
    entered_at: At,
    /// The step where it stands.
    step: &'a str,
    /// What the step does.
    does: &'a str,
    place: Option<String>,
    waits_since: Option<At>,
    waits_until: Option<At>,
    /// The events that may end the wait before.
    listens: &'a [String],
    /// What would end it at once: the goal, then the exits; `met` ends it with the next event or at the wake-up.
    ends: Vec<Shown<'a>>,
}

/// A kind of send.
#[derive(Serialize, ToSchema)]
struct Sending<'a> {
    step: &'a str,
    channel: &'a str,
    template: &'a str,
    /// File and line.
    place: String,
    guards: Vec<Shown<'a>>,
}

impl<'a> Why<'a> {
    fn of(scene: &Scene<'a>, account: &'a Account) -> Self {
        let (verdict, reason) = match &account.verdict {
            Verdict::Enters => ("enters", None),
            Verdict::Repeats(_) => ("repeats", None),
            Verdict::Refused(code, _) => ("refused", Some(*code)),
            Verdict::Open => ("open", None),
        };
        let last = last(scene);
        Self {
            customer: scene.profile.id.as_str(),
            journey: &scene.journey.name,
            place: scene.journey.place.to_string(),
            bundle: &scene.bundle.id,
            at: At(scene.at),
            last_input_at: At(scene.profile.now),
            text: headline(scene, account, last),
            last: last.map(Line::of),
            event: scene.event.map(|event| Trigger {
                name: &event.name,
                id: event.id.as_str(),
                at: At(event.at),
            }),
            verdict,
            reason,
            remedy: account.remedy(),
            entry: account.entry.iter().map(Shown::of).collect(),
            runs: account.runs.iter().map(InProgress::of).collect(),
            sends: account.sends.iter().map(Sending::of).collect(),
        }
    }
}

/// Returns the newest line that says how the customer and the journey stand.
fn last<'a>(scene: &Scene<'a>) -> Option<&'a Trace> {
    let tells = |trace: &&Trace| {
        trace.subject == scene.journey.name
            && match &trace.what {
                What::Entered
                | What::Refused(..)
                | What::Left(_)
                | What::Sent(..)
                | What::Blocked(..) => true,
                What::Waits(_)
                | What::Woke
                | What::Scored(..)
                | What::Took(..)
                | What::Ranked(..)
                | What::Set(_)
                | What::Aimed(..)
                | What::Missed(..)
                | What::Met(..)
                | What::Dealt(..)
                | What::Crossed(..) => false,
            }
    };
    scene.profile.timeline.iter().rev().find(tells)
}

fn headline(scene: &Scene<'_>, account: &Account, last: Option<&Trace>) -> String {
    let (customer, journey) = (scene.profile.id.as_str(), &scene.journey.name);
    if let Some(run) = account.runs.last() {
        let since = run.entered_at;
        return format!("{customer} is in {journey} since {since}");
    }
    let Some(last) = last else {
        return format!("of {customer} and {journey} nothing was decided lately");
    };
    let at = last.at;
    match &last.what {
        What::Refused(code, _) => format!("{customer} did not enter {journey} at {at} ({code})"),
        What::Left(reason) => format!("{customer} left {journey} at {at} ({reason})"),
        What::Entered
        | What::Sent(..)
        | What::Blocked(..)
        | What::Waits(_)
        | What::Woke
        | What::Scored(..)
        | What::Took(..)
        | What::Ranked(..)
        | What::Set(_)
        | What::Aimed(..)
        | What::Missed(..)
        | What::Met(..)
        | What::Dealt(..)
        | What::Crossed(..) => {
            format!("{customer} was in {journey} at {at}")
        }
    }
}

impl<'a> Shown<'a> {
    fn of(condition: &'a Condition) -> Self {
        Self {
            part: &condition.part,
            text: &condition.text,
            values: &condition.values,
            mark: match condition.mark {
                Mark::Met => "met",
                Mark::Missed => "missed",
                Mark::Open => "open",
            },
            reason: condition.code,
            place: condition.place.as_ref().map(ToString::to_string),
            remedy: condition.remedy.as_deref(),
        }
    }
}

impl<'a> InProgress<'a> {
    fn of(run: &'a Standing) -> Self {
        Self {
            instance: run.number,
            key: &run.key,
            entered_at: At(run.entered_at),
            step: &run.step,
            does: &run.does,
            place: run.place.as_ref().map(ToString::to_string),
            waits_since: run.since.map(At),
            waits_until: run.until.map(At),
            listens: &run.listens,
            ends: run.ends.iter().map(Shown::of).collect(),
        }
    }
}

impl<'a> Sending<'a> {
    fn of(send: &'a Outgoing) -> Self {
        Self {
            step: &send.step,
            channel: &send.channel,
            template: &send.template,
            place: send.place.to_string(),
            guards: send.guards.iter().map(Shown::of).collect(),
        }
    }
}
