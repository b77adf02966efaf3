//! Known weaknesses of other systems that the guards of a send do not have, each by its sentence.

use expect_test::expect;

use super::check;

#[test]
fn a_sliding_cap_holds_across_midnight_where_a_daily_counter_begins_anew() {
    check(
        "
limits: { email: 1 per 1d }
---
journey: news
enter: { event: A }
steps: [ { send: { channel: email, template: t } } ]
",
        None,
        "
        23h59m A
        1d1m A
        1d23h58m A
        1d23h59m A
    ",
        &expect![[r#"
            23h59m news#1 entered
            23h59m news#1 @0 sent email t
            23h59m news#1 @0 left: completed
            23h59m ACTION email t {}
            1d1m news#2 entered
            1d1m news#2 @0 blocked CONTACT_LIMIT: limits.email 1 per 1d test.yaml:2 [1/1, frees at 2026-01-06T23:59:00.000Z]
            1d1m news#2 @0 left: completed
            1d23h58m news#3 entered
            1d23h58m news#3 @0 blocked CONTACT_LIMIT: limits.email 1 per 1d test.yaml:2 [1/1, frees at 2026-01-06T23:59:00.000Z]
            1d23h58m news#3 @0 left: completed
            1d23h59m news#4 entered
            1d23h59m news#4 @0 sent email t
            1d23h59m news#4 @0 left: completed
            1d23h59m ACTION email t {}
        "#]],
    );
}

#[test]
fn a_calendar_cap_follows_the_customers_midnight_and_not_that_of_the_server() {
    check(
        "
limits: { email: 1 per calendar day }
---
journey: news
enter: { event: A }
steps: [ { send: { channel: email, template: t } } ]
",
        None,
        r#"
        0m identify {"timezone":"Asia/Tokyo"}
        23h30m A
        1d30m A
    "#,
        &expect![[r#"
            23h30m news#1 entered
            23h30m news#1 @0 sent email t
            23h30m news#1 @0 left: completed
            23h30m ACTION email t {}
            1d30m news#2 entered
            1d30m news#2 @0 blocked CONTACT_LIMIT: limits.email 1 per calendar day test.yaml:2 [1/1, frees at 2026-01-06T15:00:00.000Z]
            1d30m news#2 @0 left: completed
        "#]],
    );
}

#[test]
fn a_send_that_waited_through_the_night_is_judged_in_the_morning() {
    check(
        "
journey: news
quiet_hours: { between: 21:00-08:00, jitter: 0s }
enter: { event: A }
goal: { event: Order Completed }
steps: [ { send: { channel: email, template: t } } ]
---
limits: { email: 1 per 1d }
---
journey: other
quiet_hours: none
enter: { event: B }
steps: [ { send: { channel: email, template: t } } ]
",
        None,
        "
        22h A
        1d B
        1d9h wake
        1d22h A
        1d23h Order Completed
        3d wake
    ",
        &expect![[r#"
            22h news#1 entered
            22h news#1 @0 blocked QUIET_HOURS: 21:00-08:00 test.yaml:3 [22:00 in UTC by workspace default, until 2026-01-06T08:00:00.000Z]
            22h news#1 @0 waits until 1d8h
            1d other#2 entered
            1d other#2 @0 sent email t
            1d other#2 @0 left: completed
            1d ACTION email t {}
            1d8h news#1 @0 woke
            1d8h news#1 @0 blocked CONTACT_LIMIT: limits.email 1 per 1d test.yaml:8 [1/1, frees at 2026-01-07T00:00:00.000Z]
            1d8h news#1 @0 left: completed
            1d22h news#3 entered
            1d22h news#3 @0 blocked QUIET_HOURS: 21:00-08:00 test.yaml:3 [22:00 in UTC by workspace default, until 2026-01-07T08:00:00.000Z]
            1d22h news#3 @0 waits until 2d8h
            1d23h news#3 @0 left: converted
        "#]],
    );
}

#[test]
fn a_cap_is_exact_though_several_journeys_reach_for_its_last_place_at_once() {
    check(
        "
limits: { all: 2 per 1d }
---
journey: a
enter: { event: A }
steps: [ { wait: 1h }, { send: { channel: email, template: t } } ]
---
journey: b
enter: { event: A }
steps: [ { wait: 1h }, { send: { channel: push, template: t } } ]
---
journey: c
enter: { event: A }
steps: [ { wait: 1h }, { send: { channel: sms, template: t } } ]
",
        None,
        "
        0m A
        2h wake
    ",
        &expect![[r#"
            0s a#1 entered
            0s b#2 entered
            0s c#3 entered
            0s a#1 @0 waits until 1h
            0s b#2 @0 waits until 1h
            0s c#3 @0 waits until 1h
            1h a#1 @0 woke
            1h b#2 @0 woke
            1h c#3 @0 woke
            1h a#1 @1 sent email t
            1h a#1 @1 left: completed
            1h b#2 @1 sent push t
            1h b#2 @1 left: completed
            1h c#3 @1 blocked CONTACT_LIMIT: limits.all 2 per 1d test.yaml:2 [2/2, frees at 2026-01-06T01:00:00.000Z]
            1h c#3 @1 left: completed
            1h ACTION email t {}
            1h ACTION push t {}
        "#]],
    );
}

#[test]
fn a_journey_whose_send_is_blocked_goes_on_instead_of_losing_the_customer() {
    check(
        "
limits: { email: 0 }
---
journey: news
enter: { event: A }
steps: [ { send: { channel: email, template: t } }, { wait: 1h }, { send: { channel: push, template: t } } ]
",
        None,
        "
        0m A
        2h wake
    ",
        &expect![[r#"
            0s news#1 entered
            0s news#1 @0 blocked CONTACT_LIMIT: limits.email 0 test.yaml:2 [0/0, frees at never]
            0s news#1 @1 waits until 1h
            1h news#1 @1 woke
            1h news#1 @2 sent push t
            1h news#1 @2 left: completed
            1h ACTION push t {}
        "#]],
    );
}
