//! The timers of a partition: the earliest ones in memory, all of them in the store.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::RandomState;

use crate::domain::{CustomerId, Timestamp};

/// When the customers of a partition want to be woken, one time each.
///
/// Memory holds every timer before `horizon`; later ones are in the store, or with a customer that is resident.
#[derive(Debug)]
pub struct Timers {
    by_due: BTreeSet<(Timestamp, CustomerId)>,
    of: HashMap<CustomerId, Timestamp, RandomState>,
    horizon: Timestamp,
    n_max: usize,
}

impl Timers {
    /// Returns no timers, with everything before `horizon` known.
    pub fn new(horizon: Timestamp, n_max: usize) -> Self {
        Self {
            by_due: BTreeSet::new(),
            of: HashMap::default(),
            horizon,
            n_max,
        }
    }

    /// Sets or clears the timer of a customer.
    pub fn set(&mut self, customer: &CustomerId, due: Option<Timestamp>) {
        let due = due.filter(|due| *due < self.horizon);
        match (self.of.get(customer).copied(), due) {
            (Some(old), Some(new)) if old == new => return,
            (Some(old), _) => {
                self.by_due.remove(&(old, customer.clone()));
                self.of.remove(customer);
            }
            (None, _) => {}
        }
        let Some(due) = due else { return };
        self.by_due.insert((due, customer.clone()));
        self.of.insert(customer.clone(), due);
        if self.by_due.len() > self.n_max {
            self.cut();
        }
    }

    /// Lets go of the latest timers; they are in the store or come back with [`Timers::extend`].
    fn cut(&mut self) {
        let keep = self.n_max / 2;
        let Some((edge, _)) = self.by_due.iter().nth(keep).cloned() else {
            return;
        };
        let late: Vec<_> = self
            .by_due
            .iter()
            .skip_while(|(due, _)| *due < edge)
            .cloned()
            .collect();
        for (due, customer) in late {
            self.of.remove(&customer);
            self.by_due.remove(&(due, customer));
        }
        self.horizon = edge;
    }

    /// Makes everything before a later horizon known.
    ///
    /// - `rows`: every timer from the old horizon to the new one.
    pub fn extend(
        &mut self,
        horizon: Timestamp,
        rows: impl IntoIterator<Item = (Timestamp, CustomerId)>,
    ) {
        self.horizon = horizon;
        for (due, customer) in rows {
            self.set(&customer, Some(due));
        }
    }

    /// Returns the time before which every timer is known.
    pub fn horizon(&self) -> Timestamp {
        self.horizon
    }

    /// Returns the earliest timer.
    pub fn first(&self) -> Option<Timestamp> {
        self.by_due.first().map(|(due, _)| *due)
    }

    /// Takes the customers whose timers are due before a time, the earliest first, at most `n_max`.
    pub fn take_due(&mut self, before: Timestamp, n_max: usize) -> Vec<CustomerId> {
        let mut due = Vec::new();
        while due.len() < n_max
            && self
                .by_due
                .first()
                .is_some_and(|(first, _)| *first < before)
            && let Some((_, customer)) = self.by_due.pop_first()
        {
            self.of.remove(&customer);
            due.push(customer);
        }
        due
    }
}
