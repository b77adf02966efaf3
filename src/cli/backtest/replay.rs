//! The virtual clock: events at their own times, and every timer at the time it is due.

use std::collections::BTreeSet;
use std::io::Write;
use std::num::NonZeroUsize;

use anyhow::Context;
use serde::Serialize;

use crate::cli::backtest::customers::Customers;
use crate::cli::backtest::feed::Item;
use crate::cli::backtest::summary::Summary;
use crate::decide::drive::{Moment, Scoring};
use crate::decide::{Cause, Request, Scores, handle};
use crate::domain::segment::Decoded;
use crate::domain::{Action, Cell, CustomerId, EventId, Map, Timestamp};
use crate::policy::Bundle;
use crate::scoring::Scorer;

/// A backtest under way.
pub struct Replay<'a> {
    /// What has happened so far.
    pub summary: Summary,
    bundle: &'a Bundle,
    scorer: &'a dyn Scorer,
    customers: Customers,
    /// Who wants to be woken, the earliest first; equal times by customer.
    timers: BTreeSet<(Timestamp, CustomerId)>,
    out: &'a mut dyn Write,
}

/// An action as it is written: one line of JSON.
#[derive(Serialize)]
struct Fired<'a> {
    at: String,
    action_id: &'a str,
    customer: &'a CustomerId,
    journey: &'a str,
    instance: u32,
    key: &'a str,
    step: &'a str,
    channel: &'a str,
    template: &'a str,
    data: &'a Map,
    event_id: &'a EventId,
}

impl<'a> Replay<'a> {
    /// Starts before all time, with nobody known.
    ///
    /// - `out`: gets a line of JSON an action.
    pub fn new(
        bundle: &'a Bundle,
        scorer: &'a dyn Scorer,
        customers_max: NonZeroUsize,
        out: &'a mut dyn Write,
    ) -> Self {
        Self {
            summary: Summary::new(bundle),
            bundle,
            scorer,
            customers: Customers::new(customers_max),
            timers: BTreeSet::new(),
            out,
        }
    }

    /// Handles one item; returns what is wrong with it, if something is.
    ///
    /// # Errors
    ///
    /// An action cannot be written, or the disk fails.
    pub fn item(&mut self, item: Item) -> anyhow::Result<Result<(), String>> {
        match item.event {
            Ok(decoded) => self.event(item.now, decoded).map(Ok),
            Err(why) => {
                self.summary.undecodable += 1;
                Ok(Err(why))
            }
        }
    }

    /// Fires every timer that is due before a time, and moves the clock there.
    ///
    /// # Errors
    ///
    /// An action cannot be written, or the disk fails.
    pub fn advance(&mut self, to: Timestamp) -> anyhow::Result<()> {
        while let Some((due, customer)) = self.first_due(to) {
            self.summary.clock = due;
            self.handle(&customer, &Cause::Wake(due))?;
        }
        self.summary.clock = self.summary.clock.max(to);
        Ok(())
    }

    /// Flushes what was written and returns what was counted.
    ///
    /// # Errors
    ///
    /// The last actions cannot be written.
    pub fn end(self) -> anyhow::Result<Summary> {
        self.out.flush().context("cannot write the last actions")?;
        Ok(self.summary)
    }

    fn first_due(&self, before: Timestamp) -> Option<(Timestamp, CustomerId)> {
        self.timers
            .first()
            .filter(|(due, _)| *due < before)
            .cloned()
    }

    fn event(&mut self, now: Timestamp, decoded: Decoded) -> anyhow::Result<()> {
        self.summary.saw_event(now);
        self.advance(now)?;
        self.handle(&decoded.customer, &Cause::Event(decoded.event))
    }

    /// Handles one input at the time of the clock.
    fn handle(&mut self, id: &CustomerId, cause: &Cause) -> anyhow::Result<()> {
        let customer = self.customers.get(id)?;
        let moment = Moment {
            now: self.summary.clock,
            at_due: true,
        };
        let scoring: Scoring<'_> = &|requests| score(self.scorer, requests);
        let outcome = handle(
            self.bundle,
            &mut customer.profile,
            cause,
            moment,
            None,
            scoring,
        );
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
        self.summary.learn(&outcome);
        for action in &outcome.actions {
            write(self.out, action).context("cannot write an action")?;
        }
        Ok(())
    }
}

/// Runs every requested model over its rows.
fn score(scorer: &dyn Scorer, requests: &[Request]) -> Scores {
    let run = |request: &Request| {
        let rows: Vec<&[Cell]> = request.rows.iter().map(Vec::as_slice).collect();
        (
            request.model.clone(),
            scorer.score_batch(&request.model, &rows),
        )
    };
    requests.iter().map(run).collect()
}

fn write(out: &mut dyn Write, action: &Action) -> std::io::Result<()> {
    let fired = Fired {
        at: action.decided_at.to_string(),
        action_id: &action.action_id,
        customer: &action.customer,
        journey: &action.journey,
        instance: action.instance,
        key: &action.key,
        step: &action.step,
        channel: &action.channel,
        template: &action.template,
        data: &action.data,
        event_id: &action.event_id,
    };
    serde_json::to_writer(&mut *out, &fired)?;
    out.write_all(b"\n")
}
