//! Segments: exact entering and leaving, by events, traits, other segments, and the clock.

use expect_test::expect;

use super::{World, check, start};
use crate::decide::Cause;
use crate::domain::{Duration, Fact};

#[test]
fn who_is_in_is_known_at_once_and_left_at_the_windows_edge_without_an_event() {
    check(
        "segments: { busy: \"count('V', '1h') >= 2\" }",
        None,
        "
        0m V
        10m V
        30m V
        3h wake
    ",
        &expect![[r#"
            10m busy#0 entered: count('V', '1h') >= 2 [2 >= 2] test.yaml:1
            10m CROSSING busy entered by event Some("e2") timer None
            1h10m busy#0 exited: count('V', '1h') >= 2 [1 >= 2] test.yaml:1
            1h10m CROSSING busy exited by event None timer Some("1h10m")
        "#]],
    );
}

#[test]
fn a_segment_of_traits_follows_what_is_told() {
    check(
        "
segments:
  vip: { about: The best., when: [ profile.traits.tier == 'gold', has(profile.traits.name) ] }
",
        None,
        r#"
        0m identify {"tier":"gold"}
        1m identify {"name":"Anna"}
        2m V
        3m identify {"tier":"silver"}
        1d wake
    "#,
        &expect![[r#"
            1m vip#0 entered: profile.traits.tier == 'gold' ["gold" == "gold"] test.yaml:3; has(profile.traits.name) [true] test.yaml:3
            1m CROSSING vip entered by event Some("e2") timer None
            3m vip#0 exited: profile.traits.tier == 'gold' ["silver" == "gold"] test.yaml:3
            3m CROSSING vip exited by event Some("e4") timer None
        "#]],
    );
}

#[test]
fn a_date_is_a_timer_and_an_unknown_one_is_none() {
    check(
        "segments: { due: \"profile.traits.renewal < ago('7d')\" }",
        None,
        r#"
        0m identify {"tier":"gold"}
        1m identify {"renewal":1767571200000}
        30d wake
    "#,
        &expect![[r#"
            7d1ms due#0 entered: profile.traits.renewal < ago('7d') [1767571200000 < 1767571200001] test.yaml:1
            7d1ms CROSSING due entered by event None timer Some("7d1ms")
        "#]],
    );
}

#[test]
fn a_segment_may_ask_others_and_crosses_with_them() {
    check(
        "
segments:
  a-lapsing: in_segment('buyers') && !in_segment('recent')
  buyers: { when: count('Order Completed') > 0, publish: false }
  recent: count('Order Completed', '30d') > 0
",
        None,
        "
        0m Order Completed
        40d Order Completed
        90d wake
    ",
        &expect![[r#"
            0s buyers#0 entered: count('Order Completed') > 0 [1 > 0] test.yaml:4
            0s recent#0 entered: count('Order Completed', '30d') > 0 [1 > 0] test.yaml:5
            0s CROSSING recent entered by event Some("e1") timer None
            30d recent#0 exited: count('Order Completed', '30d') > 0 [0 > 0] test.yaml:5
            30d a-lapsing#0 entered: in_segment('buyers') && !in_segment('recent') [true] test.yaml:3
            30d CROSSING recent exited by event None timer Some("30d")
            30d CROSSING a-lapsing entered by event None timer Some("30d")
            40d recent#0 entered: count('Order Completed', '30d') > 0 [1 > 0] test.yaml:5
            40d a-lapsing#0 exited: in_segment('buyers') && !in_segment('recent') [false] test.yaml:3
            40d CROSSING recent entered by event Some("e2") timer None
            40d CROSSING a-lapsing exited by event Some("e2") timer None
            10w recent#0 exited: count('Order Completed', '30d') > 0 [0 > 0] test.yaml:5
            10w a-lapsing#0 entered: in_segment('buyers') && !in_segment('recent') [true] test.yaml:3
            10w CROSSING recent exited by event None timer Some("10w")
            10w CROSSING a-lapsing entered by event None timer Some("10w")
        "#]],
    );
}

#[test]
fn a_segment_enters_a_journey_and_leaving_it_is_a_way_out() {
    check(
        "
segments:
  lapsing: profile.features.silent > duration('10d')
---
features:
  silent: { recency: Order Completed }
---
journey: back
enter: { segment: { entered: lapsing } }
exit: { when: \"!in_segment('lapsing')\", reason: bought }
steps: [ { send: { channel: email, template: miss-you } }, { wait: 5d }, { send: { channel: email, template: again } } ]
---
journey: thanks
enter: { segment: { exited: lapsing }, where: event.properties.total > 5 }
steps: [ { send: { channel: email, template: thanks, with: { total: entry.properties.total } } } ]
",
        None,
        r#"
        0m Order Completed
        12d Order Completed {"total":9}
        30d wake
    "#,
        &expect![[r#"
            10d1ms lapsing#0 entered: profile.features.silent > duration('10d') [864000001 > 864000000] test.yaml:3
            10d1ms back#1 entered
            10d1ms back#1 @0 sent email miss-you
            10d1ms back#1 @1 waits until 15d1ms
            10d1ms ACTION email miss-you {}
            10d1ms CROSSING lapsing entered by event None timer Some("10d1ms")
            12d lapsing#0 exited: profile.features.silent > duration('10d') [0 > 864000000] test.yaml:3
            12d back#1 @1 left: bought
            12d thanks#2 entered
            12d thanks#2 @0 sent email thanks
            12d thanks#2 @0 left: completed
            12d ACTION email thanks {"total":9}
            12d CROSSING lapsing exited by event Some("e2") timer None
            22d1ms lapsing#0 entered: profile.features.silent > duration('10d') [864000001 > 864000000] test.yaml:3
            22d1ms back#3 entered
            22d1ms back#3 @0 sent email miss-you
            22d1ms back#3 @1 waits until 27d1ms
            27d1ms back#3 @1 woke
            27d1ms back#3 @2 sent email again
            27d1ms back#3 @2 left: completed
            22d1ms ACTION email miss-you {}
            27d1ms ACTION email again {}
            22d1ms CROSSING lapsing entered by event None timer Some("22d1ms")
        "#]],
    );
}

#[test]
fn a_step_that_sets_a_trait_crosses_an_edge_before_the_next_step() {
    check(
        "
segments: { marked: profile.traits.mark == 1 }
---
journey: mark
enter: { event: A }
steps:
  - set: { mark: '1' }
  - branch:
      - when: in_segment('marked')
        then: [ { send: { channel: email, template: yes } } ]
      - otherwise: [ { send: { channel: email, template: no } } ]
---
journey: marked
enter: { segment: { entered: marked } }
steps: [ { send: { channel: push, template: welcome } } ]
",
        None,
        "0m A",
        &expect![[r#"
            0s mark#1 entered
            0s mark#1 @0 set ["mark"]
            0s marked#0 entered: profile.traits.mark == 1 [1 == 1] test.yaml:2
            0s mark#1 @1 took 0: in_segment('marked') [true] test.yaml:9
            0s marked#2 entered
            0s mark#1 @1.branch.0.0 sent email yes
            0s mark#1 @1 left: completed
            0s marked#2 @0 sent push welcome
            0s marked#2 @0 left: completed
            0s ACTION email yes {}
            0s ACTION push welcome {}
            0s CROSSING marked entered by event None timer None
        "#]],
    );
}

#[test]
fn two_journeys_cannot_drive_each_other_for_ever() {
    let policy = "
segments: { on: profile.traits.on == 1 }
---
journey: up
enter: { segment: { exited: on } }
steps: [ { set: { on: '1' } } ]
---
journey: down
enter: { segment: { entered: on } }
steps: [ { set: { on: '0' } } ]
";
    let mut world = World::new(policy);
    let (_, outcomes) = world.line(r#"0m identify {"on":1}"#);
    let refused = outcomes
        .iter()
        .flat_map(|outcome| &outcome.facts)
        .filter_map(Fact::as_trace)
        .filter(|trace| format!("{:?}", trace.what).contains("LOOP"));
    assert_eq!(refused.count(), 1);
}

#[test]
fn nobody_keeps_up_with_a_segment_of_no_use() {
    let policy = "
segments:
  unused: { when: count('V') > 0, publish: false }
  of-no-use-either: { when: in_segment('unused'), publish: false }
";
    let mut world = World::new(policy);
    world.line("0m V");
    assert!(world.profile.segments.is_empty() && world.profile.timers.is_empty());
    assert_eq!((world.bundle.standing, world.profile.standing), (0, 0));
}

#[test]
fn other_policies_are_followed_from_the_next_input_on() {
    let mut world = World::new("segments: { old: count('V') > 0, both: count('V') > 1 }");
    world.line("0m V");
    world.bundle = super::bundle("segments: { new: count('V') > 0, both: count('V') > 0 }");
    let (_, outcomes) = world.line("1m A");
    let crossings = outcomes.iter().flat_map(|outcome| &outcome.crossings);
    let shown: Vec<String> = crossings
        .map(|of| format!("{} {}", of.segment, of.way.as_str()))
        .collect();
    assert_eq!(shown, ["old exited", "both entered", "new entered"]);
}

#[test]
fn calendars_and_clock_changes_move_people_at_the_right_minute() {
    // In Berlin the clocks go from 02:00 to 03:00 on 2026-03-29.
    check(
        "
segments:
  night: local_hour() < 6
  sunday: { when: local_weekday() == 7, publish: true }
",
        None,
        r#"
        82d identify {"timezone":"Europe/Berlin"}
        84d1m wake
    "#,
        &expect![[r#"
            82d night#0 entered: local_hour() < 6 [1 < 6] test.yaml:3
            82d CROSSING night entered by event Some("e1") timer None
            82d5h night#0 exited: local_hour() < 6 [6 < 6] test.yaml:3
            82d23h night#0 entered: local_hour() < 6 [0 < 6] test.yaml:3
            82d23h sunday#0 entered: local_weekday() == 7 [7 == 7] test.yaml:4
            83d4h night#0 exited: local_hour() < 6 [6 < 6] test.yaml:3
            83d22h night#0 entered: local_hour() < 6 [0 < 6] test.yaml:3
            83d22h sunday#0 exited: local_weekday() == 7 [1 == 7] test.yaml:4
            82d5h CROSSING night exited by event None timer Some("82d5h")
            82d23h CROSSING night entered by event None timer Some("82d23h")
            82d23h CROSSING sunday entered by event None timer Some("82d23h")
            83d4h CROSSING night exited by event None timer Some("83d4h")
            83d22h CROSSING night entered by event None timer Some("83d22h")
            83d22h CROSSING sunday exited by event None timer Some("83d22h")
        "#]],
    );
}

#[test]
fn a_crossing_keeps_its_id_when_it_is_decided_again() {
    let ids = || {
        let mut world = World::new("segments: { busy: \"count('V', '1h') > 0\" }");
        let mut outcomes = world.line("0m V").1;
        outcomes.extend(world.line("2h V").1);
        let crossings = outcomes.into_iter().flat_map(|outcome| outcome.crossings);
        crossings.map(|of| of.crossing_id).collect::<Vec<_>>()
    };
    let first = ids();
    assert_eq!(first.len(), 3);
    assert_eq!(first, ids());
    let mut different = first.clone();
    different.dedup();
    assert_eq!(different, first);
}

#[test]
fn a_wake_that_comes_late_says_when_it_was_due() {
    let mut world = World::new("segments: { busy: \"count('V', '1h') > 0\" }");
    world.line("0m V");
    let late = start() + Duration::parse("5h").unwrap();
    let outcome = crate::decide::handle(
        &world.bundle,
        &mut world.profile,
        &Cause::Wake(late),
        crate::decide::drive::Moment {
            now: late,
            at_due: false,
        },
        None,
        crate::decide::Outside::of(&|_| crate::decide::Scores::new()),
    );
    let crossing = &outcome.crossings[0];
    assert_eq!(crossing.at, late);
    assert_eq!(crossing.due, Some(start() + Duration::parse("1h").unwrap()));
    expect![[r#"{"crossing_id":"2da2214b88d2a26797c1ddffc44632e3","customer":"u1","segment":"busy","transition":"exited","at":"2026-01-05T05:00:00.000Z","event_id":null,"timer_due":"2026-01-05T01:00:00.000Z","detail":"count('V', '1h') > 0 [0 > 0] test.yaml:1"}"#]].assert_eq(&crossing.to_json());
}

const BEFORE: &str = "features: { n: { count: V, window: 1h } }";
const AFTER: &str = "
features: { n: { count: V, window: 1h } }
segments:
  busy: \"count('V', '1h') >= 1\"
  rich: profile.traits.tier == 'gold'
---
journey: greet
enter: { segment: { entered: busy } }
steps: [ send: { channel: email, template: hi } ]
---
channels: { email: { address: none, consent: not_required } }
";

#[test]
fn who_does_nothing_is_in_a_new_segment_once_they_are_looked_at_and_no_sooner() {
    let mut world = World::new(BEFORE);
    world.line("0m V");
    world.bundle = super::bundle(AFTER);
    let now = start() + Duration::from_secs(600);
    let outcome = world.handle(&Cause::Renew, now);
    let entered: Vec<_> = outcome.crossings.iter().map(|it| &*it.segment).collect();
    assert_eq!(entered, ["busy"]);
    let sent: Vec<_> = outcome.actions.iter().map(|it| &*it.template).collect();
    assert_eq!(sent, ["hi"]);

    // Once is enough: whoever is looked at again has nothing to learn.
    let before = world.profile.clone();
    let outcome = world.handle(&Cause::Renew, now + Duration::from_secs(1));
    assert_eq!((outcome.facts.len(), outcome.actions.len()), (0, 0));
    assert_eq!(world.profile, before);
    let (_, outcomes) = world.line("3h wake");
    let crossed: Vec<_> = outcomes.iter().flat_map(|it| &it.crossings).collect();
    assert_eq!(crossed.len(), 1, "the window is left by the clock");
}

#[test]
fn whom_new_segments_do_not_concern_learns_nothing_of_them() {
    let mut world = World::new(BEFORE);
    world.line("0m V");
    world.bundle = super::bundle(AFTER);
    let now = start() + Duration::from_secs(7_200);
    let before = world.profile.clone();
    assert_eq!(world.handle(&Cause::Renew, now).facts.len(), 0);
    assert_eq!(world.profile, before);
    let (_, outcomes) = world.line("3h identify {\"tier\":\"gold\"}");
    let crossed: Vec<_> = outcomes.iter().flat_map(|it| &it.crossings).collect();
    assert_eq!(crossed.len(), 1);
}
