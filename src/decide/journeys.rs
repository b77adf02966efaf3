//! What an event or a wake-up means for journeys: goals, exits, holds; entries are in [`crate::decide::entries`].

use std::sync::Arc;

use crate::decide::entries::Spark;
use crate::decide::env::Env;
use crate::decide::explain::all_true;
use crate::decide::heed::after_sleep;
use crate::decide::schedule;
use crate::decide::step::{Crossed, Effects};
use crate::domain::crossing::Way as Direction;
use crate::domain::instance::{Instance, Wait};
use crate::domain::{Crossing, Event, Fact, Profile, Timestamp, Trace, What};
use crate::policy::Bundle;
use crate::policy::journey::{Act, Journey, On, Step as Node};

/// Lets the journeys hear of an event that the profile has learnt.
pub fn react(bundle: &Bundle, profile: &Profile, event: &Event, now: Timestamp) -> Effects {
    let mut hearing = Hearing::new(bundle, profile, now, Spark::event(event));
    hearing.runs(event);
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
    // What only shadows ask for is no moment for others.
    let segment = bundle.segment(&of.crossing.segment);
    let for_shadows = segment.is_some_and(|(_, segment)| segment.for_shadows);
    let runs = profile.journeys.iter();
    for run in runs.filter(|run| !for_shadows || run.is_shadow()) {
        let journey = bundle.journey_of(run);
        let out = journey.and_then(|journey| {
            let reason = standing_exit(bundle, profile, journey, run, now)?;
            Some((reason, journey.remembers()))
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
                    Direction::Entered => schedule::arm(bundle, profile, journey, schedule, now),
                    Direction::Exited => schedule::disarm(journey),
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

    /// Lets every run hear of an event.
    pub fn runs(&mut self, event: &Event) {
        let profile = self.profile;
        for run in &profile.journeys {
            self.event(event, run);
        }
    }

    /// Lets a run hear of an event.
    fn event(&mut self, event: &Event, run: &'a Instance) {
        let Some(journey) = self.bundle.journey_of(run) else {
            return self.go(run, "journey_removed", true);
        };
        if let Some(reason) = self.way_out(event, journey, run) {
            self.go(run, &reason, journey.remembers());
        } else if self.heed(event, journey, run) {
            self.left.push(run.number);
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
    let Some(run) = profile.run(number) else {
        return effects;
    };
    // A shadow does not move the clock of others.
    if !run.is_shadow() {
        effects.facts.push(Fact::Now(now));
    }
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
        Err((took, reason, remember)) => {
            effects.facts.extend(took.map(trace));
            effects
                .facts
                .push(Fact::Left(number, now, reason.clone(), remember));
            effects.facts.push(trace(What::Left(reason)));
            return effects;
        }
    };
    let (label, took) = next;
    // A send that was held keeps its sleep as a note of since when, and is not due any more.
    let due = Timestamp::MAX;
    let held = run.wait.filter(|_| label == run.step);
    let held = held.map(|wait| Wait { due, ..wait });
    effects.facts.push(Fact::Moved(number, label, held));
    effects.facts.push(trace(What::Woke));
    effects.facts.extend(took.map(trace));
    effects.runs.push(number);
    effects
}

/// Where a run goes: the step's label and the arm that leads there; or the arm, why the run ends, and whether to remember it.
type Way = Result<(Arc<str>, Option<What>), (Option<What>, Arc<str>, bool)>;

/// Returns where a run goes whose sleep is over; a send that was held is tried again.
fn next_of(bundle: &Bundle, profile: &Profile, run: &Instance, now: Timestamp) -> Way {
    let journey = bundle
        .journey_of(run)
        .ok_or((None, Arc::from("journey_removed"), true))?;
    let remember = journey.remembers();
    if let Some(reason) = standing_exit(bundle, profile, journey, run, now) {
        return Err((None, reason, remember));
    }
    let step = at_step(journey, &run.step).ok_or((None, Arc::from("step_removed"), remember))?;
    if let Act::Send(_) = step.act {
        return Ok((step.label.clone(), None));
    }
    match after_sleep(step, run.wait) {
        (Some(next), took) => Ok((journey.flow[next].label.clone(), took)),
        (None, took) => Err((took, "completed".into(), remember)),
    }
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
