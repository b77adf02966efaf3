//! A customer's events once more through the core: what was known and decided at a time, and on what grounds.

use crate::decide::drive::{Moment, learn};
use crate::decide::outside::{Outside, Scoring};
use crate::decide::why::{Account, why};
use crate::decide::{Cause, handle};
use crate::domain::{Duration, Event, Profile, Timestamp};
use crate::policy::Bundle;
use crate::policy::journey::Journey;

/// A customer on the way; events come in the order in which they were handled.
pub struct Course<'s, 'a> {
    bundle: &'a Bundle,
    scoring: Scoring<'s>,
    profile: Profile,
}

impl<'s, 'a> Course<'s, 'a> {
    /// Begins with a customer before the first event.
    pub fn of(bundle: &'a Bundle, profile: Profile, scoring: Scoring<'s>) -> Self {
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

    /// Lets other policies be live from a time on: those before decide what was due until then.
    pub fn follow(&mut self, bundle: &'a Bundle, since: Timestamp) {
        if self.profile.now > Timestamp::MIN {
            self.handle(&Cause::Wake(since - Duration::from_millis(1)), since);
        }
        self.bundle = bundle;
        if self.profile.now > Timestamp::MIN {
            self.handle(&Cause::Renew, since);
        }
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
pub struct Replay<'s, 'a> {
    course: Course<'s, 'a>,
    journey: &'a str,
    heard: Option<Heard<'a>>,
}

/// What a replay came to.
pub struct Replayed<'a> {
    /// The policies of the time.
    pub bundle: &'a Bundle,
    /// The journey, as it was then.
    pub journey: &'a Journey,
    /// The customer at the time.
    pub profile: Profile,
    /// How the customer and the journey stood then; the entry is that of the last event that could enter.
    pub account: Account,
    /// That event, and when it was handled.
    pub event: Option<(Event, Timestamp)>,
}

/// The last event that could enter, the customer who had learnt it, and the policies that decided.
struct Heard<'a> {
    bundle: &'a Bundle,
    profile: Profile,
    event: Event,
    now: Timestamp,
}

impl<'s, 'a> Replay<'s, 'a> {
    /// Looks at a journey, by its name, on a course that has not begun.
    pub fn of(course: Course<'s, 'a>, journey: &'a str) -> Self {
        Self {
            course,
            journey,
            heard: None,
        }
    }

    /// Lets other policies be live from a time on.
    pub fn follow(&mut self, bundle: &'a Bundle, since: Timestamp) {
        self.course.follow(bundle, since);
    }

    /// Handles an event, with everything that was due before it.
    pub fn event(&mut self, event: Event, now: Timestamp) {
        let course = &self.course;
        let seen = course.profile.has_seen(event.id.fingerprint());
        let journey = course.bundle.journey(self.journey);
        let enters = journey.is_some_and(|it| it.enter.on.event() == Some(&event.name));
        if !seen && enters {
            let mut profile = course.profile.clone();
            let now = learn(course.bundle, &mut profile, &event, now, course.scoring);
            self.heard = Some(Heard {
                bundle: course.bundle,
                profile,
                event: event.clone(),
                now,
            });
        }
        self.course.event(event, now);
    }

    /// Lets time go on to the end, and gives the account; `None` if the policies of the time have no such journey, and the
    /// customer is not in an earlier one of that name either.
    pub fn end(self, at: Timestamp) -> Option<Replayed<'a>> {
        let bundle = self.course.bundle;
        let profile = self.course.end(at);
        let live = bundle.journey(self.journey);
        let run = profile.journeys.iter();
        let mut run = run.filter(|run| run.journey.as_ref() == self.journey);
        let journey = live.or_else(|| bundle.journey_of(run.next()?))?;
        let mut account = why(bundle, &profile, journey, None, at);
        let heard = self.heard.as_ref();
        if let Some((heard, entered)) =
            heard.zip(heard.and_then(|it| it.bundle.journey(self.journey)))
        {
            let then = Some(&heard.event);
            let then = why(heard.bundle, &heard.profile, entered, then, heard.now);
            account.verdict = then.verdict;
            account.entry = then.entry;
        }
        Some(Replayed {
            bundle,
            journey,
            account,
            profile,
            event: self.heard.map(|heard| (heard.event, heard.now)),
        })
    }
}
