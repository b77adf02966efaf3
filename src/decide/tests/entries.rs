//! Entries: by absence, by schedule, and side by side.

use std::fmt::Write as _;

use expect_test::expect;

use super::{World, check};

const NO_ORDER: &str = "
journey: no-order
enter:
  absent: { event: Order Completed, for: 7d, after: { event: Signed Up, where: event.properties.plan == 'pro' } }
  where: has(profile.traits.paid) == false
  reentry: never
steps: [ { send: { channel: email, template: help, with: { plan: entry.properties.plan } } } ]
";

#[test]
fn who_has_not_bought_seven_days_after_signing_up_enters_and_nobody_else() {
    check(
        NO_ORDER,
        None,
        r#"
        0m Signed Up {"plan":"free"}
        1d Signed Up {"plan":"pro"}
        3d Signed Up {"plan":"pro"}
        20d wake
    "#,
        &expect![[r#"
            8d no-order#1 entered
            8d no-order#1 @0 sent email help
            8d no-order#1 @0 left: completed
            8d ACTION email help {"plan":"pro"}
        "#]],
    );
}

#[test]
fn an_order_at_the_very_end_still_keeps_out_and_one_after_it_does_not() {
    check(
        NO_ORDER,
        None,
        r#"
        0m Signed Up {"plan":"pro"}
        7d Order Completed
        8d Signed Up {"plan":"pro"}
        15d1m Order Completed
        20d wake
    "#,
        &expect![[r#"
            1w no-order#0 refused HAPPENED: Order Completed came in time
            15d no-order#1 entered
            15d no-order#1 @0 sent email help
            15d no-order#1 @0 left: completed
            15d ACTION email help {"plan":"pro"}
        "#]],
    );
}

#[test]
fn without_an_after_the_silence_of_the_event_itself_counts() {
    check(
        "
journey: quiet
enter: { absent: { event: Visit, for: 10d } }
steps: [ { send: { channel: email, template: hello } } ]
",
        None,
        "
        0m Visit
        5d Visit
        14d Visit
        40d wake
    ",
        &expect![[r#"
            24d quiet#1 entered
            24d quiet#1 @0 sent email hello
            24d quiet#1 @0 left: completed
            24d ACTION email hello {}
        "#]],
    );
}

#[test]
fn an_absence_is_waited_for_by_key_and_ended_by_what_belongs_to_it() {
    check(
        "
journey: open-order
enter:
  absent:
    event: Paid
    where: event.properties.order == entry.properties.order
    for: 1d
    after: Ordered
  key: event.properties.order
steps: [ { send: { channel: email, template: pay, with: { order: entry.properties.order } } } ]
",
        None,
        r#"
        0m Ordered {"order":1}
        1h Ordered {"order":2}
        2h Ordered {}
        3h Paid {"order":1}
        3d wake
    "#,
        &expect![[r#"
            2h open-order#0 refused KEY_UNKNOWN: event.properties.order is unknown test.yaml:9
            3h open-order#0 refused HAPPENED: Paid came in time
            1d1h open-order#1 entered
            1d1h open-order#1 @0 sent email pay
            1d1h open-order#1 @0 left: completed
            1d1h ACTION email pay {"order":2}
        "#]],
    );
}

#[test]
fn a_schedule_is_for_members_only_and_at_their_own_nine_o_clock() {
    check(
        "
segments: { fans: { when: profile.traits.fan == true, publish: false } }
---
journey: weekly
enter: { schedule: { cron: '0 9 * * mon', zone: customer, for: fans } }
steps: [ { send: { channel: email, template: digest } } ]
",
        None,
        r#"
        0m identify {"timezone":"America/New_York"}
        1d identify {"fan":true}
        10d identify {"timezone":"Europe/Berlin"}
        16d identify {"fan":false}
        40d wake
    "#,
        &expect![[r#"
            1d fans#0 entered: profile.traits.fan == true [true == true] test.yaml:2
            7d14h weekly#1 entered
            7d14h weekly#1 @0 sent email digest
            7d14h weekly#1 @0 left: completed
            7d14h ACTION email digest {}
            14d8h weekly#2 entered
            14d8h weekly#2 @0 sent email digest
            14d8h weekly#2 @0 left: completed
            14d8h ACTION email digest {}
            16d fans#0 exited: profile.traits.fan == true [false == true] test.yaml:2
        "#]],
    );
}

#[test]
fn a_schedule_for_everybody_asks_its_conditions_when_its_time_comes() {
    check(
        "
journey: monthly
enter:
  schedule: { cron: '30 8 1 * *', zone: Europe/Berlin }
  where: count('Order Completed', '30d') > 0
steps: [ { send: { channel: email, template: thanks } } ]
",
        None,
        "
        0m Visit
        20d Order Completed
        60d wake
    ",
        &expect![[r#"
            27d7h30m monthly#1 entered
            27d7h30m monthly#1 @0 sent email thanks
            27d7h30m monthly#1 @0 left: completed
            55d7h30m monthly#0 refused WHERE: count('Order Completed', '30d') > 0 [0 > 0] test.yaml:5
            27d7h30m ACTION email thanks {}
        "#]],
    );
}

#[test]
fn so_many_runs_side_by_side_and_no_more() {
    check(
        "
journey: order
enter: { event: Ordered, key: event.properties.order, reentry: concurrent up to 2 by key }
steps: [ { wait: 1h } ]
",
        None,
        r#"
        0m Ordered {"order":1}
        10m Ordered {"order":2}
        20m Ordered {"order":3}
        30m Ordered {"order":2}
        61m Ordered {"order":3}
    "#,
        &expect![[r#"
            0s order#1 entered
            0s order#1 @0 waits until 1h
            10m order#2 entered
            10m order#2 @0 waits until 1h10m
            20m order#0 refused CONCURRENCY: 2/2 runs of this journey in progress
            30m order#0 refused ALREADY_IN: run 2
            1h order#1 @0 left: completed
            1h1m order#3 entered
            1h1m order#3 @0 waits until 2h1m
        "#]],
    );
}

#[test]
fn the_holdout_is_told_at_the_entry() {
    check(
        "
journey: held
enter: { event: A }
holdout: 99.9%
steps: [ { send: { channel: email, template: t } } ]
",
        None,
        "0m A",
        &expect![[r#"
            0s held#1 entered
            0s held#1 blocked HOLDOUT: walks the journey and gets nothing, for comparison
            0s held#1 @0 blocked HOLDOUT: email t
            0s held#1 @0 left: completed
        "#]],
    );
}

#[test]
fn a_policy_that_does_not_listen_to_an_event_is_not_asked() {
    let mut policies = "journey: a\nenter: { event: A }\nsteps: [ { wait: 1h } ]\n".to_owned();
    for n in 0..50 {
        write!(
            policies,
            "---\njourney: e{n}\nenter: {{ event: E{n}, where: \"count('F{n}', '1d') > 0\" }}\nsteps: [ stop ]\n\
             ---\njourney: n{n}\nenter: {{ absent: {{ event: G{n}, for: 1d, after: H{n} }} }}\nsteps: [ stop ]\n\
             ---\nsegments: {{ s{n}: \"count('S{n}', '1d') > 0\" }}\n"
        )
        .unwrap();
    }
    let mut world = World::new(&policies);
    let listens = world.bundle.listens("A").unwrap();
    assert_eq!(listens.journeys.len(), 1);
    assert!(listens.features.is_empty() && listens.absences.is_empty());
    assert!(listens.segments.is_empty() && world.bundle.segments_of("Nobody").is_empty());
    // The first input looks at all segments once; after that an event leaves as much behind as without them.
    world.line("0m Nobody");
    let n_facts = |world: &mut World, line| -> usize {
        world
            .line(line)
            .1
            .iter()
            .map(|outcome| outcome.facts.len())
            .sum()
    };
    let mut alone = World::new("journey: a\nenter: { event: A }\nsteps: [ { wait: 1h } ]\n");
    assert_eq!(n_facts(&mut world, "1m A"), n_facts(&mut alone, "1m A"));
}
