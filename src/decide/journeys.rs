//! What an event or a wake-up means for journeys: goals, exits, holds; entries are in [`crate::decide::entries`].

use std::sync::Arc;

use crate::decide::entries::Spark;
use crate::decide::env::Env;
use crate::decide::explain::all_true;
use crate::decide::schedule;
use crate::decide::step::{Crossed, Effects};
use crate::domain::crossing::Way;
use crate::domain::instance::{Instance, Wait};
use crate::domain::{Crossing, Event, Fact, Profile, Timestamp, Trace, What};
use crate::policy::Bundle;
use crate::policy::journey::{Act, Journey, On, Reentry, Step as Node, Trigger};

/// Lets the journeys hear of an event that the profile has learnt.
pub fn react(bundle: &Bundle, profile: &Profile, event: &Event, now: Timestamp) -> Effects {
    let mut hearing = Hearing::new(bundle, profile, now, Spark::event(event));
    for run in &profile.journeys {
        hearing.event(event, run);
    }
    let Some(listens) = bundle.listens(&event.name) else {
        return hearing.effects;
    };
    for idx in &listens.journeys {
        hearing.enter(&bundle.journeys[*idx]);
    }
    for idx in &listens.absences {
        hearing.wait_for_absence(&bundle.journeys[*idx], event);
    }
    hearing.effects
}

/// Lets the journeys hear that the customer crossed the edge of a segment.
pub fn crossed(bundle: &Bundle, profile: &Profile, of: Crossed<'_>, now: Timestamp) -> Effects {
    let mut hearing = Hearing::new(bundle, profile, now, Spark::crossing(of));
    for run in &profile.journeys {
        let journey = bundle.journey(&run.journey);
        let out = journey.and_then(|journey| {
            let reason = standing_exit(bundle, profile, journey, run, now)?;
            Some((reason, journey.enter.reentry != Reentry::Always))
        });
        if let Some((reason, remember)) = out {
            hearing.go(run, &reason, remember);
        }
    }
    let Crossing { segment, way, .. } = of.crossing;
    let concerned = bundle.listeners.by_segment.get(segment);
    for idx in concerned.map_or(&[][..], Vec::as_slice) {
        let journey = &bundle.journeys[*idx];
        match &journey.enter.on {
            On::Crossing(_, on) if on == way => hearing.enter_unless_spinning(journey, of.enters),
            On::Schedule(schedule) => {
                let fact = match way {
                    Way::Entered => schedule::arm(bundle, profile, journey, schedule, now),
                    Way::Exited => schedule::disarm(journey),
                };
                hearing.effects.facts.push(fact);
            }
            On::Event(_) | On::Crossing(..) | On::Absence(_) => {}
        }
    }
    hearing.effects
}

/// One thing that the journeys hear of.
pub struct Hearing<'a> {
    /// The live policies.
    pub bundle: &'a Bundle,
    /// The customer.
    pub profile: &'a Profile,
    /// Logical time.
    pub now: Timestamp,
    /// What it is.
    pub spark: Spark<'a>,
    /// The runs that ended because of it.
    pub left: Vec<u32>,
    /// What follows so far.
    pub effects: Effects,
}

impl<'a> Hearing<'a> {
    /// Begins to hear of something.
    pub fn new(bundle: &'a Bundle, profile: &'a Profile, now: Timestamp, spark: Spark<'a>) -> Self {
        Self {
            bundle,
            profile,
            now,
            spark,
            left: Vec::new(),
            effects: Effects::default(),
        }
    }

    /// Returns what an expression can see.
    pub fn env(&self, run: Option<&'a Instance>) -> Env<'a> {
        let env = Env::new(self.bundle, self.profile, self.now);
        let env = Env {
            event: self.spark.event,
            ..env
        };
        run.map_or(env, |run| in_run(env, run))
    }

    /// Lets a run hear of an event.
    fn event(&mut self, event: &Event, run: &'a Instance) {
        let Some(journey) = self.bundle.journey(&run.journey) else {
            return self.go(run, "journey_removed", true);
        };
        if let Some(reason) = self.way_out(event, journey, run) {
            self.go(run, &reason, journey.enter.reentry != Reentry::Always);
        } else {
            self.hold(event, journey, run);
        }
    }

    /// Ends a run; it is in nobody's way any more.
    fn go(&mut self, run: &Instance, reason: &str, remember: bool) {
        self.left.push(run.number);
        self.leave(run, reason, remember);
    }

    /// The goal comes first: an order that also empties the cart is a conversion.
    fn way_out(&self, event: &Event, journey: &Journey, run: &'a Instance) -> Option<Arc<str>> {
        let env = self.env(Some(run));
        if let Some(goal) = &journey.goal
            && goal.event == event.name
            && goal
                .within
                .is_none_or(|within| self.now <= run.entered_at + within)
            && all_true(&goal.filter, &env)
        {
            return Some("converted".into());
        }
        let hears = |of: &Option<Arc<str>>| of.as_ref().is_none_or(|of| *of == event.name);
        let exit = journey
            .exits
            .iter()
            .find(|exit| hears(&exit.event) && all_true(&exit.when, &env));
        exit.map(|exit| exit.reason.clone())
    }

    /// Restarts the silence of a hold that this event breaks.
    fn hold(&mut self, event: &Event, journey: &'a Journey, run: &'a Instance) {
        let Some(Node {
            act: Act::HoldUntil { quiet, of, max },
            ..
        }) = at_step(journey, &run.step)
        else {
            return;
        };
        let Some(wait) = run.wait else { return };
        let env = self.env(Some(run));
        let breaks = |of: &Trigger| of.event == event.name && all_true(&of.filter, &env);
        if !of.iter().any(breaks) {
            return;
        }
        let latest = max.map_or(Timestamp::MAX, |max| wait.since + max);
        let due = (self.now + *quiet).min(latest);
        if due != wait.due {
            let wait = Some(Wait { due, ..wait });
            self.effects
                .facts
                .push(Fact::Moved(run.number, run.step.clone(), wait));
        }
    }

    /// Ends a run.
    pub fn leave(&mut self, run: &Instance, reason: &str, remember: bool) {
        let reason: Arc<str> = reason.into();
        self.effects
            .facts
            .push(Fact::Left(run.number, self.now, reason.clone(), remember));
        self.trace(
            run.journey.clone(),
            run.number,
            run.step.clone(),
            What::Left(reason),
        );
    }

    /// Writes a line of the timeline.
    pub fn trace(&mut self, subject: Arc<str>, instance: u32, step: Arc<str>, what: What) {
        let event = self.spark.heard.clone();
        let trace = Trace {
            at: self.now,
            event,
            subject,
            instance,
            step,
            what,
            times: 1,
        };
        self.effects.facts.push(Fact::Traced(trace));
    }
}

/// Ends the sleep of a run: it leaves by an exit that holds, or goes on.
pub fn wake(bundle: &Bundle, profile: &Profile, number: u32, now: Timestamp) -> Effects {
    let mut effects = Effects::default();
    effects.facts.push(Fact::Now(now));
    let Some(run) = profile.run(number) else {
        return effects;
    };
    let trace = |what| {
        let (subject, step) = (run.journey.clone(), run.step.clone());
        let trace = Trace {
            at: now,
            event: None,
            subject,
            instance: number,
            step,
            what,
            times: 1,
        };
        Fact::Traced(trace)
    };
    let next = match next_of(bundle, profile, run, now) {
        Ok(next) => next,
        Err((reason, remember)) => {
            effects
                .facts
                .push(Fact::Left(number, now, reason.clone(), remember));
            effects.facts.push(trace(What::Left(reason)));
            return effects;
        }
    };
    effects.facts.push(Fact::Moved(number, next, None));
    effects.facts.push(trace(What::Woke));
    effects.runs.push(number);
    effects
}

/// Returns the label of the step after the sleep, or why the run ends here and whether to remember it.
fn next_of(
    bundle: &Bundle,
    profile: &Profile,
    run: &Instance,
    now: Timestamp,
) -> Result<Arc<str>, (Arc<str>, bool)> {
    let journey = bundle
        .journey(&run.journey)
        .ok_or((Arc::from("journey_removed"), true))?;
    let remember = journey.enter.reentry != Reentry::Always;
    if let Some(reason) = standing_exit(bundle, profile, journey, run, now) {
        return Err((reason, remember));
    }
    let step = at_step(journey, &run.step).ok_or((Arc::from("step_removed"), remember))?;
    let next = step.next.ok_or((Arc::from("completed"), remember))?;
    Ok(journey.flow[next].label.clone())
}

/// Returns the reason of an exit that holds without any event.
pub fn standing_exit(
    bundle: &Bundle,
    profile: &Profile,
    journey: &Journey,
    run: &Instance,
    now: Timestamp,
) -> Option<Arc<str>> {
    let env = in_run(Env::new(bundle, profile, now), run);
    let mut standing = journey.exits.iter().filter(|exit| exit.event.is_none());
    standing
        .find(|exit| all_true(&exit.when, &env))
        .map(|exit| exit.reason.clone())
}

/// Adds what a run remembers to what an expression can see.
pub fn in_run<'a>(env: Env<'a>, run: &'a Instance) -> Env<'a> {
    Env {
        entry: run.entry.as_deref(),
        locals: &run.locals,
        ..env
    }
}

/// Returns the step of this label.
pub fn at_step<'a>(journey: &'a Journey, label: &str) -> Option<&'a Node> {
    journey
        .flow
        .iter()
        .find(|step| step.label.as_ref() == label)
}
