//! A send: its guards, and the action that leaves when they pass.

use std::sync::Arc;

use crate::decide::draw::draw;
use crate::decide::eval::eval;
use crate::decide::run::Walk;
use crate::domain::action::stable_id;
use crate::domain::{Action, Fact, Map, Trace, What};
use crate::policy::Expr;

/// How many lines of the timeline go with an action.
const LINES_MAX: usize = 8;

/// Lets an action leave, or traces what held it back; the journey goes on either way.
pub fn send(
    walk: &mut Walk<'_>,
    step: &Arc<str>,
    channel: &Arc<str>,
    template: &Arc<str>,
    with: &[(Arc<str>, Expr)],
) {
    if in_holdout(walk) {
        let detail = format!("{channel} {template}").into();
        return walk.trace(step, What::Blocked("HOLDOUT".into(), detail));
    }
    let env = walk.env();
    let known = |(name, of): &(Arc<str>, Expr)| {
        eval(&of.root, &env).map(|value| (name.clone(), value.into_owned()))
    };
    let data: Map = with.iter().filter_map(known).collect();
    let run = walk.run;
    let customer = walk.profile.id.clone();
    let number = run.number.to_string();
    let action_id = stable_id(&[customer.as_str(), &run.journey, &number, step]);
    let action = Action {
        action_id: action_id.clone(),
        customer,
        journey: run.journey.clone(),
        instance: run.number,
        key: run.key.clone(),
        step: step.clone(),
        channel: channel.clone(),
        template: template.clone(),
        data,
        decided_at: walk.now,
        event_id: run.event.clone(),
        trace: lines(walk),
        traceparent: walk.input.traceparent.cloned(),
    };
    walk.effects.actions.push(action);
    walk.trace(
        step,
        What::Sent(action_id, channel.clone(), template.clone()),
    );
}

/// A sticky share of customers walks the journey and gets nothing, so that there is something to compare with.
fn in_holdout(walk: &Walk<'_>) -> bool {
    let share = walk.journey.holdout;
    share > 0.0 && draw(&[walk.profile.id.as_str(), &walk.journey.name, "holdout"]) < share
}

/// Says in words what led to the action since its run began.
fn lines(walk: &Walk<'_>) -> Vec<Arc<str>> {
    let old = walk.profile.timeline.iter();
    let new = walk.effects.facts.iter().filter_map(Fact::as_trace);
    let own =
        |trace: &&Trace| trace.instance == walk.run.number && trace.subject == walk.run.journey;
    let lines: Vec<_> = old.chain(new).filter(own).filter_map(line).collect();
    lines[lines.len().saturating_sub(LINES_MAX)..].to_vec()
}

fn line(trace: &Trace) -> Option<Arc<str>> {
    let text = match &trace.what {
        What::Entered => "entered".to_owned(),
        What::Scored(model, Ok(score)) => format!("{model} = {score:.4}"),
        What::Scored(model, Err(why)) => format!("{model} is unknown: {why}"),
        What::Took(arm, why) => format!("branch {arm}: {why}"),
        What::Ranked(chosen, _) => format!("offers: {}", chosen.join(", ")),
        What::Waits(until) => format!("waited until {until}"),
        What::Aimed(until, why) => format!("waited until {until}: {why}"),
        What::Missed(then, why) => format!("did not wait, {then}: {why}"),
        What::Met(arm, why) => format!("met {arm}: {why}"),
        What::Dealt(arm, why) => format!("dealt to {arm}: {why}"),
        What::Blocked(code, detail) => format!("held back: {code} {detail}"),
        What::Sent(_, channel, template) => format!("sent {channel} {template}"),
        What::Refused(..) | What::Woke | What::Set(_) | What::Left(_) => return None,
    };
    Some(text.into())
}
