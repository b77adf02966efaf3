//! What other systems document as their limits, and does not hold here.

use expect_test::expect;

use super::{World, bundle, check, play};
use crate::domain::What;
use crate::policy::{Kept, Source, check_with};

#[test]
fn an_exit_is_taken_on_the_event_and_not_when_the_current_step_ends() {
    let policy = "
journey: nurture
enter: { event: Signed Up }
exit: { event: Unsubscribed, reason: unsubscribed }
steps:
  - wait_for:
      arms: [ { event: Viewed, then: { send: { channel: email, template: viewed } } } ]
      within: 30d
      otherwise: { send: { channel: email, template: come-back } }
";
    check(
        policy,
        None,
        "
        0m Signed Up
        3d Unsubscribed
        4d Viewed
        31d wake
    ",
        &expect![[r#"
            0s nurture#1 entered
            0s nurture#1 @0 waits until 30d
            3d nurture#1 @0 left: unsubscribed
        "#]],
    );
}

#[test]
fn a_thirty_day_delay_does_not_mean_thirty_days_to_who_reached_the_goal() {
    let policy = "
journey: trial
enter: { event: Trial Started }
goal: { event: Order Completed }
steps:
  - wait: 30d
  - send: { channel: email, template: buy-now }
";
    check(
        policy,
        None,
        "
        0m Trial Started
        2d Order Completed
        31d wake
    ",
        &expect![[r#"
            0s trial#1 entered
            0s trial#1 @0 waits until 30d
            2d trial#1 @0 left: converted
        "#]],
    );
}

#[test]
fn an_exit_without_an_event_is_taken_as_soon_as_it_holds_and_not_at_the_next_step() {
    let policy = "
journey: cart
enter: { event: Product Added }
exit: { when: profile.cart.item_count == 0, reason: empty }
steps:
  - wait: { until: 2026-02-01 }
  - send: { channel: email, template: t }
";
    check(
        policy,
        None,
        r#"
        0m Product Added {"product_id":"a","price":1}
        1d Product Removed {"product_id":"a"}
        40d wake
    "#,
        &expect![[r#"
            0s cart#1 entered
            0s cart#1 @0 waits until 27d: 2026-02-01 ["2026-02-01"] test.yaml:6 in UTC by workspace default
            1d cart#1 @0 left: empty
        "#]],
    );
}

#[test]
fn a_trigger_sees_the_profile_after_its_own_event_without_a_wait_step() {
    let policy = "
journey: second
enter: { event: Order Completed, where: \"count('Order Completed') == 2\" }
steps: [ { send: { channel: email, template: again } } ]
";
    check(
        policy,
        None,
        "
        0m Order Completed
        1d Order Completed
        2d Order Completed
    ",
        &expect![[r#"
            0s second#0 refused WHERE: count('Order Completed') == 2 [1 == 2] test.yaml:3
            1d second#1 entered
            1d second#1 @0 sent email again
            1d second#1 @0 left: completed
            1d ACTION email again {}
            2d second#0 refused WHERE: count('Order Completed') == 2 [3 == 2] test.yaml:3
        "#]],
    );
}

#[test]
fn a_live_edit_sends_no_message_twice() {
    // The mail has left when a step is put before it: where steps are counted from the start, it would leave again.
    let channels = "---\nchannels: { email: { address: none, consent: not_required } }\n";
    let old = format!(
        "journey: tips\nenter: {{ event: A }}\nsteps:
  - send: {{ channel: email, template: first }}
  - wait: 1d
  - send: {{ channel: email, template: second }}\n{channels}"
    );
    let new = old.replace("steps:\n", "steps:\n  - wait: 1h\n");
    let mut world = World::new(&old);
    for line in ["0h A", "1h wake"] {
        world.line(line);
    }
    let sent = world.profile.timeline.iter();
    let sent = sent.filter(|trace| matches!(trace.what, What::Sent(..)));
    assert_eq!(sent.count(), 1);
    let kept = Kept {
        sources: vec![Source::new("test.yaml", &old)],
        journeys: bundle(&old).journeys.iter().map(|it| it.revision).collect(),
    };
    world.bundle = check_with(&[Source::new("test.yaml", &new)], &[kept])
        .bundle
        .unwrap();
    play(
        world,
        "
        2h wake
        30h wake
        31h A
        60h wake",
        &expect![[r#"
            1d tips#1 @1 woke
            1d tips#1 @2 sent email second
            1d tips#1 @2 left: completed
            1d ACTION email second {}
            1d7h tips#2 entered
            1d7h tips#2 @0 waits until 1d8h
            1d8h tips#2 @0 woke
            1d8h tips#2 @1 sent email first
            1d8h tips#2 @2 waits until 2d8h
            2d8h tips#2 @2 woke
            2d8h tips#2 @3 sent email second
            2d8h tips#2 @3 left: completed
            1d8h ACTION email first {}
            2d8h ACTION email second {}
        "#]],
    );
}
