//! Waits for the clock and for dates.

use expect_test::expect;

use super::check;

const MORNING: &str = "
journey: morning
enter: { event: A, on_repeat: restart }
steps:
  - wait: { until: 09:00, zone: customer, days: [mon..fri] }
  - send: { channel: push, template: hello, with: { hour: local_hour(), day: local_weekday() } }
";

#[test]
fn a_wait_for_the_clock_ends_in_the_zone_of_the_traits() {
    check(
        MORNING,
        None,
        r#"
        0m identify {"timezone":"America/New_York"}
        1h A
        1d wake
    "#,
        &expect![[r#"
            1h morning#1 entered
            1h morning#1 @0 waits until 14h: 09:00 mon tue wed thu fri in America/New_York by profile.traits.timezone
            14h morning#1 @0 woke
            14h morning#1 @1 sent push hello
            14h morning#1 @1 left: completed
            14h ACTION push hello {"day":1,"hour":9}
        "#]],
    );
}

#[test]
fn without_traits_the_zone_of_the_last_device_counts_and_then_utc() {
    check(
        MORNING,
        None,
        "
        0m A
        1h in Asia/Kathmandu B
        2h A
        2h30m in Asia/Tokyo B
        3h A
        1d wake
    ",
        &expect![[r#"
            0s morning#1 entered
            0s morning#1 @0 waits until 9h: 09:00 mon tue wed thu fri in UTC by workspace default
            2h morning#1 @0 left: restarted
            2h morning#2 entered
            2h morning#2 @0 waits until 3h15m: 09:00 mon tue wed thu fri in Asia/Kathmandu by context.timezone
            3h morning#2 @0 left: restarted
            3h morning#3 entered
            3h morning#3 @0 waits until 1d: 09:00 mon tue wed thu fri in Asia/Tokyo by context.timezone
        "#]],
    );
}

#[test]
fn an_unknown_zone_falls_to_the_next_source_and_the_trace_says_so() {
    check(
        MORNING,
        None,
        r#"
        0m identify {"timezone":"Mars/Base"}
        1h in Europe/Berlin A
        2h in Nowhere A
    "#,
        &expect![[r#"
            1h morning#1 entered
            1h morning#1 @0 waits until 8h: 09:00 mon tue wed thu fri in Europe/Berlin by context.timezone; profile.traits.timezone `Mars/Base` is no zone
            2h morning#1 @0 left: restarted
            2h morning#2 entered
            2h morning#2 @0 waits until 9h: 09:00 mon tue wed thu fri in UTC by workspace default; profile.traits.timezone `Mars/Base` is no zone; context.timezone `Nowhere` is no zone
        "#]],
    );
}

#[test]
fn a_weekend_is_waited_out_and_a_moment_that_is_now_is_not_past() {
    check(
        MORNING,
        None,
        "
        4d9h A
        4d10h A
        8d wake
    ",
        &expect![[r#"
            4d9h morning#1 entered
            4d9h morning#1 @0 waits until 4d9h: 09:00 mon tue wed thu fri in UTC by workspace default
            4d9h morning#1 @0 woke
            4d9h morning#1 @1 sent push hello
            4d9h morning#1 @1 left: completed
            4d9h ACTION push hello {"day":5,"hour":9}
            4d10h morning#2 entered
            4d10h morning#2 @0 waits until 7d9h: 09:00 mon tue wed thu fri in UTC by workspace default
            7d9h morning#2 @0 woke
            7d9h morning#2 @1 sent push hello
            7d9h morning#2 @1 left: completed
            7d9h ACTION push hello {"day":1,"hour":9}
        "#]],
    );
}

#[test]
fn a_zone_of_the_policy_is_not_the_customers() {
    let policy = "
journey: shop
enter: { event: A }
steps: [ { wait: { until: 18:30, zone: Europe/Berlin } }, { send: { channel: push, template: t } } ]
";
    check(
        policy,
        None,
        r#"
        0m identify {"timezone":"America/New_York"}
        1h A
        1d wake
    "#,
        &expect![[r#"
            1h shop#1 entered
            1h shop#1 @0 waits until 17h30m: 18:30 in Europe/Berlin by policy
            17h30m shop#1 @0 woke
            17h30m shop#1 @1 sent push t
            17h30m shop#1 @1 left: completed
            17h30m ACTION push t {}
        "#]],
    );
}

#[test]
fn the_target_is_set_when_the_step_is_entered() {
    check(
        MORNING,
        None,
        r#"
        0m A
        1h identify {"timezone":"America/New_York"}
        10h wake
    "#,
        &expect![[r#"
            0s morning#1 entered
            0s morning#1 @0 waits until 9h: 09:00 mon tue wed thu fri in UTC by workspace default
            9h morning#1 @0 woke
            9h morning#1 @1 sent push hello
            9h morning#1 @1 left: completed
            9h ACTION push hello {"day":1,"hour":4}
        "#]],
    );
}

const RENEWAL: &str = "
journey: renewal
enter: { event: A, on_repeat: restart }
steps:
  - wait: { until: profile.traits.renewal, offset: -7d, past: PAST }
  - branch:
      - when: profile.traits.plan == 'yearly'
        then: { send: { channel: email, template: soon } }
      - otherwise: { send: { channel: email, template: soon-monthly } }
  - send: { channel: push, template: after }
";

#[test]
fn days_before_a_date_are_counted_by_the_customers_calendar() {
    // The clocks of Berlin change between the two days; both are midnight there.
    check(
        &RENEWAL.replace("PAST", "now"),
        None,
        r#"
        0m identify {"timezone":"Europe/Berlin","renewal":"2026-04-01","plan":"yearly"}
        1h A
        90d wake
    "#,
        &expect![[r#"
            1h renewal#1 entered
            1h renewal#1 @0 waits until 78d23h: profile.traits.renewal ["2026-04-01"] test.yaml:5 -1w in Europe/Berlin by profile.traits.timezone
            78d23h renewal#1 @0 woke
            78d23h renewal#1 @1 took 0: profile.traits.plan == 'yearly' ["yearly" == "yearly"] test.yaml:7
            78d23h renewal#1 @1.branch.0.0 sent email soon
            78d23h renewal#1 @2 sent push after
            78d23h renewal#1 @1 left: completed
            78d23h ACTION email soon {}
            78d23h ACTION push after {}
        "#]],
    );
}

#[test]
fn a_date_may_be_a_moment_a_number_or_years_away() {
    check(
        &RENEWAL.replace("PAST", "now"),
        None,
        r#"
        0m identify {"renewal":"2026-02-01T10:00:00+02:00"}
        1h A
        2h identify {"renewal":1770000000000}
        3h A
        4h identify {"renewal":"2061-01-01"}
        5h A
        12776d wake
        12800d wake
    "#,
        &expect![[r#"
            1h renewal#1 entered
            1h renewal#1 @0 waits until 20d8h: profile.traits.renewal ["2026-02-01T10:00:00+02:00"] test.yaml:5 -1w in UTC by workspace default
            3h renewal#1 @0 left: restarted
            3h renewal#2 entered
            3h renewal#2 @0 waits until 21d2h40m: profile.traits.renewal [1770000000000] test.yaml:5 -1w in UTC by workspace default
            5h renewal#2 @0 left: restarted
            5h renewal#3 entered
            5h renewal#3 @0 waits until 12773d: profile.traits.renewal ["2061-01-01"] test.yaml:5 -1w in UTC by workspace default
            12773d renewal#3 @0 woke
            12773d renewal#3 @1 took otherwise: profile.traits.plan == 'yearly' [unknown == "yearly"] test.yaml:7
            12773d renewal#3 @1.branch.1.0 sent email soon-monthly
            12773d renewal#3 @2 sent push after
            12773d renewal#3 @1 left: completed
            12773d ACTION email soon-monthly {}
            12773d ACTION push after {}
        "#]],
    );
}

#[test]
fn a_past_date_goes_on_at_once() {
    check(
        &RENEWAL.replace("PAST", "now"),
        None,
        r#"
        0m identify {"renewal":"2026-01-07"}
        1h A
    "#,
        &expect![[r#"
            1h renewal#1 entered
            1h renewal#1 @0 missed, now: profile.traits.renewal ["2026-01-07"] test.yaml:5 -1w in UTC by workspace default
            1h renewal#1 @1 took otherwise: profile.traits.plan == 'yearly' [unknown == "yearly"] test.yaml:7
            1h renewal#1 @1.branch.1.0 sent email soon-monthly
            1h renewal#1 @2 sent push after
            1h renewal#1 @0 left: completed
            1h ACTION email soon-monthly {}
            1h ACTION push after {}
        "#]],
    );
}

#[test]
fn a_past_date_skips_the_step_that_was_meant_for_it() {
    check(
        &RENEWAL.replace("PAST", "skip"),
        None,
        r#"
        0m identify {"renewal":"2026-01-07"}
        1h A
    "#,
        &expect![[r#"
            1h renewal#1 entered
            1h renewal#1 @0 missed, skip: profile.traits.renewal ["2026-01-07"] test.yaml:5 -1w in UTC by workspace default
            1h renewal#1 @2 sent push after
            1h renewal#1 @0 left: completed
            1h ACTION push after {}
        "#]],
    );
}

#[test]
fn a_past_date_leaves() {
    check(
        &RENEWAL.replace("PAST", "exit"),
        None,
        r#"
        0m identify {"renewal":"2026-01-07"}
        1h A
    "#,
        &expect![[r#"
            1h renewal#1 entered
            1h renewal#1 @0 missed, exit: profile.traits.renewal ["2026-01-07"] test.yaml:5 -1w in UTC by workspace default
            1h renewal#1 @0 left: past_date
        "#]],
    );
}

#[test]
fn an_unknown_date_is_traced_and_treated_as_past() {
    check(
        &RENEWAL.replace("PAST", "exit"),
        None,
        r#"
        1h A
        2h identify {"renewal":"soon"}
        3h A
        4h identify {"renewal":["2026-02-01"]}
        5h A
    "#,
        &expect![[r#"
            1h renewal#1 entered
            1h renewal#1 @0 missed, exit: profile.traits.renewal [unknown] test.yaml:5 -1w in UTC by workspace default
            1h renewal#1 @0 left: past_date
            3h renewal#2 entered
            3h renewal#2 @0 missed, exit: profile.traits.renewal ["soon"] test.yaml:5 -1w in UTC by workspace default
            3h renewal#2 @0 left: past_date
            5h renewal#3 entered
            5h renewal#3 @0 missed, exit: profile.traits.renewal [["2026-02-01"]] test.yaml:5 -1w in UTC by workspace default
            5h renewal#3 @0 left: past_date
        "#]],
    );
}

#[test]
fn a_skip_goes_over_the_last_step_too() {
    let policy = "
journey: j
enter: { event: A }
steps:
  - wait: { until: 2026-01-01, past: skip }
  - stop
";
    check(
        policy,
        None,
        "0m A",
        &expect![[r#"
            0s j#1 entered
            0s j#1 @0 missed, skip: 2026-01-01 ["2026-01-01"] test.yaml:5 in UTC by workspace default
            0s j#1 @0 left: completed
        "#]],
    );
}

#[test]
fn a_millisecond_can_be_waited_for() {
    let policy = "
journey: j
enter: { event: A }
steps: [ { wait: 1ms }, { send: { channel: push, template: t } } ]
";
    check(
        policy,
        None,
        "
        0m A
        1ms wake
        2ms wake
    ",
        &expect![[r#"
            0s j#1 entered
            0s j#1 @0 waits until 1ms
            1ms j#1 @0 woke
            1ms j#1 @1 sent push t
            1ms j#1 @1 left: completed
            1ms ACTION push t {}
        "#]],
    );
}
