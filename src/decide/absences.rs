//! Absences: what has not happened for long enough lets a customer enter a journey.

use crate::decide::admission::key_of;
use crate::decide::entries::Spark;
use crate::decide::explain::all_true;
use crate::decide::journeys::Hearing;
use crate::decide::schedule;
use crate::decide::step::Effects;
use crate::domain::timer::{Armed, Timer};
use crate::domain::{Event, Fact, Profile, Timestamp};
use crate::policy::Bundle;
use crate::policy::journey::{Absence, Journey, On};
use crate::policy::mode::Mode;

impl<'a> Hearing<'a> {
    /// Ends the waits that an event ends, and begins the one that it begins.
    pub fn wait_for_absence(&mut self, journey: &'a Journey, event: &'a Event) {
        let On::Absence(absence) = &journey.enter.on else {
            return;
        };
        let ended = self.ended(journey, absence, event);
        for timer in &ended {
            self.effects.facts.push(Fact::Armed(timer.clone(), None));
            // Of a silence that begins anew there is nothing to say.
            if absence.after.event != event.name {
                let detail = format!("{} came in time", event.name);
                self.refuse(journey, "HAPPENED", detail.into());
            }
        }
        if absence.after.event == event.name && all_true(&absence.after.filter, &self.env(None)) {
            self.begin_wait(journey, absence, event, &ended);
        }
    }

    /// Returns the waits that an event ends; its conditions can compare it with what they count from.
    fn ended(&self, journey: &Journey, absence: &Absence, event: &Event) -> Vec<Timer> {
        if absence.event.event != event.name {
            return Vec::new();
        }
        let ends = |armed: &'a Armed| {
            let entry = armed.event.as_deref();
            let env = crate::decide::Env {
                entry,
                ..self.env(None)
            };
            all_true(&absence.event.filter, &env)
        };
        let waits = self.profile.timers.iter();
        waits
            .filter(|(timer, armed)| is_of(timer, journey) && ends(armed))
            .map(|(timer, _)| timer.clone())
            .collect()
    }

    fn begin_wait(
        &mut self,
        journey: &'a Journey,
        absence: &Absence,
        event: &Event,
        ended: &[Timer],
    ) {
        let key = journey.enter.key.as_ref();
        let key = match key.map_or(Ok("".into()), |key| key_of(key, &self.env(None))) {
            Ok(key) => key,
            Err(detail) => return self.refuse(journey, "KEY_UNKNOWN", detail),
        };
        let timer = Timer::Absence(journey.name.clone(), key);
        if self.profile.timers.contains_key(&timer) && !ended.contains(&timer) {
            return;
        }
        let waits = self.profile.timers.keys();
        let n_waits = waits
            .filter(|timer| self.counts_with(timer, journey))
            .count();
        if n_waits >= Profile::TIMERS_MAX {
            let detail = format!("{n_waits}/{} timers", Profile::TIMERS_MAX);
            return self.refuse(journey, "CONCURRENCY", detail.into());
        }
        if let Some(detail) = self.no_room(journey, event, None) {
            return self.refuse(journey, "CONCURRENCY", detail);
        }
        let armed = Armed {
            due: self.now + absence.length,
            event: Some(Box::new(event.clone())),
        };
        self.effects
            .facts
            .push(Fact::Armed(timer, Some(Box::new(armed))));
    }

    /// Tells if a timer takes a place from a journey: timers of shadows take theirs from shadows only.
    fn counts_with(&self, timer: &Timer, journey: &Journey) -> bool {
        let of = match timer {
            Timer::Absence(name, _) | Timer::Schedule(name) => self.bundle.journey(name),
            Timer::Edge(_) | Timer::Run(_) => None,
        };
        of.map_or(Mode::Live, |of| of.mode) == journey.mode
    }
}

fn is_of(timer: &Timer, journey: &Journey) -> bool {
    match timer {
        Timer::Absence(of, _) => *of == journey.name,
        Timer::Edge(_) | Timer::Schedule(_) | Timer::Run(_) => false,
    }
}

/// Ends the wait for something that has not happened, or lets the time of a schedule come.
pub fn fire(bundle: &Bundle, profile: &Profile, timer: &Timer, now: Timestamp) -> Effects {
    let name = match timer {
        Timer::Absence(name, _) | Timer::Schedule(name) => Some(name),
        Timer::Edge(_) | Timer::Run(_) => None,
    };
    let journey = name.and_then(|name| bundle.journey(name));
    let armed = profile.timers.get(timer);
    let mut effects = Effects::default();
    // A shadow does not move the clock of others.
    if journey.is_none_or(|journey| journey.mode == Mode::Live) {
        effects.facts.push(Fact::Now(now));
    }
    let next = journey.and_then(schedule::of).zip(journey);
    let next =
        next.map(|(schedule, journey)| schedule::arm(bundle, profile, journey, schedule, now));
    let over = Fact::Armed(timer.clone(), None);
    effects
        .facts
        .push(next.filter(|_| armed.is_some()).unwrap_or(over));
    let Some((journey, armed)) = journey.zip(armed) else {
        return effects;
    };
    let spark = match (&journey.enter.on, armed.event.as_deref()) {
        (On::Absence(_), Some(after)) => Spark::absence(after),
        (On::Schedule(_), _) => Spark::schedule(&journey.name, armed.due),
        (On::Event(_) | On::Crossing(..) | On::Absence(_), _) => return effects,
    };
    let mut hearing = Hearing::new(bundle, profile, now, spark);
    hearing.effects = effects;
    hearing.enter(journey);
    hearing.effects
}
