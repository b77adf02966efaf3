//! `POST /v1/decide`.

use std::fmt;
use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use bytes::Bytes;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::api::auth::Caller;
use crate::api::openapi::{DecideAnswer, DecideRequest};
use crate::api::problem::Problem;
use crate::api::{Api, BODY_BYTES_MAX};
use crate::decide::Ask;
use crate::decide::offers::LIMIT_MAX;
use crate::domain::{CustomerId, Map, Value};
use crate::policy::{Bundle, hint};

/// The longest `decision_key`, in bytes.
const KEY_BYTES_MAX: usize = 256;

/// The next best offers for a customer, here and now.
///
/// The decision is kept, with its trace, before it is answered; capped offers count as given. The same
/// JSON as a NATS request to `attune.decide` gives the same answer.
#[utoipa::path(
    post,
    path = "/v1/decide",
    request_body = DecideRequest,
    security(("token" = [])),
    responses(
        (status = 200, description = "The offers, the best first; none when nothing qualified", body = DecideAnswer),
        (status = 400, description = "The body is not right", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such placement", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is longer than 64 KB", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The decision failed", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not ready, or too much to do: try again in a second", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn decide(
    _: Caller,
    State(api): State<Arc<Api>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<([(HeaderName, &'static str); 1], String), Problem> {
    let answer = answer(&api, &body?).await?;
    Ok(([(CONTENT_TYPE, "application/json")], answer))
}

/// Answers a decide call, whichever way it came: JSON in, JSON out.
///
/// # Errors
///
/// What is wrong with the call, or with the node.
pub async fn answer(api: &Api, body: &[u8]) -> Result<String, Problem> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Problem::too_large(BODY_BYTES_MAX));
    }
    let call: Call = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let live = api.node.engine.live.get();
    let bundle = &live.bundle;
    let placement = bundle.placements.get_key_value(call.placement.as_str());
    let Some((placement, _)) = placement else {
        return Err(no_placement(bundle, &call.placement));
    };
    let id = call.key.unwrap_or_else(|| api.unique());
    // Whom nobody names is somebody of whom nothing is known.
    let nobody = || CustomerId::parse(&format!("nobody-{id}")).map_err(Problem::bad_request);
    let customer = call.customer.map_or_else(nobody, Ok)?;
    let ask = Ask {
        id,
        placement: placement.clone(),
        context: Value::Map(call.context),
        limit: call.limit,
        stranger: false,
    };
    let answer = api.node.ask(customer, ask).await?;
    Ok(answer.to_json(call.explain))
}

/// Says what is wrong with a body; where, only if it is not JSON: else the message names the field.
fn unreadable(error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    if !error.is_data() {
        return Problem::bad_request(format!("the body is not JSON: {text}"));
    }
    let message = text.rsplit_once(" at line ").map(|(message, _)| message);
    Problem::bad_request(message.unwrap_or(&text))
}

/// Says that there is no such placement, and which ones there are.
pub fn no_placement(bundle: &Bundle, written: &str) -> Problem {
    let known = || bundle.placements.keys().map(AsRef::as_ref);
    let names: Vec<String> = known().map(|name| format!("`{name}`")).collect();
    let names = if names.is_empty() {
        "the policies have none".to_owned()
    } else {
        format!("the policies have {}", names.join(", "))
    };
    let hint = hint(written, known());
    let end = if hint.is_empty() { ";" } else { "" };
    Problem::unknown_placement(format!("unknown placement `{written}`{hint}{end} {names}"))
}

/// A decide call.
struct Call {
    customer: Option<CustomerId>,
    placement: String,
    context: Map,
    limit: Option<u32>,
    key: Option<Arc<str>>,
    explain: bool,
}

const FIELDS: [&str; 6] = [
    "customer",
    "placement",
    "context",
    "limit",
    "decision_key",
    "explain",
];

impl<'de> Deserialize<'de> for Call {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(CallVisitor)
    }
}

struct CallVisitor;

impl<'de> Visitor<'de> for CallVisitor {
    type Value = Call;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object with `placement`, and `customer` if it is known")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Call, A::Error> {
        let mut seen = [false; FIELDS.len()];
        let (mut customer, mut placement) = (None::<Box<str>>, None);
        let (mut context, mut limit, mut key, mut explain) = (None, None, None, None);
        while let Some(Field(idx)) = map.next_key()? {
            let name = FIELDS[idx];
            if std::mem::replace(&mut seen[idx], true) {
                return Err(A::Error::duplicate_field(name));
            }
            match name {
                "customer" => customer = read(&mut map, name)?,
                "placement" => placement = read(&mut map, name)?,
                "context" => context = read(&mut map, name)?,
                "limit" => limit = read(&mut map, name)?,
                "decision_key" => key = read(&mut map, name)?,
                "explain" => explain = read(&mut map, name)?,
                // A field's name is one of those above.
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let customer = customer
            .map(|customer| CustomerId::parse(&customer))
            .transpose();
        Ok(Call {
            customer: customer.map_err(A::Error::custom)?,
            placement: placement.ok_or_else(|| A::Error::missing_field("placement"))?,
            context: context.unwrap_or_default(),
            limit: checked_limit(limit).map_err(A::Error::custom)?,
            key: checked_key(key).map_err(A::Error::custom)?,
            explain: explain.unwrap_or_default(),
        })
    }
}

/// Reads the value of a field; `null` is the same as absent.
fn read<'de, A: MapAccess<'de>, T: DeserializeOwned>(
    map: &mut A,
    name: &str,
) -> Result<Option<T>, A::Error> {
    map.next_value()
        .map_err(|error| A::Error::custom(format_args!("`{name}`: {error}")))
}

fn checked_limit(limit: Option<Value>) -> Result<Option<u32>, String> {
    let Some(limit) = limit else {
        return Ok(None);
    };
    let whole = (1..=LIMIT_MAX).find(|whole| limit == Value::Number(f64::from(*whole)));
    whole.map(Some).ok_or_else(|| {
        format!("`limit` is {limit}, a whole number from 1 to {LIMIT_MAX} is expected")
    })
}

fn checked_key(key: Option<Box<str>>) -> Result<Option<Arc<str>>, String> {
    match key {
        Some(key) if key.is_empty() => Err("`decision_key` is empty".into()),
        Some(key) if key.len() > KEY_BYTES_MAX => Err(format!(
            "`decision_key` has {} bytes, at most {KEY_BYTES_MAX} are allowed",
            key.len()
        )),
        key => Ok(key.map(Arc::from)),
    }
}

/// A field, by its place in [`FIELDS`].
struct Field(usize);

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(FieldVisitor)
    }
}

struct FieldVisitor;

impl Visitor<'_> for FieldVisitor {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Field, E> {
        let known = FIELDS.iter().position(|known| *known == name);
        known.map(Field).ok_or_else(|| {
            let hint = match hint(name, FIELDS) {
                hint if hint.is_empty() => format!(", expected one of `{}`", FIELDS.join("`, `")),
                hint => hint,
            };
            E::custom(format_args!("unknown field `{name}`{hint}"))
        })
    }
}
