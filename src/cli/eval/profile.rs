//! A customer out of a file: what is told of them, and the events that they are the sum of.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::decide::Scoring;
use crate::decide::why::Course;
use crate::domain::segment::{Depth, Received, decode};
use crate::domain::{CustomerId, Event, Profile, Timestamp};
use crate::policy::Bundle;

/// The largest file, in bytes.
const BYTES_MAX: u64 = 16 << 20;
/// Who it is if the file says nothing.
const ID: &str = "u1";

/// What a file says. The answer of `GET /v1/customers/{id}` is one, too: of it what is told counts, and the cart; features,
/// segments and runs follow from events alone.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    id: Option<String>,
    traits: Map<String, Value>,
    consent: Option<Value>,
    timezone: Option<String>,
    events: Vec<Map<String, Value>>,
    cart: Option<Map<String, Value>>,
    suppressions: Vec<Map<String, Value>>,
    last_input_at: Option<String>,
    session: Option<Value>,
    features: Option<Map<String, Value>>,
    journeys: Option<Vec<Value>>,
    next_timer: Option<Value>,
    past: Option<Vec<Value>>,
    offers_given: Option<Value>,
    contacts: Option<Value>,
}

/// A customer, and what of the file is of no use.
pub struct Told {
    /// The customer.
    pub profile: Profile,
    /// When that is.
    pub at: Timestamp,
    /// How many events were played.
    pub n_events: u64,
    /// What the file says that cannot be taken over.
    pub left_out: Vec<&'static str>,
}

impl File {
    /// Reads JSON or YAML.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or says something else.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let failed = || format!("cannot read `{shown}`");
        let file = std::fs::File::open(path).with_context(failed)?;
        let text = text(file).with_context(failed)?;
        let is_json = text.trim_start().starts_with('{');
        let read = if is_json {
            serde_json::from_str(&text).map_err(anyhow::Error::from)
        } else {
            serde_saphyr::from_str(&text).map_err(anyhow::Error::from)
        };
        read.with_context(|| {
            format!(
                "`{shown}` is no profile: `traits`, `consent`, `timezone`, `events` (in Segment's form), or the answer of \
                 `GET /v1/customers/{{id}}`"
            )
        })
    }

    /// Plays the events, by policies in which no model answers.
    ///
    /// - `at`: when; by default at the last event, or when the answer of the server was of.
    /// - `otherwise`: when, if the file tells no time.
    ///
    /// # Errors
    ///
    /// The id, a time or an event is none.
    pub fn play(
        self,
        bundle: &Bundle,
        at: Option<Timestamp>,
        otherwise: Timestamp,
        scoring: Scoring<'_>,
    ) -> anyhow::Result<Told> {
        let left_out = self.left_out();
        let id = CustomerId::parse(self.id.as_deref().unwrap_or(ID));
        let id = id.map_err(|wrong| anyhow::anyhow!("`id`: {wrong}"))?;
        let of = self.last_input_at.as_deref().map(time).transpose()?;
        let mut events = self.events(&id)?;
        events.sort_by_key(|event| event.at);
        let last = events.last().map(|event| event.at);
        let begin = events.first().map(|event| event.at);
        let begin = begin.or(of).or(at).unwrap_or(otherwise);
        let at = at.or(last.max(of)).unwrap_or(otherwise);
        let mut course = Course::of(bundle, Profile::new(id.clone()), scoring);
        for event in self.told(&id, begin)? {
            course.event(event, begin);
        }
        events.retain(|event| event.at <= at);
        let n_events = u64::try_from(events.len()).unwrap_or(u64::MAX);
        for event in events {
            let now = event.at;
            course.event(event, now);
        }
        Ok(Told {
            profile: course.end(at),
            at,
            n_events,
            left_out,
        })
    }

    fn left_out(&self) -> Vec<&'static str> {
        let some = |has: bool, name| has.then_some(name);
        let list = |of: &Option<Vec<Value>>| of.as_ref().is_some_and(|all| !all.is_empty());
        let map = |of: &Option<Map<String, Value>>| of.as_ref().is_some_and(|all| !all.is_empty());
        let any = |of: &Option<Value>| {
            let of = of.as_ref().and_then(Value::as_object);
            of.is_some_and(|all| !all.is_empty())
        };
        let named = [
            some(any(&self.session), "session"),
            some(map(&self.features), "features"),
            some(list(&self.journeys), "journeys"),
            some(list(&self.past), "past"),
            some(any(&self.offers_given), "offers_given"),
            some(any(&self.contacts), "contacts"),
        ];
        named.into_iter().flatten().collect()
    }

    fn events(&self, id: &CustomerId) -> anyhow::Result<Vec<Event>> {
        let numbered = self.events.iter().zip(1..);
        let mut events = Vec::new();
        for (given, n) in numbered {
            let made = |at| event(given.clone(), id, &format!("event-{n}"), at);
            let own = made(Timestamp::MIN).with_context(|| format!("event {n}"))?;
            ensure!(own.at != Timestamp::MIN, "event {n} has no `timestamp`");
            events.push(own);
        }
        Ok(events)
    }

    /// Makes events of what is told.
    fn told(&self, id: &CustomerId, at: Timestamp) -> anyhow::Result<Vec<Event>> {
        let mut traits = self.traits.clone();
        if let Some(consent) = &self.consent {
            traits.insert("consent".into(), consent.clone());
        }
        if let Some(zone) = &self.timezone {
            traits.insert("timezone".into(), json!(zone));
        }
        let mut given = vec![json!({ "type": "identify", "traits": traits })];
        if let Some(cart) = &self.cart {
            let properties =
                json!({ "products": cart.get("items"), "currency": cart.get("currency") });
            given.push(json!({ "event": "Cart Viewed", "properties": properties }));
        }
        for entry in &self.suppressions {
            given.push(json!({ "event": "Suppressed", "properties": entry }));
        }
        let made = given.into_iter().zip(1..).map(|(given, n)| {
            let Value::Object(given) = given else {
                bail!("what is told is no object");
            };
            event(given, id, &format!("told-{n}"), at)
        });
        made.collect()
    }
}

/// Reads what a file holds, which need not say how long it is: a pipe or a device does not.
fn text(file: impl Read) -> anyhow::Result<String> {
    let mut text = String::new();
    let n_bytes = file.take(BYTES_MAX + 1).read_to_string(&mut text)?;
    ensure!(
        n_bytes as u64 <= BYTES_MAX,
        "it has more than the {BYTES_MAX} bytes that are read"
    );
    Ok(text)
}

fn time(text: &str) -> anyhow::Result<Timestamp> {
    Timestamp::parse(text).with_context(|| format!("`last_input_at` is `{text}`, which is no time"))
}

fn event(
    mut given: Map<String, Value>,
    customer: &CustomerId,
    fallback_id: &str,
    at: Timestamp,
) -> anyhow::Result<Event> {
    given.entry("type").or_insert_with(|| json!("track"));
    given.insert("userId".into(), json!(customer.as_str()));
    let received = Received {
        at,
        real: false,
        fallback_id: &|| fallback_id.into(),
    };
    let text = Value::Object(given).to_string();
    let decoded = decode(text.as_bytes(), &received, |_| Depth::Whole);
    Ok(decoded.map_err(anyhow::Error::msg)?.event)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{BYTES_MAX, text};

    #[test]
    fn a_file_that_does_not_end_is_refused() {
        let why = text(io::repeat(b'a')).unwrap_err().to_string();
        assert_eq!(why, "it has more than the 16777216 bytes that are read");
        let whole = io::Read::take(io::repeat(b'a'), BYTES_MAX);
        assert_eq!(text(whole).unwrap().len() as u64, BYTES_MAX);
    }
}
