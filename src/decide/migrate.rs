//! Runs of earlier revisions that the live one takes over.

use std::sync::Arc;

use crate::decide::step::Effects;
use crate::domain::instance::{Instance, Wait};
use crate::domain::{Fact, Profile, Timestamp, Trace, What};
use crate::policy::Bundle;
use crate::policy::journey::{Act, Journey, Step as Node};
use crate::policy::migration::Landing;

/// Returns when runs are moved; `None`: none is to be.
///
/// - `at_due`: on a virtual clock time goes on only as far as the first sleep that is over.
pub fn time(bundle: &Bundle, profile: &Profile, at_due: bool, now: Timestamp) -> Option<Timestamp> {
    let mut runs = profile.journeys.iter();
    if runs.all(|run| bundle.landing(run).is_none()) {
        return None;
    }
    let due = profile.first_timer().map(|(due, _)| due);
    let first = due.filter(|_| at_due).unwrap_or(now);
    Some(first.min(now).max(profile.now))
}

/// Moves the runs that the live policies take over; the rest stays on its revision.
pub fn migrate(bundle: &Bundle, profile: &Profile, now: Timestamp) -> Effects {
    let mut effects = Effects::default();
    for run in &profile.journeys {
        match bundle.landing(run) {
            None => {}
            Some(Landing::At(journey, step)) => land(&mut effects, run, journey, step, now),
            Some(Landing::Exit) => {
                let remember = bundle.journey_of(run).is_none_or(Journey::remembers);
                let reason: Arc<str> = "migrated".into();
                let left = Fact::Left(run.number, now, reason.clone(), remember);
                effects.facts.push(left);
                effects.facts.push(trace(run, now, What::Left(reason)));
            }
        }
    }
    effects
}

/// A sleep goes on to its end if the step sleeps, too; else the run goes on at once.
fn land(effects: &mut Effects, run: &Instance, journey: &Journey, step: &Node, now: Timestamp) {
    let from = run.step.clone();
    effects
        .facts
        .push(Fact::Migrated(run.number, journey.revision));
    let sleeps = match step.act {
        Act::Wait(_) | Act::HoldUntil { .. } | Act::WaitFor { .. } | Act::Send(_) => true,
        Act::Score { .. }
        | Act::Branch { .. }
        | Act::Offer { .. }
        | Act::Split { .. }
        | Act::Set(_)
        | Act::Stop { .. } => false,
    };
    // The arms that were met are those of the other revision.
    let wait = run.wait.filter(|_| sleeps);
    let wait = wait.map(|wait| Wait { met: None, ..wait });
    let moved = Fact::Moved(run.number, step.label.clone(), wait);
    effects.facts.push(moved);
    let line = Trace {
        step: step.label.clone(),
        ..trace_of(run, now, What::Migrated(from))
    };
    effects.facts.push(Fact::Traced(line));
    if wait.is_none() {
        effects.runs.push(run.number);
    }
}

fn trace(run: &Instance, now: Timestamp, what: What) -> Fact {
    Fact::Traced(trace_of(run, now, what))
}

fn trace_of(run: &Instance, now: Timestamp, what: What) -> Trace {
    Trace {
        at: now,
        event: None,
        subject: run.journey.clone(),
        instance: run.number,
        step: run.step.clone(),
        what,
        times: 1,
    }
}
