//! Takes one input through all its stages: what the actor, a test and a backtest call.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::decide::contest::{self, Contest, Parked};
use crate::decide::outside::{self, Outside, Scoring};
use crate::decide::renewal::concerns;
use crate::decide::step::{Ask, Crossed, Effects, Scores, Spur, Stage};
use crate::decide::told::{Told, union};
use crate::decide::wait::due_upto;
use crate::decide::{migrate, schedule};
use crate::domain::budget::Key;
use crate::domain::learning::Update;
use crate::domain::{Action, Answer, Crossing, Duration, Event, Fact, Profile, Timer, Timestamp};
use crate::policy::Bundle;

/// What comes in for a customer.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// The customer did something.
    Event(Event),
    /// Sleeps that are due up to this time are over.
    Wake(Timestamp),
    /// Somebody asks for offers.
    Ask(Ask),
    /// Segments and timers are to follow the policies in force, if that changes any.
    Renew,
}

/// What one input led to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// What the profile has learnt, in order.
    pub facts: Vec<Fact>,
    /// What leaves for channels.
    pub actions: Vec<Action>,
    /// The edges of published segments that were crossed.
    pub crossings: Vec<Crossing>,
    /// What was ranked; of a decide call the last one is the answer.
    pub answers: Vec<Arc<Answer>>,
    /// What is added to tallies, in order.
    pub updates: Vec<Update>,
    /// What budgets have given, one each.
    pub spent: Vec<Key>,
    /// The event was among the recent ones: nothing followed.
    pub duplicate: bool,
}

/// When an input is handled.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Logical time.
    pub now: Timestamp,
    /// Whether a sleep that is over is handled at the time it was due (a virtual clock) or at `now` (a real one).
    pub at_due: bool,
}

/// Handles one input: first everything that was due before it, then the input itself.
///
/// The profile is changed by the facts that are returned alone.
pub fn handle(
    bundle: &Bundle,
    profile: &mut Profile,
    cause: &Cause,
    moment: Moment,
    traceparent: Option<&Arc<str>>,
    outside: Outside<'_>,
) -> Outcome {
    let now = moment.now.max(profile.now);
    let mut drive = Drive::new(bundle, profile, traceparent, outside);
    match cause {
        Cause::Event(event) => {
            if drive.profile.has_seen(event.id.fingerprint()) {
                drive.outcome.duplicate = true;
                return drive.outcome;
            }
            drive.migrate(moment, now);
            // What is due at this very time comes after the event.
            drive.wake_all(now - Duration::from_millis(1), None);
            drive.event(event, now);
        }
        Cause::Wake(upto) => {
            drive.migrate(moment, now);
            drive.wake_all(*upto, (!moment.at_due).then_some(now));
        }
        Cause::Ask(ask) => {
            drive.migrate(moment, now);
            drive.wake_all(now - Duration::from_millis(1), None);
            drive.keep_up(&[], Spur::default(), now);
            drive.moment([], None, now);
            drive.moment([Stage::Ask(ask)], None, now);
        }
        Cause::Renew => {
            // Whom it does not concern follows with the next input, and nothing comes of it then.
            if concerns(bundle, drive.profile, now) {
                drive.migrate(moment, now);
                let upto = now - Duration::from_millis(1);
                drive.wake_all(upto, (!moment.at_due).then_some(now));
                drive.keep_up(&[], Spur::default(), now);
                drive.moment([], None, now);
            }
        }
    }
    drive.outcome
}

/// Makes a customer known at a time: segments and timers follow the policies from then on, and nobody enters because of it.
pub fn introduce(bundle: &Bundle, profile: &mut Profile, now: Timestamp) {
    profile.apply(&Fact::Now(now));
    let outside = Outside::of(&|_| Scores::new());
    Drive::new(bundle, profile, None, outside).keep_up(&[], Spur::default(), now);
}

/// Takes a customer up to the moment at which the journeys hear of an event: everything that was due before is handled,
/// and the event is learnt. Returns when that is.
pub fn learn(
    bundle: &Bundle,
    profile: &mut Profile,
    event: &Event,
    now: Timestamp,
    scoring: Scoring<'_>,
) -> Timestamp {
    let now = now.max(profile.now);
    let mut drive = Drive::new(bundle, profile, None, Outside::of(scoring));
    drive.wake_all(now - Duration::from_millis(1), None);
    drive.learn_event(event, now);
    now
}

/// After so many crossings of segments within one input nobody enters because of another one.
const CROSSINGS_MAX: usize = 32;

struct Drive<'a> {
    bundle: &'a Bundle,
    profile: &'a mut Profile,
    outside: Outside<'a>,
    traceparent: Option<&'a Arc<str>>,
    outcome: Outcome,
    /// Crossings that the journeys have not heard of.
    crossings: VecDeque<Crossing>,
    /// How many they were: of segments that others than shadows ask for, and of those for shadows.
    n_crossings: [usize; 2],
    /// Something was told of the customer that no event stands for.
    told: Told,
    contest: Contest,
    /// Sends of the moment that wait for the contest.
    parked: Vec<Parked>,
}

impl<'a> Drive<'a> {
    fn new(
        bundle: &'a Bundle,
        profile: &'a mut Profile,
        traceparent: Option<&'a Arc<str>>,
        outside: Outside<'a>,
    ) -> Self {
        Self {
            bundle,
            profile,
            outside,
            traceparent,
            outcome: Outcome::default(),
            crossings: VecDeque::new(),
            n_crossings: [0; 2],
            told: Told::default(),
            contest: Contest::default(),
            parked: Vec::new(),
        }
    }

    fn event(&mut self, event: &Event, now: Timestamp) {
        self.learn_event(event, now);
        self.moment([Stage::React(event)], Some(event), now);
    }

    fn learn_event(&mut self, event: &Event, now: Timestamp) {
        let spur = Spur {
            event: Some(event),
            due: None,
        };
        self.walk(Stage::Observe(event), now);
        self.keep_up(self.bundle.segments_of(&event.name), spur, now);
    }

    /// Lets the live policies take over runs of earlier revisions, before anything else becomes of them.
    fn migrate(&mut self, moment: Moment, now: Timestamp) {
        if let Some(now) = migrate::time(self.bundle, self.profile, moment.at_due, now) {
            self.moment([Stage::Migrate], None, now);
        }
    }

    /// Ends everything that waits up to a time, the earliest first.
    fn wake_all(&mut self, upto: Timestamp, at: Option<Timestamp>) {
        while let Some((due, timer)) = self.profile.first_timer().filter(|(due, _)| *due <= upto) {
            let now = at.unwrap_or(due).max(self.profile.now);
            if self.is_behind() {
                self.keep_up(&[], Spur::default(), now);
            } else if let Timer::Run(_) = timer {
                // What is handled at the same time is one moment.
                let wakes = due_upto(self.profile, upto.min(now.max(due)));
                self.moment(wakes.into_iter().map(Stage::Wake), None, now);
            } else {
                self.wake(&timer, due, now);
            }
            self.moment([], None, now);
        }
    }

    fn wake(&mut self, timer: &Timer, due: Timestamp, now: Timestamp) {
        match timer {
            Timer::Run(number) => self.moment([Stage::Wake(*number)], None, now),
            Timer::Absence(..) | Timer::Schedule(_) => self.moment([Stage::Fire(timer)], None, now),
            Timer::Edge(name) => {
                let spur = Spur {
                    event: None,
                    due: Some(due),
                };
                self.edge(timer, name, spur, now);
            }
        }
    }

    /// The clock may have changed who is in a segment, and who is in those that ask it.
    fn edge(&mut self, timer: &Timer, name: &str, spur: Spur<'_>, now: Timestamp) {
        let bundle = self.bundle;
        self.learn(Fact::Now(now));
        let Some((idx, segment)) = bundle.segment(name).filter(|(_, it)| it.used) else {
            return self.learn(Fact::Armed(timer.clone(), None));
        };
        self.decide(Stage::Look(idx, spur), now);
        for idx in segment
            .dependents
            .iter()
            .filter(|idx| bundle.segments[**idx].used)
        {
            self.decide(Stage::Look(*idx, spur), now);
        }
    }

    /// Tells if segments and timers follow other policies than those in force.
    fn is_behind(&self) -> bool {
        self.profile.standing != self.bundle.standing
    }

    /// Looks again at the segments that an event may have changed, or a trait; at all of them under other policies.
    fn keep_up(&mut self, concerned: &[usize], spur: Spur<'_>, now: Timestamp) {
        let bundle = self.bundle;
        if self.is_behind() {
            self.decide(Stage::Renew(spur), now);
            let used = |idx: &usize| bundle.segments[*idx].used;
            for idx in (0..bundle.segments.len()).filter(used) {
                self.decide(Stage::Look(idx, spur), now);
            }
            self.told = Told::default();
            return;
        }
        let told = std::mem::take(&mut self.told);
        let traits: &[usize] = if told.traits {
            &bundle.listeners.traits
        } else {
            &[]
        };
        for idx in union(concerned, traits) {
            self.decide(Stage::Look(idx, spur), now);
        }
        if told.zone {
            for fact in schedule::all(bundle, self.profile, now) {
                self.learn(fact);
            }
        }
    }

    /// Lets the journeys hear of every crossing, also of those that follow from it.
    fn cross_all(&mut self, event: Option<&Event>, now: Timestamp) {
        while let Some(crossing) = self.crossings.pop_front() {
            let segment = self.bundle.segment(&crossing.segment);
            let for_shadows = segment.is_some_and(|(_, segment)| segment.for_shadows);
            let n_crossings = &mut self.n_crossings[usize::from(for_shadows)];
            *n_crossings += 1;
            let crossed = Crossed {
                crossing: &crossing,
                event,
                enters: *n_crossings <= CROSSINGS_MAX,
            };
            self.walk(Stage::Crossed(crossed), now);
        }
    }

    /// Decides stages of one moment, and what follows from them and from the segments they lead into or out of; then the
    /// sends they led to, the weightiest first.
    fn moment<'s>(
        &mut self,
        stages: impl IntoIterator<Item = Stage<'s>>,
        event: Option<&Event>,
        now: Timestamp,
    ) {
        self.contest.begin(now);
        for stage in stages {
            self.walk(stage, now);
        }
        self.cross_all(event, now);
        while !self.parked.is_empty() {
            let mut parked = std::mem::take(&mut self.parked);
            contest::sort(&mut parked);
            for send in &parked {
                self.settle(send, now);
            }
            self.cross_all(event, now);
        }
    }

    fn settle(&mut self, send: &Parked, now: Timestamp) {
        let winner = self.contest.winner(send).cloned();
        let n_before = self.outcome.actions.len();
        self.walk(Stage::Settle(send, winner.as_ref()), now);
        let mut left = self.outcome.actions[n_before..].iter();
        if left.any(|action| action.instance == send.run && action.step == send.step) {
            self.contest.win(send);
        }
    }

    /// Decides one stage, and lets the runs that follow from it walk.
    fn walk(&mut self, stage: Stage<'_>, now: Timestamp) {
        let mut runs = self.decide(stage, now);
        runs.reverse();
        while let Some(number) = runs.pop() {
            let more = self.decide(Stage::Run(number), now);
            runs.extend(more.into_iter().rev());
            if self.told.traits {
                self.keep_up(&[], Spur::default(), now);
            }
        }
    }

    fn decide(&mut self, stage: Stage<'_>, now: Timestamp) -> Vec<u32> {
        let (bundle, profile) = (self.bundle, &*self.profile);
        let asked = outside::decide(bundle, profile, stage, self.traceparent, self.outside, now);
        self.outcome.spent.extend(asked.spent);
        self.take(asked.effects)
    }

    fn learn(&mut self, fact: Fact) {
        self.told.note(&fact);
        self.profile.apply(&fact);
        self.outcome.facts.push(fact);
    }

    /// Tells if a crossing is published: if its segment says so, or said so when it was entered and is no more.
    fn publishes(&self, crossing: &Crossing) -> bool {
        let segment = self.bundle.segment(&crossing.segment);
        let said = || !self.profile.quiet.contains_key(&crossing.segment);
        segment.map_or_else(said, |(_, segment)| segment.publish)
    }

    /// Publishes a crossing, if it is to be; the journeys hear of it in their turn.
    fn note(&mut self, crossing: Crossing, publishes: bool) {
        if publishes {
            let traceparent = self.traceparent.cloned();
            self.outcome.crossings.push(Crossing {
                traceparent,
                ..crossing.clone()
            });
        }
        self.crossings.push_back(crossing);
    }

    fn take(&mut self, effects: Effects) -> Vec<u32> {
        // What is published depends on what was before.
        let crossings = effects.crossings.into_iter();
        let crossings: Vec<_> = crossings.map(|it| (self.publishes(&it), it)).collect();
        for fact in effects.facts {
            self.learn(fact);
        }
        for (publishes, crossing) in crossings {
            self.note(crossing, publishes);
        }
        self.outcome.actions.extend(effects.actions);
        self.outcome.answers.extend(effects.answers);
        self.outcome.updates.extend(effects.updates);
        self.parked.extend(effects.parked);
        effects.runs
    }
}
