//! A script in, a transcript out: what the core decides, on a virtual clock.
//!
//! A script line is a time since the start, then `NAME {properties}` for a track event, `identify {traits}`,
//! `page {properties}`, `late AGE NAME {…}` for one that happened earlier, `in ZONE NAME {…}` for one from a device there, `wake` to let time go on, or `ask PLACEMENT {context}`.

mod budgets;
mod entries;
mod expressions;
mod features;
mod guards;
mod journeys;
mod laws;
mod laws_guards;
mod laws_offers;
mod laws_segments;
mod laws_why;
mod learning;
mod offers;
mod outcomes;
mod pipeline;
mod questions;
mod quiet_hours;
mod revisions;
mod room;
mod segments;
mod shadows;
mod splits;
mod wait_for;
mod waits;
mod weaknesses;
mod weaknesses_guards;
mod why;

use std::fmt::Write as _;

use crate::decide::drive::{Moment, Outcome};
use crate::decide::{Ask, Cause, Outside, Request, Scores, handle};
use crate::domain::budget::Till;
use crate::domain::event::Kind;
use crate::domain::instance::{self, is_shadow};
use crate::domain::learning::Tallies;
use crate::domain::{
    Crossing, CustomerId, Duration, Event, EventId, Fact, Profile, Score, Timestamp, Trace, Value,
    What, consent,
};
use crate::policy::tests::json_schema;
use crate::policy::{Bundle, Source, compile};

/// Compiles a policy text; a mistake in it fails the test with the mistake underlined.
pub fn bundle(policies: &str) -> Bundle {
    json_schema::takes(policies);
    compile(&[Source::new("test.yaml", policies)])
        .unwrap_or_else(|problems| panic!("{}", problems.render(false)))
}

/// Monday, 2026-01-05.
pub fn start() -> Timestamp {
    Timestamp::parse("2026-01-05T00:00:00Z").unwrap()
}

/// A customer who has an address on every channel and wants marketing.
pub fn customer() -> Profile {
    let mut profile = Profile::new(CustomerId::parse("u1").unwrap());
    let addresses = [
        ("email", "u1@example.org"),
        ("phone", "+4930123"),
        ("device_token", "d1"),
    ];
    for (name, address) in addresses {
        profile.apply(&Fact::Trait(name.into(), Value::text(address)));
    }
    for said in consent::of_trait(&Value::Bool(true), Timestamp::MIN) {
        profile.apply(&Fact::Consented(said));
    }
    profile
}

/// One customer on a virtual clock.
pub struct World {
    pub bundle: Bundle,
    pub profile: Profile,
    pub score: Score,
    pub learnt: Tallies,
    pub till: Till,
    n: usize,
}

impl World {
    pub fn new(policies: &str) -> Self {
        Self::with(policies, customer())
    }

    pub fn with(policies: &str, profile: Profile) -> Self {
        Self {
            bundle: bundle(policies),
            profile,
            score: Score::unavailable("no model"),
            learnt: Tallies::default(),
            till: Till::default(),
            n: 0,
        }
    }

    /// Runs one script line and returns what followed.
    pub fn line(&mut self, line: &str) -> (Timestamp, Vec<Outcome>) {
        let (time, what) = line.trim().split_once(' ').unwrap();
        let now = start() + Duration::parse(time).unwrap();
        let early = Cause::Wake(now - Duration::from_millis(1));
        let mut outcomes = vec![self.handle(&early, now)];
        self.n += 1;
        if what != "wake" {
            outcomes.push(self.handle(&cause(what, now, self.n), now));
        }
        (now, outcomes)
    }

    pub fn handle(&mut self, cause: &Cause, now: Timestamp) -> Outcome {
        let score = self.score.clone();
        let scoring = move |requests: &[Request]| -> Scores {
            let of = |request: &Request| {
                (
                    request.model.clone(),
                    vec![score.clone(); request.rows.len()],
                )
            };
            requests.iter().map(of).collect()
        };
        let outcome = handle(
            &self.bundle,
            &mut self.profile,
            cause,
            Moment { now, at_due: true },
            None,
            Outside {
                scoring: &scoring,
                learnt: &self.learnt,
                purse: &self.till,
            },
        );
        self.till.settle(&outcome.spent);
        outcome
            .updates
            .iter()
            .for_each(|update| self.learnt.apply(update));
        outcome
    }
}

fn cause(what: &str, now: Timestamp, n: usize) -> Cause {
    let (name, json) = what
        .split_once('{')
        .map_or((what, "{}".into()), |(name, json)| {
            (name, format!("{{{json}"))
        });
    let (name, value) = (name.trim(), serde_json::from_str::<Value>(&json).unwrap());
    let late = name
        .strip_prefix("late ")
        .and_then(|late| late.split_once(' '));
    let (at, name) = late.map_or((now, name), |(late, name)| {
        (now - Duration::parse(late).unwrap(), name)
    });
    let placed = name
        .strip_prefix("in ")
        .and_then(|placed| placed.split_once(' '));
    let (context, name) = placed.map_or((Value::Null, name), |(zone, name)| {
        let zone = ("timezone".into(), Value::text(zone));
        (Value::Map([zone].into_iter().collect()), name)
    });
    if let Some(placement) = name.strip_prefix("ask ") {
        let id = n.to_string().into();
        return Cause::Ask(Ask {
            id,
            placement: placement.into(),
            context: value,
            limit: None,
            stranger: false,
        });
    }
    let kind = Kind::parse(name).unwrap_or(Kind::Track);
    let (properties, traits) = if kind == Kind::Identify {
        (Value::Null, value)
    } else {
        (value, Value::Null)
    };
    let id = EventId::new(&format!("e{n}"));
    Cause::Event(Event {
        id,
        kind,
        name: name.into(),
        at,
        properties,
        traits,
        context,
    })
}

/// Runs a script and compares the transcript: `time` since the start, then the line of the timeline.
pub fn check(policies: &str, score: Option<f64>, script: &str, expected: &expect_test::Expect) {
    let mut world = World::new(policies);
    world.score = score.map_or_else(|| Score::unavailable("no model"), Score::Value);
    play(world, script, expected);
}

/// Runs a script in a world and compares the transcript.
pub fn play(mut world: World, script: &str, expected: &expect_test::Expect) {
    let mut out = String::new();
    for line in script.lines().filter(|line| !line.trim().is_empty()) {
        let (_, outcomes) = world.line(line);
        for outcome in outcomes {
            write(&mut out, &outcome);
        }
    }
    expected.assert_eq(&out);
}

fn write(out: &mut String, outcome: &Outcome) {
    for trace in outcome.facts.iter().filter_map(Fact::as_trace) {
        write_trace(out, trace);
    }
    for action in &outcome.actions {
        let at = action.decided_at.since(start());
        let data = serde_json::to_string(&action.data).unwrap();
        writeln!(
            out,
            "{at} ACTION {} {} {data}",
            action.channel, action.template
        )
        .unwrap();
    }
    for crossing in &outcome.crossings {
        write_crossing(out, crossing);
    }
    for answer in &outcome.answers {
        let at = answer.decided_at.since(start());
        writeln!(
            out,
            "{at} ANSWER degraded={} fallback={}",
            answer.degraded, answer.fallback
        )
        .unwrap();
        for choice in &answer.offers {
            writeln!(
                out,
                "   {} p={:?} priority={:?}",
                choice.offer, choice.propensity, choice.priority
            )
            .unwrap();
        }
        for loser in &answer.losers {
            let priority = loser
                .priority
                .map_or_else(String::new, |of| format!(" at {of}"));
            writeln!(
                out,
                "   not {}: {} {}{priority}",
                loser.offer,
                loser.reason.code(),
                loser.detail
            )
            .unwrap();
        }
    }
}

fn write_trace(out: &mut String, trace: &Trace) {
    let at = trace.at.since(start());
    let text = shown(&trace.what);
    let step = if trace.step.is_empty() {
        String::new()
    } else {
        format!(" @{}", trace.step)
    };
    let shadow = if is_shadow(trace.instance) {
        "shadow "
    } else {
        ""
    };
    let (subject, number) = (&trace.subject, instance::shown(trace.instance));
    writeln!(out, "{at} {subject}#{shadow}{number}{step} {text}").unwrap();
}

fn write_crossing(out: &mut String, crossing: &Crossing) {
    let at = crossing.at.since(start());
    let (segment, way) = (&crossing.segment, crossing.way.as_str());
    let due = crossing.due.map(|due| due.since(start()).to_string());
    let event = crossing.event.as_ref().map(EventId::as_str);
    writeln!(
        out,
        "{at} CROSSING {segment} {way} by event {event:?} timer {due:?}"
    )
    .unwrap();
}

fn shown(what: &What) -> String {
    match what {
        What::Entered => "entered".into(),
        What::Refused(code, detail) => format!("refused {code}: {detail}"),
        What::Waits(until) => format!("waits until {}", until.since(start())),
        What::Woke => "woke".into(),
        What::Scored(model, score) => format!("{model} scored {score:?}"),
        What::Took(arm, why) => format!("took {arm}: {why}"),
        What::Ranked(chosen, lost) => format!("ranked {chosen:?}, lost {lost}"),
        What::Sent(_, channel, template) => format!("sent {channel} {template}"),
        What::WouldSend(channel, template) => format!("would have sent {channel} {template}"),
        What::WouldSet(names) => format!("would have set {names:?}"),
        What::Blocked(code, detail) => format!("blocked {code}: {detail}"),
        What::Set(names) => format!("set {names:?}"),
        What::Left(reason) => format!("left: {reason}"),
        What::Crossed(way, why) => format!("{}: {why}", way.as_str()),
        What::Aimed(until, why) => format!("waits until {}: {why}", until.since(start())),
        What::Missed(then, why) => format!("missed, {then}: {why}"),
        What::Met(arm, why) => format!("met {arm}: {why}"),
        What::Migrated(from) => format!("migrated from {from}"),
        What::Dealt(arm, why) => format!("dealt to {arm}: {why}"),
        What::Told(word, offers) => format!("told {word} of {offers:?}"),
        What::Untold(code, detail) => format!("untold {code}: {detail}"),
        What::Unkept(code, detail) => format!("not kept {code}: {detail}"),
    }
}
