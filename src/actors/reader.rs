//! Reads the event stream once for all partitions, and tells them the time.

use std::sync::Arc;
use std::time::{Duration as StdDuration, Instant};

use futures::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::actors::engine::Engine;

use crate::actors::partition::{Incoming, Message};
use crate::actors::table::{Table, Up};
use crate::clock::{self, Clock};
use crate::domain::{Partition, Timestamp, segment};
use crate::stream::{Delivery, Error};

/// The longest time without a look at the stream's end.
const IDLE_MAX: StdDuration = StdDuration::from_millis(500);

/// The longest time for which a partition without events and without due timers is not told how far the reader is.
const UNTOLD_MAX: StdDuration = StdDuration::from_millis(50);

/// How far the reader is, and the time.
struct Told {
    seq: u64,
    at: Timestamp,
    /// When all partitions were told, and how far the reader was then.
    all: Option<Instant>,
    seq_all: u64,
}

/// Reads from the first event that some partition lacks, until told to start again.
///
/// # Errors
///
/// The stream cannot be read.
pub async fn read(engine: &Arc<Engine>, table: &Arc<Table>) -> Result<(), Error> {
    // A partition that comes up later starts elsewhere: what is read here would leave a hole in what it reads.
    let up = table.up();
    let Some(from) = up.iter().map(|of| of.offset).min() else {
        table.wait_for_restart().await;
        return Ok(());
    };
    let credits = Arc::new(Semaphore::new(engine.limits.in_flight));
    let mut events = engine.streams.events(from).await?;
    let mut told = Told {
        seq: from,
        at: Timestamp::MIN,
        all: None,
        seq_all: from,
    };
    loop {
        let idle = sleep_until_due(engine, table, &told);
        tokio::select! {
            biased;
            () = table.wait_for_restart() => return Ok(()),
            batch = events.next() => {
                let Some(batch) = batch else { return Ok(()) };
                deliver(engine, table, &up, &credits, batch?, &mut told).await;
            }
            () = idle => ask_the_time(engine, table, &up, &mut told).await?,
        }
    }
}

/// Hands a batch to its partitions, and tells how far it reached whoever has to know.
async fn deliver(
    engine: &Engine,
    table: &Table,
    up: &[Up],
    credits: &Arc<Semaphore>,
    batch: Vec<Delivery>,
    told: &mut Told,
) {
    let Some(last) = batch.last() else { return };
    told.seq = last.seq;
    told.at = time_after(engine, &batch, told.at);
    let shares = shares(usize::from(engine.n_partitions), batch);
    let has_share: Vec<bool> = shares.iter().map(|share| !share.is_empty()).collect();
    for (share, idx) in shares.into_iter().zip(0_u16..) {
        if !share.is_empty() {
            hand_over(up, Partition(idx), share, credits, told).await;
        }
    }
    // A decide call comes at the time of the last event where time goes on with the events: all have to know it.
    let is_old = told.all.is_none_or(|at| at.elapsed() >= UNTOLD_MAX);
    if engine.clock == Clock::Event || is_old {
        return tell_all(up, told);
    }
    let asks = |of: &&Up| !has_share[usize::from(of.id.0)] && table.is_due(of.id, told.at);
    for of in up.iter().filter(asks) {
        tell(of, told);
    }
}

/// Parts a batch by partition; each share has the room that it takes.
fn shares(n_partitions: usize, batch: Vec<Delivery>) -> Vec<Vec<Delivery>> {
    let mut counts = vec![0; n_partitions];
    for delivery in &batch {
        if let Some(n) = counts.get_mut(usize::from(delivery.partition.0)) {
            *n += 1;
        }
    }
    let mut shares: Vec<Vec<Delivery>> = counts.into_iter().map(Vec::with_capacity).collect();
    for delivery in batch {
        if let Some(share) = shares.get_mut(usize::from(delivery.partition.0)) {
            share.push(delivery);
        }
    }
    shares
}

/// Tells every partition how far the reader is and what time it is.
fn tell_all(up: &[Up], told: &mut Told) {
    told.all = Some(Instant::now());
    told.seq_all = told.seq;
    for of in up {
        tell(of, told);
    }
}

fn tell(of: &Up, told: &Told) {
    let watermark = Incoming::Watermark(told.seq, told.at);
    let _gone = of.actor.cast(Message::Incoming(vec![watermark]));
}

async fn hand_over(
    up: &[Up],
    partition: Partition,
    share: Vec<Delivery>,
    credits: &Arc<Semaphore>,
    told: &Told,
) {
    let Some(Up { actor, .. }) = up.iter().find(|of| of.id == partition) else {
        return;
    };
    let n = u32::try_from(share.len()).unwrap_or(u32::MAX);
    let Some(credit) = credit(credits, n).await else {
        return;
    };
    let events = share
        .into_iter()
        .map(|event| Incoming::Event(event, credit.clone()));
    let incoming = events
        .chain([Incoming::Watermark(told.seq, told.at)])
        .collect();
    let _gone = actor.cast(Message::Incoming(incoming));
}

/// Waits until so many more events may be on their way.
async fn credit(credits: &Arc<Semaphore>, n: u32) -> Option<Arc<OwnedSemaphorePermit>> {
    credits
        .clone()
        .acquire_many_owned(n)
        .await
        .ok()
        .map(Arc::new)
}

/// Returns the time up to which everything was delivered with this batch, and before it up to `at`.
fn time_after(engine: &Engine, batch: &[Delivery], at: Timestamp) -> Timestamp {
    let latest = match engine.clock {
        Clock::Stream => batch.iter().map(|delivery| delivery.stored_at).max(),
        Clock::Event => {
            let payloads = batch.iter().map(|delivery| delivery.payload.as_ref());
            segment::latest_time(payloads, at)
        }
    };
    latest.map_or(at, |latest| latest.max(at))
}

/// Sleeps until a timer is due or the stream should be looked at.
async fn sleep_until_due(engine: &Engine, table: &Table, told: &Told) {
    if engine.clock == Clock::Event {
        // Time goes on with the events alone.
        return std::future::pending().await;
    }
    let wait = match table.first_due() {
        // A timer fires once everything stored in its millisecond was delivered.
        Some(due) if due >= told.at => {
            StdDuration::from_millis(due.since(clock::now()).as_millis() + 1)
        }
        Some(_) => StdDuration::from_millis(1),
        None => IDLE_MAX,
    };
    let wait = if told.seq_all < told.seq {
        wait.min(UNTOLD_MAX)
    } else {
        wait
    };
    tokio::select! {
        () = tokio::time::sleep(wait.min(IDLE_MAX)) => {}
        () = table.wait_for_due() => {}
    }
}

/// No event comes: if none is waiting either, time has gone on to the moment of asking.
async fn ask_the_time(
    engine: &Engine,
    table: &Table,
    up: &[Up],
    told: &mut Told,
) -> Result<(), Error> {
    if told.seq_all < told.seq {
        // Whoever had no event in the last batches has not heard of them.
        tell_all(up, told);
    }
    let at = clock::now();
    if table.first_due().is_some_and(|due| due > at) {
        return Ok(());
    }
    let extent = engine.streams.extent().await?;
    if extent.last_seq <= told.seq {
        told.at = told.at.max(at);
        tell_all(up, told);
    }
    Ok(())
}
