//! Laws of the core.

use proptest::prelude::*;

use super::World;
use crate::decide::{Ask, Cause};
use crate::domain::event::Kind;
use crate::domain::{Duration, Event, EventId, Profile, Value};

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

/// Plays lines; calls `each` after every input with what followed.
fn play(lines: &[Line], mut each: impl FnMut(&Profile, &crate::decide::drive::Outcome)) -> Profile {
    let mut world = World::new(POLICY);
    let mut now = super::start();
    for (n, line) in lines.iter().enumerate() {
        now = now + Duration::from_secs(line.after);
        let cause = cause(line, n, now);
        for _ in 0..=usize::from(line.again) {
            let outcome = world.handle(&cause, now);
            each(&world.profile, &outcome);
        }
    }
    world.profile
}

fn cause(line: &Line, n: usize, now: crate::domain::Timestamp) -> Cause {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_replay_of_the_facts_gives_the_same_profile(lines in lines()) {
        let mut replayed = super::customer();
        let live = play(&lines, |_, outcome| {
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
    fn equal_inputs_give_equal_effects_and_no_action_twice(lines in lines()) {
        let mut first = Vec::new();
        play(&lines, |_, outcome| first.push(outcome.clone()));
        let mut second = Vec::new();
        play(&lines, |_, outcome| second.push(outcome.clone()));
        prop_assert_eq!(&first, &second);
        let mut ids: Vec<_> = first.iter().flat_map(|of| &of.actions).map(|of| of.action_id.clone()).collect();
        let n = ids.len();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), n);
    }

    #[test]
    fn no_cap_is_ever_exceeded_and_no_timer_fires_early(lines in lines()) {
        play(&lines, |profile, _| {
            let times = profile.given.get("capped").cloned().unwrap_or_default();
            for pair in times.windows(3) {
                assert!(pair[2].since(pair[0]) >= Duration::from_secs(3_600), "{times:?}");
            }
            let due = profile.next_due();
            assert!(due.is_none_or(|due| due + Duration::from_secs(400) >= profile.now));
        });
    }
}
