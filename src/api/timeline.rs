//! `GET /v1/customers/{id}/timeline`.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::auth::Caller;
use crate::api::customer::{At, Json, json, look};
use crate::api::problem::Problem;
use crate::domain::{EventId, Profile, Trace, What, instance};
use crate::policy::hint;

/// Why something was done for a customer, or not: the newest first.
#[utoipa::path(
    get,
    path = "/v1/customers/{id}/timeline",
    params(
        ("id" = String, Path, description = "The customer's id, percent-encoded"),
        ("journey" = Option<String>, Query, description = "Only what is about this journey or placement"),
        ("limit" = Option<u32>, Query, description = "At most so many lines, from 1", minimum = 1),
    ),
    security(("token" = [])),
    responses(
        (status = 200, description = "The last lines", body = Timeline),
        (status = 400, description = "The id or the query is not right", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Nothing is known of this customer", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not ready: try again in a second", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn timeline(
    _: Caller,
    State(api): State<Arc<Api>>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json, Problem> {
    let wanted = Wanted::read(&query?)?;
    let profile = look(&api, &id?).await?;
    Ok(json(&Timeline::of(&profile, &wanted)))
}

/// Which lines are asked for.
struct Wanted {
    subject: Option<String>,
    limit: usize,
}

impl Wanted {
    fn read(query: &[(String, String)]) -> Result<Self, Problem> {
        let (mut subject, mut limit) = (None, Profile::TIMELINE_MAX);
        for (name, value) in query {
            match name.as_str() {
                "journey" => subject = Some(value.clone()),
                "limit" => limit = limit_of(value)?,
                other => {
                    let hint = hint(other, ["journey", "limit"]);
                    let detail = format!("unknown parameter `{other}`{hint}");
                    return Err(Problem::bad_request(detail));
                }
            }
        }
        Ok(Self { subject, limit })
    }

    fn has(&self, trace: &Trace) -> bool {
        let wanted = self.subject.as_deref();
        wanted.is_none_or(|wanted| wanted == trace.subject.as_ref())
    }
}

fn limit_of(text: &str) -> Result<usize, Problem> {
    let limit = text.parse().ok().filter(|limit| *limit > 0);
    limit.ok_or_else(|| {
        Problem::bad_request(format!(
            "`limit` is `{text}`, a whole number from 1 on is expected"
        ))
    })
}

/// The last lines about a customer.
#[derive(Serialize, ToSchema)]
pub struct Timeline<'a> {
    /// The customer's id.
    customer: &'a str,
    /// The newest first.
    timeline: Vec<Line<'a>>,
}

/// One line: something was decided.
#[derive(Serialize, ToSchema)]
pub struct Line<'a> {
    /// When it was decided.
    at: At,
    /// The id of the event that led to it; `null` for a timer or a decide call.
    event: Option<&'a str>,
    /// What it is about.
    journey_or_placement: &'a str,
    /// The run of the journey, from 1; `null` if it is not about one.
    instance: Option<u32>,
    /// The journey only says what it would do (`mode: shadow`); its runs are counted apart.
    shadow: bool,
    /// The step of the journey; `null` if it is not about one.
    step: Option<&'a str>,
    /// What was decided.
    #[schema(value_type = WhatWord)]
    what: &'static str,
    /// The code of a refusal, the reason of an end, the arm of a branch, the model of a score.
    reason: Option<&'a str>,
    /// The condition with its values, or what was chosen.
    detail: Option<Cow<'a, str>>,
    /// How often in a row; `at` is the last time.
    times: u32,
    /// All of it in one sentence.
    text: String,
}

/// What can be decided.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it describes the words of a line")]
pub enum WhatWord {
    Entered,
    Refused,
    Waits,
    Woke,
    Scored,
    Took,
    Ranked,
    Sent,
    Blocked,
    Set,
    Left,
    #[schema(rename = "would_send")]
    WouldSend,
    #[schema(rename = "would_set")]
    WouldSet,
}

impl<'a> Timeline<'a> {
    fn of(profile: &'a Profile, wanted: &Wanted) -> Self {
        let lines = profile.timeline.iter().rev();
        let lines = lines.filter(|trace| wanted.has(trace)).take(wanted.limit);
        Self {
            customer: profile.id.as_str(),
            timeline: lines.map(Line::of).collect(),
        }
    }
}

impl<'a> Line<'a> {
    /// Shows a line of a profile's timeline.
    pub fn of(trace: &'a Trace) -> Self {
        let (what, reason, detail) = parts(&trace.what);
        Self {
            at: At(trace.at),
            event: trace.event.as_ref().map(EventId::as_str),
            journey_or_placement: &trace.subject,
            instance: Some(instance::shown(trace.instance)).filter(|number| *number > 0),
            shadow: instance::is_shadow(trace.instance),
            step: Some(trace.step.as_ref()).filter(|step| !step.is_empty()),
            what,
            reason,
            detail,
            times: trace.times,
            text: sentence(trace),
        }
    }
}

/// Returns the word, the reason and the detail of what was decided.
fn parts(what: &What) -> (&'static str, Option<&str>, Option<Cow<'_, str>>) {
    let own = |text: String| Some(Cow::Owned(text));
    match what {
        What::Entered => ("entered", None, None),
        What::Refused(code, detail) => ("refused", Some(code), Some(Cow::Borrowed(detail))),
        What::Waits(until) => ("waits", None, own(format!("until {until}"))),
        What::Woke => ("woke", None, None),
        What::Scored(model, Ok(score)) => ("scored", Some(model), own(format!("{score:.6}"))),
        What::Scored(model, Err(why)) => ("scored", Some(model), own(format!("unknown: {why}"))),
        What::Took(arm, why) => ("took", Some(arm), Some(Cow::Borrowed(why))),
        What::Ranked(chosen, lost) => ("ranked", None, own(ranked(chosen, lost))),
        What::Sent(id, channel, template) => (
            "sent",
            None,
            own(format!("{channel} {template}, action {id}")),
        ),
        What::WouldSend(channel, template) => {
            ("would_send", None, own(format!("{channel} {template}")))
        }
        What::WouldSet(names) => ("would_set", None, own(names.join(", "))),
        What::Blocked(code, detail) => ("blocked", Some(code), Some(Cow::Borrowed(detail))),
        What::Set(names) => ("set", None, own(names.join(", "))),
        What::Left(reason) => ("left", Some(reason), None),
        What::Crossed(way, detail) => (way.as_str(), None, Some(Cow::Borrowed(detail))),
        What::Aimed(until, why) => ("waits", None, own(format!("until {until}: {why}"))),
        What::Missed(then, why) => ("missed", Some(then), Some(Cow::Borrowed(why))),
        What::Met(arm, why) => ("met", Some(arm), Some(Cow::Borrowed(why))),
        What::Migrated(from) => ("migrated", Some(from), None),
        What::Dealt(arm, why) => ("dealt", Some(arm), Some(Cow::Borrowed(why))),
        What::Told(word, offers) => ("told", Some(word), own(offers.join(", "))),
        What::Untold(code, detail) => ("untold", Some(code), Some(Cow::Borrowed(detail))),
        What::Unkept(code, detail) => ("unkept", Some(code), Some(Cow::Borrowed(detail))),
    }
}

fn ranked(chosen: &[Arc<str>], lost: &str) -> String {
    let chosen = if chosen.is_empty() {
        "nothing".to_owned()
    } else {
        chosen.join(", ")
    };
    if lost.is_empty() {
        return chosen;
    }
    format!("{chosen}; not {lost}")
}

/// Says in one sentence what was decided.
fn sentence(trace: &Trace) -> String {
    let said = match &trace.what {
        What::Entered => "began".to_owned(),
        What::Refused(code, detail) => format!("did not begin, {}: {detail}", refusal(code)),
        What::Waits(until) => format!("waits until {until}"),
        What::Woke => "goes on".to_owned(),
        What::Scored(model, Ok(score)) => format!("scored {score:.4} with {model}"),
        What::Scored(model, Err(why)) => format!("has no score of {model}: {why}"),
        What::Took(arm, why) => format!("took branch {arm}: {why}"),
        What::Ranked(chosen, lost) => format!("offers {}", ranked(chosen, lost)),
        What::Sent(_, channel, template) => format!("sent {template} to {channel}"),
        What::WouldSend(channel, template) => format!("would have sent {template} to {channel}"),
        What::WouldSet(names) => format!("would have set {}", names.join(", ")),
        What::Blocked(code, detail) => format!("sent nothing, {}: {detail}", refusal(code)),
        What::Set(names) => format!("set {}", names.join(", ")),
        What::Left(reason) => format!("ended: {reason}"),
        What::Crossed(way, why) => format!("{} the segment: {why}", way.as_str()),
        What::Aimed(until, why) => format!("waits until {until}: {why}"),
        What::Missed(then, why) => format!("does not wait, {then}: {why}"),
        What::Met(arm, why) => format!("met arm {arm}: {why}"),
        What::Migrated(from) => {
            format!("is taken over from step {from} of an earlier revision")
        }
        What::Dealt(arm, why) => format!("is dealt to {arm}: {why}"),
        What::Told(word, offers) => format!("got the {word} of {}", offers.join(", ")),
        What::Untold(code, detail) => format!("counts no outcome, {code}: {detail}"),
        What::Unkept(code, detail) => format!("does not keep everything, {code}: {detail}"),
    };
    let shadow = if instance::is_shadow(trace.instance) {
        " (shadow)"
    } else {
        ""
    };
    let run = match instance::shown(trace.instance) {
        0 => shadow.to_owned(),
        number => format!("{shadow} run {number}"),
    };
    let times = match trace.times {
        0 | 1 => String::new(),
        times => format!(" ({times} times in a row)"),
    };
    format!("{}{run} {said}{times}", trace.subject)
}

/// Says a reason code in words.
fn refusal(code: &str) -> String {
    let words = match code {
        "WHERE" => "its condition is not true",
        "UNLESS" => "an `unless` holds or is unknown",
        "TOO_OLD" => "the event is too old",
        "KEY_UNKNOWN" => "its key is unknown",
        "ALREADY_IN" => "it is running already",
        "REENTRY_GAP" => "it ended too short ago",
        "CONCURRENCY" => "too many runs are in progress",
        "HAPPENED" => "what should not happen has happened",
        "LOOP" => "segments and journeys drive each other in a circle",
        "HOLDOUT" => "the customer is held out for comparison",
        "NO_CONSENT" => "the customer has not allowed it",
        "SUPPRESSED" => "it is on the suppression list",
        "UNREACHABLE" => "there is no address",
        "QUIET_HOURS" => "it is too early or too late in the day",
        "CONTACT_LIMIT" => "it would be one too many",
        "OUTRANKED" => "another journey goes first",
        other => return other.to_owned(),
    };
    format!("{words} ({code})")
}
