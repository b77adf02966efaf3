//! Waits for one of several events.

use expect_test::expect;

use super::{World, check};

const CHECKOUT: &str = "
journey: checkout
enter: { event: Checkout Started, on_repeat: restart }
steps:
  - wait_for:
      arms:
        - event: Order Completed
          where: event.properties.total > entry.properties.floor
          then:
            - wait: 1h
            - send: { channel: email, template: thanks }
        - { event: Coupon Used }
        - { event: Order Cancelled, then: stop }
      within: 2d
      rank: RANK
      otherwise: { send: { channel: email, template: still-there } }
  - send: { channel: push, template: end }
";

fn first() -> String {
    CHECKOUT.replace("RANK", "false")
}

fn ranked() -> String {
    CHECKOUT.replace("RANK", "true")
}

#[test]
fn the_first_event_that_matches_goes_on_at_once_through_its_arm() {
    check(
        &first(),
        None,
        r#"
        0m Checkout Started {"floor":10}
        1h Order Completed {"total":5}
        2h Order Completed {"total":50}
        2h30m Order Cancelled
        1d wake
    "#,
        &expect![[r#"
            0s checkout#1 entered
            0s checkout#1 @0 waits until 2d
            2h checkout#1 @0 took 0: Order Completed
            2h checkout#1 @0.wait_for.0.0 waits until 3h
            3h checkout#1 @0.wait_for.0.0 woke
            3h checkout#1 @0.wait_for.0.1 sent email thanks
            3h checkout#1 @1 sent push end
            3h checkout#1 @0.wait_for.0.1 left: completed
            3h ACTION email thanks {}
            3h ACTION push end {}
        "#]],
    );
}

#[test]
fn an_arm_without_steps_goes_on_behind() {
    check(
        &first(),
        None,
        r#"
        0m Checkout Started {"floor":10}
        1h Coupon Used
        3d wake
    "#,
        &expect![[r#"
            0s checkout#1 entered
            0s checkout#1 @0 waits until 2d
            1h checkout#1 @0 took 1: Coupon Used
            1h checkout#1 @1 sent push end
            1h checkout#1 @1 left: completed
            1h ACTION push end {}
        "#]],
    );
}

#[test]
fn an_arm_may_leave() {
    check(
        &first(),
        None,
        r#"
        0m Checkout Started {"floor":10}
        1h Order Cancelled
        3d wake
    "#,
        &expect![[r#"
            0s checkout#1 entered
            0s checkout#1 @0 waits until 2d
            1h checkout#1 @0 took 2: Order Cancelled
            1h checkout#1 @0.wait_for.2.0 left: stopped
        "#]],
    );
}

#[test]
fn an_event_at_the_very_end_still_counts_and_later_nothing_happened() {
    check(
        &first(),
        None,
        r#"
        0m Checkout Started {"floor":10}
        2d Coupon Used
        3d Checkout Started {"floor":10}
        5d1ms Coupon Used
    "#,
        &expect![[r#"
            0s checkout#1 entered
            0s checkout#1 @0 waits until 2d
            2d checkout#1 @0 took 1: Coupon Used
            2d checkout#1 @1 sent push end
            2d checkout#1 @1 left: completed
            2d ACTION push end {}
            3d checkout#2 entered
            3d checkout#2 @0 waits until 5d
            5d checkout#2 @0 woke
            5d checkout#2 @0 took otherwise: nothing of it within 2d
            5d checkout#2 @0.wait_for.otherwise.0 sent email still-there
            5d checkout#2 @1 sent push end
            5d checkout#2 @0.wait_for.otherwise.0 left: completed
            5d ACTION email still-there {}
            5d ACTION push end {}
        "#]],
    );
}

#[test]
fn with_rank_everybody_is_held_and_the_highest_arm_wins() {
    check(
        &ranked(),
        None,
        r#"
        0m Checkout Started {"floor":10}
        1h Order Cancelled
        2h Coupon Used
        3h Order Cancelled
        4h Coupon Used
        3d wake
    "#,
        &expect![[r#"
            0s checkout#1 entered
            0s checkout#1 @0 waits until 2d
            1h checkout#1 @0 met 2: Order Cancelled
            2h checkout#1 @0 met 1: Coupon Used
            2d checkout#1 @0 woke
            2d checkout#1 @0 took 1: Coupon Used is the highest-ranked
            2d checkout#1 @1 sent push end
            2d checkout#1 @1 left: completed
            2d ACTION push end {}
        "#]],
    );
}

#[test]
fn with_rank_and_nothing_met_it_goes_otherwise() {
    check(
        &ranked(),
        None,
        r#"
        0m Checkout Started {"floor":10}
        1h Order Completed {"total":5}
        3d wake
    "#,
        &expect![[r#"
            0s checkout#1 entered
            0s checkout#1 @0 waits until 2d
            2d checkout#1 @0 woke
            2d checkout#1 @0 took otherwise: nothing of it within 2d
            2d checkout#1 @0.wait_for.otherwise.0 sent email still-there
            2d checkout#1 @1 sent push end
            2d checkout#1 @0.wait_for.otherwise.0 left: completed
            2d ACTION email still-there {}
            2d ACTION push end {}
        "#]],
    );
}

#[test]
fn an_entry_that_restarts_wins_over_the_arm_it_meets() {
    check(
        &first().replace("Coupon Used", "Checkout Started"),
        None,
        r#"
        0m Checkout Started {"floor":10}
        1h Checkout Started {"floor":10}
        4d wake
    "#,
        &expect![[r#"
            0s checkout#1 entered
            0s checkout#1 @0 waits until 2d
            1h checkout#1 @0 took 1: Checkout Started
            1h checkout#1 @0 left: restarted
            1h checkout#2 entered
            1h checkout#2 @0 waits until 2d1h
            2d1h checkout#2 @0 woke
            2d1h checkout#2 @0 took otherwise: nothing of it within 2d
            2d1h checkout#2 @0.wait_for.otherwise.0 sent email still-there
            2d1h checkout#2 @1 sent push end
            2d1h checkout#2 @0.wait_for.otherwise.0 left: completed
            2d1h ACTION email still-there {}
            2d1h ACTION push end {}
        "#]],
    );
}

#[test]
fn a_wait_at_the_end_completes_the_journey_either_way() {
    let policy = "
journey: last
enter: { event: A }
steps: [ { wait_for: { arms: [ { event: B } ], within: 1h } } ]
";
    check(
        policy,
        None,
        "
        0m A
        10m B
        1h A
        3h wake
    ",
        &expect![[r#"
            0s last#1 entered
            0s last#1 @0 waits until 1h
            10m last#1 @0 took 0: B
            10m last#1 @0 left: completed
            1h last#2 entered
            1h last#2 @0 waits until 2h
            2h last#2 @0 took otherwise: nothing of it within 1h
            2h last#2 @0 left: completed
        "#]],
    );
}

#[test]
fn arms_nest_and_see_the_results_before_them() {
    let policy = "
journey: deep
enter: { event: A }
steps:
  - split: { one: 100%, as: arm }
  - wait_for:
      arms:
        - event: B
          where: event.properties.arm == arm
          then:
            - branch:
                - when: arm == 'one'
                  then:
                    - wait_for:
                        arms: [ { event: C, then: [ { send: { channel: push, template: c, with: { arm: arm } } } ] } ]
                        within: 1h
                        otherwise: stop
                - otherwise: next
      within: 1d
  - send: { channel: push, template: end }
";
    check(
        policy,
        None,
        r#"
        0m A
        1h B {"arm":"two"}
        2h B {"arm":"one"}
        2h30m C
        2d wake
    "#,
        &expect![[r#"
            0s deep#1 entered
            0s deep#1 @0 dealt to one: draw 0.936169 < 1
            0s deep#1 @1 waits until 1d
            2h deep#1 @1 took 0: B
            2h deep#1 @1.wait_for.0.0 took 0: arm == 'one' ["one" == "one"] test.yaml:12
            2h deep#1 @1.wait_for.0.0.branch.0.0 waits until 3h
            2h30m deep#1 @1.wait_for.0.0.branch.0.0 took 0: C
            2h30m deep#1 @1.wait_for.0.0.branch.0.0.wait_for.0.0 sent push c
            2h30m deep#1 @2 sent push end
            2h30m deep#1 @1.wait_for.0.0.branch.0.0.wait_for.0.0 left: completed
            2h30m ACTION push c {"arm":"one"}
            2h30m ACTION push end {}
        "#]],
    );
}

#[test]
fn what_was_met_survives_a_restart() {
    let mut world = World::new(&ranked());
    world.line(r#"0m Checkout Started {"floor":10}"#);
    world.line("1h Coupon Used");
    let image = postcard::to_stdvec(&world.profile).unwrap();
    world.profile = postcard::from_bytes(&image).unwrap();
    world.line("2h Order Cancelled");
    let (_, outcomes) = world.line("3d wake");
    let templates: Vec<_> = outcomes.iter().flat_map(|of| &of.actions).collect();
    let templates: Vec<_> = templates.iter().map(|of| of.template.as_ref()).collect();
    assert_eq!(templates, ["end"]);
}
