//! Where a node finds its partitions, and what is known of each while it is up or down.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use ractor::ActorRef;
use tokio::sync::{Notify, watch};

use crate::actors::partition::Message;
use crate::domain::{Partition as Id, Timestamp};

/// Where the node finds its partitions, and what they say of themselves.
pub struct Table {
    slots: Vec<Slot>,
    restart: Notify,
    due: Notify,
    /// Why the node cannot go on.
    fatal: watch::Sender<Option<String>>,
}

/// A partition that is up.
pub struct Up {
    /// Which one.
    pub id: Id,
    /// Its actor.
    pub actor: ActorRef<Message>,
    /// The last event that it does not want to read again.
    pub offset: u64,
}

struct Slot {
    actor: RwLock<Option<ActorRef<Message>>>,
    state: Mutex<String>,
    offset: AtomicU64,
    due: AtomicI64,
    /// The last checkpoint, which goes on when its partition is gone.
    checkpoint: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Table {
    /// Returns the table of so many partitions; none is up.
    pub(super) fn new(n: u16) -> Self {
        let slot = || Slot {
            actor: RwLock::new(None),
            state: Mutex::new("starting".into()),
            offset: AtomicU64::new(0),
            due: AtomicI64::new(i64::MAX),
            checkpoint: Mutex::new(None),
        };
        let slots = (0..n).map(|_| slot()).collect();
        Self {
            slots,
            restart: Notify::new(),
            due: Notify::new(),
            fatal: watch::channel(None).0,
        }
    }

    /// Returns a partition that is up.
    pub fn get(&self, id: Id) -> Option<ActorRef<Message>> {
        let slot = self.slots.get(usize::from(id.0))?;
        slot.actor
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Notes how far a partition is and when its first timer is due.
    pub fn set(&self, id: Id, offset: u64, due: Option<Timestamp>) {
        let Some(slot) = self.slots.get(usize::from(id.0)) else {
            return;
        };
        slot.offset.store(offset, Ordering::Release);
        let due = due.map_or(i64::MAX, Timestamp::as_millis);
        if slot.due.swap(due, Ordering::AcqRel) > due {
            self.due.notify_one();
        }
    }

    /// Notes that a checkpoint of a partition is being written.
    pub fn writes(&self, id: Id, checkpoint: tokio::task::JoinHandle<()>) {
        if let Some(slot) = self.slots.get(usize::from(id.0)) {
            *slot
                .checkpoint
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(checkpoint);
        }
    }

    /// Waits until no checkpoint of a partition is being written: it must not overwrite a later one.
    pub(super) async fn written(&self, id: Id) {
        let take = |slot: &Slot| {
            let last = slot.checkpoint.lock();
            last.unwrap_or_else(PoisonError::into_inner).take()
        };
        let last = self.slots.get(usize::from(id.0)).and_then(take);
        if let Some(last) = last {
            let _ended = last.await;
        }
    }

    /// Notes why a partition is down.
    pub fn failed(&self, id: Id, why: &dyn std::fmt::Display) {
        tracing::error!(partition = id.0, error = %why, "a partition failed");
        self.note(id, why.to_string());
    }

    /// Returns why the node cannot go on, once it is so.
    pub(super) fn fatal(&self) -> watch::Receiver<Option<String>> {
        self.fatal.subscribe()
    }

    /// Notes that a partition has come up, so that the reader starts where it wants.
    pub(super) fn restarted(&self) {
        self.restart.notify_one();
    }

    /// Notes why a partition is down and the node cannot go on.
    pub fn give_up(&self, id: Id, why: &dyn std::fmt::Display) {
        self.failed(id, why);
        self.fatal.send_replace(Some(why.to_string()));
    }

    /// Notes what a partition is doing.
    pub(super) fn note(&self, id: Id, state: String) {
        if let Some(slot) = self.slots.get(usize::from(id.0)) {
            *slot.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        }
    }

    /// Notes the actor of a partition that is up, or that it is down.
    pub(super) fn put(&self, id: Id, actor: Option<ActorRef<Message>>) {
        let Some(slot) = self.slots.get(usize::from(id.0)) else {
            return;
        };
        *slot.actor.write().unwrap_or_else(PoisonError::into_inner) = actor;
    }

    /// Returns the first event that some partition that is up lacks, less one.
    pub fn first_offset(&self) -> u64 {
        let offsets = self.up().into_iter().map(|of| of.offset);
        offsets.min().unwrap_or(0)
    }

    /// Returns the first timer of all partitions.
    pub fn first_due(&self) -> Option<Timestamp> {
        let first = self
            .slots
            .iter()
            .map(|slot| slot.due.load(Ordering::Acquire))
            .min()?;
        (first != i64::MAX).then(|| Timestamp::from_millis(first))
    }

    /// Tells if a timer of a partition is due at a time.
    pub fn is_due(&self, id: Id, at: Timestamp) -> bool {
        let due = |slot: &Slot| slot.due.load(Ordering::Acquire) <= at.as_millis();
        self.slots.get(usize::from(id.0)).is_some_and(due)
    }

    /// Returns the partitions that are up, and where each wants to read on.
    pub fn up(&self) -> Vec<Up> {
        let up = |(slot, id): (&Slot, u16)| {
            // The offset was set before the actor could be seen, so it is that of this actor or a later one.
            let actor = self.get(Id(id))?;
            let offset = slot.offset.load(Ordering::Acquire);
            Some(Up {
                id: Id(id),
                actor,
                offset,
            })
        };
        self.slots.iter().zip(0_u16..).filter_map(up).collect()
    }

    /// Returns when a partition has come up, so that the reader starts where it wants.
    pub async fn wait_for_restart(&self) {
        self.restart.notified().await;
    }

    /// Returns when a timer is due earlier than all before.
    pub async fn wait_for_due(&self) {
        self.due.notified().await;
    }

    /// Returns the partitions that are not up, and why.
    pub fn down(&self) -> Vec<(u16, String)> {
        let down = |id: &u16| self.get(Id(*id)).is_none();
        let why = |slot: &Slot| {
            slot.state
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        };
        let slots = self.slots.iter().zip(0_u16..);
        slots
            .filter(|(_, id)| down(id))
            .map(|(slot, id)| (id, why(slot)))
            .collect()
    }
}
