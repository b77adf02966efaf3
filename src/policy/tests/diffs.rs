//! What differs between two sets of policies.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::bundle;
use crate::policy::diff::{Way, diff};

const BEFORE: &str = "
journey: cart
enter: { event: Product Added }
steps:
  - wait: 10m
  - send: { channel: email, template: one }
  - wait: 1d
  - send: { channel: email, template: two, with: { n: profile.cart.value } }
---
journey: old
enter: { event: Signed Up }
steps: [ stop ]
---
limits: { email: 3 per 7d }
offers: { tea: { placements: [hero], value: 1 } }
placements: { hero: {} }
segments:
  rich: profile.cart.value > 100
";

#[test]
fn equal_policies_do_not_differ() {
    let moved = format!("# A comment that moves every line.\n{BEFORE}");
    check(BEFORE, &moved, &expect![[""]]);
}

#[test]
fn steps_are_added_changed_and_removed() {
    let after = BEFORE
        .replace(
            "wait: 10m",
            "hold_until: { quiet: 20m, of: [Product Added] }",
        )
        .replace("  - wait: 1d\n", "")
        .replace("journey: old", "journey: fresh\nmode: shadow");
    check(
        BEFORE,
        &after,
        &expect![[r#"
        Changed journey cart
           class marketing
           A customer enters
             - on `Product Added`
             - one run at a time
             - while a run is in progress, another entry changes nothing
             - again as soon as a run has ended
           Then
        -   0 wait 10 minutes
        +   0 hold until 20 minutes pass without `Product Added`
            1 send `one` by email
        -   2 wait 1 day
            3 send `two` by email, with n
           It ends
             - behind the last step (completed)
        Added journey fresh
        +  class marketing
        +  mode shadow
        +  It is a shadow: it runs and says what it would do, and nothing leaves.
        +  A customer enters
        +    - on `Signed Up`
        +    - one run at a time
        +    - while a run is in progress, another entry changes nothing
        +    - again as soon as a run has ended
        +  Then
        +   0 leave (stopped)
        +  It ends
        +    - behind the last step (completed)
        Removed journey old
        -  class marketing
        -  A customer enters
        -    - on `Signed Up`
        -    - one run at a time
        -    - while a run is in progress, another entry changes nothing
        -    - again as soon as a run has ended
        -  Then
        -   0 leave (stopped)
        -  It ends
        -    - behind the last step (completed)
    "#]],
    );
}

#[test]
fn a_detail_that_the_words_leave_out_is_a_change() {
    let after = BEFORE.replace("n: profile.cart.value", "n: size(profile.cart.items)");
    check(
        BEFORE,
        &after,
        &expect![[r#"
        Changed journey cart
           class marketing
           A customer enters
             - on `Product Added`
             - one run at a time
             - while a run is in progress, another entry changes nothing
             - again as soon as a run has ended
           Then
            0 wait 10 minutes
            1 send `one` by email
            2 wait 1 day
            3 send `two` by email, with n
           It ends
             - behind the last step (completed)
    "#]],
    );
}

#[test]
fn everything_that_has_a_name_is_compared() {
    let after = BEFORE
        .replace("3 per 7d", "2 per 7d")
        .replace(
            "value: 1",
            "value: 2, cap: 1 per 1d, budget: { limit: 500, per: day, zone: Europe/Berlin }",
        )
        .replace("hero: {}", "hero: { limit: 2 }")
        .replace("> 100", "> 200");
    check(
        BEFORE,
        &after,
        &expect![[r#"
            Changed offer tea
               in hero
            -  value 1
            +  value 2
            +  at most 1 per 1d
            +  at most 500 per day in Europe/Berlin for everybody
            Changed placement hero
            -  up to 1
            +  up to 2
               ranked by propensity × context × value × levers
               outcomes count for 1w
            Changed segment rich
            -  if profile.cart.value > 100
            +  if profile.cart.value > 200
            Changed limit email
            -  3 per 7d
            +  2 per 7d
        "#]],
    );
}

fn check(before: &str, after: &str, expected: &Expect) {
    let (before, after) = (bundle(before).unwrap(), bundle(after).unwrap());
    let mut shown = String::new();
    for change in diff(&before, &after) {
        let (kind, name) = (change.kind.as_str(), &change.name);
        writeln!(shown, "{:?} {kind} {name}", change.way).unwrap();
        for line in &change.lines {
            let sign = match line.way {
                Way::Kept => ' ',
                Way::Added => '+',
                Way::Removed => '-',
            };
            let step = line.step.as_deref().unwrap_or_default();
            let (indent, text) = (line.depth * 2, &line.text);
            writeln!(shown, "{sign} {:indent$}{step} {text}", "").unwrap();
        }
    }
    expected.assert_eq(&shown);
}
