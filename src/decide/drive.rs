//! Takes one input through all its stages: what the actor, a test and a backtest call.

use std::sync::Arc;

use crate::decide::contest::{self, Contest, Parked};
use crate::decide::step::{Ask, Effects, Input, Request, Scores, Stage, Step, step};
use crate::domain::instance::Instance;
use crate::domain::{Action, Answer, Duration, Event, Fact, Profile, Score, Timestamp};
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
}

/// What one input led to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// What the profile has learnt, in order.
    pub facts: Vec<Fact>,
    /// What leaves for channels.
    pub actions: Vec<Action>,
    /// What was ranked; of a decide call the last one is the answer.
    pub answers: Vec<Arc<Answer>>,
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

/// Runs the models that a step asks for.
pub type Scoring<'a> = &'a dyn Fn(&[Request]) -> Scores;

/// Handles one input: first every sleep that was due before it, then the input itself.
///
/// The profile is changed by the facts that are returned, and by nothing else.
pub fn handle(
    bundle: &Bundle,
    profile: &mut Profile,
    cause: &Cause,
    moment: Moment,
    traceparent: Option<&Arc<str>>,
    scoring: Scoring<'_>,
) -> Outcome {
    let now = moment.now.max(profile.now);
    let outcome = Outcome::default();
    let mut drive = Drive {
        bundle,
        profile,
        scoring,
        traceparent,
        outcome,
        contest: Contest::default(),
        parked: Vec::new(),
    };
    match cause {
        Cause::Event(event) => {
            if drive.profile.has_seen(event.id.fingerprint()) {
                drive.outcome.duplicate = true;
                return drive.outcome;
            }
            // What is due at this very time comes after the event.
            drive.wake_all(now - Duration::from_millis(1), None);
            drive.stage(Stage::Observe(event), now);
            drive.stage(Stage::React(event), now);
        }
        Cause::Wake(upto) => drive.wake_all(*upto, (!moment.at_due).then_some(now)),
        Cause::Ask(ask) => {
            drive.wake_all(now - Duration::from_millis(1), None);
            drive.stage(Stage::Ask(ask), now);
        }
    }
    drive.outcome
}

struct Drive<'a> {
    bundle: &'a Bundle,
    profile: &'a mut Profile,
    scoring: Scoring<'a>,
    traceparent: Option<&'a Arc<str>>,
    outcome: Outcome,
    contest: Contest,
    /// Sends of the moment that wait for the contest.
    parked: Vec<Parked>,
}

impl Drive<'_> {
    /// Ends every sleep that is due up to a time, the earliest first; equal ones by number.
    fn wake_all(&mut self, upto: Timestamp, at: Option<Timestamp>) {
        while let Some(due) = self.profile.next_due().filter(|due| *due <= upto) {
            let now = at.unwrap_or(due).max(self.profile.now);
            // What is handled at the same time is one moment.
            let wakes = due_upto(self.profile, upto.min(now.max(due)));
            self.moment(wakes.into_iter().map(Stage::Wake), now);
        }
    }

    fn stage(&mut self, stage: Stage<'_>, now: Timestamp) {
        self.moment([stage], now);
    }

    /// Decides stages of one moment and those that follow from them; then the sends they led to, the weightiest first.
    fn moment<'s>(&mut self, stages: impl IntoIterator<Item = Stage<'s>>, now: Timestamp) {
        self.contest.begin(now);
        for stage in stages {
            self.walk(stage, now);
        }
        while !self.parked.is_empty() {
            let mut parked = std::mem::take(&mut self.parked);
            contest::sort(&mut parked);
            for send in &parked {
                self.settle(send, now);
            }
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
        }
    }

    fn decide(&mut self, stage: Stage<'_>, now: Timestamp) -> Vec<u32> {
        let mut scores = Scores::new();
        loop {
            let input = Input {
                stage,
                scores: &scores,
                traceparent: self.traceparent,
            };
            match step(self.bundle, self.profile, input, now) {
                Step::Needs(requests) => {
                    let answers = (self.scoring)(&requests);
                    scores.extend(requests.iter().map(|request| complete(request, &answers)));
                }
                Step::Done(effects) => return self.take(effects),
            }
        }
    }

    fn take(&mut self, effects: Effects) -> Vec<u32> {
        for fact in &effects.facts {
            self.profile.apply(fact);
        }
        self.outcome.facts.extend(effects.facts);
        self.outcome.actions.extend(effects.actions);
        self.outcome.answers.extend(effects.answers);
        self.parked.extend(effects.parked);
        effects.runs
    }
}

/// Returns one score for every row that was asked for, so that a step never asks twice.
fn complete(request: &Request, scored: &Scores) -> (Arc<str>, Vec<Score>) {
    let given = scored.get(&request.model).map_or(&[][..], Vec::as_slice);
    let none = || Score::unavailable("the model gave no score");
    let of = |idx: usize| given.get(idx).cloned().unwrap_or_else(none);
    (
        request.model.clone(),
        (0..request.rows.len()).map(of).collect(),
    )
}

/// Returns the runs whose sleep is due up to a time, the earliest first; equal ones by number.
fn due_upto(profile: &Profile, upto: Timestamp) -> Vec<u32> {
    let due = |run: &Instance| Some((run.wait?.due, run.number));
    let all = profile.journeys.iter().filter_map(due);
    let mut due: Vec<_> = all.filter(|(due, _)| *due <= upto).collect();
    due.sort_unstable();
    due.into_iter().map(|(_, number)| number).collect()
}
