//! Laws of segments, absences, schedules and windows.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::{World, start};
use crate::decide::drive::Outcome;
use crate::decide::{Cause, Env};
use crate::domain::event::Kind;
use crate::domain::{Duration, Event, EventId, Profile, Timestamp, Value};

const POLICY: &str = "
features:
  since: { recency: A }
  mean: { average: V, of: event.properties.k, window: 7m }
  often: { mode: V, of: event.properties.k, window: 9m, remember: 4 }
  visit: { count: V, window: session }
---
segments:
  busy: count('V', '10m') >= 3
  quiet: profile.features.since > duration('8m')
  both: in_segment('busy') || in_segment('quiet')
  high: profile.features.mean > 1
  one: profile.features.often == 1
  here: profile.features.visit > 0
  told: profile.traits.done < ago('5m')
---
journey: absent
enter: { absent: { event: G, for: 6m, after: { event: A, where: event.properties.k > 0 } }, key: event.properties.k }
steps: [ { set: { done: now() } }, { send: { channel: email, template: t } } ]
---
journey: in
enter: { segment: { entered: both }, reentry: { after_exit: 3m } }
exit: { when: \"!in_segment('both')\" }
steps: [ { wait: 4m }, { send: { channel: push, template: t } } ]
---
journey: tick
enter: { schedule: { cron: '*/15 * * * *', for: here } }
steps: [ { send: { channel: sms, template: t } } ]
";

#[derive(Clone, Debug)]
struct Line {
    after: u64,
    name: &'static str,
    key: u8,
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let names = prop::sample::select(vec!["A", "V", "V", "G", "X"]);
    let line =
        (0_u64..700, names, 0_u8..3).prop_map(|(after, name, key)| Line { after, name, key });
    prop::collection::vec(line, 1..50)
}

fn event(line: &Line, n: usize, now: Timestamp) -> Cause {
    let properties = serde_json::from_str(&format!("{{\"k\":{}}}", line.key)).unwrap();
    Cause::Event(Event {
        id: EventId::new(&n.to_string()),
        kind: Kind::Track,
        name: line.name.into(),
        at: now,
        properties,
        traits: Value::Null,
        context: Value::Null,
    })
}

/// Plays lines, and after them an hour of nothing; with `wakes`, time also passes at these moments between.
fn play(lines: &[Line], wakes: &[u64], mut each: impl FnMut(&World, &Outcome)) -> World {
    let mut world = World::new(POLICY);
    let mut wakes: VecDeque<Timestamp> = wakes
        .iter()
        .map(|secs| start() + Duration::from_secs(*secs))
        .collect();
    let mut now = start();
    for (n, line) in lines.iter().enumerate() {
        now = now + Duration::from_secs(line.after);
        while let Some(at) = wakes.pop_front_if(|at| *at <= now) {
            let early = at - Duration::from_millis(1);
            let outcome = world.handle(&Cause::Wake(early), at);
            each(&world, &outcome);
        }
        let outcome = world.handle(&event(line, n, now), now);
        each(&world, &outcome);
    }
    let end = now + Duration::from_secs(3_600);
    let outcome = world.handle(&Cause::Wake(end), end);
    each(&world, &outcome);
    world
}

fn is_in(world: &World, name: &str, now: Timestamp) -> bool {
    let (_, segment) = world.bundle.segment(name).unwrap();
    let env = Env::new(&world.bundle, &world.profile, now);
    segment
        .when
        .iter()
        .all(|of| crate::decide::eval(&of.root, &env).as_deref() == Some(&Value::Bool(true)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_customer_is_in_a_segment_exactly_while_its_conditions_hold(lines in lines(), steps in prop::collection::vec(1_u64..120, 1..40)) {
        let mut world = World::new(POLICY);
        let mut now = start();
        let mut steps = steps.into_iter().cycle();
        for (n, line) in lines.iter().enumerate() {
            let next = now + Duration::from_secs(line.after);
            // Time passes in steps that know nothing of the windows' edges.
            while now < next {
                now = (now + Duration::from_secs(steps.next().unwrap())).min(next);
                world.handle(&Cause::Wake(now), now);
                for segment in world.bundle.segments.iter().filter(|_| n > 0) {
                    let known = world.profile.segments.contains_key(&segment.name);
                    prop_assert_eq!(known, is_in(&world, &segment.name, now), "{} at {}", segment.name, now);
                }
            }
            world.handle(&event(line, n, now), now);
            for segment in &world.bundle.segments {
                let known = world.profile.segments.contains_key(&segment.name);
                prop_assert_eq!(known, is_in(&world, &segment.name, now), "{} at {}", segment.name, now);
            }
        }
    }

    #[test]
    fn no_timer_fires_early_and_none_is_left_behind(lines in lines()) {
        play(&lines, &[], |world, outcome| {
            for crossing in &outcome.crossings {
                assert!(crossing.due.is_none_or(|due| due <= crossing.at), "{crossing:?}");
            }
            let now = world.profile.now;
            assert!(world.profile.next_due().is_none_or(|due| due >= now), "{:?}", world.profile.timers);
        });
    }

    #[test]
    fn a_replay_of_the_facts_gives_the_same_customer(lines in lines()) {
        let mut replayed = super::customer();
        let live = play(&lines, &[], |_, outcome| {
            for fact in &outcome.facts {
                let bytes = postcard::to_stdvec(fact).unwrap();
                replayed.apply(&postcard::from_bytes(&bytes).unwrap());
            }
        });
        prop_assert_eq!(&live.profile, &replayed);
        let image = postcard::to_stdvec(&live.profile).unwrap();
        prop_assert_eq!(postcard::from_bytes::<Profile>(&image).unwrap(), live.profile);
    }

    #[test]
    fn it_does_not_matter_where_time_is_cut(lines in lines(), cuts in prop::collection::btree_set(0_u64..20_000, 0..20)) {
        let whole = |cuts: &[u64]| {
            let mut all = Outcome::default();
            let world = play(&lines, cuts, |_, outcome| {
                all.facts.extend(outcome.facts.iter().cloned());
                all.actions.extend(outcome.actions.iter().cloned());
                all.crossings.extend(outcome.crossings.iter().cloned());
            });
            (world.profile, all)
        };
        let cuts: Vec<u64> = cuts.into_iter().collect();
        let (uncut, cut) = (whole(&[]), whole(&cuts));
        prop_assert_eq!(uncut.0, cut.0);
        prop_assert_eq!(uncut.1, cut.1);
    }

    #[test]
    fn every_crossing_has_its_own_id_and_ways_alternate(lines in lines()) {
        let mut ids = std::collections::BTreeSet::new();
        let mut ways = std::collections::BTreeMap::new();
        play(&lines, &[], |_, outcome| {
            for crossing in &outcome.crossings {
                assert!(ids.insert(crossing.crossing_id.clone()), "{crossing:?}");
                let before = ways.insert(crossing.segment.clone(), crossing.way);
                let entered = crossing.way == crate::domain::crossing::Way::Entered;
                assert!(before.map_or(entered, |before| before != crossing.way), "{crossing:?}");
            }
        });
    }
}
