//! Entries: who begins a journey, and who does not and why.

use std::sync::Arc;

use crate::decide::admission::Candidate;
use crate::decide::draw::is_held_out;
use crate::decide::journeys::Hearing;
use crate::decide::step::Crossed;
use crate::domain::instance::Instance;
use crate::domain::{Event, EventId, Fact, Timestamp, What};
use crate::policy::journey::{Journey, OnRepeat};
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
        match self.admit(journey) {
            Ok(Candidate {
                running: Some(run), ..
            }) => self.repeat(journey, run),
            Ok(Candidate { key, .. }) => self.begin(journey, key),
            Err((code, detail)) => self.refuse(journey, code, detail),
        }
    }

    fn repeat(&mut self, journey: &'a Journey, run: &'a Instance) {
        match journey.enter.on_repeat {
            // Nobody is admitted who is in already.
            OnRepeat::Ignore => {}
            OnRepeat::Restart => {
                self.leave(run, "restarted", false);
                self.begin(journey, run.key.clone());
            }
            OnRepeat::Refresh => {
                let own = self.bundle.journey_of(run).unwrap_or(journey);
                let fresh = Instance {
                    event: self.spark.id.clone(),
                    entry: self.kept(own),
                    ..run.clone()
                };
                self.effects
                    .facts
                    .push(Fact::Refreshed(run.number, Box::new(fresh)));
            }
        }
    }

    /// Returns the number of the last run that began before.
    fn last_number(&self, mode: Mode) -> u32 {
        let n_begun = match mode {
            Mode::Live => self.profile.n_runs,
            Mode::Shadow => self.profile.n_shadows,
        };
        mode.first() + n_begun
    }

    /// How many runs this began; others of `runs` only go on.
    pub fn n_begun(&self, mode: Mode) -> usize {
        let last = self.last_number(mode);
        let begun = |number: &&u32| **number > last && Mode::of(**number) == mode;
        self.effects.runs.iter().filter(begun).count()
    }

    fn begin(&mut self, journey: &'a Journey, key: Arc<str>) {
        let n_begun = u32::try_from(self.n_begun(journey.mode)).unwrap_or(u32::MAX);
        let number = self
            .last_number(journey.mode)
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

    /// Says why nobody enters.
    pub fn refuse(&mut self, journey: &Journey, code: &str, detail: Arc<str>) {
        self.trace(
            journey.name.clone(),
            journey.mode.first(),
            "".into(),
            What::Refused(code.into(), detail),
        );
    }
}
