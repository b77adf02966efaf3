//! The past of one customer, as the event stream holds it. Nothing is decided anew: what is read is played on a copy.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration as StdDuration;

use futures::StreamExt;

use crate::actors::engine::Engine;
use crate::actors::live::Policies;
use crate::actors::scorer;
use crate::clock::Clock;
use crate::decide;
use crate::decide::why::{Course, Replay, Replayed};
use crate::domain::{CustomerId, Duration, Event, EventId, Profile, Timestamp};
use crate::policy::journey::Journey;
use crate::stream::{self, Delivery, Extent};

/// The most sequences of the event stream that a replay goes back: a sixteenth of them are read, with 16 partitions.
const SEQS_MAX: u64 = 8_000_000;
/// The most events of a customer that are played: the last ones.
const EVENTS_MAX: usize = 50_000;
/// How long a replay may read.
const READ_MAX: StdDuration = StdDuration::from_secs(20);
/// How many events are looked at to find one whose time is known.
const NEAR_MAX: u64 = 4_096;

/// A replay and what it rests on.
pub struct Told<T> {
    /// What it came to.
    pub what: T,
    /// How many events of the customer were played.
    pub n_events: u64,
    /// When the first of them was handled.
    pub since: Option<Timestamp>,
    /// Whether the stream still holds everything that came before.
    pub complete: bool,
}

/// Why a replay is not possible.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The stream cannot be read.
    #[error("the event stream cannot be read: {0}")]
    Stream(#[from] stream::Error),
    /// There is too much of it.
    #[error("the customer's past could not be read within {} s", READ_MAX.as_secs())]
    Late,
}

/// Plays a customer's events again, up to a time, and looks at a journey.
///
/// # Errors
///
/// The stream cannot be read, or not in time.
pub async fn replay(
    engine: &Arc<Engine>,
    policies: &Policies,
    journey: &Journey,
    customer: CustomerId,
    at: Timestamp,
) -> Result<Told<Replayed>, Error> {
    play(engine, policies, customer, at, |course, events| {
        let mut replay = Replay::of(course, journey);
        for (event, now) in events {
            replay.event(event, now);
        }
        replay.end(at)
    })
    .await
}

/// Plays a customer's events again, up to a time: the customer as they were then.
///
/// # Errors
///
/// The stream cannot be read, or not in time.
pub async fn customer(
    engine: &Arc<Engine>,
    policies: &Policies,
    customer: CustomerId,
    at: Timestamp,
) -> Result<Told<Profile>, Error> {
    play(engine, policies, customer, at, |mut course, events| {
        for (event, now) in events {
            course.event(event, now);
        }
        course.end(at)
    })
    .await
}

/// Reads a customer's events up to a time, and runs a course over them.
async fn play<T>(
    engine: &Arc<Engine>,
    policies: &Policies,
    customer: CustomerId,
    at: Timestamp,
    run: impl FnOnce(Course<'_>, VecDeque<(Event, Timestamp)>) -> T,
) -> Result<Told<T>, Error> {
    let read = read(engine, policies, &customer, at);
    let read = tokio::time::timeout(READ_MAX, read).await;
    let (events, complete) = read.map_err(|_| Error::Late)??;
    let n_events = u64::try_from(events.len()).unwrap_or(u64::MAX);
    let since = events.front().map(|(_, now)| *now);
    let play = || {
        let scoring =
            |requests: &[decide::Request]| scorer::answers(policies.scorer.as_ref(), requests);
        let course = Course::of(&policies.bundle, Profile::new(customer), &scoring);
        run(course, events)
    };
    Ok(Told {
        what: tokio::task::block_in_place(play),
        n_events,
        since,
        complete,
    })
}

/// Reads a customer's events up to a time, each with when it was handled; tells if they are all there were.
async fn read(
    engine: &Engine,
    policies: &Policies,
    customer: &CustomerId,
    at: Timestamp,
) -> Result<(VecDeque<(Event, Timestamp)>, bool), stream::Error> {
    let Extent {
        first_seq,
        last_seq,
        ..
    } = engine.streams.extent().await?;
    let upto = match engine.clock {
        Clock::Stream => {
            let next = engine.streams.seq_at(at + Duration::from_millis(1)).await?;
            next.saturating_sub(1).min(last_seq)
        }
        // An event of this time may have been stored at any other.
        Clock::Event => last_seq,
    };
    let after = first_seq
        .saturating_sub(1)
        .max(upto.saturating_sub(SEQS_MAX));
    let mut events = VecDeque::new();
    let mut complete = after == 0;
    let only = customer.partition(engine.n_partitions);
    let mut batches = engine
        .streams
        .history(after, upto.max(after), Some(only))
        .await?;
    while let Some(batch) = batches.next().await {
        for delivery in batch? {
            let own = own(engine, policies, customer, &delivery);
            events.extend(own.filter(|(_, now)| *now <= at));
            if events.len() > EVENTS_MAX {
                complete = false;
                events.pop_front();
            }
        }
    }
    Ok((events, complete))
}

/// Decodes an event if it is the customer's; returns it with when it was handled.
fn own(
    engine: &Engine,
    policies: &Policies,
    customer: &CustomerId,
    delivery: &Delivery,
) -> Option<(Event, Timestamp)> {
    let real = engine.clock == Clock::Stream;
    if delivery.payload.len() > engine.limits.event_bytes {
        return None;
    }
    let decoded = delivery.decode(engine.created, real, |name| policies.wanted.has(name));
    let decoded = decoded.ok().filter(|of| of.customer == *customer)?;
    let now = if real {
        delivery.stored_at
    } else {
        decoded.event.at
    };
    Some((decoded.event, now))
}

/// Finds an event that was handled at a time; `None` when it is gone, or where time is not that of the stream.
///
/// # Errors
///
/// The stream cannot be read.
pub async fn event(
    engine: &Engine,
    policies: &Policies,
    customer: &CustomerId,
    id: &EventId,
    at: Timestamp,
) -> Result<Option<Event>, stream::Error> {
    if engine.clock != Clock::Stream {
        return Ok(None);
    }
    let extent = engine.streams.extent().await?;
    let first = engine.streams.seq_at(at).await?;
    let after = first.saturating_sub(1);
    let upto = (after + NEAR_MAX).min(extent.last_seq).max(after);
    let only = customer.partition(engine.n_partitions);
    let mut batches = engine.streams.history(after, upto, Some(only)).await?;
    while let Some(batch) = batches.next().await {
        for delivery in batch? {
            if delivery.stored_at > at {
                return Ok(None);
            }
            let own = own(engine, policies, customer, &delivery);
            if let Some((event, _)) = own.filter(|(event, _)| event.id == *id) {
                return Ok(Some(event));
            }
        }
    }
    Ok(None)
}
