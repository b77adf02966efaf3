//! The steps of a journey as the tree that its author wrote.

use crate::policy::explain::words::{all, length, list, named, percent, said, trigger};
use crate::policy::journey::{Act, Exit, Goal, Journey, Share, Step, Trigger};

/// One way to go on behind a step.
pub struct Arm {
    /// When it is taken.
    pub when: String,
    /// Its first step; `None`: the journey is completed.
    pub first: Option<usize>,
    /// What the labels of its own steps begin with.
    pub prefix: String,
}

/// Returns the steps of one list, in order.
///
/// - `prefix`: what their labels begin with; empty for the list of the journey itself.
pub fn steps<'j>(journey: &'j Journey, prefix: &str) -> Vec<(usize, &'j Step)> {
    let is_own = |step: &Step| {
        let number = step.label.strip_prefix(prefix);
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let flow = journey.flow.iter().enumerate();
    flow.filter(|(_, step)| is_own(step)).collect()
}

/// Returns the ways to go on behind a step that has more than one.
pub fn arms(step: &Step) -> Vec<Arm> {
    let arm = |name: String, when: String, first: Option<usize>| Arm {
        when,
        first: first.or(step.next),
        prefix: format!("{}.{name}.", step.label),
    };
    match &step.act {
        Act::Branch { arms, otherwise } => {
            let some = arms.iter().enumerate();
            let some = some.map(|(k, (when, first))| {
                arm(format!("branch.{k}"), format!("if {}", said(when)), *first)
            });
            let last = format!("branch.{}", arms.len());
            some.chain([arm(last, "otherwise".into(), *otherwise)])
                .collect()
        }
        Act::WaitFor {
            arms, otherwise, ..
        } => {
            let some = arms.iter().enumerate();
            let some = some.map(|(k, awaited)| {
                let when = format!("on {}", trigger(&awaited.trigger));
                arm(format!("wait_for.{k}"), when, awaited.first)
            });
            let last = arm("wait_for.otherwise".into(), "otherwise".into(), *otherwise);
            some.chain([last]).collect()
        }
        Act::Split { arms, .. } => {
            let some = shares(arms).into_iter().enumerate();
            some.map(|(k, (share, of))| {
                let when = format!("{share} are {}", named(&of.name));
                arm(format!("split.{k}"), when, of.first)
            })
            .collect()
        }
        Act::Wait(_)
        | Act::HoldUntil { .. }
        | Act::Score { .. }
        | Act::Offer { .. }
        | Act::Send(_)
        | Act::Set(_)
        | Act::Stop { .. } => Vec::new(),
    }
}

/// Returns the arms of a split with the share of each.
fn shares(arms: &[Share]) -> Vec<(String, &Share)> {
    let mut begin = 0.0;
    let share = |of: &'_ Share| {
        let share = percent(of.end - begin);
        begin = of.end;
        share
    };
    let shares: Vec<String> = arms.iter().map(share).collect();
    shares.into_iter().zip(arms).collect()
}

/// Says what leaves a journey at once: the goal first, then the exits in their order; each with how it is traced.
pub fn ways_out(journey: &Journey) -> Vec<(String, String)> {
    let converted = |of: &Goal| (goal(of), "converted".to_owned());
    let goal = journey.goal.iter().map(converted);
    let exits = journey.exits.iter();
    goal.chain(exits.map(|of| (exit(of), of.reason.to_string())))
        .collect()
}

/// Says what reaches a goal.
pub fn goal(of: &Goal) -> String {
    let within = of
        .within
        .map(|within| format!(" within {} of entering", length(within)));
    let filter = match of.filter.as_slice() {
        [] => String::new(),
        filter => format!(" where {}", all(filter)),
    };
    let event = named(&of.event);
    format!("on {event}{filter}{}", within.unwrap_or_default())
}

/// Says when an exit is taken.
pub fn exit(of: &Exit) -> String {
    let event = of.event.iter().map(|event| format!("on {}", named(event)));
    let when = (!of.when.is_empty()).then(|| format!("when {}", all(&of.when)));
    let parts: Vec<String> = event.chain(when).collect();
    parts.join(" ")
}

/// Joins events: `a, b or c`.
pub fn any_of(triggers: &[Trigger]) -> String {
    let words: Vec<String> = triggers.iter().map(trigger).collect();
    list(&words, "or")
}
