//! A send: the order of what may hold it back, what follows when it is held back, and the action that leaves.

use std::sync::Arc;

use crate::decide::contest::{Parked, Winner};
use crate::decide::draw::is_held_out;
use crate::decide::env::Env;
use crate::decide::eval::eval;
use crate::decide::guards::{self, Asked, Block};
use crate::decide::journeys::standing_exit;
use crate::decide::run::{Next, Walk};
use crate::domain::action::stable_id;
use crate::domain::instance::Wait;
use crate::domain::{Action, Duration, Fact, Map, Profile, Timestamp, Trace, What, contact};
use crate::policy::Expr;
use crate::policy::journey::{Class, Journey, OnBlock, Send, Step as Node};

/// How many lines of the timeline go with an action.
const LINES_MAX: usize = 8;
/// How long a send waits at most for guards that let go, so that a journey always ends.
const HOLD_MAX: Duration = Duration::from_secs(366 * 86_400);

/// What the contest of the moment says of a run's send.
#[derive(Clone, Copy)]
pub enum Settled<'a> {
    /// Nothing yet.
    No,
    /// It goes.
    Goes(&'a Parked),
    /// This one goes in its place.
    Outranked(&'a Parked, &'a Winner),
}

impl Settled<'_> {
    /// Returns the step to go on at, if there was a contest.
    pub fn step(&self) -> Option<&Arc<str>> {
        match self {
            Self::No => None,
            Self::Goes(parked) | Self::Outranked(parked, _) => Some(&parked.step),
        }
    }
}

/// Lets an action leave, parks it for the contest of the moment, or says what held it back.
pub fn send<'a>(walk: &mut Walk<'a>, node: &'a Node, send: &'a Send) -> Next {
    // The contest speaks of one send: the first one of the walk.
    let settled = std::mem::replace(&mut walk.settled, Settled::No);
    let exit = standing_exit(walk.bundle, walk.profile, walk.journey, walk.run, walk.now);
    if let Some(reason) = exit {
        walk.leave(&node.label, &reason);
        return Next::Pause;
    }
    let action_id = action_id(walk.profile, walk.journey, walk.run.number, &node.label);
    let asked = Asked {
        env: walk.env(),
        journey: walk.journey,
        send,
        channel: walk.bundle.limits.channel(&send.channel),
        action_id: &action_id,
        shadow: walk.is_shadow(),
    };
    let class = asked.class();
    if let Some(block) = guards::check(&asked) {
        return blocked(walk, node, send, &block);
    }
    if is_held_out(walk.profile, walk.journey) {
        ghost(walk, node, send, None);
        return Next::Go(node.next);
    }
    match settled {
        Settled::No if class != Class::Mandatory => {
            park(walk, node, send, class);
            return Next::Pause;
        }
        Settled::Outranked(parked, winner) => {
            return blocked(walk, node, send, &outranked(parked, winner));
        }
        Settled::No | Settled::Goes(_) => {}
    }
    let (channel, now) = (send.channel.clone(), walk.now);
    let keep = walk.bundle.limits.keep(&channel);
    let keep = keep.filter(|_| class == Class::Marketing);
    let action = contact::fingerprint(&action_id);
    let counts = if walk.is_shadow() {
        let what = What::WouldSend(channel.clone(), send.template.clone());
        walk.trace(&node.label, what);
        let journey = walk.journey.name.clone();
        keep.map(|keep| Fact::WouldContact(journey, channel, action, now, keep))
    } else {
        leave(walk, node, send, &action_id);
        keep.map(|keep| Fact::Contacted(channel, action, now, keep))
    };
    walk.effects.facts.extend(counts);
    Next::Go(node.next)
}

/// Follows a guard that blocks: holds the send until it lets go, or goes on without it.
fn blocked(walk: &mut Walk<'_>, node: &Node, send: &Send, block: &Block) -> Next {
    let waits = block.holds || send.on_block == OnBlock::Retry;
    if let Some(wait) = block
        .frees_at
        .filter(|_| waits)
        .and_then(|at| hold(walk, node, at))
    {
        blocks(walk, node, block.code, block.detail.clone());
        let label = node.label.clone();
        let fact = Fact::Moved(walk.run.number, label, Some(wait));
        walk.effects.facts.push(fact);
        walk.trace(&node.label, What::Waits(wait.due));
        return Next::Pause;
    }
    if is_held_out(walk.profile, walk.journey) {
        ghost(walk, node, send, Some(block));
    } else {
        blocks(walk, node, block.code, block.detail.clone());
    }
    if send.on_block == OnBlock::Exit {
        walk.leave(&node.label, &format!("blocked by {}", block.code));
        return Next::Pause;
    }
    Next::Go(node.next)
}

fn blocks(walk: &mut Walk<'_>, node: &Node, code: &str, detail: Arc<str>) {
    walk.trace(&node.label, What::Blocked(code.into(), detail));
}

/// Returns the sleep until a guard lets go, unless the send would have waited too long by then.
fn hold(walk: &Walk<'_>, node: &Node, until: Timestamp) -> Option<Wait> {
    let held = walk.run.wait.filter(|_| walk.run.step == node.label);
    let since = held.map_or(walk.now, |wait| wait.since);
    (until > walk.now && until <= since + HOLD_MAX).then_some(Wait {
        since,
        due: until,
        met: None,
    })
}

/// Traces what a customer of the holdout would have got at this moment, and if not, why.
fn ghost(walk: &mut Walk<'_>, node: &Node, send: &Send, block: Option<&Block>) {
    let besides = block.map(|block| format!("; besides {} {}", block.code, block.detail));
    let detail = format!(
        "{} {}{}",
        send.channel,
        send.template,
        besides.unwrap_or_default()
    );
    blocks(walk, node, "HOLDOUT", detail.into());
}

fn park(walk: &mut Walk<'_>, node: &Node, send: &Send, class: Class) {
    let score = weight(walk.journey, &walk.env());
    walk.effects.parked.push(Parked {
        run: walk.run.number,
        step: node.label.clone(),
        journey: walk.run.journey.clone(),
        channel: send.channel.clone(),
        class,
        score,
    });
}

/// Returns what a journey weighs in the contest of a moment; `None` is unknown.
pub fn weight(journey: &Journey, env: &Env<'_>) -> Option<f64> {
    match &journey.priority {
        None => Some(0.0),
        Some(priority) => eval(&priority.root, env).and_then(|value| value.as_f64()),
    }
}

/// Writes what a journey weighs.
pub fn shown(weight: Option<f64>) -> String {
    weight.map_or_else(|| "unknown".into(), |weight| weight.to_string())
}

fn outranked(parked: &Parked, winner: &Winner) -> Block {
    let (own, other) = (shown(parked.score), shown(winner.score));
    let detail = format!("by {} [priority {own} against {other}]", winner.journey).into();
    Block {
        code: "OUTRANKED",
        detail,
        frees_at: None,
        holds: false,
    }
}

/// Returns the id of the action that a step of a run sends.
pub fn action_id(profile: &Profile, journey: &Journey, run: u32, step: &str) -> Arc<str> {
    let (customer, journey) = (profile.id.as_str(), &journey.name);
    stable_id(&[customer, journey, &run.to_string(), step])
}

fn leave(walk: &mut Walk<'_>, node: &Node, send: &Send, action_id: &Arc<str>) {
    let env = walk.env();
    let known = |(name, of): &(Arc<str>, Expr)| {
        eval(&of.root, &env).map(|value| (name.clone(), value.into_owned()))
    };
    let data: Map = send.with.iter().filter_map(known).collect();
    let run = walk.run;
    let (channel, template) = (send.channel.clone(), send.template.clone());
    let action = Action {
        action_id: action_id.clone(),
        customer: walk.profile.id.clone(),
        journey: run.journey.clone(),
        instance: run.number,
        key: run.key.clone(),
        step: node.label.clone(),
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
        &node.label,
        What::Sent(action_id.clone(), channel, template),
    );
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
        What::Migrated(from) => format!("taken over from step {from} of an earlier revision"),
        What::Dealt(arm, why) => format!("dealt to {arm}: {why}"),
        What::Blocked(code, detail) => format!("held back: {code} {detail}"),
        What::Sent(_, channel, template) => format!("sent {channel} {template}"),
        What::Refused(..)
        | What::Woke
        | What::Set(_)
        | What::Left(_)
        | What::Crossed(..)
        | What::WouldSend(..)
        | What::WouldSet(_)
        | What::Told(..)
        | What::Untold(..)
        | What::Unkept(..) => return None,
    };
    Some(text.into())
}
