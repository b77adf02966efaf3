//! Events in Segment's form: JSON in, customer and event out.

mod latest;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::domain::event::Kind;
use crate::domain::{CustomerId, Duration, Event, EventId, Timestamp, Value};

pub use latest::latest_time;

/// The longest name of an event, in bytes.
pub const NAME_BYTES_MAX: usize = 256;

/// How far a sender's clock may be ahead of the stream's.
pub const AHEAD_MAX: Duration = Duration::from_secs(5);

/// What the reader of an event knows besides its bytes.
pub struct Received<'a> {
    /// When the stream stored it; an event without a time of its own happened then.
    pub at: Timestamp,
    /// Whether `at` is the real time, so that an event cannot have happened after it.
    pub real: bool,
    /// Makes the id of an event that brings none.
    pub fallback_id: &'a dyn Fn() -> String,
}

/// How far an event is read; what lies deeper is checked to be JSON and not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Its names and times, the traits of an identify call, and the time zone of its context.
    #[default]
    Envelope,
    /// Its properties and traits too.
    Body,
    /// Its context too.
    Whole,
}

/// An event and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// `userId`, else `anonymousId`.
    pub customer: CustomerId,
    /// The event.
    pub event: Event,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "lent", rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    message_id: Option<Text<'a>>,
    #[serde(borrow)]
    user_id: Option<Text<'a>>,
    #[serde(borrow)]
    anonymous_id: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "lent")]
    event: Option<Cow<'a, str>>,
    #[serde(borrow)]
    properties: Option<&'a RawValue>,
    #[serde(borrow)]
    traits: Option<&'a RawValue>,
    #[serde(borrow)]
    context: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "lent")]
    timestamp: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "lent")]
    original_timestamp: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "lent")]
    sent_at: Option<Cow<'a, str>>,
}

/// Reads a text where it stands: what is derived for an optional one copies it.
fn lent<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<Cow<'a, str>>, D::Error> {
    #[derive(Deserialize)]
    struct Lent<'a>(#[serde(borrow)] Cow<'a, str>);

    let lent = Option::<Lent<'a>>::deserialize(from)?;
    Ok(lent.map(|Lent(text)| text))
}

/// Reads one event.
///
/// - `depth`: tells for the name of an event how far to read.
///
/// # Errors
///
/// A sentence that says what is wrong with the bytes; the event belongs to the dead letters.
pub fn decode(
    payload: &[u8],
    received: &Received<'_>,
    depth: impl Fn(&str) -> Depth,
) -> Result<Decoded, String> {
    let text = std::str::from_utf8(payload).map_err(|error| format!("not UTF-8: {error}"))?;
    if text.trim_start().starts_with('[') {
        // A derived `Deserialize` would take the items for the fields, in order.
        return Err("not an event: a list, expected an object".into());
    }
    let envelope: Envelope<'_> =
        serde_json::from_str(text).map_err(|error| why_not(text, &error))?;
    let kind = envelope.kind.as_deref().ok_or("`type` is missing")?;
    let kind = Kind::parse(kind).ok_or_else(|| {
        format!(
            "`type` is `{}`, expected track, identify, page, screen, group or alias",
            short(kind)
        )
    })?;
    let name = name_of(kind, envelope.event.as_deref())?;
    let customer = customer_of(&envelope)?;
    let depth = depth(name);
    let has_body = depth >= Depth::Body;
    let traits = match (kind, envelope.traits) {
        (Kind::Identify, None) => context_traits(envelope.context)?,
        (_, traits) => object("traits", traits, kind == Kind::Identify || has_body)?,
    };
    let id = envelope
        .message_id
        .as_ref()
        .map(|id| id.0.as_ref())
        .filter(|id| !id.is_empty());
    let event = Event {
        id: id.map_or_else(|| EventId::new(&(received.fallback_id)()), EventId::new),
        kind,
        name: name.into(),
        at: happened_at(&envelope, received)?,
        properties: object("properties", envelope.properties, has_body)?,
        traits,
        context: context(envelope.context, depth)?,
    };
    Ok(Decoded { customer, event })
}

/// Says why a text is not an event, if possible with the name of the field.
fn why_not(text: &str, error: &serde_json::Error) -> String {
    let fields = || serde_json::from_str::<BTreeMap<String, &RawValue>>(text).ok();
    let wrong = |(name, value): &(String, &RawValue)| {
        let value = value.get();
        let is_text = value.starts_with('"') || value == "null";
        match name.as_str() {
            "type" | "event" | "timestamp" | "originalTimestamp" | "sentAt" => !is_text,
            "messageId" | "userId" | "anonymousId" => serde_json::from_str::<Text>(value).is_err(),
            _ => false,
        }
    };
    let found = error.is_data().then(fields).flatten();
    match found.into_iter().flatten().find(wrong) {
        Some((name, value)) => format!("`{name}` is `{}`, expected a text", short(value.get())),
        None => format!("not an event: {error}"),
    }
}

fn name_of(kind: Kind, event: Option<&str>) -> Result<&str, String> {
    if kind != Kind::Track {
        return Ok(kind.as_str());
    }
    match event.map(str::trim) {
        None | Some("") => Err("a track event has no `event`".into()),
        Some(name) if name.len() > NAME_BYTES_MAX => Err(format!(
            "`event` has {} bytes, at most {NAME_BYTES_MAX} are allowed",
            name.len()
        )),
        Some(name) => Ok(name),
    }
}

fn customer_of(envelope: &Envelope<'_>) -> Result<CustomerId, String> {
    let ids = [&envelope.user_id, &envelope.anonymous_id];
    let id = ids
        .into_iter()
        .flatten()
        .map(|id| id.0.as_ref())
        .find(|id| !id.trim().is_empty());
    CustomerId::parse(id.ok_or("neither `userId` nor `anonymousId` is there")?)
}

/// Parses an object if anybody wants it.
fn object(name: &str, raw: Option<&RawValue>, wanted: bool) -> Result<Value, String> {
    let Some(raw) = raw.filter(|_| wanted) else {
        return Ok(Value::Null);
    };
    match serde_json::from_str(raw.get()).map_err(|error| format!("`{name}`: {error}"))? {
        value @ (Value::Null | Value::Map(_)) => Ok(value),
        Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
            Err(format!("`{name}` is not an object"))
        }
    }
}

/// Parses the context; when nobody wants it, of the time zone alone, which every event may tell.
fn context(raw: Option<&RawValue>, depth: Depth) -> Result<Value, String> {
    let is_map = |raw: &RawValue| raw.get().starts_with('{');
    let is_read = match depth {
        Depth::Envelope => false,
        // What is no object is noticed as it is of the properties.
        Depth::Body => raw.is_some_and(|raw| !is_map(raw)),
        Depth::Whole => true,
    };
    // A derived `Deserialize` would take the items of a list for the fields.
    let may_tell = |raw: &&RawValue| is_map(raw) && raw.get().contains("\"timezone\"");
    match raw.filter(may_tell) {
        Some(raw) if !is_read => Ok(zone_alone(raw)),
        Some(_) | None => object("context", raw, is_read),
    }
}

fn zone_alone(context: &RawValue) -> Value {
    let timezone = serde_json::from_str(context.get()).map(|Zoned { timezone }| timezone);
    let Ok(timezone @ Value::Text(_)) = timezone else {
        return Value::Null;
    };
    let zone = (Arc::from("timezone"), timezone);
    Value::Map([zone].into_iter().collect())
}

/// What is read of a context that nobody looks at.
#[derive(Deserialize)]
struct Zoned {
    #[serde(default)]
    timezone: Value,
}

/// `RudderStack`'s Python client sends the traits of an identify call in the context only.
fn context_traits(context: Option<&RawValue>) -> Result<Value, String> {
    let context = object("context", context, true)?;
    Ok(context.get("traits").cloned().unwrap_or_default())
}

fn happened_at(envelope: &Envelope<'_>, received: &Received<'_>) -> Result<Timestamp, String> {
    let at = match (&envelope.timestamp, &envelope.original_timestamp) {
        (Some(at), _) => time("timestamp", at)?,
        (None, Some(at)) => match &envelope.sent_at {
            // The sender's clock may be wrong, but not the time between the event and its sending.
            Some(sent) => received.at - time("sentAt", sent)?.since(time("originalTimestamp", at)?),
            None => time("originalTimestamp", at)?,
        },
        (None, None) => received.at,
    };
    Ok(if received.real {
        at.min(received.at + AHEAD_MAX)
    } else {
        at
    })
}

fn time(name: &str, text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| {
        format!(
            "`{name}` is `{}`, expected RFC 3339 such as 2026-01-31T10:00:00Z",
            short(text)
        )
    })
}

/// Cuts what a sender wrote to a length that fits in a message.
fn short(text: &str) -> String {
    if text.chars().count() <= 40 {
        text.into()
    } else {
        text.chars().take(40).chain(['…']).collect()
    }
}

/// Text, or a number that is read as text: some clients send numeric ids.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.into())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Text<'de>, E> {
        Err(E::custom(format!(
            "an id is the number {number}, expected a text or a whole number"
        )))
    }

    fn visit_unit<E>(self) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed("")))
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Text<'de>, E> {
        Err(E::invalid_type(serde::de::Unexpected::Bool(value), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_where_they_stand_and_copied_only_where_they_are_escaped() {
        let text = r#"{"type":"track","event":"a \"b\"","timestamp":"2026-01-31T10:00:00Z","sentAt":null}"#;
        let envelope: Envelope<'_> = serde_json::from_str(text).unwrap();
        assert!(matches!(envelope.kind, Some(Cow::Borrowed("track"))));
        assert!(matches!(&envelope.event, Some(Cow::Owned(name)) if name == "a \"b\""));
        assert!(matches!(envelope.timestamp, Some(Cow::Borrowed(_))));
        assert_eq!(
            (envelope.sent_at, envelope.original_timestamp),
            (None, None)
        );
    }
}
