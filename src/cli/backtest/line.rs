//! An action as a backtest writes it: one line of JSON.

use std::io::{self, Write};

use serde::Serialize;

use crate::domain::{Action, CustomerId, EventId, Map};

/// A line; `change` and `because` are left out where nothing is compared.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<&'a str>,
    at: String,
    action_id: &'a str,
    customer: &'a CustomerId,
    journey: &'a str,
    instance: u32,
    key: &'a str,
    step: &'a str,
    channel: &'a str,
    template: &'a str,
    data: &'a Map,
    event_id: &'a EventId,
}

/// What became of an action of the other policies.
#[derive(Clone, Copy)]
pub struct Change<'a> {
    /// `gained` or `lost`.
    pub what: &'static str,
    /// The reason code that held it back on the side where it did not leave, if that is known.
    pub because: Option<&'a str>,
}

/// Writes one action.
///
/// # Errors
///
/// The writer fails.
pub fn write(out: &mut dyn Write, action: &Action, change: Option<Change<'_>>) -> io::Result<()> {
    let line = Line {
        change: change.map(|change| change.what),
        because: change.and_then(|change| change.because),
        at: action.decided_at.to_string(),
        action_id: &action.action_id,
        customer: &action.customer,
        journey: &action.journey,
        instance: action.instance,
        key: &action.key,
        step: &action.step,
        channel: &action.channel,
        template: &action.template,
        data: &action.data,
        event_id: &action.event_id,
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}
