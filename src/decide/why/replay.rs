//! A customer's events once more through the core: what was decided at a time, and on what grounds.

use crate::decide::drive::{Moment, NOTHING, Scoring, learn};
use crate::decide::why::{Account, why};
use crate::decide::{Cause, handle};
use crate::domain::{Duration, Event, Profile, Timestamp};
use crate::policy::Bundle;
use crate::policy::journey::Journey;

/// A replay on the way; events come in the order in which they were handled.
pub struct Replay<'a> {
    bundle: &'a Bundle,
    journey: &'a Journey,
    scoring: Scoring<'a>,
    profile: Profile,
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
    /// Begins with a customer before the first event.
    pub fn of(
        bundle: &'a Bundle,
        journey: &'a Journey,
        profile: Profile,
        scoring: Scoring<'a>,
    ) -> Self {
        Self {
            bundle,
            journey,
            scoring,
            profile,
            heard: None,
        }
    }

    /// Handles an event, with everything that was due before it.
    pub fn event(&mut self, event: Event, now: Timestamp) {
        let seen = self.profile.has_seen(event.id.fingerprint());
        if !seen && self.journey.enter.on.event() == Some(&event.name) {
            let mut profile = self.profile.clone();
            let now = learn(self.bundle, &mut profile, &event, now, self.scoring);
            let event = event.clone();
            self.heard = Some(Heard {
                profile,
                event,
                now,
            });
        }
        self.handle(&Cause::Event(event), now);
    }

    /// Lets time go on to the end, and gives the account.
    pub fn end(mut self, at: Timestamp) -> Replayed {
        // What is due at this very time may still be prevented.
        self.handle(&Cause::Wake(at - Duration::from_millis(1)), at);
        let (bundle, journey) = (self.bundle, self.journey);
        let mut account = why(bundle, &self.profile, journey, None, at);
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
            profile: self.profile,
            event: self.heard.map(|heard| (heard.event, heard.now)),
        }
    }

    fn handle(&mut self, cause: &Cause, now: Timestamp) {
        let moment = Moment { now, at_due: true };
        handle(
            self.bundle,
            &mut self.profile,
            cause,
            moment,
            None,
            self.scoring,
            &NOTHING,
        );
    }
}
