//! The expressions of a journey.

use std::sync::Arc;

use crate::policy::expr::{Expr, Root};
use crate::policy::journey::{Act, Journey, On, Step, Until};

/// Returns every expression that a run asks for.
pub fn of_run(journey: &Journey) -> Vec<&Expr> {
    let goal = journey.goal.iter().flat_map(|goal| &goal.filter);
    let exits = journey.exits.iter().flat_map(|exit| &exit.when);
    let steps = journey.flow.iter().flat_map(of_step);
    let all = goal.chain(exits).chain(&journey.priority).chain(steps);
    all.collect()
}

/// Returns every expression that is asked for before a run begins.
pub fn of_entry(journey: &Journey) -> Vec<&Expr> {
    let enter = &journey.enter;
    let filters: [&[Expr]; 2] = match &enter.on {
        On::Absence(absence) => [&absence.event.filter, &absence.after.filter],
        On::Event(_) | On::Crossing(..) | On::Schedule(_) => [&[], &[]],
    };
    let own = enter.filter.iter().chain(&enter.unless).chain(&enter.key);
    own.chain(filters.into_iter().flatten()).collect()
}

/// Tells if a run must keep the event that entered.
pub fn uses_entry(journey: &Journey) -> bool {
    let all = of_run(journey).into_iter().chain(of_entry(journey));
    all.into_iter().any(|expr| expr.root.uses(&Root::Entry))
}

fn of_step(step: &Step) -> Vec<&Expr> {
    match &step.act {
        Act::Wait(Until::Date { of, .. }) => vec![of],
        Act::Wait(Until::Passed(_) | Until::Clock { .. })
        | Act::Score { .. }
        | Act::Offer { .. }
        | Act::Split { .. }
        | Act::Stop { .. } => Vec::new(),
        Act::HoldUntil { .. } | Act::WaitFor { .. } => {
            let triggers = step.act.triggers();
            triggers.flat_map(|trigger| &trigger.filter).collect()
        }
        Act::Branch { arms, .. } => arms.iter().map(|(when, _)| when).collect(),
        Act::Send(send) => of_pairs(&send.with),
        Act::Set(pairs) => of_pairs(pairs),
    }
}

fn of_pairs(pairs: &[(Arc<str>, Expr)]) -> Vec<&Expr> {
    pairs.iter().map(|(_, expr)| expr).collect()
}
