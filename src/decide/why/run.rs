//! Where a run stands: since when, what it waits for and until when, and what would end it.

use crate::decide::Env;
use crate::decide::eval::truth;
use crate::decide::explain::every_value;
use crate::decide::journeys::{at_step, in_run};
use crate::decide::step::Spur;
use crate::decide::why::{Condition, Mark};
use crate::domain::instance::{Instance, shown};
use crate::domain::{Profile, Timestamp};
use crate::policy::explain;
use crate::policy::expr::{Expr, Root};
use crate::policy::journey::{Exit, Goal, Journey};
use crate::policy::{Bundle, Place};

/// A run in progress.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Which run of this customer it is, over all journeys.
    pub number: u32,
    /// The value of the journey's key; empty without one.
    pub key: String,
    /// When it began.
    pub entered_at: Timestamp,
    /// The label of the step where it stands.
    pub step: String,
    /// What the step does, in words; empty if the policies have no such step.
    pub does: String,
    /// Where the step stands.
    pub place: Option<Place>,
    /// Since when it waits there.
    pub since: Option<Timestamp>,
    /// Until when; what it listens to may end the wait before.
    pub until: Option<Timestamp>,
    /// The events that it listens to.
    pub listens: Vec<String>,
    /// What would end it at once: the goal first, then the exits.
    pub ends: Vec<Condition>,
}

/// Says where a run stands.
pub fn account(
    bundle: &Bundle,
    profile: &Profile,
    journey: &Journey,
    run: &Instance,
    spur: Spur<'_>,
    now: Timestamp,
) -> Standing {
    let step = at_step(journey, &run.step);
    let listens = step.map(|step| step.act.triggers().map(explain::trigger).collect());
    let env = Env {
        event: spur.event,
        ..Env::new(bundle, profile, now)
    };
    let ways = Ways {
        env: in_run(env, run),
        run,
    };
    let goal = journey.goal.iter().map(|goal| ways.goal(journey, goal));
    let exits = journey.exits.iter().enumerate();
    let exits = exits.map(|(idx, exit)| ways.exit(journey, idx, exit));
    Standing {
        number: shown(run.number),
        key: run.key.to_string(),
        entered_at: run.entered_at,
        step: run.step.to_string(),
        does: step.map_or_else(String::new, |step| explain::act(&step.act)),
        place: step.map(|step| step.place.clone()),
        since: run.wait.map(|wait| wait.since),
        until: run.wait.map(|wait| wait.due),
        listens: listens.unwrap_or_default(),
        ends: goal.chain(exits).collect(),
    }
}

struct Ways<'a> {
    env: Env<'a>,
    run: &'a Instance,
}

impl Ways<'_> {
    fn goal(&self, journey: &Journey, goal: &Goal) -> Condition {
        let until = goal.within.map(|within| self.run.entered_at + within);
        let until = until.map(|until| format!("counts until {until}"));
        let values = [until, self.values(&goal.filter)].into_iter().flatten();
        Condition {
            part: "goal".into(),
            text: explain::goal(goal),
            values: values.collect::<Vec<String>>().join("; "),
            mark: Mark::Open,
            code: None,
            place: Some(journey.place.clone()),
            remedy: None,
        }
    }

    fn exit(&self, journey: &Journey, idx: usize, exit: &Exit) -> Condition {
        let holds = exit
            .when
            .iter()
            .all(|of| truth(&of.root, &self.env) == Some(true));
        let many = journey.exits.len() > 1;
        let place = exit.when.first().map(|of| of.place.clone());
        Condition {
            part: if many {
                format!("exit[{idx}]")
            } else {
                "exit".into()
            },
            text: format!("{} ({})", explain::exit(exit), exit.reason),
            values: self.values(&exit.when).unwrap_or_default(),
            mark: match &exit.event {
                Some(_) => Mark::Open,
                None if holds => Mark::Met,
                None => Mark::Missed,
            },
            code: None,
            place: place.or_else(|| Some(journey.place.clone())),
            remedy: None,
        }
    }

    /// Writes the values of conditions, as far as what they look at is at hand.
    fn values(&self, conditions: &[Expr]) -> Option<String> {
        let at_hand = |of: &&Expr| self.env.event.is_some() || !of.root.uses(&Root::Event);
        let known = conditions.iter().filter(at_hand);
        let values: Vec<String> = known.map(|of| every_value(&of.root, &self.env)).collect();
        (!values.is_empty()).then(|| values.join("; "))
    }
}
