//! Passes over one journey that compiled.

use crate::domain::Duration;
use crate::policy::compile::Desk;
use crate::policy::expr::{Expr, Node};
use crate::policy::journey::{Act, Enter, Goal, Journey, Step, Until};
use crate::policy::lint::{logic, together};

/// Warns of everything in a journey that is most likely not meant.
pub fn journey(desk: &mut Desk, journey: &Journey) {
    nobody_enters(desk, &journey.enter);
    let goal = journey.goal.iter().map(|goal| &goal.filter);
    let exits = journey.exits.iter().map(|exit| &exit.when);
    let triggers = journey.flow.iter().flat_map(|step| step.act.triggers());
    let triggers = triggers.map(|trigger| &trigger.filter);
    for list in goal.chain(exits).chain(triggers) {
        contradictions(desk, list);
    }
    for step in &journey.flow {
        shadowed_arms(desk, step);
    }
    if let Some((goal, within)) = journey
        .goal
        .as_ref()
        .and_then(|goal| Some((goal, goal.within?)))
    {
        late_steps(desk, journey, goal, within);
    }
}

/// Warns of a list of conditions that contradict each other; single ones were judged where they are read.
fn contradictions(desk: &mut Desk, list: &[Expr]) {
    if list.len() > 1 {
        together(desk, list);
    }
}

fn nobody_enters(desk: &mut Desk, enter: &Enter) {
    contradictions(desk, &enter.filter);
    let nodes: Vec<&Node> = enter.filter.iter().map(|expr| &expr.root).collect();
    if nodes.is_empty() {
        return;
    }
    for unless in &enter.unless {
        if logic::implies(&nodes, &unless.root, &|idx| desk.registry.counts(idx)) {
            let help = "`unless` keeps out whom `where` lets in: change one of them";
            let message = "nobody can enter: this is true for everybody that `where` lets in";
            desk.warn("always_false", unless.place.span.clone(), message, help);
        }
    }
}

/// Warns of an arm that an earlier arm always comes before.
fn shadowed_arms(desk: &mut Desk, step: &Step) {
    let Act::Branch { arms, .. } = &step.act else {
        return;
    };
    for (k, (when, _)) in arms.iter().enumerate() {
        let counts = |idx| desk.registry.counts(idx);
        let earlier = arms[..k].iter();
        let shadow = earlier
            .map(|(earlier, _)| earlier)
            .find(|earlier| logic::implies(&[&when.root], &earlier.root, &counts));
        let Some(shadow) = shadow else { continue };
        let message = format!(
            "this arm can never be reached: whoever fits it fits `{}` of line {} before it",
            shadow.text, shadow.place.line
        );
        let help = "put the narrower arm first, or remove it";
        desk.warn("unreachable", when.place.span.clone(), message, help);
    }
}

/// Warns of a wait at whose end the goal can no longer be reached.
fn late_steps(desk: &mut Desk, journey: &Journey, goal: &Goal, within: Duration) {
    for (step, arrival) in journey.flow.iter().zip(arrivals(&journey.flow)) {
        let Some(arrival) = arrival.filter(|arrival| *arrival <= within) else {
            continue;
        };
        let leaves = add(arrival, shortest(&step.act));
        if leaves <= within {
            continue;
        }
        let message = format!(
            "this ends {leaves} after the entry at the earliest, and `{}` counts as the goal within {within} only",
            goal.event
        );
        let help = "shorten the wait, or let `within` of the goal be longer";
        desk.warn("late_wait", step.place.span.clone(), message, help);
    }
}

/// Returns the earliest time that somebody comes to each step, counted from the entry.
fn arrivals(flow: &[Step]) -> Vec<Option<Duration>> {
    let mut arrivals = vec![None; flow.len()];
    let mut open = vec![(0, Duration::from_millis(0))];
    while let Some((idx, at)) = open.pop() {
        let (Some(step), Some(known)) = (flow.get(idx), arrivals.get_mut(idx)) else {
            continue;
        };
        if known.is_some_and(|known| known <= at) {
            continue;
        }
        *known = Some(at);
        let leaves = add(at, shortest(&step.act));
        open.extend(leads_to(step).into_iter().map(|next| (next, leaves)));
    }
    arrivals
}

/// Returns the shortest time that a step takes.
fn shortest(act: &Act) -> Duration {
    match act {
        Act::Wait(Until::Passed(length)) => *length,
        Act::WaitFor {
            within, rank: true, ..
        } => *within,
        Act::HoldUntil { quiet, max, .. } => max.map_or(*quiet, |max| max.min(*quiet)),
        Act::Wait(Until::Clock { .. } | Until::Date { .. })
        | Act::WaitFor { rank: false, .. }
        | Act::Split { .. }
        | Act::Score { .. }
        | Act::Branch { .. }
        | Act::Offer { .. }
        | Act::Send { .. }
        | Act::Set(_)
        | Act::Stop { .. } => Duration::from_millis(0),
    }
}

/// Returns the steps that somebody may come to next.
fn leads_to(step: &Step) -> Vec<usize> {
    match &step.act {
        Act::Branch { arms, otherwise } => {
            let arms = arms.iter().map(|(_, first)| *first);
            arms.chain([*otherwise]).flatten().collect()
        }
        Act::WaitFor {
            arms, otherwise, ..
        } => {
            let arms = arms.iter().map(|arm| arm.first);
            let firsts = arms.chain([*otherwise]);
            firsts.filter_map(|first| first.or(step.next)).collect()
        }
        Act::Split { arms, .. } => {
            let firsts = arms.iter().map(|arm| arm.first);
            firsts.filter_map(|first| first.or(step.next)).collect()
        }
        Act::Stop { .. } => Vec::new(),
        Act::Wait(_)
        | Act::HoldUntil { .. }
        | Act::Score { .. }
        | Act::Offer { .. }
        | Act::Send { .. }
        | Act::Set(_) => step.next.into_iter().collect(),
    }
}

fn add(a: Duration, b: Duration) -> Duration {
    Duration::from_millis(a.as_millis().saturating_add(b.as_millis()))
}
