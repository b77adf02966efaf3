//! The virtual clock: events at their own times, and every timer at the time it is due.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::actors::scorer::answers;
use crate::cli::backtest::customers::Customers;
use crate::cli::backtest::feed::Item;
use crate::cli::backtest::saved;
use crate::cli::backtest::summary::Summary;
use crate::decide::drive::{Moment, Outcome};
use crate::decide::{Cause, Outside, Scoring, handle};
use crate::domain::budget::Till;
use crate::domain::learning::Tallies;
use crate::domain::{Action, CustomerId, Fact, Profile, Timestamp, What};
use crate::policy::Bundle;
use crate::scoring::Scorer;

/// Policies and the models that they name.
pub struct Side {
    /// The policies.
    pub bundle: Bundle,
    /// The models.
    pub scorer: Arc<dyn Scorer>,
}

/// A backtest under way.
pub struct Replay<'a> {
    /// What has happened so far.
    pub summary: Summary,
    /// The actions that have left, in their order, for the caller to take.
    pub left: Vec<Action>,
    /// The actions that were held back, in their order, for the caller to take.
    pub held: Vec<Held>,
    side: &'a Side,
    customers: Customers,
    /// What all outcomes have taught so far.
    learnt: Tallies,
    /// What budgets have given so far.
    till: Till,
    /// Who wants to be woken, the earliest first; equal times by customer.
    timers: BTreeSet<(Timestamp, CustomerId)>,
}

/// An action that was held back.
pub struct Held {
    /// When.
    pub at: Timestamp,
    /// For whom.
    pub customer: CustomerId,
    /// The journey that would have sent it.
    pub journey: Arc<str>,
    /// The reason code.
    pub code: Arc<str>,
}

impl<'a> Replay<'a> {
    /// Starts before all time, with nobody known.
    pub fn new(side: &'a Side, customers_max: NonZeroUsize) -> Self {
        Self {
            summary: Summary::new(&side.bundle),
            left: Vec::new(),
            held: Vec::new(),
            side,
            customers: Customers::new(customers_max),
            learnt: Tallies::default(),
            till: Till::default(),
            timers: BTreeSet::new(),
        }
    }

    /// Handles what was read, in its order.
    ///
    /// # Errors
    ///
    /// The disk fails.
    pub fn take(&mut self, items: &[Item]) -> anyhow::Result<()> {
        for item in items {
            let Ok((customer, cause)) = &item.event else {
                self.summary.undecodable += 1;
                continue;
            };
            self.summary.saw_event(item.now);
            self.advance(item.now)?;
            self.handle(customer, cause)?;
        }
        Ok(())
    }

    /// Fires every timer that is due before a time, and moves the clock there.
    ///
    /// # Errors
    ///
    /// The disk fails.
    pub fn advance(&mut self, to: Timestamp) -> anyhow::Result<()> {
        while let Some((due, customer)) = self.timers.first().filter(|(due, _)| *due < to) {
            let (due, customer) = (*due, customer.clone());
            self.summary.clock = due;
            self.handle(&customer, &Cause::Wake(due))?;
        }
        self.summary.clock = self.summary.clock.max(to);
        Ok(())
    }

    /// Writes everything that a loaded one needs to go on; what has left or was held back must be taken before.
    ///
    /// # Errors
    ///
    /// The writer or the disk fails.
    pub fn save(&self, to: &mut dyn Write) -> anyhow::Result<()> {
        saved::put(to, &self.summary)?;
        saved::put(to, &self.learnt)?;
        saved::put(to, &self.till.ledger())?;
        self.customers.save(to)
    }

    /// Goes on from what was saved.
    ///
    /// # Errors
    ///
    /// What was saved is damaged, or the disk fails.
    pub fn load(&mut self, from: &mut dyn Read) -> anyhow::Result<()> {
        self.summary = saved::get(from)?;
        self.learnt = saved::get(from)?;
        self.till = Till::new(&saved::get(from)?);
        self.timers = self.customers.load(from)?;
        Ok(())
    }

    /// Returns a customer as they are now; somebody nobody has heard of is a new one.
    ///
    /// # Errors
    ///
    /// The disk fails.
    pub fn profile(&mut self, id: &CustomerId) -> anyhow::Result<&Profile> {
        Ok(&self.customers.get(id)?.profile)
    }

    /// Handles one input at the time of the clock.
    fn handle(&mut self, id: &CustomerId, cause: &Cause) -> anyhow::Result<()> {
        let customer = self.customers.get(id)?;
        let moment = Moment {
            now: self.summary.clock,
            at_due: true,
        };
        let Side { bundle, scorer } = self.side;
        let scoring: Scoring<'_> = &|requests| answers(scorer.as_ref(), requests);
        let outside = Outside {
            scoring,
            learnt: &self.learnt,
            purse: &self.till,
        };
        let profile = &mut customer.profile;
        let outcome = handle(bundle, profile, cause, moment, None, outside);
        let (old, due) = (customer.due, customer.profile.next_due());
        customer.due = due;
        if old != due {
            if let Some(old) = old {
                self.timers.remove(&(old, id.clone()));
            }
            if let Some(due) = due {
                self.timers.insert((due, id.clone()));
            }
        }
        self.summary.customers = self.customers.n_known();
        self.learn(id, outcome);
        Ok(())
    }

    fn learn(&mut self, id: &CustomerId, outcome: Outcome) {
        self.summary.learn(&outcome);
        self.till.settle(&outcome.spent);
        for update in &outcome.updates {
            self.learnt.apply(update);
        }
        for fact in &outcome.facts {
            if let Fact::Traced(trace) = fact
                && let What::Blocked(code, _) = &trace.what
            {
                self.held.push(Held {
                    at: trace.at,
                    customer: id.clone(),
                    journey: trace.subject.clone(),
                    code: code.clone(),
                });
            }
        }
        self.left.extend(outcome.actions);
    }
}

#[cfg(test)]
mod tests;
