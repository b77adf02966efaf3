//! The customers of a partition that are in memory.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use ractor::{ActorRef, ActorRuntime, SpawnErr};

use crate::actors::customer::{Customer, Message};
use crate::actors::engine::Engine;
use crate::domain::{CustomerId, Profile, Spot, Timestamp};

/// A customer in memory.
pub struct Resident {
    /// Its actor.
    pub actor: ActorRef<Message>,
    /// Where the log ended before the first commit that its stored image lacks.
    pub dirty_since: Option<u64>,
    /// Its image is being written.
    pub saving: bool,
    /// When it wants to be woken.
    pub due: Option<Timestamp>,
    /// The timer that the store has of it.
    pub stored_due: Option<Timestamp>,
    /// Where its runs are in the image that the store has.
    pub stored_spots: Box<[Spot]>,
    /// The batch that used it last.
    pub used: u64,
}

/// The table of residents.
pub struct Residents {
    engine: Arc<Engine>,
    table: HashMap<CustomerId, Resident, RandomState>,
    n_max: usize,
    batch: u64,
}

/// A customer that was read, with what it still lacks in the store.
pub struct Arrival {
    /// The profile.
    pub profile: Box<Profile>,
    /// Where the log ended before the first commit that its stored image lacks.
    pub dirty_since: Option<u64>,
    /// The timer that the store has of it.
    pub stored_due: Option<Timestamp>,
    /// Where its runs are in the image that the store has.
    pub stored_spots: Box<[Spot]>,
}

impl Residents {
    /// Starts the actors of those that recovery has read.
    pub async fn start(engine: &Arc<Engine>, arrivals: Vec<Arrival>) -> Result<Self, SpawnErr> {
        let n_max = (engine.limits.residents / usize::from(engine.n_partitions.max(1))).max(16);
        let mut residents = Self {
            engine: engine.clone(),
            table: HashMap::default(),
            n_max,
            batch: 0,
        };
        for (idx, arrival) in arrivals.into_iter().enumerate() {
            residents.add(arrival)?;
            if idx % 1_024 == 1_023 {
                tokio::task::yield_now().await;
            }
        }
        Ok(residents)
    }

    /// Starts the actor of a customer.
    pub fn add(&mut self, arrival: Arrival) -> Result<(), SpawnErr> {
        let Arrival {
            profile,
            dirty_since,
            stored_due,
            stored_spots,
        } = arrival;
        let (customer, due) = (profile.id.clone(), profile.next_due());
        let arguments = (self.engine.clone(), profile);
        let (actor, _starting) = ActorRuntime::spawn_instant(None, Customer, arguments)?;
        let used = self.batch;
        let resident = Resident {
            actor,
            dirty_since,
            saving: false,
            due,
            stored_due,
            stored_spots,
            used,
        };
        if self.table.insert(customer, resident).is_none() {
            self.engine.meters.residents.add(1);
        }
        Ok(())
    }

    /// Returns a resident.
    pub fn get_mut(&mut self, customer: &CustomerId) -> Option<&mut Resident> {
        self.table.get_mut(customer)
    }

    /// Returns a resident's actor and notes that this batch uses it.
    pub fn using(&mut self, customer: &CustomerId) -> Option<&Resident> {
        let resident = self.table.get_mut(customer)?;
        resident.used = self.batch;
        Some(resident)
    }

    /// Tells if a customer is in memory.
    pub fn has(&self, customer: &CustomerId) -> bool {
        self.table.contains_key(customer)
    }

    /// Forgets a customer whose actor is not to be trusted.
    pub fn forget(&mut self, customer: &CustomerId) -> Option<Resident> {
        let resident = self.table.remove(customer)?;
        self.engine.meters.residents.sub(1);
        Some(resident)
    }

    /// Lets a customer go of whom nothing is to be remembered.
    pub fn dismiss(&mut self, customer: &CustomerId) {
        if let Some(resident) = self.forget(customer) {
            retire(&resident);
        }
    }

    /// Returns every resident.
    pub fn iter(&self) -> impl Iterator<Item = (&CustomerId, &Resident)> {
        self.table.iter()
    }

    /// Tells if a stored image lacks something.
    pub fn has_dirty(&self) -> bool {
        self.table
            .values()
            .any(|resident| resident.dirty_since.is_some())
    }

    /// Returns where the log ended before the first commit that some stored image lacks.
    pub fn first_dirty(&self) -> Option<u64> {
        self.table
            .values()
            .filter_map(|resident| resident.dirty_since)
            .min()
    }

    /// Ends a batch: lets the clean ones go that were not used for the longest time, if there are too many.
    ///
    /// Returns whether there are too many and none is clean.
    pub fn end_batch(&mut self) -> bool {
        self.batch += 1;
        if self.table.len() <= self.n_max {
            return false;
        }
        let n_over = self.table.len() - self.n_max + self.n_max / 16;
        let clean = |resident: &Resident| resident.dirty_since.is_none() && !resident.saving;
        let mut idle: Vec<_> = self
            .table
            .iter()
            .filter(|(_, resident)| clean(resident))
            .map(|(customer, resident)| (resident.used, customer.clone()))
            .collect();
        if idle.len() > n_over {
            idle.select_nth_unstable(n_over);
        }
        for (_, customer) in idle.iter().take(n_over) {
            if let Some(resident) = self.forget(customer) {
                retire(&resident);
            }
        }
        self.table.len() > self.n_max + self.n_max / 4
    }

    /// Lets everybody go.
    pub fn retire_all(&mut self) {
        self.engine.meters.residents.sub(self.table.len() as u64);
        for (_, resident) in self.table.drain() {
            retire(&resident);
        }
    }
}

/// `drain` lets the actor finish what it was given.
fn retire(resident: &Resident) {
    if let Err(error) = resident.actor.drain() {
        tracing::debug!(%error, "an actor was gone before it was retired");
    }
}
