//! The past as the event stream holds it: what commands that look back read.

#[cfg(test)]
mod tests;

use std::collections::{HashSet, VecDeque};
use std::path::PathBuf;

use anyhow::Context;
use bytes::Bytes;
use futures::StreamExt;
use xxhash_rust::xxh3::Xxh3;

use crate::clock::{self, Clock};
use crate::config::Config;
use crate::domain::segment::{Decoded, Depth};
use crate::domain::{CustomerId, Duration, Timestamp};
use crate::stream::{Delivery, Reading, Streams};

/// So many events that came in through a wrong partition are remembered until their copy comes.
const STRAYS_MAX: usize = 1 << 20;

/// Where the event stream is: the flags of every command that looks back.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Source {
    /// The configuration file of the server: how NATS is reached, and whose time counts.
    #[arg(long, short, value_name = "FILE", env = "ATTUNE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Addresses of the NATS servers, separated by commas.
    #[arg(
        long,
        value_name = "URL",
        env = "ATTUNE_NATS_URL",
        value_delimiter = ','
    )]
    pub nats: Vec<String>,
}

impl Source {
    /// Reads the configuration file, if there is one, and puts the flag on top.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn config(&self) -> anyhow::Result<Config> {
        let config = self.config.as_deref().map(Config::read).transpose()?;
        let mut config = config.unwrap_or_default();
        if !self.nats.is_empty() {
            config.nats.urls.clone_from(&self.nats);
        }
        Ok(config)
    }
}

/// A part of the event stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first moment at which an event may have been stored.
    pub since: Timestamp,
    /// The moment before which it must have been stored; `None` is the end of the stream as of the call.
    pub until: Option<Timestamp>,
    /// Whose events; `None` is everybody's.
    pub customer: Option<CustomerId>,
}

/// The events of a range, in the order in which they were stored, each once.
pub struct History {
    /// The sequence before the first one of the range.
    pub after: u64,
    /// The last sequence of the range.
    pub upto: u64,
    batches: Reading<Vec<Delivery>>,
    customer: Option<CustomerId>,
    clock: Clock,
    bytes_max: usize,
    /// When the event stream was created, in milliseconds.
    pub created: i64,
    n_partitions: u16,
    strays: Strays,
}

/// One event of the past.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    /// Its sequence in the event stream.
    pub seq: u64,
    /// When it was handled, or would have been: `now` of its decisions.
    pub now: Timestamp,
    /// Its bytes.
    pub payload: Bytes,
    /// Whose it is and what it says, or what is wrong with its bytes.
    pub event: Result<Decoded, String>,
}

impl History {
    /// Opens a range. The streams must be there; nothing is created.
    ///
    /// # Errors
    ///
    /// NATS does not answer, or there is no event stream.
    pub async fn open(
        streams: &dyn Streams,
        config: &Config,
        range: Range,
    ) -> anyhow::Result<Self> {
        let extent = streams
            .extent()
            .await
            .context("cannot look into the event stream")?;
        let after = streams.seq_at(range.since).await?.saturating_sub(1);
        let upto = match range.until {
            Some(until) => streams.seq_at(until).await?.saturating_sub(1),
            None => extent.last_seq,
        };
        let upto = upto.min(extent.last_seq).max(after);
        Self::between(streams, config, range.customer, (after, upto)).await
    }

    /// Opens the events with sequences in `(after, upto]`.
    ///
    /// # Errors
    ///
    /// As for [`History::open`].
    pub async fn between(
        streams: &dyn Streams,
        config: &Config,
        customer: Option<CustomerId>,
        (after, upto): (u64, u64),
    ) -> anyhow::Result<Self> {
        let extent = streams
            .extent()
            .await
            .context("cannot look into the event stream")?;
        let n_partitions = extent.n_partitions;
        let only = customer.as_ref();
        let only = only.map(|customer| customer.partition(n_partitions));
        Ok(Self {
            after,
            upto,
            batches: streams.history(after, upto, only).await?,
            customer,
            clock: config.clock,
            bytes_max: config.limits.event_kb << 10,
            created: extent.created.as_millis(),
            n_partitions,
            strays: Strays::default(),
        })
    }

    /// Returns the next events, maybe none of those that were read; `None` at the end of the range.
    ///
    /// - `depth`: see [`crate::domain::segment::decode`].
    ///
    /// # Errors
    ///
    /// The stream cannot be read further.
    pub async fn next(
        &mut self,
        depth: impl Fn(&str) -> Depth,
    ) -> anyhow::Result<Option<Vec<Past>>> {
        let Some(batch) = self.batches.next().await else {
            return Ok(None);
        };
        let batch = batch.context("cannot read the event stream")?;
        let past = batch
            .into_iter()
            .filter_map(|delivery| self.past(delivery, &depth));
        Ok(Some(past.collect()))
    }

    /// Reads an event; returns nothing for one of somebody else, and for one that was there before.
    fn past(&mut self, delivery: Delivery, depth: &impl Fn(&str) -> Depth) -> Option<Past> {
        let event = self.decode(&delivery, depth);
        // What cannot be decoded is nobody's.
        let whose = event.as_ref().ok().map(|decoded| &decoded.customer);
        if self.customer.is_some() && self.customer.as_ref() != whose {
            return None;
        }
        if let Ok(decoded) = &event
            && self.strays.is_copy(&delivery, decoded, self.n_partitions)
        {
            return None;
        }
        let now = match (&event, self.clock) {
            (Ok(decoded), Clock::Event) => decoded.event.at,
            (Ok(_), Clock::Stream) | (Err(_), _) => delivery.stored_at,
        };
        Some(Past {
            seq: delivery.seq,
            now,
            payload: delivery.payload,
            event,
        })
    }

    fn decode(
        &self,
        delivery: &Delivery,
        depth: impl Fn(&str) -> Depth,
    ) -> Result<Decoded, String> {
        let (n_bytes, n_max) = (delivery.payload.len(), self.bytes_max);
        if n_bytes > n_max {
            return Err(format!("{n_bytes} bytes, at most {n_max} are allowed"));
        }
        delivery.decode(self.created, self.clock == Clock::Stream, depth)
    }
}

/// Events that came in through a wrong partition: a running engine forwards them, so that they are there twice.
///
/// The first one that is read counts: nobody may have forwarded it yet. Of one customer's partition only the copy
/// is read.
#[derive(Default)]
struct Strays {
    /// Whose copy has not come.
    waiting: HashSet<u64>,
    /// The oldest first.
    order: VecDeque<u64>,
}

impl Strays {
    fn is_copy(&mut self, delivery: &Delivery, decoded: &Decoded, n_partitions: u16) -> bool {
        if delivery.event_id.is_some() {
            return self.waiting.remove(&name_of(decoded));
        }
        if decoded.customer.partition(n_partitions) != delivery.partition {
            let name = name_of(decoded);
            if self.waiting.insert(name) {
                self.order.push_back(name);
            }
            if self.order.len() > STRAYS_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.waiting.remove(&oldest);
            }
        }
        false
    }
}

/// Returns 64 bits that stand for an event of a customer.
fn name_of(decoded: &Decoded) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(decoded.customer.as_str().as_bytes());
    hash.update(&decoded.event.id.fingerprint().to_le_bytes());
    hash.digest()
}

/// Reads a moment from the command line: a time, or a length of time before this moment.
///
/// # Errors
///
/// A sentence that says what is expected.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    let ago = || Duration::parse(text).map(|length| clock::now() - length);
    Timestamp::parse(text)
        .map_or_else(ago, Ok)
        .map_err(|_| format!("`{text}` is neither a time such as 2026-01-31T10:00:00Z nor a length of time such as 24h"))
}
