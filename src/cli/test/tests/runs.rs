//! What tests see, and what a failed one says.

use expect_test::expect;

use super::check_run;

#[test]
fn everything_that_can_be_expected_can_hold() {
    check_run(
        r"test: a reminder
journey: cart
customer: { consent: granted, traits: { tier: gold } }
models: { intent: 0.2, accept: { ten-off: 0.1, free-shipping: 0.9 } }
split: { '1': loud }
timeline:
  - { at: 0m, event: Product Added, properties: { product_id: a } }
  - { at: 29m, expect: { sent: none, state: running, at_step: hold_until, next: 30m, segments: { in: [gold] } } }
  - { at: 30m, expect: { sent: { template: come-back, channel: email, with: { offer: free-shipping } }, offer: free-shipping } }
  - { at: 30m, expect: { lost: { ten-off: OUTRANKED }, blocked: none, state: completed, reason: completed, next: none } }
  - { at: 31m, expect: { traits: { reminded: true, email: u1@example.org }, at_step: none, runs: 1, sent: none } }
  - { at: 32m, identify: { tier: silver }, expect: { segments: { out: [gold] } } }
  - { at: 40m, event: Product Added, properties: { product_id: b }, expect: { refused: REENTRY_GAP } }
  - { at: 41m, decide: mail, limit: 1, expect: { offers: [free-shipping] } }
---
test: no consent, no mail
journey: cart
models: { intent: real }
timeline:
  - { at: 0m, event: Product Added, properties: { product_id: a } }
  - { at: 1h, expect: { sent: none, blocked: NO_CONSENT } }
---
test: no address, no mail
journey: cart
customer: { consent: { email: granted }, reachable: none }
models: { intent: 0.2 }
timeline:
  - { at: 0m, event: Product Added, properties: { product_id: a } }
  - { at: 1h, expect: { sent: none, blocked: UNREACHABLE } }
---
test: held out
journey: cart
customer: { consent: granted }
holdout: in
models: { intent: 0.2 }
timeline:
  - { at: 0m, event: Product Added, properties: { product_id: a } }
  - { at: 1h, expect: { sent: none, blocked: HOLDOUT, state: completed } }
",
        &expect!["4 tests passed, 27 expectations"],
    );
}

#[test]
fn outcomes_of_decisions_teach_and_tire() {
    check_run(
        r"learners: { taste: { prior: { propensity: 0.3, evidence: 2 }, reward: { impression: 0, click: 1 } } }
---
placements: { hero: { learner: taste, explore: none }, two: { limit: 2 } }
offers:
  a: { placements: [hero, two], contact: { after: 2 rejections per 7d, suppress: 30d } }
  b: { placements: [hero, two] }
---
test: a click teaches
timeline:
  - { at: 0m, decide: hero, as: first, expect: { offer: a } }
  - { at: 1m, event: Offer Impression, decision: first }
  - { at: 2m, decide: hero, as: second, expect: { offer: b } }
  - { at: 3m, event: Offer Clicked, decision: first }
  - { at: 4m, decide: hero, expect: { offer: a } }
---
test: two rejections tire
timeline:
  - { at: 0m, decide: two, as: first }
  - { at: 1m, event: Offer Rejected, decision: last, properties: { offer: a } }
  - { at: 2m, event: Offer Rejected, decision: last, properties: { offer: a } }
  - { at: 3m, decide: two, expect: { offers: [a, b] } }
  - { at: 4m, event: Offer Rejected, decision: last, properties: { offer: a } }
  - { at: 5m, decide: two, expect: { offers: [b], lost: { a: CONTACT_LIMIT } } }
  - { at: 30d5m, decide: two, expect: { offers: [a, b] } }
",
        &expect!["2 tests passed, 7 expectations"],
    );
}

#[test]
fn what_shadows_would_have_sent_is_expected_apart_from_what_left() {
    check_run(
        r"journey: trial
mode: shadow
enter: { event: Cart Viewed, reentry: always }
steps: [ { wait: 10m }, { send: { channel: email, template: trial } } ]
---
test: a shadow
journey: trial
customer: { consent: granted }
timeline:
  - { at: 0m, event: Cart Viewed, expect: { would_send: none, state: running } }
  - { at: 10m, expect: { sent: none, would_send: { template: trial, channel: email }, state: completed } }
  - { at: 11m, expect: { would_send: none } }
---
test: nothing of it leaves
customer: { consent: granted }
timeline:
  - { at: 0m, event: Cart Viewed }
  - { at: 10m, expect: { sent: trial, would_send: [] } }
",
        &expect![[r#"
            ✗ nothing of it leaves

              shop.yaml:50
                  - { at: 10m, expect: { sent: trial, would_send: [] } }
              expected  sent: trial
              got       sent: none
              expected  would_send: none
              got       would_send: trial

              what happened until 10m:
                      0s  ▸ Cart Viewed
                            trial (shadow) began
                            trial (shadow) 0 wait: waits until 10m
                     10m    trial (shadow) 0 wait: goes on
                            trial (shadow) 1 send: would have sent trial (email)
                            trial (shadow) 1 send: ended: completed
            1 of 2 tests failed, 8 expectations"#]],
    );
}

#[test]
fn a_failure_shows_both_values_and_what_was_decided() {
    check_run(
        r"test: a reminder
journey: cart
customer: { consent: granted }
models: { intent: 0.2 }
split: { '1': still }
timeline:
  - { at: 0m, event: Product Added, properties: { product_id: a } }
  - { at: 10m, event: Product Added, late: 2h, properties: { product_id: b } }
  - { at: 45m, expect: { sent: none, state: running } }
  - { at: 46m, decide: mail, expect: { offer: free-shipping } }
---
test: nothing happens
timeline:
  - { at: 1h, expect: { sent: come-back, journey: cart, state: exited } }
",
        &expect![[r#"
            ✗ a reminder

              shop.yaml:41
                  - { at: 45m, expect: { sent: none, state: running } }
              expected  sent: none
              got       sent: come-back
              expected  state: running
              got       state: completed

              what happened until 45m:
                      0s  ▸ Product Added {"product_id":"a"}
                            cart began
                            cart 0 hold_until: waits until 30m
                     10m  ▸ Product Added {"product_id":"b"} (2h late)
                            cart refused ALREADY_IN: run 1
                     40m    cart 0 hold_until: goes on
                            cart 1 split: dealt to still: draw 0.073257 < 1
                            cart 2 score: intent says 0.2000
                            cart 3 branch: took arm 0: buy < 0.5 [0.2 < 0.5] shop.yaml:10
                            cart 3.branch.0.0 offer: offers [ten-off]; not OUTRANKED free-shipping
                            cart 3.branch.0.1 send: SENT come-back (email)
                            cart 4 set: wrote reminded
                            cart 4 set: ended: completed
            ✗ nothing happens

              shop.yaml:46
                  - { at: 1h, expect: { sent: come-back, journey: cart, state: exited } }
              expected  sent: come-back (of cart)
              got       sent: none
              expected  state: exited (of cart)
              got       state: none

              what happened until 1h:
                nothing
            2 of 2 tests failed, 5 expectations"#]],
    );
}

#[test]
fn what_is_due_at_the_time_of_an_event_comes_after_it() {
    check_run(
        r"test: bought at the deadline
journey: cart
customer: { consent: granted }
models: { intent: 0.2 }
timeline:
  - { at: 0m, event: Product Added, properties: { product_id: a } }
  - { at: 30m, event: Order Completed, expect: { sent: none, state: converted } }
",
        &expect!["1 test passed, 2 expectations"],
    );
}
