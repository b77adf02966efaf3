//! Journeys to the letter.

use expect_test::expect;

use super::check;

const CART: &str = "
journey: cart
enter: { event: Product Added, where: profile.cart.value >= 50, reentry: { after_exit: 1d } }
goal: { event: Order Completed, within: 3d }
exit: { when: size(profile.cart.items) == 0, reason: cart emptied }
steps:
  - hold_until: { quiet: 45m, of: [Product Added, Cart Viewed], max: 2h }
  - send: { channel: email, template: nudge, with: { n: profile.cart.item_count } }
  - wait: 20h
  - send: { channel: push, template: last-call }
";

#[test]
fn a_quiet_cart_is_nudged_and_called_once_more() {
    check(
        CART,
        None,
        r#"
        0m Product Added {"product_id":"a","price":60}
        30m Cart Viewed
        1h14m wake
        1h16m wake
        2d wake
    "#,
        &expect![[r#"
        0s cart#1 entered
        0s cart#1 @0 waits until 45m
        1h15m cart#1 @0 woke
        1h15m cart#1 @1 sent email nudge
        1h15m cart#1 @2 waits until 21h15m
        1h15m ACTION email nudge {"n":1}
        21h15m cart#1 @2 woke
        21h15m cart#1 @3 sent push last-call
        21h15m cart#1 @3 left: completed
        21h15m ACTION push last-call {}
    "#]],
    );
}

#[test]
fn an_order_at_the_very_deadline_still_cancels() {
    check(
        CART,
        None,
        r#"
        0m Product Added {"product_id":"a","price":60}
        45m Order Completed
        2h wake
    "#,
        &expect![[r"
        0s cart#1 entered
        0s cart#1 @0 waits until 45m
        45m cart#1 @0 left: converted
    "]],
    );
}

#[test]
fn a_hold_ends_at_its_maximum_however_often_the_silence_is_broken() {
    check(
        CART,
        None,
        r#"
        0m Product Added {"product_id":"a","price":60}
        40m Cart Viewed
        1h20m Cart Viewed
        1h50m Cart Viewed
        2h1m wake
    "#,
        &expect![[r#"
        0s cart#1 entered
        0s cart#1 @0 waits until 45m
        2h cart#1 @0 woke
        2h cart#1 @1 sent email nudge
        2h cart#1 @2 waits until 22h
        2h ACTION email nudge {"n":1}
    "#]],
    );
}

#[test]
fn an_exit_is_taken_in_the_middle_of_a_wait() {
    check(
        CART,
        None,
        r#"
        0m Product Added {"product_id":"a","price":60}
        46m wake
        2h Product Removed {"product_id":"a"}
        2d wake
    "#,
        &expect![[r#"
        0s cart#1 entered
        0s cart#1 @0 waits until 45m
        45m cart#1 @0 woke
        45m cart#1 @1 sent email nudge
        45m cart#1 @2 waits until 20h45m
        45m ACTION email nudge {"n":1}
        2h cart#1 @2 left: cart emptied
    "#]],
    );
}

#[test]
fn an_unknown_value_does_not_enter_and_says_so() {
    check(
        CART,
        None,
        r#"
        0m Product Added {"product_id":"a"}
        1h Product Added {"product_id":"b","price":40}
        2h wake
    "#,
        &expect![[r"
        0s cart#0 refused WHERE: profile.cart.value >= 50 [unknown >= 50] test.yaml:3
        1h cart#0 refused WHERE: profile.cart.value >= 50 [unknown >= 50] test.yaml:3
    "]],
    );
}

#[test]
fn an_entry_is_refused_while_one_runs_and_until_the_gap_is_over() {
    check(
        CART,
        None,
        r#"
        0m Product Added {"product_id":"a","price":60}
        10m Product Added {"product_id":"b","price":60}
        20m Order Completed
        1h Product Added {"product_id":"a","price":60}
        1d20m Product Added {"product_id":"a","price":60}
    "#,
        &expect![[r"
        0s cart#1 entered
        0s cart#1 @0 waits until 45m
        10m cart#0 refused ALREADY_IN: run 1
        20m cart#1 @0 left: converted
        1h cart#0 refused REENTRY_GAP: until 2026-01-06T00:20:00.000Z
        1d20m cart#2 entered
        1d20m cart#2 @0 waits until 1d1h5m
    "]],
    );
}

#[test]
fn a_goal_after_its_window_does_not_convert() {
    let policy = "
journey: late
enter: { event: A, reentry: never }
goal: { event: B, within: 1h }
steps: [ { wait: 2h }, { send: { channel: email, template: t } } ]
";
    check(
        policy,
        None,
        "
        0m A
        61m B
        3h A
    ",
        &expect![[r"
        0s late#1 entered
        0s late#1 @0 waits until 2h
        2h late#1 @0 woke
        2h late#1 @1 sent email t
        2h late#1 @1 left: completed
        2h ACTION email t {}
        3h late#0 refused REENTRY_GAP: for ever: re-entry is never
    "]],
    );
}

#[test]
fn a_keyed_journey_runs_once_a_key_and_restarts_on_repeat() {
    let policy = "
journey: item
enter: { event: Product Added, key: event.properties.product_id, on_repeat: restart }
steps: [ { wait: 1h }, { send: { channel: email, template: t, with: { of: entry.properties.product_id } } } ]
";
    check(
        policy,
        None,
        r#"
        0m Product Added {"product_id":"a"}
        10m Product Added {"product_id":"b"}
        30m Product Added {"product_id":"a"}
        40m Product Added {}
        2h wake
    "#,
        &expect![[r#"
        0s item#1 entered
        0s item#1 @0 waits until 1h
        10m item#2 entered
        10m item#2 @0 waits until 1h10m
        30m item#1 @0 left: restarted
        30m item#3 entered
        30m item#3 @0 waits until 1h30m
        40m item#0 refused KEY_UNKNOWN: event.properties.product_id is unknown test.yaml:3
        1h10m item#2 @0 woke
        1h10m item#2 @1 sent email t
        1h10m item#2 @1 left: completed
        1h30m item#3 @0 woke
        1h30m item#3 @1 sent email t
        1h30m item#3 @1 left: completed
        1h10m ACTION email t {"of":"b"}
        1h30m ACTION email t {"of":"a"}
    "#]],
    );
}

#[test]
fn a_refreshed_run_keeps_its_place_and_takes_the_later_event() {
    let policy = "
journey: fresh
enter: { event: Viewed, on_repeat: refresh }
steps: [ { wait: 1h }, { send: { channel: email, template: t, with: { of: entry.properties.x } } } ]
";
    check(
        policy,
        None,
        r#"
        0m Viewed {"x":1}
        30m Viewed {"x":2}
        2h wake
    "#,
        &expect![[r#"
        0s fresh#1 entered
        0s fresh#1 @0 waits until 1h
        1h fresh#1 @0 woke
        1h fresh#1 @1 sent email t
        1h fresh#1 @1 left: completed
        1h ACTION email t {"of":2}
    "#]],
    );
}

#[test]
fn an_unknown_score_takes_no_arm() {
    let policy = "
model: buyer
file: m.onnx
inputs: [ { column: n, from: profile.cart.item_count } ]
---
journey: scored
enter: { event: A }
steps:
  - score: { model: buyer, as: buy }
  - branch:
      - when: buy < 0.5
        then: [ { send: { channel: email, template: low } } ]
      - when: buy >= 0.5
        then: [ { send: { channel: email, template: high } } ]
      - otherwise: [ { send: { channel: email, template: unknown, with: { buy: buy } } } ]
  - set: { scored: 'true', level: buy * 10 }
";
    check(
        policy,
        Some(0.7),
        "0m A",
        &expect![[r#"
        0s scored#1 entered
        0s scored#1 @0 buyer scored Ok(0.7)
        0s scored#1 @1 took 1: buy >= 0.5 [0.7 >= 0.5] test.yaml:13
        0s scored#1 @1.branch.1.0 sent email high
        0s scored#1 @2 set ["scored", "level"]
        0s scored#1 @2 left: completed
        0s ACTION email high {}
    "#]],
    );
    check(
        policy,
        None,
        "0m A",
        &expect![[r#"
        0s scored#1 entered
        0s scored#1 @0 buyer scored Err("no model")
        0s scored#1 @1 took otherwise: buy < 0.5 [unknown < 0.5] test.yaml:11; buy >= 0.5 [unknown >= 0.5] test.yaml:13
        0s scored#1 @1.branch.2.0 sent email unknown
        0s scored#1 @2 set ["scored"]
        0s scored#1 @2 left: completed
        0s ACTION email unknown {}
    "#]],
    );
}

#[test]
fn a_held_out_customer_walks_the_journey_and_gets_nothing() {
    let policy = "
journey: held
enter: { event: A }
holdout: 99.9%
steps: [ { send: { channel: email, template: t } }, { wait: 1h }, { stop: done } ]
";
    check(
        policy,
        None,
        "
        0m A
        2h wake
    ",
        &expect![[r#"
            0s held#1 entered
            0s held#1 blocked HOLDOUT: walks the journey and gets nothing, for comparison
            0s held#1 @0 blocked HOLDOUT: email t
            0s held#1 @1 waits until 1h
            1h held#1 @1 woke
            1h held#1 @2 left: done
        "#]],
    );
}

#[test]
fn an_event_that_is_too_old_changes_state_and_does_not_enter() {
    let policy = "
journey: recent
enter: { event: A, max_age: 1h, unless: count('B') > 0 }
steps: [ { send: { channel: email, template: t, with: { n: count('A') } } } ]
";
    check(
        policy,
        None,
        "
        3h late 2h A
        4h late 1h A
        5h B
        6h A
    ",
        &expect![[r#"
            3h recent#0 refused TOO_OLD: happened at 2026-01-05T01:00:00.000Z
            4h recent#1 entered
            4h recent#1 @0 sent email t
            4h recent#1 @0 left: completed
            4h ACTION email t {"n":2}
            6h recent#0 refused UNLESS: count('B') > 0 [1 > 0] test.yaml:3
        "#]],
    );
}
