//! The latest time among events, without reading all of each.

use std::borrow::Cow;
use std::cmp::Reverse;

use memchr::{memchr, memmem};
use serde::Deserialize;

use super::lent;
use crate::domain::Timestamp;

/// What the time of an event stands behind.
const NAME: &[u8] = b"\"timestamp\"";

/// Returns the latest time that any of these events brings, if it is after one.
///
/// Only those are read as JSON that may be the latest.
pub fn latest_time<'a>(
    payloads: impl Iterator<Item = &'a [u8]>,
    after: Timestamp,
) -> Option<Timestamp> {
    let mut latest = after;
    let bounds = payloads.map(|payload| (time_at_most(payload), payload));
    let mut bounds: Vec<_> = bounds.filter(|(bound, _)| *bound > after).collect();
    bounds.sort_unstable_by_key(|(bound, _)| Reverse(*bound));
    for (bound, payload) in bounds {
        if bound <= latest {
            break;
        }
        latest = latest.max(own_time(payload).unwrap_or(latest));
    }
    (latest > after).then_some(latest)
}

/// Returns a time that an event does not exceed: the latest after the word `timestamp`, wherever it stands.
fn time_at_most(payload: &[u8]) -> Timestamp {
    if memchr(b'\\', payload).is_some() {
        // Letters may be escaped.
        return Timestamp::MAX;
    }
    let value = |at: usize| {
        let after = payload.get(at + NAME.len()..)?.trim_ascii_start();
        let value = after.strip_prefix(b":")?.trim_ascii_start();
        let value = value.strip_prefix(b"\"")?;
        let end = memchr(b'"', value)?;
        Timestamp::parse(std::str::from_utf8(value.get(..end)?).ok()?)
    };
    let found = memmem::find_iter(payload, NAME);
    found.filter_map(value).max().unwrap_or(Timestamp::MIN)
}

/// Reads the time that an event brings, if it is an event with one.
fn own_time(payload: &[u8]) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Timed<'a> {
        #[serde(borrow, default, deserialize_with = "lent")]
        timestamp: Option<Cow<'a, str>>,
    }
    let timed: Timed<'_> = serde_json::from_slice(payload).ok()?;
    Timestamp::parse(&timed.timestamp?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: &str = "2026-01-31T10:00:00Z";

    /// An event of this time, or something like it.
    fn payload() -> impl Strategy<Value = String> {
        let time = (0_i64..2_000_000_000_000).prop_map(|at| Timestamp::from_millis(at).to_string());
        let form = prop::sample::select(vec![
            r#"{"timestamp":"AT"}"#,
            r#"{ "timestamp" : "AT" , "type":"track"}"#,
            r#"{"timest\u0061mp":"AT"}"#,
            r#"{"timestamp":"AT","properties":{"timestamp":"OTHER"}}"#,
            r#"{"properties":{"timestamp":"OTHER"},"timestamp":"AT"}"#,
            r#"{"properties":{"timestamp":"AT"}}"#,
            r#"{"event":"a \"timestamp\":\"OTHER\" b","timestamp":"AT"}"#,
            r#"{"timestamp":"AT","timestamp":"OTHER"}"#,
            r#"{"timestamp":" AT "}"#,
            r#"{"timestamp":"AT""#,
            r#"{"timestamp":"#,
            r#"{"timestamp":null}"#,
            r#"{"timestamp":7}"#,
            r#"["timestamp","AT"]"#,
            "",
        ]);
        (form, time.clone(), time)
            .prop_map(|(form, at, other)| form.replace("AT", &at).replace("OTHER", &other))
    }

    proptest! {
        #[test]
        fn the_latest_time_is_that_of_reading_them_all(texts in prop::collection::vec(payload(), 0..8), after in 0_i64..2_000_000_000_000) {
            let after = Timestamp::from_millis(after);
            let payloads = || texts.iter().map(String::as_bytes);
            let all = payloads().filter_map(own_time).filter(|at| *at > after).max();
            prop_assert_eq!(latest_time(payloads(), after), all);
        }
    }

    #[test]
    fn the_own_time_is_that_of_the_event_and_not_of_what_lies_in_it() {
        let at = |text: &str| own_time(text.as_bytes()).map(|at| at.to_string());
        let whole = format!(
            r#"{{"properties":{{"timestamp":"1999-01-01T00:00:00Z"}},"timestamp":"{DAY}"}}"#
        );
        assert_eq!(at(&whole), Timestamp::parse(DAY).map(|at| at.to_string()));
        assert_eq!(at(&whole[..whole.len() - 1]), None);
        for none in [
            "{}",
            r#"{"timestamp":null}"#,
            r#"{"timestamp":7}"#,
            r#"{"timestamp":"soon"}"#,
        ] {
            assert_eq!(at(none), None, "{none}");
        }
    }
}
