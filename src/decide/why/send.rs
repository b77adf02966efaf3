//! The account of a send: every guard in order.

use crate::decide::env::Env;
use crate::decide::guards::{self, Asked, Block};
use crate::decide::journeys::{in_run, standing_exit};
use crate::decide::why::{Condition, Mark};
use crate::decide::{draw, send};
use crate::domain::instance::Instance;
use crate::domain::{Profile, Timestamp};
use crate::policy::journey::{Act, Class, Journey, Send, Step};
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
        };
        let mut said = explain::asks(self.bundle, self.journey, what);
        let mut guards: Vec<Condition> = self.exit().into_iter().collect();
        for (part, blocks) in guards::ALL {
            let text = said.iter().position(|(of, _)| *of == part);
            let text = text.map(|idx| said.remove(idx).1);
            let block = blocks(&asked);
            // Where no address is needed there is nothing to ask.
            if let Some(text) = text.or_else(|| block.as_ref().map(|_| String::new())) {
                guards.push(condition(part, text, block, &asked));
            }
        }
        guards.extend(self.holdout());
        let rank = said.into_iter().map(|(part, text)| Condition {
            mark: Mark::Open,
            values: if asked.class() == Class::Mandatory {
                String::new()
            } else {
                "told at the moment of sending".into()
            },
            ..plain(part, text)
        });
        guards.extend(rank);
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
        let standing: Vec<String> = standing.map(explain::exit).collect();
        let out = standing_exit(self.bundle, self.profile, journey, run, self.now);
        (!standing.is_empty()).then(|| Condition {
            mark: if out.is_some() {
                Mark::Missed
            } else {
                Mark::Met
            },
            code: out.is_some().then_some("EXIT"),
            values: out.map_or_else(String::new, |reason| format!("leaves: {reason}")),
            ..plain("exit", format!("no exit: {}", standing.join("; ")))
        })
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

fn condition(part: &str, text: String, block: Option<Block>, asked: &Asked<'_>) -> Condition {
    let Some(block) = block else {
        return plain(part, text);
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
        ..plain(part, text)
    }
}
