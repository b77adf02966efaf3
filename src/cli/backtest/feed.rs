//! The events of a backtest, read and decoded by a thread of their own, some at a time.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::Context;
use serde::{Deserialize, Serialize};

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
    /// What is read, for people.
    pub of: String,
    /// The last place that was handed out.
    at: u64,
    extent: Extent,
}

/// How much there is to read.
enum Extent {
    /// So many bytes; so many of them are read.
    File(u64, Arc<AtomicU64>),
    /// The sequences in `(after, upto]`.
    Stream(u64, u64),
}

/// Where a backtest is in its events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The line or the sequence that was handled last.
    at: u64,
    /// The time of the clock.
    clock: Timestamp,
    /// The range of the stream, which is the same when the backtest goes on.
    range: Option<(u64, u64)>,
    /// The moment to which time goes on in the end.
    until: Option<Timestamp>,
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
    /// - `from`: goes on behind this place.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, or NATS does not answer.
    pub fn open(args: &Args, wanted: Wanted, from: Option<&Place>) -> anyhow::Result<Self> {
        match (&args.events, args.since) {
            (Some(path), _) => {
                Self::of_file(path, args.until, args.customer.as_ref(), wanted, from)
            }
            (None, Some(since)) => {
                let range = Range {
                    since,
                    until: args.until,
                    customer: args.customer.clone(),
                };
                Self::of_stream(&args.source.config()?, range, wanted, from)
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
        customer: Option<&CustomerId>,
        wanted: Wanted,
        from: Option<&Place>,
    ) -> anyhow::Result<Self> {
        let mut lines = Lines::open(path)?;
        let file = File {
            wanted,
            clock: from.map_or(Timestamp::MIN, |from| from.clock),
            until,
            customer: customer.cloned(),
        };
        let path = path.display().to_string();
        let n_bytes = std::fs::metadata(&path).map_or(0, |of| of.len());
        let of = format!("`{path}` of {n_bytes} bytes{}", whose(customer));
        let extent = Extent::File(n_bytes, lines.n_read.clone());
        let at = from.map_or(0, |from| from.at);
        let read = move |sender: &Sender| {
            let read = lines.skip(at).map_err(anyhow::Error::from);
            let read = read.and_then(|()| file.read(lines, sender));
            read.with_context(|| format!("cannot read `{path}`"))
        };
        let batches = start(read);
        Ok(Self {
            batches,
            until,
            unit: "line",
            of,
            at,
            extent,
        })
    }

    /// Opens a range of the event stream; without an end it goes on to this moment.
    ///
    /// - `from`: goes on behind this place, to the end of the range as it was then.
    ///
    /// # Errors
    ///
    /// NATS does not answer, or there is no event stream.
    pub fn of_stream(
        config: &Config,
        range: Range,
        wanted: Wanted,
        from: Option<&Place>,
    ) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let until = match (from, range.until, config.clock) {
            (Some(from), ..) => from.until,
            (None, Some(until), _) => Some(until),
            (None, None, Clock::Stream) => Some(crate::clock::now()),
            // Time goes on with the events alone.
            (None, None, Clock::Event) => None,
        };
        let whose = whose(range.customer.as_ref());
        let bounds = from.and_then(|from| from.range);
        let opened = runtime.block_on(async {
            let streams = app::connect(config).await?;
            let history = match bounds {
                Some(bounds) => History::between(&streams, config, range.customer, bounds).await?,
                None => History::open(&streams, config, range).await?,
            };
            anyhow::Ok((streams, history))
        });
        let (streams, history) = opened?;
        let created = Timestamp::from_millis(history.created);
        let extent = Extent::Stream(history.after, history.upto);
        let at = from.map_or(0, |from| from.at);
        let read = move |sender: &Sender| {
            runtime.block_on(async {
                let read = read_stream(history, &wanted, at, sender).await;
                streams.drain().await;
                read
            })
        };
        Ok(Self {
            batches: start(read),
            until,
            unit: "event",
            of: format!("the event stream made at {created}{whose}"),
            at,
            extent,
        })
    }

    /// Returns where the backtest is once it has handled everything that was handed out.
    ///
    /// - `clock`: what its clock says then.
    pub fn place(&self, clock: Timestamp) -> Place {
        Place {
            at: self.at,
            clock,
            range: match self.extent {
                Extent::File(..) => None,
                Extent::Stream(after, upto) => Some((after, upto)),
            },
            until: self.until,
        }
    }

    /// Returns how much is read, in `[0, 1]`.
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    pub fn read(&self) -> f64 {
        let (read, all) = match &self.extent {
            Extent::File(n_bytes, n_read) => (n_read.load(Ordering::Relaxed), *n_bytes),
            Extent::Stream(after, upto) => (self.at.saturating_sub(*after), upto - after),
        };
        (read as f64 / all.max(1) as f64).min(1.0)
    }

    /// Returns the next events; `None` when there are no more.
    ///
    /// # Errors
    ///
    /// The file or the stream cannot be read further.
    pub fn batch(&mut self) -> anyhow::Result<Option<Vec<Item>>> {
        // The thread ends after the last batch.
        let batch = self.batches.recv().ok().transpose()?;
        if let Some(last) = batch.as_ref().and_then(|batch| batch.last()) {
            self.at = last.place;
        }
        Ok(batch)
    }
}

fn whose(customer: Option<&CustomerId>) -> String {
    customer.map_or_else(String::new, |customer| format!(", of `{customer}`"))
}

/// Reads in a thread.
fn start(
    read: impl FnOnce(&Sender) -> anyhow::Result<()> + Send + 'static,
) -> Receiver<anyhow::Result<Vec<Item>>> {
    let (sender, batches) = sync_channel(BATCHES_MAX);
    thread::spawn(move || {
        if let Err(error) = read(&sender) {
            let _gone = sender.send(Err(error));
        }
    });
    batches
}

/// Sends what comes after a place; what is before is read again for the copies that it may have.
async fn read_stream(
    mut history: History,
    wanted: &Wanted,
    from: u64,
    sender: &Sender,
) -> anyhow::Result<()> {
    while let Some(past) = history.next(|name| wanted.depth(name)).await? {
        let items = past.into_iter().filter(|past| past.seq > from);
        let items = items.map(|past| Item::new(past.seq, past.now, past.event));
        if sender.send(Ok(items.collect())).is_err() {
            break;
        }
    }
    Ok(())
}
