//! A customer's events once more through the core: what was known and decided at a time, and on what grounds.

use crate::decide::drive::{Moment, learn};
use crate::decide::outside::{Outside, Scoring};
use crate::decide::why::{Account, why};
use crate::decide::{Cause, handle};
use crate::domain::{Duration, Event, Profile, Timestamp};
use crate::policy::Bundle;
use crate::policy::journey::Journey;

/// A customer on the way; events come in the order in which they were handled.
pub struct Course<'a> {
    bundle: &'a Bundle,
    scoring: Scoring<'a>,
    profile: Profile,
}

impl<'a> Course<'a> {
    /// Begins with a customer before the first event.
    pub fn of(bundle: &'a Bundle, profile: Profile, scoring: Scoring<'a>) -> Self {
        Self {
            bundle,
            scoring,
            profile,
        }
    }

    /// Handles an event, with everything that was due before it.
    pub fn event(&mut self, event: Event, now: Timestamp) {
        self.handle(&Cause::Event(event), now);
    }

    /// Lets time go on to the end, and gives the customer.
    pub fn end(mut self, at: Timestamp) -> Profile {
        // What is due at this very time may still be prevented.
        self.handle(&Cause::Wake(at - Duration::from_millis(1)), at);
        self.profile
    }

    fn handle(&mut self, cause: &Cause, now: Timestamp) {
        let moment = Moment { now, at_due: true };
        let outside = Outside::of(self.scoring);
        handle(self.bundle, &mut self.profile, cause, moment, None, outside);
    }
}

/// A course that looks at one journey.
pub struct Replay<'a> {
    course: Course<'a>,
    journey: &'a Journey,
    heard: Option<Heard>,
}

/// What a replay came to.
pub struct Replayed {
    /// The customer at the time.
    pub profile: Profile,
    /// How the customer and the journey stood then; the entry is that of the last event that could enter.
    pub account: Account,
    /// That event, and when it was handled.
    pub event: Option<(Event, Timestamp)>,
}

/// The last event that could enter, and the customer who had learnt it.
struct Heard {
    profile: Profile,
    event: Event,
    now: Timestamp,
}

impl<'a> Replay<'a> {
    /// Looks at a journey on a course that has not begun.
    pub fn of(course: Course<'a>, journey: &'a Journey) -> Self {
        Self {
            course,
            journey,
            heard: None,
        }
    }

    /// Handles an event, with everything that was due before it.
    pub fn event(&mut self, event: Event, now: Timestamp) {
        let course = &self.course;
        let seen = course.profile.has_seen(event.id.fingerprint());
        if !seen && self.journey.enter.on.event() == Some(&event.name) {
            let mut profile = course.profile.clone();
            let now = learn(course.bundle, &mut profile, &event, now, course.scoring);
            let event = event.clone();
            self.heard = Some(Heard {
                profile,
                event,
                now,
            });
        }
        self.course.event(event, now);
    }

    /// Lets time go on to the end, and gives the account.
    pub fn end(self, at: Timestamp) -> Replayed {
        let (bundle, journey) = (self.course.bundle, self.journey);
        let profile = self.course.end(at);
        let mut account = why(bundle, &profile, journey, None, at);
        if let Some(heard) = &self.heard {
            let then = why(
                bundle,
                &heard.profile,
                journey,
                Some(&heard.event),
                heard.now,
            );
            account.verdict = then.verdict;
            account.entry = then.entry;
        }
        Replayed {
            account,
            profile,
            event: self.heard.map(|heard| (heard.event, heard.now)),
        }
    }
}
