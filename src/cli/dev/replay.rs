//! Publishes past events at the pace at which they happened, only faster.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use serde_json::Value;

use crate::domain::{CustomerId, Timestamp};
use crate::stream::{JetStream, Lane, Outgoing, Streams};

/// Sessions of the OTTO shop, August 2022 (CC BY 4.0, see `tests/data/README.md`).
const OTTO: &[u8] = include_bytes!("../../../tests/data/otto.jsonl.gz");

/// The pause before NATS is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// After the last event time goes on by this much, so that what is due then leaves.
const AFTER: crate::domain::Duration = crate::domain::Duration::from_secs(2 * 86_400);

/// Events to publish.
pub struct Replay {
    lines: Box<dyn BufRead + Send>,
    speed: f64,
    pause_max: Duration,
}

impl Replay {
    /// Opens a file, or the sessions that come with the program.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, or the speed is not above 0.
    pub fn open(path: Option<&Path>, speed: f64, pause_max_ms: u64) -> anyhow::Result<Self> {
        anyhow::ensure!(speed > 0.0, "`--speed` must be above 0");
        let source: Box<dyn Read + Send> = match path {
            None => Box::new(Cursor::new(OTTO)),
            Some(path) => Box::new(
                File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?,
            ),
        };
        let zipped = path.is_none_or(|path| path.extension().is_some_and(|end| end == "gz"));
        let lines: Box<dyn BufRead + Send> = if zipped {
            Box::new(BufReader::new(MultiGzDecoder::new(source)))
        } else {
            Box::new(BufReader::new(source))
        };
        Ok(Self {
            lines,
            speed,
            pause_max: Duration::from_millis(pause_max_ms),
        })
    }

    /// Publishes everything; returns how many events that were.
    ///
    /// # Errors
    ///
    /// A line cannot be read, or NATS refuses.
    pub async fn run(self, streams: &JetStream) -> anyhow::Result<usize> {
        while streams.extent().await.is_err() {
            tokio::time::sleep(PAUSE).await;
        }
        let Self {
            lines,
            speed,
            pause_max,
        } = self;
        let mut last: Option<Timestamp> = None;
        let mut n = 0;
        for line in lines.lines() {
            let line = line?;
            let event: Value = serde_json::from_str(&line).context("a line is not JSON")?;
            let at = event["timestamp"].as_str().and_then(Timestamp::parse);
            if let (Some(at), Some(last)) = (at, last) {
                let pause = Duration::from_secs_f64(at.since(last).as_secs_f64() / speed);
                tokio::time::sleep(pause.min(pause_max)).await;
            }
            last = at.or(last);
            publish(streams, &event, line).await?;
            n += 1;
        }
        if let Some(last) = last {
            let end = serde_json::json!({
                "type": "page", "messageId": "the-end", "anonymousId": "attune-dev-clock",
                "timestamp": (last + AFTER).to_string(),
            });
            publish(streams, &end, end.to_string()).await?;
        }
        Ok(n)
    }
}

async fn publish(streams: &JetStream, event: &Value, line: String) -> anyhow::Result<()> {
    let id = ["userId", "anonymousId"]
        .iter()
        .find_map(|key| event[key].as_str());
    let customer = CustomerId::parse(id.context("an event is nobody's")?);
    let customer = customer.map_err(|error| anyhow::anyhow!("{error}"))?;
    let out = Outgoing {
        lane: Lane::Events,
        subject: streams.subject(Lane::Events, &customer.token()),
        id: event["messageId"].as_str().unwrap_or_default().to_owned(),
        headers: Vec::new(),
        payload: Bytes::from(line),
    };
    streams.publish(out).await?.await?;
    Ok(())
}
