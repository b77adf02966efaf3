//! The past of one customer, as the event stream holds it. Nothing is decided anew: what is read is played on a copy.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration as StdDuration;

use futures::StreamExt;

use crate::actors::engine::Engine;
use crate::actors::eras::Eras;
use crate::actors::live::Policies;
use crate::actors::scorer;
use crate::clock::Clock;
use crate::decide;
use crate::decide::why::{Course, Replay, Replayed};
use crate::domain::segment::Depth;
use crate::domain::{CustomerId, Duration, Event, EventId, Profile, Timestamp};
use crate::policy::Bundle;
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
    /// The revisions of the policies that they were played by, and since when each was live.
    pub revisions: Vec<(u64, Timestamp)>,
    /// Whether each of them was live then; else some stand for others that are not kept.
    pub exact_revisions: bool,
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
/// - `eras`: which policies decided when.
/// - Returns `None` if those of the end have no such journey.
///
/// # Errors
///
/// The stream cannot be read, or not in time.
pub async fn replay<'a>(
    engine: &Arc<Engine>,
    policies: &'a Policies,
    eras: &'a Eras,
    journey: &'a str,
    customer: CustomerId,
    at: Timestamp,
) -> Result<Told<Option<Replayed<'a>>>, Error> {
    play(engine, policies, eras, customer, at, |course, turns| {
        let mut replay = Replay::of(course, journey);
        for turn in turns {
            match turn {
                Turn::Event(event, now) => replay.event(event, now),
                Turn::Follow(bundle, since) => replay.follow(bundle, since),
            }
        }
        replay.end(at)
    })
    .await
}

/// Plays a customer's events again by the live policies, up to a time: the customer as they were then.
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
    let eras = Eras::of(policies);
    play(
        engine,
        policies,
        &eras,
        customer,
        at,
        |mut course, turns| {
            for turn in turns {
                match turn {
                    Turn::Event(event, now) => course.event(event, now),
                    Turn::Follow(bundle, since) => course.follow(bundle, since),
                }
            }
            course.end(at)
        },
    )
    .await
}

/// What a replay does next.
enum Turn<'a> {
    /// Handles an event.
    Event(Event, Timestamp),
    /// Goes on by other policies.
    Follow(&'a Bundle, Timestamp),
}

/// Reads a customer's events up to a time, and runs a course over them.
async fn play<'a, T>(
    engine: &Arc<Engine>,
    policies: &'a Policies,
    eras: &'a Eras,
    customer: CustomerId,
    at: Timestamp,
    run: impl FnOnce(Course<'_, 'a>, Vec<Turn<'a>>) -> T,
) -> Result<Told<T>, Error> {
    let read = read(engine, eras, &customer, at);
    let read = tokio::time::timeout(READ_MAX, read).await;
    let (events, complete) = read.map_err(|_| Error::Late)??;
    let n_events = u64::try_from(events.len()).unwrap_or(u64::MAX);
    let since = events.front().map(|(_, now)| *now);
    let play = || {
        let scoring =
            |requests: &[decide::Request]| scorer::answers(policies.scorer.as_ref(), requests);
        let course = Course::of(&eras.first.bundle, Profile::new(customer), &scoring);
        run(course, turns(eras, events, at))
    };
    let from = since.unwrap_or(at);
    Ok(Told {
        what: tokio::task::block_in_place(play),
        n_events,
        since,
        complete,
        revisions: eras.between(from, at),
        exact_revisions: eras.exact_since <= from,
    })
}

/// Puts events and policies in the order of time: what is stored as others become live is decided by those.
fn turns(eras: &Eras, events: VecDeque<(Event, Timestamp)>, at: Timestamp) -> Vec<Turn<'_>> {
    let later = eras.later.iter().filter(|era| era.since <= at);
    let mut later = later.peekable();
    let mut turns = Vec::with_capacity(events.len());
    for (event, now) in events {
        while let Some(era) = later.next_if(|era| era.since <= now) {
            turns.push(Turn::Follow(era.bundle.as_ref(), era.since));
        }
        turns.push(Turn::Event(event, now));
    }
    turns.extend(later.map(|era| Turn::Follow(era.bundle.as_ref(), era.since)));
    turns
}

/// Reads a customer's events up to a time, each with when it was handled; tells if they are all there were.
async fn read(
    engine: &Engine,
    eras: &Eras,
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
            let depth = |name: &str| eras.depth(name);
            let own = own(engine, depth, customer, &delivery);
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
    depth: impl Fn(&str) -> Depth,
    customer: &CustomerId,
    delivery: &Delivery,
) -> Option<(Event, Timestamp)> {
    let real = engine.clock == Clock::Stream;
    if delivery.payload.len() > engine.limits.event_bytes {
        return None;
    }
    let decoded = delivery.decode(engine.created, real, depth);
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
            let depth = |name: &str| policies.wanted.depth(name);
            let own = own(engine, depth, customer, &delivery);
            if let Some((event, _)) = own.filter(|(event, _)| event.id == *id) {
                return Ok(Some(event));
            }
        }
    }
    Ok(None)
}
