//! The account of a send: every guard in order.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::explain::every_value;
use crate::decide::guards::{self, Asked, Block, Guard};
use crate::decide::journeys::{in_run, standing_exit};
use crate::decide::why::{Condition, Mark, remedies};
use crate::decide::{draw, send};
use crate::domain::instance::Instance;
use crate::domain::{Profile, Timestamp};
use crate::policy::journey::{Act, Class, Journey, Send, Step};
use crate::policy::mode::Mode;
use crate::policy::{Bundle, Place, explain};

/// A kind of send of a journey, and what it asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// The label of the first step of this kind.
    pub step: String,
    /// The channel.
    pub channel: String,
    /// The template of that step.
    pub template: String,
    /// Where that step stands.
    pub place: Place,
    /// What is asked of it, in order.
    pub guards: Vec<Condition>,
}

impl Outgoing {
    /// Says what would have to be different for it to leave; `None` if nothing would, or nothing helps.
    pub fn remedy(&self) -> Option<String> {
        remedies(&self.guards)
    }
}

/// Asks every guard of every kind of send, as if it were to leave at this moment.
pub fn accounts(
    bundle: &Bundle,
    profile: &Profile,
    journey: &Journey,
    now: Timestamp,
) -> Vec<Outgoing> {
    let run = profile.journeys.iter();
    let run = run.clone().find(|run| run.journey == journey.name);
    let mut all: Vec<Outgoing> = Vec::new();
    for step in &journey.flow {
        if let Act::Send(what) = &step.act {
            let asked = Question {
                bundle,
                profile,
                journey,
                run,
                now,
            };
            let outgoing = asked.outgoing(step, what);
            let is_same =
                |of: &Outgoing| of.channel == outgoing.channel && of.guards == outgoing.guards;
            if !all.iter().any(is_same) {
                all.push(outgoing);
            }
        }
    }
    all
}

struct Question<'a> {
    bundle: &'a Bundle,
    profile: &'a Profile,
    journey: &'a Journey,
    run: Option<&'a Instance>,
    now: Timestamp,
}

impl Question<'_> {
    fn outgoing(&self, step: &Step, what: &Send) -> Outgoing {
        let env = Env::new(self.bundle, self.profile, self.now);
        let number = self.run.map_or(0, |run| run.number);
        let asked = Asked {
            env: self.run.map_or(env, |run| in_run(env, run)),
            journey: self.journey,
            send: what,
            channel: self.bundle.limits.channel(&what.channel),
            action_id: &send::action_id(self.profile, self.journey, number, &step.label),
            shadow: self.journey.mode == Mode::Shadow || self.run.is_some_and(Instance::is_shadow),
        };
        let mut said = explain::asks(self.bundle, self.journey, what);
        let mut guards: Vec<Condition> = self.exit().into_iter().collect();
        for guard in &guards::ALL {
            let text = said.iter().position(|(of, _)| *of == guard.part);
            let text = text.map(|idx| said.remove(idx).1);
            let block = (guard.blocks)(&asked);
            // Where no address is needed there is nothing to ask.
            if let Some(text) = text.or_else(|| block.as_ref().map(|_| String::new())) {
                guards.push(condition(guard, text, block, &asked));
            }
        }
        guards.extend(self.holdout());
        let rank = said.into_iter();
        guards.extend(rank.map(|(part, text)| self.rank(part, text, &asked)));
        for guard in &mut guards {
            let place = || Some(step.place.clone());
            guard.place = guard.place.take().or_else(place);
        }
        Outgoing {
            step: step.label.to_string(),
            channel: what.channel.to_string(),
            template: what.template.to_string(),
            place: step.place.clone(),
            guards,
        }
    }

    /// A run that an exit lets out sends nothing.
    fn exit(&self) -> Option<Condition> {
        let (journey, run) = (self.journey, self.run?);
        let standing = journey.exits.iter().filter(|exit| exit.event.is_none());
        let asks: Vec<String> = standing.clone().map(explain::exit).collect();
        let out = standing_exit(self.bundle, self.profile, journey, run, self.now);
        let env = in_run(Env::new(self.bundle, self.profile, self.now), run);
        let conditions = standing.flat_map(|exit| &exit.when);
        let values = conditions.clone().map(|of| every_value(&of.root, &env));
        let values = values.collect::<Vec<_>>().join("; ");
        (!asks.is_empty()).then(|| Condition {
            mark: if out.is_some() {
                Mark::Missed
            } else {
                Mark::Met
            },
            code: out.is_some().then_some("EXIT"),
            values: match out {
                Some(reason) => format!("{values}; leaves: {reason}"),
                None => values,
            },
            place: conditions.clone().next().map(|of| of.place.clone()),
            ..plain("exit", format!("no exit: {}", asks.join("; ")))
        })
    }

    /// Says what the journey weighs against those that are on their way to the same channel. One that begins at the very
    /// moment is not among them.
    fn rank(&self, part: &str, text: String, asked: &Asked<'_>) -> Condition {
        if asked.class() == Class::Mandatory {
            return plain(part, text);
        }
        let own = send::weight(self.journey, &asked.env);
        let rivals = self.rivals(&asked.send.channel);
        let least = f64::NEG_INFINITY;
        let lighter = |of: &Option<f64>| of.unwrap_or(least) < own.unwrap_or(least);
        let all_lighter = rivals.iter().all(|(_, weight)| lighter(weight));
        let said = rivals.iter();
        let said = said.map(|(name, weight)| format!("{name} {}", send::shown(*weight)));
        let said: Vec<String> = said.collect();
        let against = if said.is_empty() {
            "no other run may send there".into()
        } else {
            format!("on their way there: {}", said.join(", "))
        };
        Condition {
            mark: if all_lighter { Mark::Met } else { Mark::Open },
            values: format!("priority {}; {against}", send::shown(own)),
            ..plain(part, text)
        }
    }

    /// Returns the other journeys with a run that may yet send by a channel, each with what it weighs.
    fn rivals(&self, channel: &str) -> Vec<(Arc<str>, Option<f64>)> {
        let sends = |step: &Step| matches!(&step.act, Act::Send(send) if *send.channel == *channel);
        let mut rivals: Vec<(Arc<str>, Option<f64>)> = Vec::new();
        for run in &self.profile.journeys {
            let is_other = run.journey != self.journey.name && !run.is_shadow();
            let journey = self.bundle.journey_of(run).filter(|_| is_other);
            let known = |rivals: &[(Arc<str>, _)]| rivals.iter().any(|(of, _)| *of == run.journey);
            let Some(journey) = journey.filter(|_| !known(&rivals)) else {
                continue;
            };
            if journey.flow.iter().any(sends) {
                let env = in_run(Env::new(self.bundle, self.profile, self.now), run);
                rivals.push((run.journey.clone(), send::weight(journey, &env)));
            }
        }
        rivals
    }

    fn holdout(&self) -> Option<Condition> {
        if self.journey.holdout <= 0.0 {
            return None;
        }
        let held = draw::is_held_out(self.profile, self.journey);
        let drawn = draw::shown(draw::holdout(self.profile, self.journey));
        let text = format!(
            "the first {} are held out",
            explain::percent(self.journey.holdout)
        );
        Some(Condition {
            mark: if held { Mark::Missed } else { Mark::Met },
            code: held.then_some("HOLDOUT"),
            values: format!("the customer stands at {drawn}"),
            ..plain("holdout", text)
        })
    }
}

fn plain(part: &str, text: String) -> Condition {
    Condition {
        part: part.into(),
        text,
        values: String::new(),
        mark: Mark::Met,
        code: None,
        place: None,
        remedy: None,
    }
}

fn condition(guard: &Guard, text: String, block: Option<Block>, asked: &Asked<'_>) -> Condition {
    let asks = Condition {
        place: (guard.place)(asked),
        ..plain(guard.part, text)
    };
    let Some(block) = block else {
        return Condition {
            values: (guard.looks_at)(asked),
            ..asks
        };
    };
    let (channel, purpose) = (&asked.send.channel, asked.purpose());
    let remedy = match (block.frees_at, block.code) {
        (Some(at), _) => Some(format!("it were {at} or later")),
        (None, "NO_CONSENT") => Some(format!("the customer said yes to {purpose} by {channel}")),
        (None, "UNREACHABLE") => {
            let path = asked.channel.address.join(".");
            Some(format!("profile.traits.{path} were known"))
        }
        (None, "SUPPRESSED") => Some("the suppression were lifted".into()),
        (None, _) => None,
    };
    Condition {
        mark: Mark::Missed,
        code: Some(block.code),
        values: block.detail.to_string(),
        remedy,
        ..asks
    }
}
