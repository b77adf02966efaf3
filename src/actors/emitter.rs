//! Publishes what commits let leave, in order, each once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use futures::stream::FuturesOrdered;
use futures::{StreamExt, TryStreamExt};
use ractor::ActorRef;
use tokio::sync::{mpsc, oneshot};

use crate::actors::engine::Engine;
use crate::actors::outgoing::{Item, items, undeliverable};
use crate::actors::partition::Message;
use crate::actors::record::Commit;
use crate::stream::{Error, Lane};

/// How many messages of one partition wait for their acknowledgement at a time.
const IN_FLIGHT_MAX: usize = 1_024;

/// The pause before something refused is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// The largest record, in bytes, of which what leaves is packed while the append is on its way: to pack a larger one takes
/// the processor away from its own append.
const EARLY_BYTES_MAX: usize = 16 << 10;

/// A commit of an earlier process, which may have published some of it.
pub struct Leftover {
    /// Its sequence in the state log.
    pub log_seq: u64,
    /// The commit.
    pub commit: Commit,
}

/// A commit whose content leaves.
enum Emission {
    /// It stands.
    Left(Box<Leftover>),
    /// It is on its way.
    Coming(Coming),
}

/// The way out of one partition.
pub struct Emitter {
    queue: mpsc::UnboundedSender<Emission>,
    task: tokio::task::JoinHandle<()>,
}

impl Emitter {
    /// Starts with what an earlier process left.
    pub fn start(
        engine: &Arc<Engine>,
        partition: ActorRef<Message>,
        marks: crate::stream::Marks,
        outbox: Vec<Leftover>,
    ) -> Self {
        // INVARIANT: bounded by the commits of a partition, which stop when its checkpoint cannot go on.
        let (queue, emissions) = mpsc::unbounded_channel();
        let out = Out {
            engine: engine.clone(),
            partition,
            marks,
            waiting: VecDeque::new(),
        };
        let emitter = Self {
            queue,
            task: tokio::spawn(out.run(emissions)),
        };
        for left in outbox {
            emitter.emit(Emission::Left(Box::new(left)));
        }
        emitter
    }

    /// Prepares what a commit will let leave; it leaves when it is told where the commit stands.
    ///
    /// - `n_bytes`: how large its record is.
    pub fn prepare(&self, commit: Arc<Commit>, n_bytes: usize) -> oneshot::Sender<u64> {
        let (tell, stands) = oneshot::channel();
        self.emit(Emission::Coming(Coming {
            commit,
            is_small: n_bytes <= EARLY_BYTES_MAX,
            packed: None,
            stands,
        }));
        tell
    }

    fn emit(&self, emission: Emission) {
        if self.queue.send(emission).is_err() {
            tracing::error!("the emitter of a partition is gone");
        }
    }
}

impl Drop for Emitter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Ack = BoxFuture<'static, Result<u64, Error>>;

/// A commit on its way.
struct Coming {
    commit: Arc<Commit>,
    is_small: bool,
    /// What leaves, and how long it took to pack.
    packed: Option<(Vec<Item>, Duration)>,
    /// Where the commit stands, once it does; its partition ends if it never does.
    stands: oneshot::Receiver<u64>,
}

impl Coming {
    /// Waits until the commit stands; for ever while none is on its way.
    async fn stands(coming: &mut Option<Self>) -> Option<u64> {
        match coming {
            Some(coming) => (&mut coming.stands).await.ok(),
            None => std::future::pending().await,
        }
    }
}

struct Out {
    engine: Arc<Engine>,
    partition: ActorRef<Message>,
    marks: crate::stream::Marks,
    /// What is published or about to be, and not acknowledged; the sequence stands at the last item of a commit.
    waiting: VecDeque<(Item, Option<u64>)>,
}

impl Out {
    async fn run(mut self, mut emissions: mpsc::UnboundedReceiver<Emission>) {
        let mut acks = FuturesOrdered::new();
        let mut coming: Option<Coming> = None;
        loop {
            tokio::select! {
                biased;
                ack = acks.next(), if !acks.is_empty() => match ack {
                    Some(Ok(seq)) => self.acknowledged(seq),
                    Some(Err(error)) => { self.again(&error).await; acks = FuturesOrdered::new(); }
                    None => {}
                },
                log_seq = Coming::stands(&mut coming) => {
                    let Some((log_seq, coming)) = log_seq.zip(coming.take()) else { return };
                    self.leave(coming, log_seq, &mut acks).await;
                }
                emission = emissions.recv(), if coming.is_none() && acks.len() < IN_FLIGHT_MAX => match emission {
                    Some(Emission::Left(left)) => self.resume(&left, &mut acks).await,
                    Some(Emission::Coming(next)) => coming = Some(self.early(next)),
                    None => return,
                }
            }
        }
    }

    /// Packs what is small.
    fn early(&self, mut coming: Coming) -> Coming {
        if coming.is_small {
            coming.packed = Some(self.pack(&coming.commit));
        }
        coming
    }

    fn pack(&self, commit: &Commit) -> (Vec<Item>, Duration) {
        let start = Instant::now();
        (items(&self.engine, commit), start.elapsed())
    }

    fn wait_for(&mut self, items: Vec<Item>, log_seq: u64) {
        let n = items.len();
        for (idx, item) in items.into_iter().enumerate() {
            self.waiting
                .push_back((item, (idx + 1 == n).then_some(log_seq)));
        }
    }

    async fn leave(&mut self, coming: Coming, log_seq: u64, acks: &mut FuturesOrdered<Ack>) {
        let packed = coming.packed;
        let (items, took) = packed.unwrap_or_else(|| self.pack(&coming.commit));
        let now = Instant::now();
        let start = now.checked_sub(took).unwrap_or(now);
        let n = items.len();
        self.wait_for(items, log_seq);
        self.engine.crash.pass("before_emit");
        for left in (1..=n).rev() {
            let published = self.publish_last_but(left - 1, acks).await;
            let Ok(ack) = published else {
                return self.lost(published.err(), acks).await;
            };
            acks.push_back(ack);
        }
        self.engine.meters.emit.since(start);
        self.engine.crash.pass("after_emit");
    }

    /// Publishes the item that so many others wait behind.
    async fn publish_last_but(
        &mut self,
        behind: usize,
        acks: &mut FuturesOrdered<Ack>,
    ) -> Result<Ack, Error> {
        let item = |waiting: &VecDeque<(Item, Option<u64>)>| waiting.len() - 1 - behind;
        if let Item::Forward(_) = self.waiting[item(&self.waiting)].0 {
            // A lost connection may lose one message and not the next: the events of a customer stay in order.
            while let Some(ack) = acks.next().await {
                self.acknowledged(ack?);
            }
        }
        self.publish(&self.waiting[item(&self.waiting)].0).await
    }

    /// Publishes again what is not there, after an error.
    async fn lost(&mut self, error: Option<Error>, acks: &mut FuturesOrdered<Ack>) {
        if let Some(error) = error {
            self.again(&error).await;
        }
        *acks = FuturesOrdered::new();
    }

    async fn publish(&self, item: &Item) -> Result<Ack, Error> {
        let event = match item.needs() {
            Some(seq) => self.engine.streams.event(seq).await?,
            None => None,
        };
        let Some(out) = item.message(&self.engine, event) else {
            tracing::error!("an event of another partition is gone from the stream");
            return Ok(Box::pin(async { Ok(0) }));
        };
        let id = out.id.clone();
        match self.engine.streams.publish(out).await {
            Err(error @ Error::TooLarge { .. }) if item.lane() != Lane::DeadLetters => {
                // It will never fit: what waits behind it must not wait for ever.
                tracing::error!(%error, id, "a message became a dead letter");
                self.engine.meters.dead_letters.add(1);
                let out = undeliverable(&self.engine, &id, &error);
                let ack = self.engine.streams.publish(out).await?;
                // Its sequence is one of another lane.
                Ok(Box::pin(async { ack.await.map(|_| 0) }))
            }
            published => published,
        }
    }

    fn acknowledged(&mut self, seq: u64) {
        let Some((item, ends)) = self.waiting.pop_front() else {
            return;
        };
        let lane = item.lane() as usize;
        self.marks[lane] = self.marks[lane].max(seq);
        if let Some(log_seq) = ends {
            self.engine.crash.pass("before_mark");
            let _gone = self.partition.cast(Message::Emitted(log_seq, self.marks));
        }
    }

    /// Publishes again what was not acknowledged and is not there, until everything is.
    async fn again(&mut self, error: &Error) {
        tracing::warn!(%error, waiting = self.waiting.len(), "publishing is tried again");
        while let Err(error) = self.settle().await {
            tracing::warn!(%error, waiting = self.waiting.len(), "publishing is tried again");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What an earlier process left goes the same careful way.
    async fn resume(&mut self, left: &Leftover, acks: &mut FuturesOrdered<Ack>) {
        self.wait_for(items(&self.engine, &left.commit), left.log_seq);
        while let Some(ack) = acks.next().await {
            match ack {
                Ok(seq) => self.acknowledged(seq),
                Err(_) => break,
            }
        }
        *acks = FuturesOrdered::new();
        self.engine.crash.pass("in_resume");
        while let Err(error) = self.settle().await {
            tracing::warn!(%error, "what an earlier process left is tried again");
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn settle(&mut self) -> Result<(), Error> {
        let known = self.look_up().await?;
        while let Some((item, _)) = self.waiting.front().cloned() {
            let (lane, id) = item.id(&self.engine);
            let there = known
                .get(&(lane as usize))
                .is_some_and(|ids| ids.contains(&id));
            let seq = if there {
                0
            } else {
                self.publish(&item).await?.await?
            };
            self.acknowledged(seq);
        }
        Ok(())
    }

    /// Returns which of the waiting ids are published; the window in which the server drops doubles may be over.
    async fn look_up(&self) -> Result<BTreeMap<usize, BTreeSet<String>>, Error> {
        let mut wanted: BTreeMap<usize, (Lane, BTreeSet<String>)> = BTreeMap::new();
        for (item, _) in &self.waiting {
            let (lane, id) = item.id(&self.engine);
            // A forwarded event keeps its id, so its customer recognises the double.
            if lane != Lane::Events {
                wanted
                    .entry(lane as usize)
                    .or_insert((lane, BTreeSet::new()))
                    .1
                    .insert(id);
            }
        }
        let mut known = BTreeMap::new();
        for (idx, (lane, ids)) in wanted {
            let published = self.engine.streams.published(lane, self.marks[idx]).await?;
            let ours = |(_, id): (u64, String)| {
                let ours = ids.contains(&id).then_some(id);
                std::future::ready(Ok(ours))
            };
            known.insert(idx, published.try_filter_map(ours).try_collect().await?);
        }
        Ok(known)
    }
}
