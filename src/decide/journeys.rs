//! What an event or a wake-up means for journeys: goals, exits, holds, entries.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::eval::eval;
use crate::decide::explain::{all_true, first_not_false, first_not_true};
use crate::decide::heed::after_sleep;
use crate::decide::step::Effects;
use crate::domain::instance::{Instance, Wait};
use crate::domain::{Event, Fact, Profile, Timestamp, Trace, Value, What};
use crate::policy::Bundle;
use crate::policy::journey::{Act, Journey, OnRepeat, Reentry, Step as Node};

/// Lets the journeys hear of an event that the profile has learnt.
pub fn react(bundle: &Bundle, profile: &Profile, event: &Event, now: Timestamp) -> Effects {
    let mut hearing = Hearing {
        bundle,
        profile,
        event,
        now,
        effects: Effects::default(),
    };
    let mut left = Vec::new();
    for run in &profile.journeys {
        let Some(journey) = bundle.journey(&run.journey) else {
            left.push(run.number);
            hearing.leave(run, "journey_removed", true);
            continue;
        };
        if let Some(reason) = hearing.way_out(journey, run) {
            left.push(run.number);
            hearing.leave(run, &reason, journey.remembers());
        } else if hearing.heed(journey, run) {
            left.push(run.number);
        }
    }
    for idx in bundle
        .listens(&event.name)
        .map_or(&[][..], |listens| &listens.journeys)
    {
        hearing.enter(&bundle.journeys[*idx], &left);
    }
    hearing.effects
}

/// One event while the journeys hear of it.
pub struct Hearing<'a> {
    bundle: &'a Bundle,
    profile: &'a Profile,
    /// What happened.
    pub event: &'a Event,
    /// Logical time.
    pub now: Timestamp,
    /// What follows so far.
    pub effects: Effects,
}

impl<'a> Hearing<'a> {
    /// What expressions can see, those of a run or of an entry.
    pub fn env(&self, run: Option<&'a Instance>) -> Env<'a> {
        let env = Env::new(self.bundle, self.profile, self.now);
        let env = Env {
            event: Some(self.event),
            ..env
        };
        run.map_or(env, |run| in_run(env, run))
    }

    /// The goal comes first: an order that also empties the cart is a conversion.
    fn way_out(&self, journey: &Journey, run: &'a Instance) -> Option<Arc<str>> {
        let env = self.env(Some(run));
        if let Some(goal) = &journey.goal
            && goal.event == self.event.name
            && goal
                .within
                .is_none_or(|within| self.now <= run.entered_at + within)
            && all_true(&goal.filter, &env)
        {
            return Some("converted".into());
        }
        let hears = |of: &Option<Arc<str>>| of.as_ref().is_none_or(|of| *of == self.event.name);
        let exit = journey
            .exits
            .iter()
            .find(|exit| hears(&exit.event) && all_true(&exit.when, &env));
        exit.map(|exit| exit.reason.clone())
    }

    fn enter(&mut self, journey: &'a Journey, left: &[u32]) {
        let env = self.env(None);
        let key = match self.admit(journey, &env) {
            Ok(key) => key,
            Err((code, detail)) => return self.refuse(journey, code, detail),
        };
        let running = self.profile.journeys.iter().find(|run| {
            run.journey == journey.name && run.key == key && !left.contains(&run.number)
        });
        if let Some(run) = running {
            return self.repeat(journey, run);
        }
        if let Some(detail) = self.too_early(journey, &key, left) {
            return self.refuse(journey, "REENTRY_GAP", detail);
        }
        if self.profile.journeys.len() + self.n_begun() >= Profile::JOURNEYS_MAX {
            let detail = format!("{0}/{0} runs in progress", Profile::JOURNEYS_MAX);
            return self.refuse(journey, "CONCURRENCY", detail.into());
        }
        self.begin(journey, key);
    }

    /// Returns the key of the run to begin, or why there is none.
    fn admit(
        &self,
        journey: &'a Journey,
        env: &Env<'a>,
    ) -> Result<Arc<str>, (&'static str, Arc<str>)> {
        let enter = &journey.enter;
        if let Some(detail) = first_not_true(&enter.filter, env) {
            return Err(("WHERE", detail));
        }
        if let Some(detail) = first_not_false(&enter.unless, env) {
            return Err(("UNLESS", detail));
        }
        if let Some(max) = enter.max_age
            && self.event.at + max < self.now
        {
            return Err(("TOO_OLD", format!("happened at {}", self.event.at).into()));
        }
        let Some(key) = &enter.key else {
            return Ok("".into());
        };
        let value = eval(&key.root, env);
        let unknown = || {
            (
                "KEY_UNKNOWN",
                Arc::from(format!("{} is unknown {}", key.text, key.place)),
            )
        };
        value.map(|value| as_key(&value)).ok_or_else(unknown)
    }

    fn repeat(&mut self, journey: &'a Journey, run: &'a Instance) {
        match journey.enter.on_repeat {
            OnRepeat::Ignore => {
                self.refuse(journey, "ALREADY_IN", format!("run {}", run.number).into());
            }
            OnRepeat::Restart => {
                self.leave(run, "restarted", false);
                self.begin(journey, run.key.clone());
            }
            OnRepeat::Refresh => {
                let entry = journey.uses_entry.then(|| Box::new(self.event.clone()));
                let fresh = Instance {
                    event: self.event.id.clone(),
                    entry,
                    ..run.clone()
                };
                self.effects
                    .facts
                    .push(Fact::Refreshed(run.number, Box::new(fresh)));
            }
        }
    }

    /// Returns until when the last run of this journey and key keeps another one out.
    fn too_early(&self, journey: &Journey, key: &Arc<str>, left: &[u32]) -> Option<Arc<str>> {
        let gap = match journey.enter.reentry {
            Reentry::Always => return None,
            Reentry::Never => None,
            Reentry::AfterExit(gap) => Some(gap),
        };
        let same = |journey_of: &Arc<str>, key_of| *journey_of == journey.name && key_of == key;
        let just_left = left
            .iter()
            .filter_map(|number| self.profile.run(*number))
            .find(|run| same(&run.journey, &run.key))
            .map(|_| self.now);
        let past = self
            .profile
            .past
            .iter()
            .find(|past| same(&past.journey, &past.key));
        let left_at = just_left.or(past.map(|past| past.left_at))?;
        match gap {
            None => Some("for ever: re-entry is never".into()),
            Some(gap) if self.now < left_at + gap => {
                Some(format!("until {}", left_at + gap).into())
            }
            Some(_) => None,
        }
    }

    /// How many runs this event began; others of `runs` only go on.
    fn n_begun(&self) -> usize {
        let begun = |number: &&u32| **number > self.profile.n_runs;
        self.effects.runs.iter().filter(begun).count()
    }

    fn begin(&mut self, journey: &'a Journey, key: Arc<str>) {
        let n_begun = u32::try_from(self.n_begun()).unwrap_or(u32::MAX);
        let number = self
            .profile
            .n_runs
            .saturating_add(n_begun)
            .saturating_add(1);
        self.effects.runs.push(number);
        let run = Instance {
            number,
            journey: journey.name.clone(),
            key,
            revision: journey.revision,
            entered_at: self.now,
            event: self.event.id.clone(),
            entry: journey.uses_entry.then(|| Box::new(self.event.clone())),
            step: journey
                .flow
                .first()
                .map_or_else(|| "".into(), |step| step.label.clone()),
            wait: None,
            locals: Vec::new(),
        };
        self.effects.facts.push(Fact::Entered(Box::new(run)));
        self.trace(journey.name.clone(), number, "".into(), What::Entered);
    }

    fn refuse(&mut self, journey: &Journey, code: &str, detail: Arc<str>) {
        self.trace(
            journey.name.clone(),
            0,
            "".into(),
            What::Refused(code.into(), detail),
        );
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
        let event = Some(self.event.id.clone());
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
        .journey(&run.journey)
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

fn as_key(value: &Value) -> Arc<str> {
    match value.as_str() {
        Some(text) => text.into(),
        None => value.to_string().into(),
    }
}
