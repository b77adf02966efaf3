//! Takes one input through all its stages: what the actor, a test and a backtest call.

use std::sync::Arc;

use crate::decide::step::{Ask, Effects, Input, Request, Scores, Stage, Step, step};
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
}

impl Drive<'_> {
    /// Ends every sleep that is due up to a time, the earliest first; equal ones by number.
    fn wake_all(&mut self, upto: Timestamp, at: Option<Timestamp>) {
        while let Some((due, number)) = first_due(self.profile).filter(|(due, _)| *due <= upto) {
            self.stage(Stage::Wake(number), at.unwrap_or(due).max(self.profile.now));
        }
    }

    /// Decides one stage and those that follow from it.
    fn stage(&mut self, stage: Stage<'_>, now: Timestamp) {
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

fn first_due(profile: &Profile) -> Option<(Timestamp, u32)> {
    profile
        .journeys
        .iter()
        .filter_map(|run| run.wait.map(|wait| (wait.due, run.number)))
        .min()
}
