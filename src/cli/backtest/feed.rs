//! The events of a backtest, read and decoded by a thread of their own, some at a time.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::Context;

use crate::app;
use crate::cli::backtest::Args;
use crate::cli::backtest::file::File;
use crate::cli::backtest::lines::Lines;
use crate::cli::history::{History, Range};
use crate::clock::Clock;
use crate::config::Config;
use crate::decide::Cause;
use crate::domain::segment::Decoded;
use crate::domain::{CustomerId, Timestamp};
use crate::policy::wanted::Wanted;
use crate::stream::Streams;

/// So many events are handed over at once.
pub const BATCH: usize = 512;

/// So many batches wait at most.
const BATCHES_MAX: usize = 8;

/// Events to come.
pub struct Feed {
    batches: Receiver<anyhow::Result<Vec<Item>>>,
    /// The moment to which time goes on when all events are read.
    pub until: Option<Timestamp>,
    /// What a place is called: `line` or `event`.
    pub unit: &'static str,
}

/// One event, or what is wrong with it.
pub struct Item {
    /// The line of the file, or the sequence in the stream.
    pub place: u64,
    /// When it is handled.
    pub now: Timestamp,
    /// Whose it is and what it says, or why it is none.
    pub event: Result<(CustomerId, Cause), String>,
}

impl Item {
    /// Takes an event, or what is wrong with it.
    pub fn new(place: u64, now: Timestamp, event: Result<Decoded, String>) -> Self {
        let event = event.map(|decoded| (decoded.customer, Cause::Event(decoded.event)));
        Self { place, now, event }
    }
}

/// Where batches go; an error says that nobody waits for them.
pub type Sender = SyncSender<anyhow::Result<Vec<Item>>>;

impl Feed {
    /// Opens what the arguments name: a file, or a range of the event stream.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, or NATS does not answer.
    pub fn open(args: &Args, wanted: Wanted) -> anyhow::Result<Self> {
        match (&args.events, args.since) {
            (Some(path), _) => Self::of_file(path, args.until, args.customer.clone(), wanted),
            (None, Some(since)) => {
                let range = Range {
                    since,
                    until: args.until,
                    customer: args.customer.clone(),
                };
                Self::of_stream(&args.source.config()?, range, wanted)
            }
            (None, None) => anyhow::bail!("neither `--events` nor `--since` says which events"),
        }
    }

    /// Opens a file; without an end time goes on to its last event.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    pub fn of_file(
        path: &Path,
        until: Option<Timestamp>,
        customer: Option<CustomerId>,
        wanted: Wanted,
    ) -> anyhow::Result<Self> {
        let lines = Lines::open(path)?;
        let file = File {
            wanted,
            clock: Timestamp::MIN,
            until,
            customer,
        };
        let path = path.display().to_string();
        Ok(Self::start("line", until, move |sender| {
            let read = file.read(lines, sender);
            read.with_context(|| format!("cannot read `{path}`"))
        }))
    }

    /// Opens a range of the event stream; without an end it goes on to this moment.
    ///
    /// # Errors
    ///
    /// NATS does not answer, or there is no event stream.
    pub fn of_stream(config: &Config, range: Range, wanted: Wanted) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let until = match (range.until, config.clock) {
            (Some(until), _) => Some(until),
            (None, Clock::Stream) => Some(crate::clock::now()),
            // Time goes on with the events alone.
            (None, Clock::Event) => None,
        };
        let opened = runtime.block_on(async {
            let streams = app::connect(config).await?;
            let history = History::open(&streams, config, range).await?;
            anyhow::Ok((streams, history))
        });
        let (streams, history) = opened?;
        Ok(Self::start("event", until, move |sender| {
            runtime.block_on(async {
                let read = read_stream(history, &wanted, sender).await;
                streams.drain().await;
                read
            })
        }))
    }

    fn start(
        unit: &'static str,
        until: Option<Timestamp>,
        read: impl FnOnce(&Sender) -> anyhow::Result<()> + Send + 'static,
    ) -> Self {
        let (sender, batches) = sync_channel(BATCHES_MAX);
        thread::spawn(move || {
            if let Err(error) = read(&sender) {
                let _gone = sender.send(Err(error));
            }
        });
        Self {
            batches,
            until,
            unit,
        }
    }

    /// Returns the next events; `None` when there are no more.
    ///
    /// # Errors
    ///
    /// The file or the stream cannot be read further.
    pub fn batch(&mut self) -> anyhow::Result<Option<Vec<Item>>> {
        // The thread ends after the last batch.
        self.batches.recv().ok().transpose()
    }
}

async fn read_stream(mut history: History, wanted: &Wanted, sender: &Sender) -> anyhow::Result<()> {
    while let Some(past) = history.next(|name| wanted.has(name)).await? {
        let items = past.into_iter();
        let items = items.map(|past| Item::new(past.seq, past.now, past.event));
        if sender.send(Ok(items.collect())).is_err() {
            break;
        }
    }
    Ok(())
}
