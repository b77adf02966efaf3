//! The log of decisions.

use std::sync::Arc;

use anyhow::Context;
use futures::StreamExt;
use serde_json::Value;

use crate::app;
use crate::cli::export::Decisions;
use crate::cli::interrupt::Interrupt;
use crate::cli::progress::Progress;
use crate::cli::sheet::{Column, Field, Format, Kind, Sheet};
use crate::domain::Timestamp;
use crate::stream::{Lane, Streams};

/// Writes all decisions; nothing when it is interrupted.
///
/// # Errors
///
/// NATS cannot be reached, or the file cannot be written.
pub async fn export(args: &Decisions, interrupt: &Interrupt) -> anyhow::Result<Option<u64>> {
    let streams = app::connect(&args.source.config()?).await?;
    let since = args.since.unwrap_or(Timestamp::from_millis(0));
    // It would wait for a server that is not there.
    streams.extent().await.context("cannot look into NATS")?;
    let kept = streams.kept(Lane::Decisions, since).await;
    let mut kept = kept.context("cannot read the stream of decisions")?;
    let raw = args.out.format()? == Format::Jsonl;
    let mut sheet = args.out.sheet(if raw { line() } else { columns() })?;
    let mut progress = Progress::start("decisions");
    let mut n_read = 0;
    while let Some(message) = kept.messages.next().await {
        let (seq, payload) = message.context("cannot read the stream of decisions")?;
        if interrupt.is_heard() {
            progress.end();
            return Ok(None);
        }
        let wrong = || format!("decision {seq} of the stream cannot be read");
        if raw {
            let text = std::str::from_utf8(&payload).with_context(wrong)?;
            sheet.row(&[Field::Text(text.into())])?;
        } else {
            let decision: Value = serde_json::from_slice(&payload).with_context(wrong)?;
            write(&decision, &mut sheet)?;
        }
        n_read += 1;
        progress.show(n_read, &format!("of {}", kept.n_max));
    }
    progress.end();
    streams.drain().await;
    Ok(Some(sheet.end()?))
}

/// A line that is what was published.
fn line() -> Vec<Column> {
    vec![Column::new("", Kind::Json)]
}

/// The columns of a table of decisions.
pub fn columns() -> Vec<Column> {
    let of = |(name, kind): (&str, Kind)| Column::new(name, kind);
    let columns = [
        ("decision_id", Kind::Text),
        ("customer", Kind::Text),
        ("placement", Kind::Text),
        ("decided_at", Kind::Time),
        ("bundle", Kind::Text),
        ("slot", Kind::Whole),
        ("offer", Kind::Text),
        ("probability", Kind::Double),
        ("propensity", Kind::Double),
        ("priority", Kind::Double),
        ("value", Kind::Double),
        ("explored", Kind::Bool),
        ("inputs", Kind::Json),
        ("degraded", Kind::Bool),
        ("fallback", Kind::Bool),
        ("arm", Kind::Text),
        ("learner", Kind::Json),
        ("losers", Kind::Json),
        ("models", Kind::Json),
    ];
    columns.into_iter().map(of).collect()
}

/// Writes the rows of a decision.
///
/// # Errors
///
/// The writer fails.
pub fn write(decision: &Value, sheet: &mut Sheet) -> anyhow::Result<()> {
    let offers = decision["offers"].as_array().map_or(&[][..], Vec::as_slice);
    for slot in 0..offers.len().max(1) {
        sheet.row(&row(decision, slot, offers.get(slot)))?;
    }
    Ok(())
}

fn row(decision: &Value, slot: usize, offer: Option<&Value>) -> Vec<Field> {
    let of = |key: &str| &decision[key];
    let own = |key: &str| offer.map_or(&Value::Null, |offer| &offer[key]);
    let once = |key: &str| match slot {
        0 => json(of(key)),
        _ => Field::Null,
    };
    let number = i64::try_from(slot + 1).unwrap_or(i64::MAX);
    vec![
        text(of("decision_id")),
        text(of("customer")),
        text(of("placement")),
        time(of("decided_at")),
        text(of("bundle")),
        offer.map_or(Field::Null, |_| Field::Whole(number)),
        text(own("offer")),
        double(own("probability")),
        double(own("propensity")),
        double(own("priority")),
        double(own("value")),
        truth(own("explored")),
        json(own("inputs")),
        truth(of("degraded")),
        truth(of("fallback")),
        text(of("arm")),
        once("learner"),
        once("losers"),
        once("models"),
    ]
}

fn text(value: &Value) -> Field {
    let text = value.as_str();
    text.map_or(Field::Null, |text| Field::Text(Arc::from(text)))
}

fn json(value: &Value) -> Field {
    if value.is_null() {
        return Field::Null;
    }
    Field::Text(value.to_string().into())
}

fn time(value: &Value) -> Field {
    let at = value.as_str().and_then(Timestamp::parse);
    at.map_or(Field::Null, Field::Time)
}

fn double(value: &Value) -> Field {
    value.as_f64().map_or(Field::Null, Field::Double)
}

fn truth(value: &Value) -> Field {
    value.as_bool().map_or(Field::Null, Field::Bool)
}
