//! The commit of a batch: what was decided becomes one record, and only then leaves.

use std::sync::Arc;
use std::time::Instant;

use super::batch::{Batch, Origin, Work};
use super::input::{AskError, Message};
use super::{Error, Phase, State};
use crate::actors::customer::{self, Decided};
use crate::actors::gather::gather;
use crate::actors::record::{Commit, Dead, Span};
use crate::actors::recover;
use crate::domain::budget::Key;
use crate::domain::learning::Update;
use crate::domain::{Fact, What};
use crate::stream::{CommitId, Streams};

impl State {
    pub(super) fn decided(&mut self, decided: Vec<Option<Decided>>) -> Result<(), Error> {
        let Some(batch) = &mut self.batch else {
            return Ok(());
        };
        let todo = batch.work.iter_mut().filter(|work| work.decided.is_none());
        for (work, decided) in todo.zip(decided) {
            work.decided = Some(decided.ok_or(Error::CustomerDied)?);
        }
        if batch.work.iter().any(|work| panicked(work).is_some()) {
            self.quarantine();
            return Ok(());
        }
        self.append()
    }

    /// Takes the inputs that panicked out of the batch and loads their customers again.
    fn quarantine(&mut self) {
        let Some(batch) = &mut self.batch else { return };
        let mut reload = Vec::new();
        for work in batch
            .work
            .iter_mut()
            .filter(|work| panicked(work).is_some())
        {
            let Some(decided) = work.decided.take() else {
                continue;
            };
            let error = decided.panic.unwrap_or_default();
            tracing::error!(error, partition = self.id.0, "an input was quarantined");
            let idx = decided.outcomes.len();
            work.inputs = decided.inputs;
            work.inputs.remove(idx);
            match work.origins.remove(idx) {
                Origin::Event(seq) => {
                    batch.dead.push(Dead {
                        seq,
                        reason: "panic".into(),
                        error,
                    });
                }
                Origin::Ask(Some(reply)) => drop(reply.send(Err(AskError::Failed))),
                Origin::Timer | Origin::Ask(None) => {}
            }
            self.residents.forget(&work.customer);
            reload.push(work.customer.clone());
        }
        self.phase = Phase::Loading;
        let (engine, id, log_end) = (self.engine.clone(), self.id, self.log_end);
        let myself = self.myself.clone();
        tokio::spawn(async move {
            let loaded = recover::reload(&engine, id, reload, log_end).await;
            let _gone = myself.cast(Message::Loaded(loaded));
        });
    }

    /// Sends the record of the batch to the state log; one is on its way at a time.
    fn append(&mut self) -> Result<(), Error> {
        let start = Instant::now();
        let emitted = self.emitted_through();
        let Some(batch) = &mut self.batch else {
            return Ok(());
        };
        let mut commit = Commit {
            prev: self.log_end,
            offset: batch.offset,
            created: self.engine.created,
            emitted,
            marks: self.marks,
            watermark: Some(self.reached),
            dead: batch.dead.clone(),
            forwards: batch.forwards.clone(),
            ..Commit::default()
        };
        commit.facts.reserve(batch.work.len());
        let (mut updates, mut spent) = (Vec::new(), Vec::new());
        for work in &mut batch.work {
            collect(work, &mut commit, &mut updates, &mut spent);
        }
        // Evidence is added in the order of the events, however they were batched: so its last bit is the same, too.
        updates.sort_by_key(|(seq, _)| *seq);
        commit.updates = updates.into_iter().map(|(_, update)| update).collect();
        commit.quotas = self.settle_quotas(&spent);
        self.engine.meters.budget_spent.add(spent.len() as u64);
        let Some(batch) = &mut self.batch else {
            return Ok(());
        };
        batch.commit = Arc::new(commit);
        if batch.commit.is_empty() {
            // Nothing was learnt: the offset goes with the next commit or checkpoint.
            self.appended(self.log_end);
            return Ok(());
        }
        let chunk_max = self.engine.payload_max.saturating_sub(1_024);
        let chunks = batch
            .commit
            .encode(chunk_max)
            .map_err(|e| Error::Encoding(e.to_string()))?;
        let n_bytes: usize = chunks.iter().map(bytes::Bytes::len).sum();
        self.engine.meters.commit_bytes.add(n_bytes as u64);
        self.engine.meters.commit.since(start);
        // Prepared while the append is on its way, it leaves as soon as that is answered.
        let emits = batch.commit.emits();
        let leaves = emits.then(|| self.emitter.prepare(batch.commit.clone(), n_bytes));
        self.phase = Phase::Appending;
        let (engine, id, myself) = (self.engine.clone(), self.id, self.myself.clone());
        let log_end = self.log_end;
        self.engine.crash.pass("before_commit");
        tokio::spawn(async move {
            let start = Instant::now();
            let appended = append_all(engine.streams.as_ref(), id, log_end, chunks).await;
            let stands = appended.as_ref().ok().copied();
            // The partition hears of the commit before it can hear that something has left.
            let _gone = myself.cast(Message::Appended(appended, start));
            let _gone = leaves.zip(stands).map(|(leaves, at)| leaves.send(at));
        });
        Ok(())
    }

    /// The commit stands: what it holds may leave.
    pub(super) fn appended(&mut self, log_seq: u64) {
        self.phase = Phase::Idle;
        let Some(mut batch) = self.batch.take() else {
            return;
        };
        let span = Span {
            after: self.log_end,
            end: log_seq,
        };
        self.offset = batch.offset.max(self.offset);
        self.log_end = log_seq;
        if span.end != span.after {
            self.engine.crash.pass("after_commit");
            self.engine.meters.commits.add(1);
            self.checkpoint.appended(self.offset);
        }
        self.settle(&mut batch, span);
        self.learn(&batch.commit.updates);
        self.keep_quotas(&batch.commit.quotas);
        if batch.commit.emits() {
            self.emitting.push_back(span);
        }
        self.show(batch.looks);
        if self.residents.end_batch() {
            self.checkpoint.hurry();
        }
    }

    /// Notes what the customers need next and answers who asked.
    fn settle(&mut self, batch: &mut Batch, span: Span) {
        count(&self.engine.meters, batch);
        for work in &mut batch.work {
            let Some(decided) = work.decided.take() else {
                continue;
            };
            if work.stranger {
                self.residents.dismiss(&work.customer);
                reply(work);
                continue;
            }
            if let Some(resident) = self.residents.get_mut(&work.customer) {
                resident.due = decided.due;
                let since = resident.dirty_since.or(work.learnt.then_some(span.after));
                resident.dirty_since = since;
            }
            self.timers.set(&work.customer, decided.due);
            if let Some(moved) = &decided.moved {
                self.census.moved(&moved.from, &moved.to);
            }
            reply(work);
        }
    }

    /// Shows customers to those who asked, after everything that was decided about them is committed.
    fn show(
        &mut self,
        looks: Vec<(
            crate::domain::CustomerId,
            tokio::sync::oneshot::Sender<Option<Box<crate::domain::Profile>>>,
        )>,
    ) {
        for (customer, reply) in looks {
            let Some(resident) = self.residents.using(&customer) else {
                let _gone = reply.send(None);
                continue;
            };
            let reply = std::sync::Mutex::new(Some(reply));
            let mut slots = gather(1, move |mut profiles| {
                let reply = reply.lock().ok().and_then(|mut reply| reply.take());
                let _gone = reply.map(|reply| reply.send(profiles.pop().flatten()));
            });
            if let Some(slot) = slots.pop() {
                let _gone = resident.actor.cast(customer::Message::Look(slot));
            }
        }
    }
}

/// Appends the messages of one commit, each after the one before.
async fn append_all(
    streams: &dyn Streams,
    id: crate::domain::Partition,
    log_end: u64,
    chunks: Vec<bytes::Bytes>,
) -> Result<u64, crate::stream::Error> {
    let mut end = log_end;
    for chunk in chunks {
        let commit = commit_id(id.0, end, &chunk);
        end = streams.append(id, end, commit, chunk).await?;
    }
    Ok(end)
}

/// Gives the answers of a customer to those who asked, in order.
fn reply(work: &mut Work) {
    for origin in &mut work.origins {
        let Origin::Ask(reply) = origin else { continue };
        let Some((reply, answer)) = reply.take().zip(work.answers.pop_front()) else {
            continue;
        };
        let _gone = reply.send(answer.ok_or(AskError::Failed));
    }
}

fn panicked(work: &Work) -> Option<&str> {
    work.decided.as_ref()?.panic.as_deref()
}

/// Moves what a customer decided into the commit.
fn collect(
    work: &mut Work,
    commit: &mut Commit,
    updates: &mut Vec<(u64, Update)>,
    spent: &mut Vec<Key>,
) {
    let Some(decided) = &mut work.decided else {
        return;
    };
    let stranger = work.stranger;
    let mut facts = Vec::new();
    for (outcome, origin) in decided.outcomes.iter_mut().zip(&work.origins) {
        if !stranger {
            if facts.is_empty() {
                std::mem::swap(&mut facts, &mut outcome.facts);
            } else {
                facts.append(&mut outcome.facts);
            }
            commit.actions.append(&mut outcome.actions);
            commit.crossings.append(&mut outcome.crossings);
            let seq = match origin {
                Origin::Event(seq) => *seq,
                Origin::Timer | Origin::Ask(_) => u64::MAX,
            };
            updates.extend(outcome.updates.drain(..).map(|update| (seq, update)));
        }
        if let Origin::Ask(_) = origin {
            work.answers.push_back(outcome.answers.last().cloned());
        }
        commit.answers.append(&mut outcome.answers);
        spent.append(&mut outcome.spent);
    }
    work.learnt = !facts.is_empty();
    if work.learnt {
        commit.facts.push((work.customer.clone(), facts));
    }
}

/// An append that is tried again has the same id, another one has not.
fn commit_id(partition: u16, expected: u64, chunk: &[u8]) -> CommitId {
    let place = (u128::from(partition) << 64) | u128::from(expected);
    CommitId(xxhash_rust::xxh3::xxh3_128(chunk) ^ place)
}

fn count(meters: &crate::telemetry::Meters, batch: &Batch) {
    for work in &batch.work {
        let Some(decided) = &work.decided else {
            continue;
        };
        let outcomes = work.origins.iter().zip(&decided.outcomes);
        let events = outcomes.filter(|(origin, _)| matches!(origin, Origin::Event(_)));
        let mut n_of = [0, 0];
        for (_, outcome) in events {
            n_of[usize::from(outcome.duplicate)] += 1;
        }
        meters.events.add(n_of[0]);
        meters.duplicates.add(n_of[1]);
    }
    let commit = &batch.commit;
    let facts = commit.facts.iter().flat_map(|(_, facts)| facts);
    for trace in facts.filter_map(Fact::as_trace) {
        let entered = trace.what == What::Entered;
        let ghost = matches!(trace.what, What::WouldSend(..));
        meters.entries.add(entered.into());
        meters.shadow_actions.add(ghost.into());
        meters.journeys.note(trace);
    }
    meters.actions.add(commit.actions.len() as u64);
    meters.crossings.add(commit.crossings.len() as u64);
    meters.decisions.add(commit.answers.len() as u64);
    meters.placements.note(&commit.answers);
    meters.dead_letters.add(commit.dead.len() as u64);
    meters.forwarded.add(commit.forwards.len() as u64);
}
