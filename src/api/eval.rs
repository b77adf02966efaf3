//! `POST /v1/eval`.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use crate::actors::live::Policies;
use crate::actors::past;
use crate::api::Api;
use crate::api::auth::Caller;
use crate::api::basis::Basis;
use crate::api::customer::{At, Json, json, look, now};
use crate::api::problem::Problem;
use crate::api::why::turn;
use crate::decide::{Env, Unknown, answer};
use crate::domain::segment::{Depth, Received, decode};
use crate::domain::{Event, Map, Profile, Timestamp, Value};
use crate::policy::question::{Question, ask};
use crate::policy::{Diagnostic, hint};

const FIELDS: [&str; 5] = ["customer", "expression", "event", "context", "at"];

/// What an expression is worth for a customer.
///
/// It is checked against the live policies and looks at the customer as everything that was committed left them, or as they
/// were at a time of the past; nothing changes.
#[utoipa::path(
    post,
    path = "/v1/eval",
    request_body = EvalRequest,
    security(("token" = [])),
    responses(
        (status = 200, description = "The value, or what of it is unknown", body = Evaluated),
        (status = 400, description = "The body or the expression is not right", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Nothing is known of this customer", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is longer than 64 KB", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not ready: try again in a second", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn eval(
    _: Caller,
    State(api): State<Arc<Api>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json, Problem> {
    let call = Call::read(&body?)?;
    let policies = api.node.engine.live.get();
    let bundle = &policies.bundle;
    let live = look(&api, &call.customer).await?;
    let now = now(&api.node, &live);
    let (profile, basis) = match call.at {
        Some(at) if at < now => then(&api, &policies, &live, at).await?,
        Some(at) if at > now => (live, Basis::ahead()),
        Some(_) | None => (live, Basis::now()),
    };
    let at = call.at.unwrap_or(now);
    let event = call.event.map(|event| event_of(event, &call.customer, at));
    let event = event.transpose().map_err(Problem::bad_request)?;
    let name = event.as_ref().map(|event| event.name.as_ref());
    let question =
        ask(bundle, &call.expression, name).map_err(|wrong| Problem::wrong_expression(&wrong))?;
    let env = Env {
        event: event.as_ref(),
        context: call.context.as_ref(),
        ..Env::new(bundle, &profile, at)
    };
    let evaluated = Evaluated::of(&question, &env, &call.expression, basis);
    Ok(json(&evaluated))
}

/// Plays the customer's events again up to a time.
async fn then(
    api: &Api,
    policies: &Policies,
    live: &Profile,
    at: Timestamp,
) -> Result<(Box<Profile>, Basis), Problem> {
    let _one = turn(api)?;
    let told = past::customer(&api.node.engine, policies, live.id.clone(), at).await;
    let told = told.map_err(|error| Problem::not_ready(error.to_string()))?;
    let basis = Basis::replayed(&told, None);
    Ok((Box::new(told.what), basis))
}

/// An expression to evaluate. Fields that are not named here are refused.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what the reader takes")]
pub struct EvalRequest {
    /// The customer's id: 1 to 512 bytes.
    #[schema(max_length = 512, min_length = 1)]
    customer: String,
    /// The expression, as in a policy: at most 2048 bytes.
    #[schema(max_length = 2048)]
    expression: String,
    /// What it sees as `event`, in Segment's form; `type` is `track` unless it says otherwise.
    #[schema(value_type = Option<Object>)]
    event: Option<()>,
    /// What it sees as `context`.
    #[schema(value_type = Option<Object>)]
    context: Option<()>,
    /// A time of the past: the customer's events are read from the stream and played again up to it. At a time to come the
    /// customer is as they are at this moment, and the clock shows `at`.
    #[schema(format = DateTime)]
    at: Option<String>,
}

/// What an expression is worth.
#[derive(Serialize, ToSchema)]
pub struct Evaluated<'a> {
    customer: &'a str,
    expression: &'a str,
    /// What the clock showed.
    at: At,
    /// The last input of the customer that is looked at; `null`: there was none by then.
    last_input_at: Option<At>,
    /// What it rests on.
    basis: Basis,
    /// The live policies.
    bundle: &'a str,
    /// Whether there is a value.
    known: bool,
    /// The value; `null` when it is unknown.
    #[schema(value_type = utoipa::openapi::schema::Value, required)]
    value: Option<Value>,
    /// `number`, `text`, `bool`, `list`, `map`; `unknown` without a value.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The parts that are unknown, and why.
    unknown: Vec<UnknownPart>,
    /// What is most likely not meant.
    warnings: Vec<String>,
}

/// A part of an expression that is unknown.
#[derive(Serialize, ToSchema)]
struct UnknownPart {
    /// The part.
    part: String,
    /// Why.
    why: String,
}

impl<'a> Evaluated<'a> {
    /// Evaluates a question.
    pub fn of(question: &Question, env: &Env<'a>, expression: &'a str, basis: Basis) -> Self {
        let (value, unknown) = match answer(question, env) {
            Ok(value) => (Some(value), Vec::new()),
            Err(unknown) => (None, unknown),
        };
        let part = |of: Unknown| UnknownPart {
            part: of.part,
            why: of.why,
        };
        let warnings = question.warnings.0.iter();
        Self {
            customer: env.profile.id.as_str(),
            expression,
            at: At(env.now),
            last_input_at: Some(env.profile.now)
                .filter(|at| *at > Timestamp::MIN)
                .map(At),
            basis,
            bundle: &env.bundle.id,
            known: value.is_some(),
            kind: kind(value.as_ref()),
            value,
            unknown: unknown.into_iter().map(part).collect(),
            warnings: warnings.map(sentence).collect(),
        }
    }
}

fn sentence(of: &Diagnostic) -> String {
    let help = of.help.iter().map(|help| format!("; {help}"));
    help.fold(of.message.clone(), |text, help| text + &help)
}

fn kind(value: Option<&Value>) -> &'static str {
    match value {
        None | Some(Value::Null) => "unknown",
        Some(Value::Bool(_)) => "bool",
        Some(Value::Number(_)) => "number",
        Some(Value::Text(_)) => "text",
        Some(Value::List(_)) => "list",
        Some(Value::Map(_)) => "map",
    }
}

/// A call.
struct Call {
    customer: String,
    expression: String,
    event: Option<Map>,
    context: Option<Value>,
    at: Option<Timestamp>,
}

impl Call {
    fn read(body: &[u8]) -> Result<Self, Problem> {
        let body: Value = serde_json::from_slice(body)
            .map_err(|error| Problem::bad_request(format!("the body is not JSON: {error}")))?;
        let Value::Map(fields) = body else {
            let help = "the body is a JSON object with `customer` and `expression`";
            return Err(Problem::bad_request(help));
        };
        if let Some((other, _)) = fields.iter().find(|(name, _)| !FIELDS.contains(name)) {
            let hint = hint(other, FIELDS);
            let detail = format!("unknown field `{other}`{hint}");
            return Err(Problem::bad_request(detail));
        }
        let of = |name: &str| fields.get(name).filter(|value| **value != Value::Null);
        Ok(Self {
            customer: text(of("customer"), "customer")?,
            expression: text(of("expression"), "expression")?,
            event: of("event").map(|it| map(it, "event")).transpose()?,
            context: of("context")
                .map(|it| map(it, "context").map(Value::Map))
                .transpose()?,
            at: of("at").map(time).transpose()?,
        })
    }
}

fn text(value: Option<&Value>, name: &str) -> Result<String, Problem> {
    let Some(value) = value else {
        return Err(Problem::bad_request(format!("missing field `{name}`")));
    };
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| Problem::bad_request(format!("`{name}` is {value}, a text is expected")))
}

fn map(value: &Value, name: &str) -> Result<Map, Problem> {
    let map = value.as_map().cloned();
    map.ok_or_else(|| Problem::bad_request(format!("`{name}` is {value}, an object is expected")))
}

fn time(value: &Value) -> Result<Timestamp, Problem> {
    let time = value.as_str().and_then(Timestamp::parse);
    time.ok_or_else(|| {
        let detail = format!("`at` is {value}, a time such as `2026-01-31T10:00:00Z` is expected");
        Problem::bad_request(detail)
    })
}

/// Reads an event that somebody makes up: what every event must have is filled in.
///
/// # Errors
///
/// It is no event.
pub fn event_of(mut given: Map, customer: &str, at: Timestamp) -> Result<Event, String> {
    if given.get("type").is_none() {
        given.set("type", Value::text("track"));
    }
    given.set("userId", Value::text(customer));
    let received = Received {
        at,
        real: false,
        fallback_id: &|| "made-up".into(),
    };
    let wrong = |error| format!("`event`: {error}");
    let text = Value::Map(given).to_string();
    let decoded = decode(text.as_bytes(), &received, |_| Depth::Whole).map_err(wrong)?;
    Ok(decoded.event)
}
