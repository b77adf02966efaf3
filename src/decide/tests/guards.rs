//! The guards of a send, one by one and together.

use expect_test::{Expect, expect};

use super::{World, check, customer, play};
use crate::domain::consent::Status;
use crate::domain::suppression::Scope;
use crate::domain::{CustomerId, Profile};

/// A journey of one send and one more step, to see what goes on.
const NEWS: &str = "
journey: news
enter: { event: A }
steps: [ { send: { channel: email, template: news } }, { stop: end } ]
";

/// Runs a script for somebody of whom nothing is known.
fn check_stranger(policies: &str, script: &str, expected: &Expect) {
    let stranger = Profile::new(CustomerId::parse("u1").unwrap());
    play(World::with(policies, stranger), script, expected);
}

#[test]
fn marketing_needs_a_yes_to_the_channel_and_an_unclear_word_is_none() {
    check_stranger(
        NEWS,
        r#"
        0m identify {"email":"a@b.c"}
        1m A
        2m Consent Changed {"channel":"email","status":"granted"}
        3m A
        4m Consent Changed {"channel":"email","status":"opt-out"}
        5m A
        6m Consent Changed {"consents":[{"channel":"email","status":"granted"},{"channel":"all","status":"withdrawn"}]}
        7m A
    "#,
        &expect![[r#"
            1m news#1 entered
            1m news#1 @0 blocked NO_CONSENT: profile.consent.email.marketing [unknown]
            1m news#1 @1 left: end
            3m news#2 entered
            3m news#2 @0 sent email news
            3m news#2 @1 left: end
            3m ACTION email news {}
            5m news#3 entered
            5m news#3 @0 blocked NO_CONSENT: profile.consent.email.marketing [unknown]
            5m news#3 @1 left: end
            7m news#4 entered
            7m news#4 @0 blocked NO_CONSENT: profile.consent.email.marketing [withdrawn]
            7m news#4 @1 left: end
        "#]],
    );
}

#[test]
fn consent_comes_with_traits_too_and_the_later_word_counts() {
    check_stranger(
        "
journey: news
enter: { event: A }
steps:
  - send: { channel: email, template: news, with: { email: profile.consent.email, orders: profile.consent.email.orders } }
",
        r#"
        0m identify {"email":"a@b.c","consent":{"email":{"marketing":"granted","orders":false}}}
        1m A
        10m Consent Changed {"channel":"email","status":"withdrawn"}
        11m late 5m Consent Changed {"channel":"email","status":"granted"}
        12m A
        13m identify {"consent":{"email":"granted"}}
        14m A
    "#,
        &expect![[r#"
            1m news#1 entered
            1m news#1 @0 sent email news
            1m news#1 @0 left: completed
            1m ACTION email news {"email":"granted","orders":"denied"}
            12m news#2 entered
            12m news#2 @0 blocked NO_CONSENT: profile.consent.email.marketing [withdrawn]
            12m news#2 @0 left: completed
            14m news#3 entered
            14m news#3 @0 sent email news
            14m news#3 @0 left: completed
            14m ACTION email news {"email":"granted","orders":"denied"}
        "#]],
    );
}

#[test]
fn only_marketing_needs_a_yes_and_every_class_respects_a_no_to_its_purpose() {
    check_stranger(
        "
journey: order
class: transactional
enter: { event: A }
steps:
  - send: { channel: email, template: receipt }
  - send: { channel: email, template: review, purpose: reviews }
  - send: { channel: email, template: recall, class: mandatory }
  - send: { channel: email, template: more, class: marketing, purpose: tips }
",
        r#"
        0m identify {"email":"a@b.c","consent":{"email":{"marketing":"denied","tips":"granted"}}}
        1m A
        2m Consent Changed {"channel":"email","purpose":"reviews","status":"denied"}
        3m Consent Changed {"channel":"all","purpose":"mandatory","status":"denied"}
        4m Consent Changed {"channel":"email","purpose":"transactional","status":"withdrawn"}
        5m A
    "#,
        &expect![[r#"
            1m order#1 entered
            1m order#1 @0 sent email receipt
            1m order#1 @1 sent email review
            1m order#1 @2 sent email recall
            1m order#1 @3 blocked NO_CONSENT: profile.consent.email.marketing [denied]
            1m order#1 @0 left: completed
            1m ACTION email receipt {}
            1m ACTION email review {}
            1m ACTION email recall {}
            5m order#2 entered
            5m order#2 @0 blocked NO_CONSENT: profile.consent.email.transactional [withdrawn]
            5m order#2 @1 blocked NO_CONSENT: profile.consent.email.reviews [denied]
            5m order#2 @2 blocked NO_CONSENT: profile.consent.email.mandatory [denied]
            5m order#2 @3 blocked NO_CONSENT: profile.consent.email.marketing [denied]
            5m order#2 @0 left: completed
        "#]],
    );
}

#[test]
fn a_suppressed_channel_address_or_customer_gets_nothing_of_any_class() {
    check(
        "
journey: recall
class: mandatory
enter: { event: A }
steps: [ { send: { channel: email, template: recall } }, { send: { channel: sms, template: recall } } ]
",
        None,
        r#"
        0m Suppressed {"channel":"sms","reason":"complaint","until":"2026-01-05T00:02:00Z"}
        1m A
        2m Suppressed {"address":"U1@example.org ","reason":"hard bounce"}
        3m A
        4m Unsuppressed {"address":"u1@EXAMPLE.org"}
        5m Suppressed {"until":"tomorrow"}
        6m A
        7m Unsuppressed
        8m A
    "#,
        &expect![[r#"
            1m recall#1 entered
            1m recall#1 @0 sent email recall
            1m recall#1 @1 blocked SUPPRESSED: suppressed channel sms [by complaint, until 2026-01-05T00:02:00.000Z]
            1m recall#1 @0 left: completed
            1m ACTION email recall {}
            3m recall#2 entered
            3m recall#2 @0 blocked SUPPRESSED: suppressed this address [by hard bounce, until lifted]
            3m recall#2 @1 sent sms recall
            3m recall#2 @0 left: completed
            3m ACTION sms recall {}
            6m recall#3 entered
            6m recall#3 @0 blocked SUPPRESSED: suppressed everything [by event, until lifted]
            6m recall#3 @1 blocked SUPPRESSED: suppressed everything [by event, until lifted]
            6m recall#3 @0 left: completed
            8m recall#4 entered
            8m recall#4 @0 sent email recall
            8m recall#4 @1 sent sms recall
            8m recall#4 @0 left: completed
            8m ACTION email recall {}
            8m ACTION sms recall {}
        "#]],
    );
}

#[test]
fn a_channel_needs_the_address_that_is_declared_for_it() {
    check_stranger(
        "
journey: reach
class: transactional
enter: { event: A }
steps:
  - send: { channel: email, template: t }
  - send: { channel: push, template: t }
  - send: { channel: post, template: t }
  - send: { channel: fax, template: t }
---
channels:
  push: { address: profile.traits.devices.tokens }
  fax: { address: none }
  post: { address: traits.street }
",
        r#"
        0m A
        1m identify {"email":" ","devices":{"tokens":[]},"street":7}
        2m A
        3m identify {"email":"a@b.c","devices":{"tokens":["x","y"]}}
        4m A
    "#,
        &expect![[r#"
            0s reach#1 entered
            0s reach#1 @0 blocked UNREACHABLE: profile.traits.email [unknown]
            0s reach#1 @1 blocked UNREACHABLE: profile.traits.devices.tokens [unknown]
            0s reach#1 @2 blocked UNREACHABLE: profile.traits.street [unknown]
            0s reach#1 @3 sent fax t
            0s reach#1 @0 left: completed
            0s ACTION fax t {}
            2m reach#2 entered
            2m reach#2 @0 blocked UNREACHABLE: profile.traits.email [unknown]
            2m reach#2 @1 blocked UNREACHABLE: profile.traits.devices.tokens [unknown]
            2m reach#2 @2 sent post t
            2m reach#2 @3 sent fax t
            2m reach#2 @0 left: completed
            2m ACTION post t {}
            2m ACTION fax t {}
            4m reach#3 entered
            4m reach#3 @0 sent email t
            4m reach#3 @1 sent push t
            4m reach#3 @2 sent post t
            4m reach#3 @3 sent fax t
            4m reach#3 @0 left: completed
            4m ACTION email t {}
            4m ACTION push t {}
            4m ACTION post t {}
            4m ACTION fax t {}
        "#]],
    );
}

const QUIET: &str = "
limits: { quiet_hours: { between: 21:00-08:00, jitter: 0s } }
---
journey: news
enter: { event: A }
exit: { when: profile.traits.gone == true, reason: gone }
steps: [ { send: { channel: email, template: news } }, { send: { channel: push, template: news, quiet_hours: none } } ]
";

#[test]
fn a_send_in_quiet_hours_waits_for_their_end_on_the_customers_clock() {
    check(
        QUIET,
        None,
        r#"
        0m identify {"timezone":"America/New_York"}
        2h A
        1d wake
    "#,
        &expect![[r#"
            2h news#1 entered
            2h news#1 @0 blocked QUIET_HOURS: 21:00-08:00 test.yaml:2 [21:00 in America/New_York by profile.traits.timezone, until 2026-01-05T13:00:00.000Z]
            2h news#1 @0 waits until 13h
            13h news#1 @0 woke
            13h news#1 @0 sent email news
            13h news#1 @1 sent push news
            13h news#1 @0 left: completed
            13h ACTION email news {}
            13h ACTION push news {}
        "#]],
    );
}

#[test]
fn a_held_send_asks_every_guard_again() {
    check(
        QUIET,
        None,
        r#"
        1h A
        2h Consent Changed {"channel":"email","status":"withdrawn"}
        1d wake
    "#,
        &expect![[r#"
            1h news#1 entered
            1h news#1 @0 blocked QUIET_HOURS: 21:00-08:00 test.yaml:2 [01:00 in UTC by workspace default, until 2026-01-05T08:00:00.000Z]
            1h news#1 @0 waits until 8h
            8h news#1 @0 woke
            8h news#1 @0 blocked NO_CONSENT: profile.consent.email.marketing [withdrawn]
            8h news#1 @1 sent push news
            8h news#1 @0 left: completed
            8h ACTION push news {}
        "#]],
    );
    check(
        QUIET,
        None,
        r#"
        1h A
        7h identify {"gone":true}
        1d wake
    "#,
        &expect![[r#"
            1h news#1 entered
            1h news#1 @0 blocked QUIET_HOURS: 21:00-08:00 test.yaml:2 [01:00 in UTC by workspace default, until 2026-01-05T08:00:00.000Z]
            1h news#1 @0 waits until 8h
            7h news#1 @0 left: gone
        "#]],
    );
    check(
        QUIET,
        None,
        r#"
        1h A
        2h identify {"timezone":"America/Los_Angeles"}
        2d wake
    "#,
        &expect![[r#"
            1h news#1 entered
            1h news#1 @0 blocked QUIET_HOURS: 21:00-08:00 test.yaml:2 [01:00 in UTC by workspace default, until 2026-01-05T08:00:00.000Z]
            1h news#1 @0 waits until 8h
            8h news#1 @0 woke
            8h news#1 @0 blocked QUIET_HOURS: 21:00-08:00 test.yaml:2 [00:00 in America/Los_Angeles by profile.traits.timezone, until 2026-01-05T16:00:00.000Z]
            8h news#1 @0 waits until 16h
            16h news#1 @0 woke
            16h news#1 @0 sent email news
            16h news#1 @1 sent push news
            16h news#1 @0 left: completed
            16h ACTION email news {}
            16h ACTION push news {}
        "#]],
    );
}

#[test]
fn a_send_can_be_dropped_in_quiet_hours_and_only_on_their_days() {
    check(
        "
journey: loud
quiet_hours: { between: 21:00-08:00, zone: Europe/Berlin, days: [sun], then: drop }
enter: { event: A }
steps: [ { send: { channel: email, template: t } } ]
",
        None,
        "
        6h59m A
        7h A
        22h A
        6d19h59m A
        6d20h A
    ",
        &expect![[r#"
            6h59m loud#1 entered
            6h59m loud#1 @0 blocked QUIET_HOURS: 21:00-08:00 test.yaml:3 [07:59 in Europe/Berlin by policy, until 2026-01-05T07:00:00.000Z]
            6h59m loud#1 @0 left: completed
            7h loud#2 entered
            7h loud#2 @0 sent email t
            7h loud#2 @0 left: completed
            7h ACTION email t {}
            22h loud#3 entered
            22h loud#3 @0 sent email t
            22h loud#3 @0 left: completed
            22h ACTION email t {}
            6d19h59m loud#4 entered
            6d19h59m loud#4 @0 sent email t
            6d19h59m loud#4 @0 left: completed
            6d19h59m ACTION email t {}
            6d20h loud#5 entered
            6d20h loud#5 @0 blocked QUIET_HOURS: 21:00-08:00 test.yaml:3 [21:00 in Europe/Berlin by policy, until 2026-01-12T07:00:00.000Z]
            6d20h loud#5 @0 left: completed
        "#]],
    );
}

#[test]
fn held_sends_leave_spread_over_the_time_after_and_always_at_the_same_moment() {
    let policy = "
journey: news
quiet_hours: 00:00-08:00 UTC
enter: { event: A, key: event.properties.k }
steps: [ { send: { channel: email, template: news } } ]
";
    let script = r#"
        1h A {"k":"a"}
        2h A {"k":"b"}
        9h wake
    "#;
    check(
        policy,
        None,
        script,
        &expect![[r#"
        1h news#1 entered
        1h news#1 @0 blocked QUIET_HOURS: 00:00-08:00 UTC test.yaml:3 [01:00 in UTC by policy, until 2026-01-05T08:00:00.000Z]
        1h news#1 @0 waits until 8h10m54s103ms
        2h news#2 entered
        2h news#2 @0 blocked QUIET_HOURS: 00:00-08:00 UTC test.yaml:3 [02:00 in UTC by policy, until 2026-01-05T08:00:00.000Z]
        2h news#2 @0 waits until 8h1m52s293ms
        8h1m52s293ms news#2 @0 woke
        8h1m52s293ms news#2 @0 sent email news
        8h1m52s293ms news#2 @0 left: completed
        8h10m54s103ms news#1 @0 woke
        8h10m54s103ms news#1 @0 sent email news
        8h10m54s103ms news#1 @0 left: completed
        8h1m52s293ms ACTION email news {}
        8h10m54s103ms ACTION email news {}
    "#]],
    );
}

const CAPPED: &str = "
limits:
  email: 2 per 1d
  all: [ 1 per 1h, { cap: 3 per day, window: calendar } ]
---
journey: news
enter: { event: A }
steps: [ { send: { channel: email, template: news } } ]
---
journey: app
enter: { event: B }
steps: [ { send: { channel: push, template: app } } ]
---
journey: order
class: transactional
enter: { event: O }
steps: [ { send: { channel: email, template: order } } ]
";

#[test]
fn caps_count_the_channel_and_all_channels_and_nothing_but_marketing() {
    check(
        CAPPED,
        None,
        r#"
        0m O
        1m A
        2m B
        3m O
        61m B
        3h A
        4h A
        5h B
        1d A
        1d1m A
    "#,
        &expect![[r#"
            0s order#1 entered
            0s order#1 @0 sent email order
            0s order#1 @0 left: completed
            0s ACTION email order {}
            1m news#2 entered
            1m news#2 @0 sent email news
            1m news#2 @0 left: completed
            1m ACTION email news {}
            2m app#3 entered
            2m app#3 @0 blocked CONTACT_LIMIT: limits.all 1 per 1h test.yaml:4 [1/1, frees at 2026-01-05T01:01:00.000Z]
            2m app#3 @0 left: completed
            3m order#4 entered
            3m order#4 @0 sent email order
            3m order#4 @0 left: completed
            3m ACTION email order {}
            1h1m app#5 entered
            1h1m app#5 @0 sent push app
            1h1m app#5 @0 left: completed
            1h1m ACTION push app {}
            3h news#6 entered
            3h news#6 @0 sent email news
            3h news#6 @0 left: completed
            3h ACTION email news {}
            4h news#7 entered
            4h news#7 @0 blocked CONTACT_LIMIT: limits.email 2 per 1d test.yaml:3 [2/2, frees at 2026-01-06T00:01:00.000Z]
            4h news#7 @0 left: completed
            5h app#8 entered
            5h app#8 @0 blocked CONTACT_LIMIT: limits.all 3 per day (calendar) test.yaml:4 [3/3, frees at 2026-01-06T00:00:00.000Z]
            5h app#8 @0 left: completed
            1d news#9 entered
            1d news#9 @0 blocked CONTACT_LIMIT: limits.email 2 per 1d test.yaml:3 [2/2, frees at 2026-01-06T00:01:00.000Z]
            1d news#9 @0 left: completed
            1d1m news#10 entered
            1d1m news#10 @0 sent email news
            1d1m news#10 @0 left: completed
            1d1m ACTION email news {}
        "#]],
    );
}

#[test]
fn a_calendar_cap_begins_anew_at_the_customers_midnight() {
    check(
        "
limits: { email: 1 per calendar day, push: { cap: 1 per week, window: calendar }, sms: 1 per calendar month }
---
journey: news
enter: { event: A }
steps:
  - send: { channel: email, template: t }
  - send: { channel: push, template: t }
  - send: { channel: sms, template: t }
",
        None,
        r#"
        0m identify {"timezone":"Asia/Tokyo"}
        1h A
        14h59m A
        15h A
        6d15h A
        27d A
    "#,
        &expect![[r#"
            1h news#1 entered
            1h news#1 @0 sent email t
            1h news#1 @1 sent push t
            1h news#1 @2 sent sms t
            1h news#1 @0 left: completed
            1h ACTION email t {}
            1h ACTION push t {}
            1h ACTION sms t {}
            14h59m news#2 entered
            14h59m news#2 @0 blocked CONTACT_LIMIT: limits.email 1 per calendar day test.yaml:2 [1/1, frees at 2026-01-05T15:00:00.000Z]
            14h59m news#2 @1 blocked CONTACT_LIMIT: limits.push 1 per week (calendar) test.yaml:2 [1/1, frees at 2026-01-11T15:00:00.000Z]
            14h59m news#2 @2 blocked CONTACT_LIMIT: limits.sms 1 per calendar month test.yaml:2 [1/1, frees at 2026-01-31T15:00:00.000Z]
            14h59m news#2 @0 left: completed
            15h news#3 entered
            15h news#3 @0 sent email t
            15h news#3 @1 blocked CONTACT_LIMIT: limits.push 1 per week (calendar) test.yaml:2 [1/1, frees at 2026-01-11T15:00:00.000Z]
            15h news#3 @2 blocked CONTACT_LIMIT: limits.sms 1 per calendar month test.yaml:2 [1/1, frees at 2026-01-31T15:00:00.000Z]
            15h news#3 @0 left: completed
            15h ACTION email t {}
            6d15h news#4 entered
            6d15h news#4 @0 sent email t
            6d15h news#4 @1 sent push t
            6d15h news#4 @2 blocked CONTACT_LIMIT: limits.sms 1 per calendar month test.yaml:2 [1/1, frees at 2026-01-31T15:00:00.000Z]
            6d15h news#4 @0 left: completed
            6d15h ACTION email t {}
            6d15h ACTION push t {}
            27d news#5 entered
            27d news#5 @0 sent email t
            27d news#5 @1 sent push t
            27d news#5 @2 sent sms t
            27d news#5 @0 left: completed
            27d ACTION email t {}
            27d ACTION push t {}
            27d ACTION sms t {}
        "#]],
    );
}

#[test]
fn a_definite_failure_gives_the_place_back_and_a_confirmation_keeps_it() {
    let policy = "
limits: { email: 1 per 7d }
---
journey: news
enter: { event: A }
steps: [ { send: { channel: email, template: t } } ]
";
    let mut world = World::new(policy);
    let (_, outcomes) = world.line("0m A");
    let id = outcomes[1].actions[0].action_id.clone();
    let feedback = |name: &str, more: &str| format!(r#"{name} {{"action_id":"{id}"{more}}}"#);
    let script = [
        format!("1m {}", feedback("Delivery Failed", r#","definite":false"#)),
        "2m A".into(),
        format!("3m {}", feedback("Delivery Failed", "")),
        format!("4m {}", feedback("Delivery Confirmed", "")),
        "5m A".into(),
        "6m A".into(),
    ];
    play(
        world,
        &script.join("\n"),
        &expect![[r#"
        2m news#2 entered
        2m news#2 @0 blocked CONTACT_LIMIT: limits.email 1 per 7d test.yaml:2 [1/1, frees at 2026-01-12T00:00:00.000Z]
        2m news#2 @0 left: completed
        5m news#3 entered
        5m news#3 @0 sent email t
        5m news#3 @0 left: completed
        5m ACTION email t {}
        6m news#4 entered
        6m news#4 @0 blocked CONTACT_LIMIT: limits.email 1 per 7d test.yaml:2 [1/1, frees at 2026-01-12T00:05:00.000Z]
        6m news#4 @0 left: completed
    "#]],
    );
    let mut world = World::new(policy);
    world.line("0m A");
    let script = [
        format!("1m {}", feedback("Delivery Confirmed", "")),
        format!("2m {}", feedback("Delivery Failed", "")),
        "3m A".into(),
    ];
    play(
        world,
        &script.join("\n"),
        &expect![[r#"
        3m news#2 entered
        3m news#2 @0 blocked CONTACT_LIMIT: limits.email 1 per 7d test.yaml:2 [1/1, frees at 2026-01-12T00:00:00.000Z]
        3m news#2 @0 left: completed
    "#]],
    );
}

#[test]
fn a_cap_of_zero_lets_nothing_pass_and_no_cap_everything() {
    check(
        "
limits: { email: 0 }
---
journey: news
enter: { event: A }
steps: [ { send: { channel: email, template: t, on_block: retry_at_release } }, { send: { channel: push, template: t } } ]
",
        None,
        "0m A",
        &expect![[r#"
            0s news#1 entered
            0s news#1 @0 blocked CONTACT_LIMIT: limits.email 0 test.yaml:2 [0/0, frees at never]
            0s news#1 @1 sent push t
            0s news#1 @0 left: completed
            0s ACTION push t {}
        "#]],
    );
}

#[test]
fn a_blocked_send_can_end_the_run_or_wait_until_the_guard_lets_go() {
    check(
        "
limits: { email: 1 per 1d }
---
journey: first
enter: { event: A }
steps: [ { send: { channel: email, template: one } } ]
---
journey: second
enter: { event: B }
steps:
  - send: { channel: email, template: two, on_block: retry_at_release }
  - send: { channel: email, template: three, on_block: exit }
  - stop: never
",
        None,
        r#"
        0m A
        1h B
        20h Suppressed {"channel":"email","reason":"pause","until":"2026-01-07T00:00:00Z"}
        3d wake
    "#,
        &expect![[r#"
            0s first#1 entered
            0s first#1 @0 sent email one
            0s first#1 @0 left: completed
            0s ACTION email one {}
            1h second#2 entered
            1h second#2 @0 blocked CONTACT_LIMIT: limits.email 1 per 1d test.yaml:2 [1/1, frees at 2026-01-06T00:00:00.000Z]
            1h second#2 @0 waits until 1d
            1d second#2 @0 woke
            1d second#2 @0 blocked SUPPRESSED: suppressed channel email [by pause, until 2026-01-07T00:00:00.000Z]
            1d second#2 @0 waits until 2d
            2d second#2 @0 woke
            2d second#2 @0 sent email two
            2d second#2 @1 blocked CONTACT_LIMIT: limits.email 1 per 1d test.yaml:2 [1/1, frees at 2026-01-08T00:00:00.000Z]
            2d second#2 @1 left: blocked by CONTACT_LIMIT
            2d ACTION email two {}
        "#]],
    );
}

const RIVALS: &str = "
journey: a-small
priority: 1
enter: { event: A }
steps: [ { wait: 1h }, { send: { channel: email, template: small } } , { send: { channel: push, template: small } } ]
---
journey: b-large
priority: entry.properties.weight
enter: { event: A, key: event.properties.k }
steps: [ { wait: 1h }, { send: { channel: email, template: large } } ]
---
journey: c-law
class: mandatory
enter: { event: A }
steps: [ { wait: 1h }, { send: { channel: email, template: law } } ]
";

#[test]
fn of_the_sends_of_one_moment_the_weightiest_journey_has_the_channel() {
    check(
        RIVALS,
        None,
        r#"
        0m A {"weight":5,"k":"x"}
        1d wake
    "#,
        &expect![[r#"
            0s a-small#1 entered
            0s b-large#2 entered
            0s c-law#3 entered
            0s a-small#1 @0 waits until 1h
            0s b-large#2 @0 waits until 1h
            0s c-law#3 @0 waits until 1h
            1h a-small#1 @0 woke
            1h b-large#2 @0 woke
            1h c-law#3 @0 woke
            1h c-law#3 @1 sent email law
            1h c-law#3 @1 left: completed
            1h b-large#2 @1 sent email large
            1h b-large#2 @1 left: completed
            1h a-small#1 @1 blocked OUTRANKED: by b-large [priority 1 against 5]
            1h a-small#1 @2 sent push small
            1h a-small#1 @1 left: completed
            1h ACTION email law {}
            1h ACTION email large {}
            1h ACTION push small {}
        "#]],
    );
}

#[test]
fn an_unknown_priority_weighs_least() {
    check(
        RIVALS,
        None,
        r#"
        0m A {"k":"x"}
        0m A {"k":"y"}
        1d wake
    "#,
        &expect![[r#"
            0s a-small#1 entered
            0s b-large#2 entered
            0s c-law#3 entered
            0s a-small#1 @0 waits until 1h
            0s b-large#2 @0 waits until 1h
            0s c-law#3 @0 waits until 1h
            0s a-small#0 refused ALREADY_IN: run 1
            0s b-large#4 entered
            0s c-law#0 refused ALREADY_IN: run 3
            0s b-large#4 @0 waits until 1h
            1h a-small#1 @0 woke
            1h b-large#2 @0 woke
            1h c-law#3 @0 woke
            1h c-law#3 @1 sent email law
            1h c-law#3 @1 left: completed
            1h b-large#4 @0 woke
            1h a-small#1 @1 sent email small
            1h b-large#2 @1 blocked OUTRANKED: by a-small [priority unknown against 1]
            1h b-large#2 @1 left: completed
            1h b-large#4 @1 blocked OUTRANKED: by a-small [priority unknown against 1]
            1h b-large#4 @1 left: completed
            1h a-small#1 @2 sent push small
            1h a-small#1 @1 left: completed
            1h ACTION email law {}
            1h ACTION email small {}
            1h ACTION push small {}
        "#]],
    );
}

#[test]
fn both_runs_of_the_weightiest_journey_have_the_channel() {
    check(
        RIVALS,
        None,
        r#"
        0m A {"k":"x","weight":2}
        0m A {"k":"y","weight":3}
        1d wake
    "#,
        &expect![[r#"
            0s a-small#1 entered
            0s b-large#2 entered
            0s c-law#3 entered
            0s a-small#1 @0 waits until 1h
            0s b-large#2 @0 waits until 1h
            0s c-law#3 @0 waits until 1h
            0s a-small#0 refused ALREADY_IN: run 1
            0s b-large#4 entered
            0s c-law#0 refused ALREADY_IN: run 3
            0s b-large#4 @0 waits until 1h
            1h a-small#1 @0 woke
            1h b-large#2 @0 woke
            1h c-law#3 @0 woke
            1h c-law#3 @1 sent email law
            1h c-law#3 @1 left: completed
            1h b-large#4 @0 woke
            1h b-large#4 @1 sent email large
            1h b-large#4 @1 left: completed
            1h b-large#2 @1 sent email large
            1h b-large#2 @1 left: completed
            1h a-small#1 @1 blocked OUTRANKED: by b-large [priority 1 against 3]
            1h a-small#1 @2 sent push small
            1h a-small#1 @1 left: completed
            1h ACTION email law {}
            1h ACTION email large {}
            1h ACTION email large {}
            1h ACTION push small {}
        "#]],
    );
}

#[test]
fn equal_priorities_break_ties_by_name_and_what_is_not_marketing_goes_first() {
    check(
        "
journey: a
enter: { event: A }
steps: [ { send: { channel: email, template: t } } ]
---
journey: b
enter: { event: A }
steps: [ { send: { channel: email, template: t } }, { send: { channel: email, template: again } } ]
---
journey: c
class: transactional
enter: { event: B }
steps: [ { send: { channel: email, template: t } } ]
---
journey: d
enter: { event: B }
steps: [ { send: { channel: email, template: t, on_block: exit } } ]
---
limits: { all: 5 per 1d }
",
        None,
        "
        0m A
        1h B
    ",
        &expect![[r#"
            0s a#1 entered
            0s b#2 entered
            0s a#1 @0 sent email t
            0s a#1 @0 left: completed
            0s b#2 @0 blocked OUTRANKED: by a [priority 0 against 0]
            0s b#2 @1 blocked OUTRANKED: by a [priority 0 against 0]
            0s b#2 @0 left: completed
            0s ACTION email t {}
            1h c#3 entered
            1h d#4 entered
            1h c#3 @0 sent email t
            1h c#3 @0 left: completed
            1h d#4 @0 blocked OUTRANKED: by c [priority 0 against 0]
            1h d#4 @0 left: blocked by OUTRANKED
            1h ACTION email t {}
        "#]],
    );
}

#[test]
fn the_weightiest_takes_the_last_place_under_a_cap_of_all_channels() {
    check(
        "
limits: { all: 1 per 1d }
---
journey: a
priority: 1
enter: { event: A }
steps: [ { send: { channel: email, template: t } } ]
---
journey: b
priority: 2
enter: { event: A }
steps: [ { send: { channel: push, template: t } } ]
",
        None,
        "0m A",
        &expect![[r#"
            0s a#1 entered
            0s b#2 entered
            0s b#2 @0 sent push t
            0s b#2 @0 left: completed
            0s a#1 @0 blocked CONTACT_LIMIT: limits.all 1 per 1d test.yaml:2 [1/1, frees at 2026-01-06T00:00:00.000Z]
            0s a#1 @0 left: completed
            0s ACTION push t {}
        "#]],
    );
}

#[test]
fn a_winner_that_a_guard_stops_leaves_the_channel_to_the_next() {
    check(
        "
limits: { push: 0 }
---
journey: a
priority: 1
enter: { event: A }
steps: [ { send: { channel: push, template: t, class: transactional } } ]
---
journey: b
priority: 2
enter: { event: A }
steps: [ { send: { channel: push, template: t } } ]
",
        None,
        "0m A",
        &expect![[r#"
            0s a#1 entered
            0s b#2 entered
            0s b#2 @0 blocked CONTACT_LIMIT: limits.push 0 test.yaml:2 [0/0, frees at never]
            0s b#2 @0 left: completed
            0s a#1 @0 sent push t
            0s a#1 @0 left: completed
            0s ACTION push t {}
        "#]],
    );
}

#[test]
fn a_held_out_customer_is_traced_when_the_send_would_have_left_and_uses_no_cap() {
    check(
        "
limits: { email: 1 per 7d, quiet_hours: { between: 00:00-08:00, zone: UTC, jitter: 0s } }
---
journey: held
holdout: 99.9%
enter: { event: A }
steps: [ { send: { channel: email, template: t } }, { send: { channel: push, template: t } } ]
---
journey: free
enter: { event: B }
steps: [ { send: { channel: email, template: t } } ]
",
        None,
        r#"
        1h A
        2h Consent Changed {"channel":"push","status":"denied"}
        9h B
        10h A
    "#,
        &expect![[r#"
            1h held#1 entered
            1h held#1 blocked HOLDOUT: walks the journey and gets nothing, for comparison
            1h held#1 @0 blocked QUIET_HOURS: 00:00-08:00 test.yaml:2 [01:00 in UTC by policy, until 2026-01-05T08:00:00.000Z]
            1h held#1 @0 waits until 8h
            8h held#1 @0 woke
            8h held#1 @0 blocked HOLDOUT: email t
            8h held#1 @1 blocked HOLDOUT: push t; besides NO_CONSENT profile.consent.push.marketing [denied]
            8h held#1 @0 left: completed
            9h free#2 entered
            9h free#2 @0 sent email t
            9h free#2 @0 left: completed
            9h ACTION email t {}
            10h held#3 entered
            10h held#3 blocked HOLDOUT: walks the journey and gets nothing, for comparison
            10h held#3 @0 blocked HOLDOUT: email t; besides CONTACT_LIMIT limits.email 1 per 7d test.yaml:2 [1/1, frees at 2026-01-12T09:00:00.000Z]
            10h held#3 @1 blocked HOLDOUT: push t; besides NO_CONSENT profile.consent.push.marketing [denied]
            10h held#3 @0 left: completed
        "#]],
    );
}

#[test]
fn what_is_kept_for_the_guards_has_an_end() {
    let mut world = World::with(NEWS, customer());
    let (consents, suppressions) = ("Consent Changed", "Suppressed");
    for n in 0..200 {
        world.line(&format!(
            r#"{n}m {consents} {{"channel":"c{n}","status":"granted"}}"#
        ));
        world.line(&format!(r#"{n}m {suppressions} {{"address":"a{n}"}}"#));
    }
    let suppressed: Vec<_> = world.profile.suppressed.iter().collect();
    assert_eq!(world.profile.consent.iter().count(), 64);
    assert_eq!(
        world.profile.consent.of("c199", "marketing"),
        Some(Status::Granted)
    );
    assert!(suppressed.len() <= 32);
    assert_eq!(
        (&suppressed[0].scope, suppressed[0].until),
        (&Scope::All, None)
    );
}
