//! Waits, awaited events and splits as they are compiled.

use expect_test::expect;

use super::bundle;
use super::compiles::check_flow;

#[test]
fn waits_are_read_in_all_their_forms() {
    check_flow(
        "
journey: waits
enter: { event: A }
steps:
  - wait: 1h30m
  - wait: { until: 9:00 }
  - wait: { until: 09:00, zone: customer, days: [mon..fri] }
  - wait: { until: 23:59, zone: Europe/Berlin, days: [sat..sun, tue] }
  - wait: { until: 00:00, days: mon }
  - wait: { until: profile.traits.renewal, offset: -7d }
  - wait: { until: entry.timestamp, offset: 1d12h, past: skip }
  - wait: { until: 2026-12-24, past: exit, zone: UTC }
  - wait: { until: '2026-12-24T18:00', offset: +1h }
",
        &expect![[r#"
            waits Marketing holdout 0 uses_entry true
            enter ["A"] where [] unless [] key None Always Ignore None
            0 @0 line 5: wait 1h30m -> 1
            1 @1 line 6: wait 09:00 mon tue wed thu fri sat sun customer -> 2
            2 @2 line 7: wait 09:00 mon tue wed thu fri customer -> 3
            3 @3 line 8: wait 23:59 tue sat sun Europe/Berlin -> 4
            4 @4 line 9: wait 00:00 mon customer -> 5
            5 @5 line 10: wait profile.traits.renewal true 1w Now customer -> 6
            6 @6 line 11: wait entry.timestamp false 1d12h Skip customer -> 7
            7 @7 line 12: wait "2026-12-24" false 0s Exit UTC -> 8
            8 @8 line 13: wait "2026-12-24T18:00" false 1h Now customer -> end
        "#]],
    );
}

#[test]
fn arms_of_waits_and_splits_are_laid_behind_the_list() {
    check_flow(
        "
journey: arms
enter: { event: A }
steps:
  - split: { control: 10%, a: 45.5%, b: 44.5%, as: arm, salt: spring }
  - wait_for:
      arms:
        - event: B
          where: [event.properties.x > 1, \"arm == 'a'\"]
          then: [ { wait: 1h }, { wait: 2h } ]
        - { event: C }
      within: 3d
      otherwise: stop
  - split:
      arms:
        - { name: x, share: 33.3333%, then: { send: { channel: push, template: \"t\", with: { of: split } } } }
        - { name: y, share: 33.3333%, then: next }
        - { name: z, share: 33.3334% }
  - wait_for: { arms: [ { event: D, then: { exit: d } } ], within: 1h, rank: true, otherwise: stop }
",
        &expect![[r#"
            arms Marketing holdout 0 uses_entry false
            enter ["A"] where [] unless [] key None Always Ignore None
            0 @0 line 5: split `spring` control < 0.1 ? 1 | a < 0.555 ? 1 | b < 1 ? 1 as arm -> 1
            1 @1 line 6: wait_for B/2 ? 4 | C/0 ? 2 within 3d rank false else 6 -> 2
            2 @2 line 14: split `` x < 0.333333 ? 7 | y < 0.666666 ? 3 | z < 1 ? 3 as split -> 3
            3 @3 line 19: wait_for D/0 ? 8 within 1h rank true else 9 -> end
            4 @1.wait_for.0.0 line 10: wait 1h -> 5
            5 @1.wait_for.0.1 line 10: wait 2h -> 2
            6 @1.wait_for.otherwise.0 line 13: stop stopped -> 2
            7 @2.split.0.0 line 16: send push t (of = split) -> 3
            8 @3.wait_for.0.0 line 19: stop d -> end
            9 @3.wait_for.otherwise.0 line 19: stop stopped -> end
        "#]],
    );
}

#[test]
fn results_of_arms_are_seen_behind_them_but_not_beside() {
    let text = "
journey: j
enter: { event: A }
steps:
  - wait_for:
      arms:
        - { event: B, then: { split: { a: 100%, as: mine } } }
        - { event: C, where: USED, then: { wait: 1h } }
      within: 1h
  - branch: [ { when: mine == 'a', then: next } ]
";
    let used = bundle(&text.replace("USED", "mine == 'a'"));
    assert_eq!(used.unwrap_err().0.len(), 1);
    assert!(bundle(&text.replace("USED", "true")).is_ok());
}

#[test]
fn a_journey_that_only_waits_for_a_date_of_its_entry_keeps_its_entry() {
    check_flow(
        "
journey: j
enter: { event: A }
steps: [ { wait: { until: entry.properties.due, offset: -1d } } ]
",
        &expect![[r#"
            j Marketing holdout 0 uses_entry true
            enter ["A"] where [] unless [] key None Always Ignore None
            0 @0 line 4: wait entry.properties.due true 1d Now customer -> end
        "#]],
    );
}
