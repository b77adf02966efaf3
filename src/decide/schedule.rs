//! Schedules: when the clock lets a customer enter a journey.

use crate::domain::timer::{Armed, Timer};
use crate::domain::{Fact, Profile, Timestamp, Zone};
use crate::policy::Bundle;
use crate::policy::journey::{Journey, On, Schedule};

/// Sets the timers of all schedules that concern a customer.
pub fn all(bundle: &Bundle, profile: &Profile, now: Timestamp) -> Vec<Fact> {
    let schedules = bundle.listeners.schedules.iter();
    let journeys = schedules.map(|idx| &bundle.journeys[*idx]);
    journeys
        .filter_map(|journey| {
            let schedule = of(journey)?;
            let members = schedule.members.as_ref();
            let concerned = members.is_none_or(|members| profile.segments.contains_key(members));
            concerned.then(|| arm(bundle, profile, journey, schedule, now))
        })
        .collect()
}

/// Returns the schedule of a journey, if it has one.
pub fn of(journey: &Journey) -> Option<&Schedule> {
    match &journey.enter.on {
        On::Schedule(schedule) => Some(schedule),
        On::Event(_) | On::Crossing(..) | On::Absence(_) => None,
    }
}

/// Sets the timer of a schedule to its next time after now; what was missed is not made up for.
pub fn arm(
    bundle: &Bundle,
    profile: &Profile,
    journey: &Journey,
    schedule: &Schedule,
    now: Timestamp,
) -> Fact {
    let own = || Zone::of(profile, &bundle.zone).zone;
    let zone = schedule.zone.clone().unwrap_or_else(own);
    let due = schedule.cron.next(now, &zone);
    let armed = due.map(|due| Box::new(Armed { due, event: None }));
    Fact::Armed(Timer::Schedule(journey.name.clone()), armed)
}

/// Ends the timer of a schedule.
pub fn disarm(journey: &Journey) -> Fact {
    Fact::Armed(Timer::Schedule(journey.name.clone()), None)
}
