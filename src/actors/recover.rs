//! Brings a partition back: the store's images, and on top of them what the state log says.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::actors::census::{self, Census};
use crate::actors::emitter::Leftover;
use crate::actors::engine::Engine;
use crate::actors::image::{self, Position};
use crate::actors::load::{self, blank, read, timers};
use crate::actors::log;
use crate::actors::partition::{Arrival, Error as PartitionError, Learnt};
use crate::actors::record::{self, Commit, Span};
use crate::actors::round;
use crate::actors::timers::Timers;
use crate::domain::budget::Ledger;
use crate::domain::{CustomerId, Fact, Partition, People, Timestamp};
use crate::store::{self, Table};
use crate::stream;

/// A partition as it was when its last process ended.
pub struct Recovered {
    /// Customers whose images lack something.
    pub customers: Vec<Arrival>,
    /// The earliest timers.
    pub timers: Timers,
    /// Where people are.
    pub census: Census,
    /// How far the look at everybody is.
    pub round: round::Row,
    /// Last sequence of the state log.
    pub log_end: u64,
    /// Log sequence that every image reaches.
    pub checkpointed: u64,
    /// Last event that is committed.
    pub offset: u64,
    /// How far time has come.
    pub watermark: Timestamp,
    /// By lane: the sequence at which something was last published.
    pub marks: crate::stream::Marks,
    /// Commits whose content may not have left.
    pub outbox: Vec<Leftover>,
    /// What the partition has learnt.
    pub learnt: Learnt,
    /// What it has of budgets.
    pub quotas: Ledger,
    /// Where they stand.
    pub emitting: VecDeque<Span>,
}

/// Why a partition cannot be brought back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// NATS refused.
    #[error(transparent)]
    Stream(#[from] stream::Error),
    /// The disk refused.
    #[error("the store cannot be read: {0}")]
    Store(#[from] store::Error),
    /// A row cannot be read.
    #[error("{0}")]
    Row(#[from] image::Error),
    /// A record of the log cannot be read.
    #[error("{0}")]
    Record(#[from] record::Error),
    /// The log does not go on where the store ends.
    #[error(
        "the state log of partition {partition} has a gap: after {have} comes a record that follows {want}"
    )]
    Gap {
        /// Which partition.
        partition: u16,
        /// Where the store or the record before ends.
        have: u64,
        /// What the next record follows.
        want: u64,
    },
    /// NATS lost what this partition has seen.
    #[error(
        "{what}: NATS lost its tail, or its streams were made anew; restore them, or start with an empty `data` directory and new streams"
    )]
    Lost {
        /// What is missing.
        what: String,
    },
}

impl Error {
    /// Tells if trying again cannot help.
    pub fn is_fatal(&self) -> bool {
        match self {
            // A claim may be overtaken by an append of the process before; the next one is not.
            Self::Stream(error) => matches!(
                error,
                stream::Error::Deleted { .. }
                    | stream::Error::Behind { .. }
                    | stream::Error::Corrupt { .. }
            ),
            Self::Store(_)
            | Self::Row(_)
            | Self::Record(_)
            | Self::Gap { .. }
            | Self::Lost { .. } => true,
        }
    }
}

/// Brings a partition back and claims it: whoever held it before can append no more.
///
/// # Errors
///
/// What was kept does not fit together, or cannot be reached.
pub async fn recover(engine: &Arc<Engine>, id: Partition) -> Result<Recovered, Error> {
    let position = position(engine, id)?;
    let log_end = engine.streams.log_end(id).await?;
    check(engine, id, &position, log_end).await?;
    engine.crash.pass("in_recovery");
    let mut fold = Fold::new(engine, id, position);
    (fold.learnt_seq, fold.learnt.tallies) = load::learnt(engine, id)?;
    fold.quotas = load::quotas(engine, id)?;
    let from = position.log_seq.min(position.emitted);
    log::read(engine, id, from, log_end, &mut |seq, commit| {
        fold.take(seq, commit)
    })
    .await?;
    let claim = Commit {
        prev: log_end,
        offset: fold.offset,
        created: engine.created,
        emitted: fold.emitted,
        marks: fold.marks,
        watermark: fold.watermark,
        ..Commit::default()
    };
    let log_end = log::claim(engine, id, log_end, &claim).await?;
    let people = census::load(engine.store.as_ref(), &engine.packing, id)?;
    fold.finish(log_end, people)
}

fn position(engine: &Engine, id: Partition) -> Result<Position, Error> {
    let row = engine.store.get(Table::Meta, &Position::key(id))?;
    Ok(row
        .map(|row| Position::open(&row))
        .transpose()?
        .unwrap_or_default())
}

/// Refuses to go on when NATS no longer has what this partition has seen, or has not read.
async fn check(
    engine: &Engine,
    id: Partition,
    position: &Position,
    log_end: u64,
) -> Result<(), Error> {
    let lost = |what: String| Err(Error::Lost { what });
    if position.created != 0 && position.created != engine.created {
        return lost(format!(
            "the event stream is not the one that partition {id} has read"
        ));
    }
    if log_end < position.log_seq {
        let have = position.log_seq;
        return lost(format!(
            "the state log of partition {id} ends at {log_end}, not at {have}"
        ));
    }
    let extent = engine.streams.extent().await?;
    if extent.last_seq < position.offset {
        let have = position.offset;
        return lost(format!(
            "the event stream ends at {}, partition {id} has read {have}",
            extent.last_seq
        ));
    }
    Ok(())
}

/// Images and what the log adds to them.
struct Fold<'a> {
    engine: &'a Arc<Engine>,
    id: Partition,
    position: Position,
    customers: BTreeMap<CustomerId, (u64, Arrival)>,
    offset: u64,
    emitted: u64,
    watermark: Option<Timestamp>,
    marks: crate::stream::Marks,
    outbox: Vec<Leftover>,
    learnt: Learnt,
    /// The last commit that is in `learnt`.
    learnt_seq: u64,
    quotas: Ledger,
}

impl<'a> Fold<'a> {
    fn new(engine: &'a Arc<Engine>, id: Partition, position: Position) -> Self {
        let Position {
            offset,
            emitted,
            watermark,
            marks,
            ..
        } = position;
        let (customers, outbox) = (BTreeMap::new(), Vec::new());
        Self {
            engine,
            id,
            position,
            customers,
            offset,
            emitted,
            watermark,
            marks,
            outbox,
            learnt: Learnt::default(),
            learnt_seq: 0,
            quotas: Ledger::new(),
        }
    }

    fn take(&mut self, seq: u64, mut commit: Commit) -> Result<(), Error> {
        self.offset = self.offset.max(commit.offset);
        self.emitted = self.emitted.max(commit.emitted);
        self.watermark = self.watermark.max(commit.watermark);
        for (mark, of) in self.marks.iter_mut().zip(commit.marks) {
            *mark = (*mark).max(of);
        }
        let span = Span {
            after: commit.prev,
            end: seq,
        };
        if seq > self.position.log_seq {
            for (customer, facts) in std::mem::take(&mut commit.facts) {
                self.learn(span, &customer, &facts)?;
            }
        }
        if seq > self.learnt_seq {
            self.learnt.learn(&commit.updates);
            commit.updates.clear();
        }
        // A quota is told whole, so what the store has of later commits comes again.
        self.quotas.extend(std::mem::take(&mut commit.quotas));
        if commit.emits() {
            self.outbox.push(Leftover {
                log_seq: seq,
                commit,
            });
        }
        Ok(())
    }

    fn learn(&mut self, span: Span, customer: &CustomerId, facts: &[Fact]) -> Result<(), Error> {
        if !self.customers.contains_key(customer) {
            let known = read(self.engine, self.id, customer)?;
            let known = known.unwrap_or_else(|| (0, blank(customer.clone())));
            self.customers.insert(customer.clone(), known);
        }
        let Some((log_seq, arrival)) = self.customers.get_mut(customer) else {
            return Ok(());
        };
        if span.end <= *log_seq {
            return Ok(());
        }
        arrival.dirty_since.get_or_insert(span.after);
        for fact in facts {
            arrival.profile.apply(fact);
        }
        Ok(())
    }

    fn finish(mut self, log_end: u64, stored: People) -> Result<Recovered, Error> {
        let emitted = self.emitted;
        self.outbox.retain(|emission| emission.log_seq > emitted);
        let (horizon, rows) = timers(self.engine, self.id, Timestamp::MIN)?;
        let mut timers = Timers::new(Timestamp::MIN, self.engine.limits.timers);
        timers.extend(horizon, rows);
        let mut census = Census::new(stored);
        for (customer, (_, arrival)) in &self.customers {
            timers.set(customer, arrival.profile.next_due());
            census.moved(&arrival.stored_spots, &arrival.profile.spots());
        }
        Ok(Recovered {
            customers: self
                .customers
                .into_values()
                .map(|(_, arrival)| arrival)
                .collect(),
            timers,
            census,
            round: round::Row::load(self.engine, self.id)?,
            log_end,
            checkpointed: self.position.log_seq,
            offset: self.offset,
            watermark: self.watermark.unwrap_or(Timestamp::MIN),
            marks: self.marks,
            emitting: self
                .outbox
                .iter()
                .map(|left| Span {
                    after: left.commit.prev,
                    end: left.log_seq,
                })
                .collect(),
            learnt: self.learnt,
            quotas: self.quotas,
            outbox: self.outbox,
        })
    }
}

/// Reads customers whose actors are gone: the image, and what the log says since.
///
/// # Errors
///
/// The store or the log cannot be read.
pub async fn reload(
    engine: &Arc<Engine>,
    id: Partition,
    customers: Vec<CustomerId>,
    log_end: u64,
) -> Result<Vec<(CustomerId, Option<Arrival>)>, PartitionError> {
    let load = async {
        let position = position(engine, id)?;
        let mut fold = Fold::new(engine, id, position);
        for customer in &customers {
            let known = read(engine, id, customer)?;
            let known = known.unwrap_or_else(|| (0, blank(customer.clone())));
            fold.customers.insert(customer.clone(), known);
        }
        log::read(engine, id, position.log_seq, log_end, &mut |seq, commit| {
            let Commit {
                prev, mut facts, ..
            } = commit;
            facts.retain(|(customer, _)| customers.contains(customer));
            let theirs = Commit {
                prev,
                facts,
                ..Commit::default()
            };
            fold.take(seq, theirs)
        })
        .await?;
        Ok::<_, Error>(fold.customers)
    };
    let loaded = load
        .await
        .map_err(|error| PartitionError::Load(error.to_string()))?;
    Ok(loaded
        .into_iter()
        .map(|(customer, (_, arrival))| (customer, Some(arrival)))
        .collect())
}
