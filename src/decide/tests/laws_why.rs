//! Laws of accounts: what is said of a decision is what was decided.

use std::collections::BTreeSet;

use expect_test::expect;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::World;
use crate::decide::step::{Input, Scores, Stage, step};
use crate::decide::why::{Course, Mark, Replay, Verdict, why};
use crate::decide::{Cause, Request, Step};
use crate::domain::event::Kind;
use crate::domain::{CustomerId, Duration, Event, EventId, Fact, Profile, Timestamp, Value, What};
use crate::policy::Bundle;
use crate::policy::journey::Journey;

const ENTRIES: &str = "
journey: a
enter:
  event: A
  where: [ event.properties.n > 0, profile.features.seen < 12 ]
  unless: [ event.properties.n == 4, profile.traits.out == true ]
  max_age: 3m
  key: event.properties.k
  reentry: { after_exit: 4m, concurrent: 1 }
goal: { event: G }
exit: { event: A, when: event.properties.n == 5 }
steps: [ { wait: 6m } ]
---
journey: b
enter: { event: A, on_repeat: restart, reentry: { after_exit: 5m } }
steps: [ { wait: 2m }, { set: { out: profile.features.seen > 9 } } ]
---
journey: c
enter: { event: A, on_repeat: refresh, unless: event.properties.k == 'y' }
steps: [ { wait: 9m } ]
---
journey: d
enter: { event: G, reentry: never, where: has(event.properties.k) && event.properties.n != 3 }
steps: [ { wait: 1m } ]
---
journey: e
mode: shadow
enter: { event: A, key: event.properties.k, reentry: { after_exit: 2m } }
steps: [ { wait: 4m } ]
---
features: { seen: { count: A, window: 30m } }
";

const SENDS: &str = "
limits: { email: 2 per 1h, all: 3 per 2h, quiet_hours: 01:00-01:20 UTC }
---
journey: s
enter: { event: A, key: event.properties.k }
exit: { when: profile.traits.out == true }
holdout: 30%
steps:
  - wait: 5m
  - send: { channel: email, template: t }
  - wait: 7m
  - send: { channel: push, template: t, class: transactional, quiet_hours: none }
";

/// Seconds since the line before; what happens; n; k; how late the event is.
type Line = (u64, u8, u8, u8, u64);

fn lines() -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec((0_u64..200, 0_u8..8, 0_u8..6, 0_u8..4, 0_u64..300), 1..50)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_account_of_an_entry_says_what_was_decided(lines in lines()) {
        entries(&lines, |said, done| assert_eq!(said, done));
    }

    #[test]
    fn a_replay_says_what_was_decided(lines in lines()) {
        let mut world = World::new(ENTRIES);
        let (mut now, mut past) = (super::start(), Vec::new());
        for (n, line) in lines.iter().enumerate() {
            now = now + Duration::from_secs(line.0);
            let event = event(line, n, now);
            past.push((event.clone(), now));
            let outcome = world.handle(&Cause::Event(event), now);
            let facts: Vec<Fact> = outcome.facts;
            // The longer ones say no more, and take long.
            if n + 1 != lines.len() && n != lines.len() / 2 {
                continue;
            }
            for journey in &world.bundle.journeys {
                let scoring = |_: &[Request]| Scores::new();
                let before = super::customer();
                let course = Course::of(&world.bundle, before, &scoring);
                let mut replay = Replay::of(course, &journey.name);
                for (event, now) in past.clone() {
                    replay.event(event, now);
                }
                let replayed = replay.end(now).unwrap();
                prop_assert_eq!(&replayed.profile, &world.profile);
                let last = replayed.event.map(|(event, _)| event.id);
                if last.is_some_and(|id| id.as_str() == n.to_string()) {
                    prop_assert_eq!(replayed.account.verdict, decided(journey, &facts));
                }
            }
        }
    }

    #[test]
    fn the_account_of_a_send_says_what_holds_it_back(lines in lines(), who in 0_u8..8) {
        sends(&lines, who, |said, done| assert_eq!(said, done));
    }
}

/// The laws above prove nothing of a verdict that no script leads to.
#[test]
fn the_scripts_of_the_laws_lead_to_every_verdict() {
    let mut runner = TestRunner::deterministic();
    let mut reached = BTreeSet::new();
    for n in 0..400_u16 {
        let lines = lines().new_tree(&mut runner).unwrap().current();
        entries(&lines, |_, done| {
            reached.insert(match done {
                Verdict::Refused(code, _) => code.into(),
                Verdict::Enters => "enters".into(),
                Verdict::Repeats(_) => "repeats".into(),
                Verdict::Open => "open".into(),
            });
        });
        let who = u8::try_from(n % 8).unwrap();
        sends(&lines, who, |_, done| {
            reached.insert(done.unwrap_or_else(|| "sent".into()));
        });
    }
    let reached: Vec<String> = reached.into_iter().collect();
    expect!["ALREADY_IN CONCURRENCY CONTACT_LIMIT EXIT HOLDOUT KEY_UNKNOWN QUIET_HOURS REENTRY_GAP TOO_OLD UNLESS WHERE enters repeats sent"].assert_eq(&reached.join(" "));
}

/// Plays a script; calls `each` for every entry with what the account says and what was decided.
fn entries(lines: &[Line], mut each: impl FnMut(Verdict, Verdict)) {
    let mut world = World::new(ENTRIES);
    let mut now = super::start();
    for (n, line) in lines.iter().enumerate() {
        now = now + Duration::from_secs(line.0);
        let early = now - Duration::from_millis(1);
        world.handle(&Cause::Wake(early), now);
        let event = event(line, n, now);
        let learnt = after(&world.bundle, &world.profile, Stage::Observe(&event), now).1;
        let (facts, _) = after(&world.bundle, &learnt, Stage::React(&event), now);
        for journey in &world.bundle.journeys {
            if journey.enter.on.event() == Some(&event.name) {
                let account = why(&world.bundle, &learnt, journey, Some(&event), now);
                each(account.verdict, decided(journey, &facts));
            }
        }
        world.handle(&Cause::Event(event), now);
    }
}

/// Plays a script; calls `each` for every send with the code of what the account says, and of what was done.
fn sends(lines: &[Line], who: u8, mut each: impl FnMut(Option<String>, Option<String>)) {
    let mut world = World::new(SENDS);
    world.profile.id = CustomerId::parse(&format!("u{who}")).unwrap();
    let mut now = super::start();
    for (n, line) in lines.iter().enumerate() {
        now = now + Duration::from_secs(line.0);
        sends_until(&mut world, now, &mut each);
        world.handle(&Cause::Event(event(line, n, now)), now);
    }
    sends_until(&mut world, now + Duration::from_secs(7_200), &mut each);
}

/// Lets every sleep end alone, and holds what follows against the account of the moment before.
fn sends_until(
    world: &mut World,
    upto: Timestamp,
    each: &mut impl FnMut(Option<String>, Option<String>),
) {
    while let Some(due) = world.profile.next_due().filter(|due| *due < upto) {
        let waiting = world.profile.journeys.iter();
        let mut waiting = waiting.filter(|run| run.wait.is_some_and(|wait| wait.due == due));
        let run = waiting.next().cloned().unwrap();
        let alone = waiting.next().is_none();
        let before = world.profile.clone();
        let outcome = world.handle(&Cause::Wake(due), due);
        if !alone {
            continue;
        }
        let journey = &world.bundle.journeys[0];
        let account = why(&world.bundle, &before, journey, None, due);
        let channel = if run.step.starts_with(['0', '1']) {
            "email"
        } else {
            "push"
        };
        let mut sends = account.sends.iter();
        let send = sends.find(|send| send.channel == channel).unwrap();
        let missed = send.guards.iter().find(|of| of.mark == Mark::Missed);
        let said = missed.and_then(|of| of.code);
        let traces = outcome.facts.iter().filter_map(Fact::as_trace);
        let mut done = traces.filter_map(|trace| {
            if let What::Blocked(code, _) = &trace.what {
                Some(Some(code.to_string()))
            } else if let What::Sent(..) = trace.what {
                Some(None)
            } else {
                let out = trace.what == What::Left("exit".into());
                out.then(|| Some("EXIT".into()))
            }
        });
        if let Some(done) = done.next() {
            each(said.map(str::to_owned), done);
        }
    }
}

fn event(line: &Line, n: usize, now: Timestamp) -> Event {
    let (_, what, number, key, late) = *line;
    let (kind, name) = match what {
        0..=5 => (Kind::Track, "A"),
        6 => (Kind::Track, "G"),
        _ => (Kind::Identify, "identify"),
    };
    let key = ["x", "y", "z"].get(usize::from(key));
    let key = key
        .map(|key| format!(",\"k\":\"{key}\""))
        .unwrap_or_default();
    let properties = serde_json::from_str(&format!("{{\"n\":{number}{key}}}")).unwrap();
    let traits = serde_json::from_str(&format!("{{\"out\":{}}}", number == 5)).unwrap();
    Event {
        id: EventId::new(&format!("{n}")),
        kind,
        name: name.into(),
        at: now - Duration::from_secs(late),
        properties,
        traits: if kind == Kind::Identify {
            traits
        } else {
            Value::Null
        },
        context: Value::Null,
    }
}

/// Decides one stage; returns what the profile learns, and the profile that has learnt it.
fn after(
    bundle: &Bundle,
    profile: &Profile,
    stage: Stage<'_>,
    now: Timestamp,
) -> (Vec<Fact>, Profile) {
    let input = Input {
        stage,
        said: &crate::decide::Said::new(),
        budgets: &crate::decide::Budgets::new(),
        learnt: &crate::decide::NOTHING,
        traceparent: None,
    };
    let Step::Done(effects) = step(bundle, profile, input, now) else {
        panic!("nothing is scored here");
    };
    let mut profile = profile.clone();
    for fact in &effects.facts {
        profile.apply(fact);
    }
    (effects.facts, profile)
}

/// Reads what was decided about an entry from what the profile learns.
fn decided(journey: &Journey, facts: &[Fact]) -> Verdict {
    let own = |subject: &str| subject == journey.name.as_ref();
    let mut verdict = None;
    for fact in facts {
        if let Fact::Refreshed(number, run) = fact
            && own(&run.journey)
        {
            verdict = Some(Verdict::Repeats(*number));
        }
        let Some(trace) = fact.as_trace().filter(|trace| own(&trace.subject)) else {
            continue;
        };
        let said = if let What::Refused(code, detail) = &trace.what {
            Some(Verdict::Refused(known(code), detail.clone()))
        } else if trace.what == What::Entered {
            Some(Verdict::Enters)
        } else {
            let again = trace.what == What::Left("restarted".into());
            again.then_some(Verdict::Repeats(trace.instance))
        };
        verdict = verdict.or(said);
    }
    verdict.expect("something was decided")
}

fn known(code: &str) -> &'static str {
    let codes = [
        "WHERE",
        "UNLESS",
        "TOO_OLD",
        "KEY_UNKNOWN",
        "ALREADY_IN",
        "REENTRY_GAP",
        "CONCURRENCY",
    ];
    codes.into_iter().find(|known| *known == code).unwrap()
}
