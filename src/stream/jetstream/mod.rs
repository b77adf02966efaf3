//! The real streams: NATS `JetStream` by async-nats.

mod append;
mod connect;
mod history;
mod kept;
mod publish;
mod read;
mod reader;
mod request;
mod requests;
mod session;
mod setup;
mod tail;
mod token;
mod varz;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::Semaphore;

use super::append::Record;
use super::layout::{Layout, Stream};
use super::{
    CommitId, Delivery, Durability, Error, Extent, Lane, LogRecord, Opened, Outgoing, PublishAck,
    Reading, Streams,
};
use crate::domain::{Partition, Timestamp};

pub use connect::Connect;
pub use requests::Request;
#[cfg(test)]
pub(super) use setup::{check, check_version, config};
#[cfg(test)]
pub(super) use token::Place;
#[cfg(test)]
pub(super) use varz::syncs_always_in;

/// How long a request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// How to use `JetStream`.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the servers are and who we are.
    pub connect: Connect,
    /// Where things lie.
    pub layout: Layout,
    /// The least durability that is good enough.
    pub require_durability: Durability,
    /// The server's monitoring page, `http://host:8222/varz`: proves how often the server syncs.
    pub varz_url: Option<String>,
    /// Messages published without an answer, at most.
    pub in_flight_max: usize,
    /// Events in one item of [`Streams::events`], at most.
    pub batch_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect: Connect::default(),
            layout: Layout::default(),
            require_durability: Durability::Process,
            varz_url: None,
            in_flight_max: 4_096,
            batch_max: 1_024,
        }
    }
}

/// The real streams. Clones share one connection.
#[derive(Clone)]
pub struct JetStream {
    shared: Arc<Shared>,
}

/// What all readers and writers of one connection share.
struct Shared {
    options: Options,
    client: async_nats::Client,
    link: connect::Link,
    /// For requests.
    context: Context,
    /// For commits and the lanes.
    writer: writer::Writer,
    /// The last known ends of the logs.
    ends: append::Ends,
}

impl JetStream {
    /// Starts to connect in the background; [`Streams::open`] waits for it.
    ///
    /// # Errors
    ///
    /// [`Error::Setup`] when an address or a credentials file cannot be used.
    pub async fn connect(options: Options) -> Result<Self, Error> {
        let (client, link) = connect::connect(&options.connect).await?;
        let context = ContextBuilder::new()
            .timeout(REQUEST_TIMEOUT)
            .ack_timeout(REQUEST_TIMEOUT)
            // The writer bounds what is in flight.
            .max_ack_inflight(Semaphore::MAX_PERMITS)
            .backpressure_on_inflight(true)
            .build(client.clone());
        let shared = Shared {
            writer: writer::Writer::start(context.clone(), options.in_flight_max),
            context,
            ends: append::Ends::default(),
            options,
            client,
            link,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }
}

impl Shared {
    fn layout(&self) -> &Layout {
        &self.options.layout
    }

    fn name(&self, stream: Stream) -> String {
        self.options.layout.name(stream)
    }

    /// Refuses what the server would refuse, before it is sent.
    fn check_size(&self, bytes: usize) -> Result<(), Error> {
        let bytes_max = self.client.max_payload();
        if bytes > bytes_max {
            return Err(Error::TooLarge { bytes, bytes_max });
        }
        Ok(())
    }
}

impl Streams for JetStream {
    fn open(&self) -> BoxFuture<'_, Result<Opened, Error>> {
        setup::open(&self.shared).boxed()
    }

    fn extent(&self) -> BoxFuture<'_, Result<Extent, Error>> {
        setup::extent(&self.shared).boxed()
    }

    fn events(&self, after: u64) -> BoxFuture<'_, Result<Reading<Vec<Delivery>>, Error>> {
        read::events(&self.shared, after).boxed()
    }

    fn event(&self, seq: u64) -> BoxFuture<'_, Result<Option<Delivery>, Error>> {
        read::event(&self.shared, seq).boxed()
    }

    fn seq_at(&self, at: Timestamp) -> BoxFuture<'_, Result<u64, Error>> {
        history::seq_at(&self.shared, Stream::Events, at).boxed()
    }

    fn history(
        &self,
        after: u64,
        upto: u64,
        only: Option<Partition>,
    ) -> BoxFuture<'_, Result<Reading<Vec<Delivery>>, Error>> {
        history::history(&self.shared, after, upto, only).boxed()
    }

    fn append(
        &self,
        partition: Partition,
        expected: u64,
        commit: CommitId,
        record: Bytes,
    ) -> BoxFuture<'_, Result<u64, Error>> {
        let record = Record {
            partition,
            expected,
            commit,
            bytes: record,
        };
        append::append(&self.shared, record).boxed()
    }

    fn log_end(&self, partition: Partition) -> BoxFuture<'_, Result<u64, Error>> {
        append::end(&self.shared, partition).boxed()
    }

    fn log_last(&self, partition: Partition) -> BoxFuture<'_, Result<Option<LogRecord>, Error>> {
        append::last_record(&self.shared, partition).boxed()
    }

    fn log(
        &self,
        partition: Partition,
        after: u64,
        upto: u64,
    ) -> BoxFuture<'_, Result<Reading<LogRecord>, Error>> {
        read::log(&self.shared, partition, after, upto).boxed()
    }

    fn trim(&self, partition: Partition, before: u64) -> BoxFuture<'_, Result<(), Error>> {
        append::trim(&self.shared, partition, before).boxed()
    }

    fn publish(&self, out: Outgoing) -> BoxFuture<'_, Result<PublishAck, Error>> {
        publish::publish(&self.shared, out).boxed()
    }

    fn published(
        &self,
        lane: Lane,
        after: u64,
    ) -> BoxFuture<'_, Result<Reading<(u64, String)>, Error>> {
        read::published(&self.shared, lane, after).boxed()
    }

    fn subject(&self, lane: Lane, tail: &str) -> String {
        self.shared.layout().subject(lane, tail)
    }

    fn health(&self) -> Result<(), String> {
        self.shared.link.health(&self.shared.client)
    }

    fn drain(&self) -> BoxFuture<'_, ()> {
        connect::drain(&self.shared.client).boxed()
    }
}
