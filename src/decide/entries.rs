//! Entries: who begins a journey, and who does not and why.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::eval::eval;
use crate::decide::explain::{first_not_false, first_not_true};
use crate::decide::journeys::Hearing;
use crate::decide::step::Crossed;
use crate::domain::instance::{self, Instance};
use crate::domain::{Event, EventId, Fact, Profile, Timestamp, Value, What};
use crate::policy::Expr;
use crate::policy::journey::{Journey, OnRepeat, Reentry};
use crate::policy::mode::Mode;

/// What may enter a journey.
#[derive(Clone, Debug)]
pub struct Spark<'a> {
    /// The event that enters, if one does.
    pub event: Option<&'a Event>,
    /// The id of what enters: of the event, the crossing, or the schedule and its time.
    pub id: EventId,
    /// The event that is handled, if one is.
    pub heard: Option<EventId>,
}

impl<'a> Spark<'a> {
    /// Takes the event that is handled.
    pub fn event(event: &'a Event) -> Self {
        Self {
            event: Some(event),
            id: event.id.clone(),
            heard: Some(event.id.clone()),
        }
    }

    /// Takes a crossing, and the event that led to it.
    pub fn crossing(of: Crossed<'a>) -> Self {
        let heard = of.event.map(|event| event.id.clone());
        let own = || EventId::new(&of.crossing.crossing_id);
        Self {
            event: of.event,
            id: heard.clone().unwrap_or_else(own),
            heard,
        }
    }

    /// Takes an event of earlier that nothing came after.
    pub fn absence(after: &'a Event) -> Self {
        Self {
            event: Some(after),
            id: after.id.clone(),
            heard: None,
        }
    }

    /// Takes the time of a schedule.
    pub fn schedule(journey: &str, due: Timestamp) -> Self {
        Self {
            event: None,
            id: EventId::new(&format!("schedule {journey} {due}")),
            heard: None,
        }
    }
}

impl<'a> Hearing<'a> {
    /// Lets a crossing enter; after too many within one input nobody enters, so that two journeys cannot drive each other.
    pub fn enter_unless_spinning(&mut self, journey: &'a Journey, enters: bool) {
        if enters {
            return self.enter(journey);
        }
        let detail = "the segments of one input cross their edges too often";
        self.refuse(journey, "LOOP", detail.into());
    }

    /// Begins a run of a journey, or says why not.
    pub fn enter(&mut self, journey: &'a Journey) {
        let env = self.env(None);
        let key = match self.admit(journey, &env) {
            Ok(key) => key,
            Err((code, detail)) => return self.refuse(journey, code, detail),
        };
        let running = self.profile.journeys.iter().find(|run| {
            let same = run.journey == journey.name && run.key == key && alike(journey, run);
            same && !self.left.contains(&run.number)
        });
        if let Some(run) = running {
            return self.repeat(journey, run);
        }
        if let Some(detail) = self.too_early(journey, &key) {
            return self.refuse(journey, "REENTRY_GAP", detail);
        }
        if let Some(detail) = self.too_many(journey) {
            return self.refuse(journey, "CONCURRENCY", detail);
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
            && let Some(event) = self.spark.event
            && event.at + max < self.now
        {
            return Err(("TOO_OLD", format!("happened at {}", event.at).into()));
        }
        let Some(key) = &enter.key else {
            return Ok("".into());
        };
        key_of(key, env).map_err(|detail| ("KEY_UNKNOWN", detail))
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
                let fresh = Instance {
                    event: self.spark.id.clone(),
                    entry: self.kept(journey),
                    ..run.clone()
                };
                self.effects
                    .facts
                    .push(Fact::Refreshed(run.number, Box::new(fresh)));
            }
        }
    }

    /// Returns until when the last run of this journey and key keeps another one out.
    fn too_early(&self, journey: &Journey, key: &Arc<str>) -> Option<Arc<str>> {
        let gap = match journey.enter.reentry {
            Reentry::Always => return None,
            Reentry::Never => None,
            Reentry::AfterExit(gap) => Some(gap),
        };
        let same = |journey_of: &Arc<str>, key_of| *journey_of == journey.name && key_of == key;
        let just_left = self
            .left
            .iter()
            .filter_map(|number| self.profile.run(*number))
            .find(|run| same(&run.journey, &run.key) && alike(journey, run))
            .map(|_| self.now);
        let past = self
            .profile
            .past
            .iter()
            .find(|past| same(&past.journey, &past.key) && past.shadow == is_shadow(journey));
        let left_at = just_left.or(past.map(|past| past.left_at))?;
        match gap {
            None => Some("for ever: re-entry is never".into()),
            Some(gap) if self.now < left_at + gap => {
                Some(format!("until {}", left_at + gap).into())
            }
            Some(_) => None,
        }
    }

    /// Returns the number of the last run of a journey's kind that began before.
    fn last_number(&self, journey: &Journey) -> u32 {
        if is_shadow(journey) {
            instance::SHADOW | self.profile.n_shadows
        } else {
            self.profile.n_runs
        }
    }

    /// How many runs of a journey's kind this began; others of `runs` only go on.
    fn n_begun(&self, journey: &Journey) -> usize {
        let last = self.last_number(journey);
        let kind = is_shadow(journey);
        let begun = |number: &&u32| **number > last && instance::is_shadow(**number) == kind;
        self.effects.runs.iter().filter(begun).count()
    }

    fn begin(&mut self, journey: &'a Journey, key: Arc<str>) {
        let n_begun = u32::try_from(self.n_begun(journey)).unwrap_or(u32::MAX);
        let number = self
            .last_number(journey)
            .saturating_add(n_begun)
            .saturating_add(1);
        self.effects.runs.push(number);
        let run = Instance {
            number,
            journey: journey.name.clone(),
            key,
            revision: journey.revision,
            entered_at: self.now,
            event: self.spark.id.clone(),
            entry: self.kept(journey),
            step: journey
                .flow
                .first()
                .map_or_else(|| "".into(), |step| step.label.clone()),
            wait: None,
            locals: Vec::new(),
        };
        self.effects.facts.push(Fact::Entered(Box::new(run)));
        self.trace(journey.name.clone(), number, "".into(), What::Entered);
        if is_held_out(self.profile, journey) {
            let detail = "walks the journey and gets nothing, for comparison";
            let what = What::Blocked("HOLDOUT".into(), detail.into());
            self.trace(journey.name.clone(), number, "".into(), what);
        }
    }

    /// Returns the event to keep with a run, if the journey looks at it.
    fn kept(&self, journey: &Journey) -> Option<Box<Event>> {
        let event = self.spark.event.filter(|_| journey.uses_entry)?;
        Some(Box::new(event.clone()))
    }

    /// Says how many runs keep another one out, if they do.
    fn too_many(&self, journey: &Journey) -> Option<Arc<str>> {
        let running = |run: &&Instance| alike(journey, run) && !self.left.contains(&run.number);
        let all = self.profile.journeys.iter().filter(running);
        let n_own = all
            .clone()
            .filter(|run| run.journey == journey.name)
            .count();
        let n_all = all.count() + self.n_begun(journey);
        if let Some(n_max) = journey.enter.concurrent
            && n_own >= n_max as usize
        {
            return Some(format!("{n_own}/{n_max} runs of this journey in progress").into());
        }
        let n_max = Profile::JOURNEYS_MAX;
        (n_all >= n_max).then(|| format!("{n_all}/{n_max} runs in progress").into())
    }

    /// Says why nobody enters.
    pub fn refuse(&mut self, journey: &Journey, code: &str, detail: Arc<str>) {
        let number = if is_shadow(journey) {
            instance::SHADOW
        } else {
            0
        };
        self.trace(
            journey.name.clone(),
            number,
            "".into(),
            What::Refused(code.into(), detail),
        );
    }
}

/// Tells if runs of a journey begin as shadows.
fn is_shadow(journey: &Journey) -> bool {
    journey.mode == Mode::Shadow
}

/// Tells if a run is as those that the journey begins: shadows and others are not in each other's way.
fn alike(journey: &Journey, run: &Instance) -> bool {
    run.is_shadow() == is_shadow(journey)
}

/// Returns the key of a run, or why there is none.
pub fn key_of(key: &Expr, env: &Env<'_>) -> Result<Arc<str>, Arc<str>> {
    let value = eval(&key.root, env);
    let unknown = || Arc::from(format!("{} is unknown {}", key.text, key.place));
    value.map(|value| as_key(&value)).ok_or_else(unknown)
}

fn as_key(value: &Value) -> Arc<str> {
    match value.as_str() {
        Some(text) => text.into(),
        None => value.to_string().into(),
    }
}

/// Tells if a customer is of the sticky share that walks the journey and gets nothing.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share needs no more than 52 bits"
)]
fn is_held_out(profile: &Profile, journey: &Journey) -> bool {
    let key = format!("{}\u{0}{}\u{0}holdout", profile.id, journey.name);
    let draw = (xxhash_rust::xxh3::xxh3_64(key.as_bytes()) >> 11) as f64 / (1_u64 << 53) as f64;
    draw < journey.holdout
}
