//! What an event means for a run that sleeps and listens: holds and awaited events.

use crate::decide::explain::all_true;
use crate::decide::journeys::{Hearing, at_step};
use crate::domain::instance::{Instance, Wait};
use crate::domain::{Event, Fact, Timestamp, What};
use crate::policy::journey::{Act, Journey, Step as Node, Trigger};

/// Returns where a run goes whose sleep is over, and the arm it takes there.
pub fn after_sleep(node: &Node, wait: Option<Wait>) -> (Option<usize>, Option<What>) {
    let Act::WaitFor {
        arms,
        within,
        otherwise,
        ..
    } = &node.act
    else {
        return (node.next, None);
    };
    let met = wait.and_then(|wait| wait.met);
    let arm = met.and_then(|met| Some((met, arms.get(usize::try_from(met).ok()?)?)));
    let (name, why, first) = match arm {
        Some((met, arm)) => {
            let why = format!("{} is the highest-ranked", arm.trigger.event);
            (met.to_string(), why, arm.first)
        }
        None => {
            let why = format!("nothing of it within {within}");
            ("otherwise".to_owned(), why, *otherwise)
        }
    };
    let took = What::Took(name.into(), why.into());
    (first.or(node.next), Some(took))
}

impl<'a> Hearing<'a> {
    /// Lets a run that sleeps hear of the event; tells if the run ends by it.
    pub fn heed(&mut self, event: &Event, journey: &'a Journey, run: &'a Instance) -> bool {
        let (Some(node), Some(wait)) = (at_step(journey, &run.step), run.wait) else {
            return false;
        };
        let heard = |trigger: &Trigger| {
            trigger.event == event.name && all_true(&trigger.filter, &self.env(Some(run)))
        };
        let Some(arm) = node.act.triggers().position(heard) else {
            return false;
        };
        if let Act::WaitFor { rank: true, .. } = &node.act {
            self.meet(event, run, wait, u32::try_from(arm).unwrap_or(u32::MAX));
        } else if let Act::WaitFor { arms, .. } = &node.act {
            let first = arms[arm].first.or(node.next);
            return self.go_on(event, journey, run, arm, first);
        } else if let Act::HoldUntil { quiet, max, .. } = &node.act {
            let latest = max.map_or(Timestamp::MAX, |max| wait.since + max);
            let due = (self.now + *quiet).min(latest);
            self.sleep_on(run, wait, Wait { due, ..wait });
        }
        false
    }

    /// Keeps the highest-ranked arm that was met; the sleep goes on.
    fn meet(&mut self, event: &Event, run: &Instance, wait: Wait, arm: u32) {
        if wait.met.is_some_and(|met| met <= arm) {
            return;
        }
        let met = Some(arm);
        self.sleep_on(run, wait, Wait { met, ..wait });
        let what = What::Met(arm.to_string().into(), event.name.clone());
        self.trace(run.journey.clone(), run.number, run.step.clone(), what);
    }

    fn sleep_on(&mut self, run: &Instance, old: Wait, new: Wait) {
        if old != new {
            let moved = Fact::Moved(run.number, run.step.clone(), Some(new));
            self.effects.facts.push(moved);
        }
    }

    /// Ends the sleep: the run goes on at an arm's first step, or ends.
    fn go_on(
        &mut self,
        event: &Event,
        journey: &Journey,
        run: &Instance,
        arm: usize,
        first: Option<usize>,
    ) -> bool {
        let took = What::Took(arm.to_string().into(), event.name.clone());
        self.trace(run.journey.clone(), run.number, run.step.clone(), took);
        let Some(first) = first else {
            self.leave(run, "completed", journey.remembers());
            return true;
        };
        let label = journey.flow[first].label.clone();
        self.effects
            .facts
            .push(Fact::Moved(run.number, label, None));
        self.effects.runs.push(run.number);
        false
    }
}
