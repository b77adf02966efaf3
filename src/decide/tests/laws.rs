//! Laws of the core.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::World;
use crate::decide::drive::Outcome;
use crate::decide::{Ask, Cause};
use crate::domain::event::Kind;
use crate::domain::{CustomerId, Duration, Event, EventId, Fact, Profile, Timestamp, Value, What};

const POLICY: &str = "
features:
  seen: { count: V, window: 1h }
  kinds: { distinct: V, of: event.properties.k, window: session }
---
offers:
  capped: { placements: [hero], value: 9, cap: 2 per 1h }
  free: { placements: [hero], value: 1 }
placements:
  hero: {}
---
journey: j
enter: { event: A, key: event.properties.k, reentry: { after_exit: 10m }, on_repeat: restart }
goal: { event: G }
steps:
  - hold_until: { quiet: 5m, of: [A, V], max: 12m }
  - offer: { placement: hero, as: pick }
  - send: { channel: email, template: t, with: { pick: pick.id, seen: profile.features.seen } }
  - wait: 7m
  - set: { done: now() }
---
journey: k
enter: { event: V, unless: profile.features.seen > 3 }
exit: { event: G, when: profile.features.kinds > 1 }
steps: [ { wait: 3m }, { send: { channel: push, template: t } } ]
---
journey: l
enter: { event: V, key: event.properties.k, on_repeat: refresh }
exit: { event: G, when: \"event.properties.k == '2'\" }
steps:
  - wait: { until: 2026-01-05T00:30, offset: -10m, past: skip }
  - stop
  - split:
      arms:
        - { name: one, share: 40%, then: [ { wait: { until: 01:15, days: [mon..wed] } }, { send: { channel: sms, template: t } } ] }
        - { name: two, share: 40% }
        - { name: out, share: 20%, then: stop }
  - wait_for:
      arms:
        - { event: A, where: event.properties.k == entry.properties.k, then: { send: { channel: push, template: a } } }
        - event: V
          then:
            - wait_for:
                arms: [ { event: A, then: stop }, { event: G, then: { wait: 2m } } ]
                within: 4m
                otherwise: { send: { channel: push, template: none, with: { arm: split } } }
      within: 6m
      rank: true
      otherwise: { wait: { until: 1767570000000, past: exit } }
---
journey: m
enter: { event: A }
steps:
  - wait_for: { arms: [ { event: V }, { event: G, then: { exit: g } } ], within: 90s }
  - send: { channel: push, template: m }
  - wait: { until: 2026-01-05T00:20, offset: 3m, zone: UTC, past: now }
";

#[derive(Clone, Debug)]
struct Line {
    after: u64,
    what: u8,
    key: u8,
    again: bool,
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let line = (0_u64..400, 0_u8..5, 0_u8..3, prop::bool::weighted(0.2)).prop_map(
        |(after, what, key, again)| Line {
            after,
            what,
            key,
            again,
        },
    );
    prop::collection::vec(line, 1..60)
}

/// Different customers: a split gives one customer one arm for ever.
fn nobody(lines: &[Line]) -> Profile {
    Profile {
        id: CustomerId::parse(&format!("u{}", lines.len() % 8)).unwrap(),
        ..super::customer()
    }
}

/// Plays lines; calls `each` after every input with what followed.
fn play(lines: &[Line], mut each: impl FnMut(&Profile, &Outcome, Timestamp)) -> Profile {
    let mut world = World::new(POLICY);
    world.profile = nobody(lines);
    let mut now = super::start();
    for (n, line) in lines.iter().enumerate() {
        now = now + Duration::from_secs(line.after);
        let cause = cause(line, n, now);
        for _ in 0..=usize::from(line.again) {
            let outcome = world.handle(&cause, now);
            each(&world.profile, &outcome, now);
        }
    }
    world.profile
}

fn cause(line: &Line, n: usize, now: Timestamp) -> Cause {
    let id = format!("{n}");
    let name = match line.what {
        0 => "A",
        1 => "V",
        2 => "G",
        3 => {
            let (id, placement) = (id.into(), "hero".into());
            return Cause::Ask(Ask {
                id,
                placement,
                context: Value::Null,
                limit: None,
                stranger: false,
            });
        }
        _ => return Cause::Wake(now),
    };
    let properties = serde_json::from_str(&format!("{{\"k\":\"{}\"}}", line.key)).unwrap();
    let (traits, context) = (Value::Null, Value::Null);
    let (id, kind, name) = (EventId::new(&id), Kind::Track, name.into());
    Cause::Event(Event {
        id,
        kind,
        name,
        at: now,
        properties,
        traits,
        context,
    })
}

/// The laws below prove nothing of a step that no script reaches.
#[test]
fn the_scripts_of_the_laws_reach_every_step_and_every_arm() {
    let mut runner = TestRunner::deterministic();
    let mut reached = BTreeSet::new();
    for _ in 0..400 {
        let lines = lines().new_tree(&mut runner).unwrap().current();
        play(&lines, |_, outcome, _| {
            let traces = outcome.facts.iter().filter_map(Fact::as_trace);
            reached.extend(traces.map(|trace| (trace.subject.clone(), trace.step.clone())));
        });
    }
    let bundle = super::bundle(POLICY);
    for journey in &bundle.journeys {
        for step in &journey.flow {
            let at = (journey.name.clone(), step.label.clone());
            assert!(reached.contains(&at), "{at:?} is never reached");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_replay_of_the_facts_gives_the_same_profile(lines in lines()) {
        let mut replayed = nobody(&lines);
        let live = play(&lines, |_, outcome, _| {
            for fact in &outcome.facts {
                let bytes = postcard::to_stdvec(fact).unwrap();
                replayed.apply(&postcard::from_bytes(&bytes).unwrap());
            }
        });
        prop_assert_eq!(&live, &replayed);
        let image = postcard::to_stdvec(&live).unwrap();
        prop_assert_eq!(postcard::from_bytes::<Profile>(&image).unwrap(), live);
    }

    #[test]
    fn a_journey_always_ends(lines in lines()) {
        let mut world = World::new(POLICY);
        world.profile = play(&lines, |_, _, _| {});
        // The longest way through any of them is shorter than two weeks.
        let end = world.profile.now.max(super::start()) + Duration::parse("2w").unwrap();
        world.handle(&Cause::Wake(end), end);
        prop_assert_eq!(&world.profile.journeys, &vec![]);
    }

    #[test]
    fn a_timer_never_fires_early(lines in lines()) {
        let mut due = BTreeMap::new();
        play(&lines, |_, outcome, now| {
            for fact in &outcome.facts {
                if let Fact::Moved(number, _, Some(wait)) = fact {
                    due.insert(*number, wait.due);
                }
                let Some(trace) = fact.as_trace() else { continue };
                if trace.what == What::Woke {
                    // It says the time it was due; the clock must have got there.
                    assert!(trace.at >= due[&trace.instance] && trace.at <= now, "{trace:?} at {now}");
                }
            }
        });
    }

    #[test]
    fn a_batch_split_anywhere_gives_the_same_result(lines in lines(), cuts in prop::collection::vec(any::<bool>(), 60)) {
        let whole = play(&lines, |_, _, _| {});
        // At a cut the customer leaves memory, comes back from its image, and the timers are looked at.
        let mut world = World::new(POLICY);
        world.profile = nobody(&lines);
        let mut now = super::start();
        for (n, line) in lines.iter().enumerate() {
            now = now + Duration::from_secs(line.after);
            if cuts[n] {
                let image = postcard::to_stdvec(&world.profile).unwrap();
                world.profile = postcard::from_bytes(&image).unwrap();
                let early = now - Duration::from_millis(1);
                world.handle(&Cause::Wake(early), early);
            }
            let cause = cause(line, n, now);
            for _ in 0..=usize::from(line.again) {
                world.handle(&cause, now);
            }
        }
        prop_assert_eq!(world.profile, whole);
    }

    #[test]
    fn equal_inputs_give_equal_effects_and_no_action_twice(lines in lines()) {
        let mut first = Vec::new();
        play(&lines, |_, outcome, _| first.push(outcome.clone()));
        let mut second = Vec::new();
        play(&lines, |_, outcome, _| second.push(outcome.clone()));
        prop_assert_eq!(&first, &second);
        let mut ids: Vec<_> = first.iter().flat_map(|of| &of.actions).map(|of| of.action_id.clone()).collect();
        let n = ids.len();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), n);
    }

    #[test]
    fn no_cap_is_ever_exceeded_and_no_timer_fires_early(lines in lines()) {
        play(&lines, |profile, _, _| {
            let times = profile.given.get("capped").cloned().unwrap_or_default();
            for pair in times.windows(3) {
                assert!(pair[2].since(pair[0]) >= Duration::from_secs(3_600), "{times:?}");
            }
            let due = profile.next_due();
            assert!(due.is_none_or(|due| due + Duration::from_secs(400) >= profile.now));
        });
    }
}
