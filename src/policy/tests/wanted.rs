//! How far events are read, for what policies look at.

use expect_test::{Expect, expect};

use super::bundle;
use crate::policy::wanted::Wanted;

/// A name of each kind: three that policies name, one that Attune looks into by itself, one that nobody knows.
const NAMES: [&str; 5] = ["A", "B", "C", "Product Added", "X"];

#[test]
fn what_nobody_names_is_not_read() {
    check(
        "",
        &expect!["A: Envelope, B: Envelope, C: Envelope, Product Added: Body, X: Envelope"],
    );
}

#[test]
fn a_context_is_read_for_who_looks_at_it() {
    check(
        "
journey: j
enter: { event: A, where: event.context.page.path == '/' }
exit: [ { event: B } ]
steps: [ wait: 1d ]
---
journey: k
enter: { event: C }
steps:
  - send: { channel: email, template: t, with: { of: entry.properties.name } }
---
channels: { email: { address: none } }
",
        &expect!["A: Whole, B: Whole, C: Body, Product Added: Body, X: Envelope"],
    );
}

#[test]
fn an_entry_is_kept_with_the_context_that_a_later_step_looks_at() {
    check(
        "
journey: j
enter: { event: A }
steps:
  - wait: 1d
  - branch:
      - when: entry.context['locale'] == 'de-DE'
        then: [ stop ]
",
        &expect!["A: Whole, B: Envelope, C: Envelope, Product Added: Body, X: Envelope"],
    );
}

#[test]
fn a_feature_reads_its_event() {
    check(
        "
features:
  a: { last: A, of: event.context.locale }
  b: { sum: B, of: event.properties.price, where: event.context.app == 'shop' }
  c: { count: C }
",
        &expect!["A: Whole, B: Whole, C: Body, Product Added: Body, X: Envelope"],
    );
}

#[test]
fn an_exit_without_an_event_looks_at_every_event() {
    check(
        "
journey: j
enter: { event: A }
exit: [ { when: event.properties.done } ]
steps: [ wait: 1d ]
",
        &expect!["A: Body, B: Body, C: Body, Product Added: Body, X: Body"],
    );
}

#[test]
fn any_event_may_lead_over_an_edge() {
    check(
        "
segments: { rich: profile.cart.value > 100 }
---
journey: j
enter: { segment: { entered: rich } }
steps:
  - send: { channel: email, template: t, with: { of: entry.context.locale } }
---
channels: { email: { address: none } }
",
        &expect!["A: Whole, B: Whole, C: Whole, Product Added: Whole, X: Whole"],
    );
}

fn check(policies: &str, expected: &Expect) {
    let bundle = bundle(policies).unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
    let wanted = Wanted::of(&bundle);
    let read = NAMES.map(|name| format!("{name}: {:?}", wanted.depth(name)));
    expected.assert_eq(&read.join(", "));
}
