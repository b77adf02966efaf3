//! What compiles and is most likely not meant.

use expect_test::expect;

use super::{check_condition, check_wrong};

#[test]
fn a_range_that_no_number_fits() {
    check_condition(
        "profile.cart.value > 5 && profile.cart.value < 3",
        &expect![[r#"
            attune::always_false

              ⚠ this condition is never true
               ╭─[shop.yaml:5:5]
             4 │   where: >-
             5 │     profile.cart.value > 5 && profile.cart.value < 3
               ·     ────────────────────────┬────────────────────────
               ·                             ╰── here
             6 │ steps: [stop]
               ╰────
              help: no value fits all its parts at once; perhaps `||` is meant"#]],
    );
}

#[test]
fn a_point_that_is_excluded() {
    check_condition(
        "profile.cart.value >= 5 && profile.cart.value <= 5 && profile.cart.value != 5",
        &expect![[r#"
            attune::always_false

              ⚠ this condition is never true
               ╭─[shop.yaml:5:5]
             4 │   where: >-
             5 │     profile.cart.value >= 5 && profile.cart.value <= 5 && profile.cart.value != 5
               ·     ───────────────────────────────────────┬──────────────────────────────────────
               ·                                            ╰── here
             6 │ steps: [stop]
               ╰────
              help: no value fits all its parts at once; perhaps `||` is meant"#]],
    );
}

#[test]
fn two_values_at_once() {
    check_condition(
        "profile.traits.tier == 'gold' && profile.traits.tier == 'silver'",
        &expect![[r#"
            attune::always_false

              ⚠ this condition is never true
               ╭─[shop.yaml:5:5]
             4 │   where: >-
             5 │     profile.traits.tier == 'gold' && profile.traits.tier == 'silver'
               ·     ────────────────────────────────┬────────────────────────────────
               ·                                     ╰── here
             6 │ steps: [stop]
               ╰────
              help: no value fits all its parts at once; perhaps `||` is meant"#]],
    );
}

#[test]
fn a_value_outside_of_its_list() {
    check_condition(
        "profile.traits.tier in ['gold', 'silver'] && profile.traits.tier == 'bronze'",
        &expect![[r#"
            attune::always_false

              ⚠ this condition is never true
               ╭─[shop.yaml:5:5]
             4 │   where: >-
             5 │     profile.traits.tier in ['gold', 'silver'] && profile.traits.tier == 'bronze'
               ·     ──────────────────────────────────────┬──────────────────────────────────────
               ·                                           ╰── here
             6 │ steps: [stop]
               ╰────
              help: no value fits all its parts at once; perhaps `||` is meant"#]],
    );
}

#[test]
fn a_condition_and_its_opposite() {
    check_condition(
        "profile.traits.vip && !profile.traits.vip",
        &expect![[r#"
        attune::always_false

          ⚠ this condition is never true
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     profile.traits.vip && !profile.traits.vip
           ·     ─────────────────────┬────────────────────
           ·                          ╰── here
         6 │ steps: [stop]
           ╰────
          help: no value fits all its parts at once; perhaps `||` is meant"#]],
    );
}

#[test]
fn a_count_below_zero() {
    check_condition(
        "count('Order Completed') < 0",
        &expect![[r#"
        attune::always_false

          ⚠ this condition is never true
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     count('Order Completed') < 0
           ·     ──────────────┬──────────────
           ·                   ╰── here
         6 │ steps: [stop]
           ╰────
          help: no value fits all its parts at once; perhaps `||` is meant"#]],
    );
}

#[test]
fn an_hour_that_no_clock_shows() {
    check_condition(
        "local_hour() >= 24",
        &expect![[r#"
        attune::always_false

          ⚠ this condition is never true
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     local_hour() >= 24
           ·     ─────────┬─────────
           ·              ╰── here
         6 │ steps: [stop]
           ╰────
          help: no value fits all its parts at once; perhaps `||` is meant"#]],
    );
}

#[test]
fn a_weekday_that_no_calendar_has() {
    check_condition(
        "local_weekday() == 0",
        &expect![[r#"
        attune::always_false

          ⚠ this condition is never true
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     local_weekday() == 0
           ·     ──────────┬──────────
           ·               ╰── here
         6 │ steps: [stop]
           ╰────
          help: no value fits all its parts at once; perhaps `||` is meant"#]],
    );
}

#[test]
fn every_case_of_an_or_is_impossible() {
    check_condition(
        "(profile.cart.value > 5 && profile.cart.value < 3) || 7 < 6 && false",
        &expect![[r#"
            attune::constant_condition

              ⚠ two constants are compared: the answer is always the same
               ╭─[shop.yaml:5:59]
             4 │   where: >-
             5 │     (profile.cart.value > 5 && profile.cart.value < 3) || 7 < 6 && false
               ·                                                           ──┬──
               ·                                                             ╰── here
             6 │ steps: [stop]
               ╰────
              help: compare with something of `profile` or `event`, or remove it"#]],
    );
}

#[test]
fn a_range_that_every_number_fits() {
    check_condition(
        "profile.cart.value > 3 || profile.cart.value <= 5",
        &expect![[r#"
            attune::always_true

              ⚠ this condition is true for every value
               ╭─[shop.yaml:5:5]
             4 │   where: >-
             5 │     profile.cart.value > 3 || profile.cart.value <= 5
               ·     ─────────────────────────┬────────────────────────
               ·                              ╰── here
             6 │ steps: [stop]
               ╰────
              help: remove it, or compare with another value"#]],
    );
}

#[test]
fn a_value_is_unequal_to_one_of_two() {
    check_condition(
        "profile.traits.tier != 'gold' || profile.traits.tier != 'silver'",
        &expect![[r#"
            attune::always_true

              ⚠ this condition is true for every value
               ╭─[shop.yaml:5:5]
             4 │   where: >-
             5 │     profile.traits.tier != 'gold' || profile.traits.tier != 'silver'
               ·     ────────────────────────────────┬────────────────────────────────
               ·                                     ╰── here
             6 │ steps: [stop]
               ╰────
              help: remove it, or compare with another value"#]],
    );
}

#[test]
fn a_count_from_zero_is_always() {
    check_condition(
        "count('Order Completed') >= 0",
        &expect![[r#"
        attune::always_true

          ⚠ this condition is true for every value
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     count('Order Completed') >= 0
           ·     ───────────────┬──────────────
           ·                    ╰── here
         6 │ steps: [stop]
           ╰────
          help: remove it, or compare with another value"#]],
    );
}

#[test]
fn a_size_from_zero_is_always() {
    check_condition(
        "size(profile.cart.items) >= 0",
        &expect![[r#"
        attune::always_true

          ⚠ this condition is true for every value
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     size(profile.cart.items) >= 0
           ·     ───────────────┬──────────────
           ·                    ╰── here
         6 │ steps: [stop]
           ╰────
          help: remove it, or compare with another value"#]],
    );
}

#[test]
fn a_constant_condition() {
    check_condition(
        "true",
        &expect![[r#"
        attune::always_true

          ⚠ this condition is true for every value
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     true
           ·     ──┬──
           ·       ╰── here
         6 │ steps: [stop]
           ╰────
          help: remove it, or compare with another value"#]],
    );
}

#[test]
fn constants_are_compared() {
    check_condition(
        "1 > 2",
        &expect![[r#"
        attune::constant_condition

          ⚠ two constants are compared: the answer is always the same
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     1 > 2
           ·     ──┬──
           ·       ╰── here
         6 │ steps: [stop]
           ╰────
          help: compare with something of `profile` or `event`, or remove it"#]],
    );
}

#[test]
fn a_value_is_compared_with_itself() {
    check_condition(
        "profile.cart.value == profile.cart.value",
        &expect![[r#"
        attune::constant_condition

          ⚠ both sides are the same: the answer is always the same
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     profile.cart.value == profile.cart.value
           ·     ────────────────────┬───────────────────
           ·                         ╰── here
         6 │ steps: [stop]
           ╰────
          help: `has(x)` asks whether a value is known"#]],
    );
}

#[test]
fn a_comprehension_in_another_costs() {
    check_condition(
        "profile.cart.items.exists(x, profile.cart.items.exists(y, y.category == x.category))",
        &expect![[r#"
            attune::costly

              ⚠ this looks at every item of one list for every item of another
               ╭─[shop.yaml:5:53]
             4 │   where: >-
             5 │     profile.cart.items.exists(x, profile.cart.items.exists(y, y.category == x.category))
               ·                                                     ───┬──
               ·                                                        ╰── here
             6 │ steps: [stop]
               ╰────
              help: use `in` with a list of constants, or a feature that counts what you look for"#]],
    );
}

#[test]
fn conditions_of_a_list_contradict_each_other() {
    check_wrong(
        r"journey: j
enter:
  event: Product Added
  where:
    - profile.cart.value > 50
    - profile.cart.value < 20
steps: [stop]
",
        &expect![[r#"
            attune::always_false

              ⚠ these conditions are never true together
               ╭─[shop.yaml:5:7]
             4 │       where:
             5 │ ╭─▶     - profile.cart.value > 50
             6 │ ├─▶     - profile.cart.value < 20
               · ╰──── here
             7 │     steps: [stop]
               ╰────
              help: every condition of a list must be true at once; `||` in one condition says either"#]],
    );
}

#[test]
fn unless_keeps_out_whom_where_lets_in() {
    check_wrong(
        r"journey: j
enter:
  event: Product Added
  where: profile.cart.value > 50
  unless: profile.cart.value > 20
steps: [stop]
",
        &expect![[r#"
            attune::always_false

              ⚠ nobody can enter: this is true for everybody that `where` lets in
               ╭─[shop.yaml:5:11]
             4 │   where: profile.cart.value > 50
             5 │   unless: profile.cart.value > 20
               ·           ───────────┬───────────
               ·                      ╰── here
             6 │ steps: [stop]
               ╰────
              help: `unless` keeps out whom `where` lets in: change one of them"#]],
    );
}

#[test]
fn a_goal_that_cannot_be_reached() {
    check_wrong(
        r"journey: j
enter: { event: Product Added }
goal:
  event: Order Completed
  where: [event.properties.total > 5, event.properties.total < 5]
steps: [stop]
",
        &expect![[r#"
            attune::always_false

              ⚠ these conditions are never true together
               ╭─[shop.yaml:5:11]
             4 │   event: Order Completed
             5 │   where: [event.properties.total > 5, event.properties.total < 5]
               ·           ───────────────────────────┬──────────────────────────
               ·                                      ╰── here
             6 │ steps: [stop]
               ╰────
              help: every condition of a list must be true at once; `||` in one condition says either"#]],
    );
}

#[test]
fn an_arm_behind_a_wider_one_is_never_reached() {
    check_wrong(
        r"journey: j
enter: { event: Product Added }
steps:
  - branch:
      - when: profile.cart.value > 10
        then: stop
      - when: profile.cart.value > 100 && profile.traits.vip
        then:
          - send: { channel: email, template: a }
      - otherwise: next
",
        &expect![[r#"
            attune::unreachable

              ⚠ this arm can never be reached: whoever fits it fits `profile.cart.value > 10` of line 5 before
              │ it
               ╭─[shop.yaml:7:15]
             6 │         then: stop
             7 │       - when: profile.cart.value > 100 && profile.traits.vip
               ·               ───────────────────────┬──────────────────────
               ·                                      ╰── here
             8 │         then:
               ╰────
              help: put the narrower arm first, or remove it"#]],
    );
}

#[test]
fn an_arm_of_a_value_in_an_earlier_list_is_never_reached() {
    check_wrong(
        r"journey: j
enter: { event: Product Added }
steps:
  - branch:
      - when: profile.traits.tier in ['gold', 'silver']
        then: stop
      - when: profile.traits.tier == 'gold'
        then: next
      - otherwise: next
",
        &expect![[r#"
            attune::unreachable

              ⚠ this arm can never be reached: whoever fits it fits `profile.traits.tier in ['gold',
              │ 'silver']` of line 5 before it
               ╭─[shop.yaml:7:15]
             6 │         then: stop
             7 │       - when: profile.traits.tier == 'gold'
               ·               ──────────────┬──────────────
               ·                             ╰── here
             8 │         then: next
               ╰────
              help: put the narrower arm first, or remove it"#]],
    );
}

#[test]
fn an_arm_behind_its_own_opposite_is_reached() {
    check_wrong(
        r#"journey: j
enter: { event: Product Added }
steps:
  - branch:
      - when: profile.cart.value > 10
        then: stop
      - when: profile.cart.value <= 10
        then: stop
      - when: "!has(profile.cart.value)"
        then: next
      - otherwise: next
"#,
        &expect!["nothing is wrong"],
    );
}

#[test]
fn a_branch_without_otherwise() {
    check_wrong(
        r"journey: j
enter: { event: Product Added }
steps:
  - branch:
      - when: profile.cart.value > 10
        then: stop
  - wait: 1h
",
        &expect![[r#"
            attune::missing_otherwise

              ⚠ the branch has no `otherwise`: who fits no arm, or is unknown, goes on behind it
               ╭─[shop.yaml:5:9]
             4 │   - branch:
             5 │       - when: profile.cart.value > 10
               ·         ──┬─
               ·           ╰── here
             6 │         then: stop
               ╰────
              help: add `- otherwise: next` if that is meant, or `- otherwise: stop`"#]],
    );
}

#[test]
fn a_wait_longer_than_the_goal() {
    check_wrong(
        r"journey: j
enter: { event: Product Added }
goal: { event: Order Completed, within: 3d }
steps:
  - wait: 4d
  - send: { channel: email, template: a }
",
        &expect![[r#"
            attune::late_wait

              ⚠ this ends 4d after the entry at the earliest, and `Order Completed` counts as the goal within
              │ 3d only
               ╭─[shop.yaml:5:5]
             4 │ steps:
             5 │   - wait: 4d
               ·     ────┬───
               ·         ╰── here
             6 │   - send: { channel: email, template: a }
               ╰────
              help: shorten the wait, or let `within` of the goal be longer"#]],
    );
}

#[test]
fn waits_that_are_longer_together() {
    check_wrong(
        r"journey: j
enter: { event: Product Added }
goal: { event: Order Completed, within: 3d }
steps:
  - hold_until: { quiet: 1d }
  - branch:
      - when: profile.cart.value > 10
        then: [wait: 30d]
      - otherwise: [wait: 1d]
  - wait: 1d
  - wait: 1h
  - wait: 5d
",
        &expect![[r#"
            attune::late_wait

              ⚠ this ends 31d after the entry at the earliest, and `Order Completed` counts as the goal within
              │ 3d only
               ╭─[shop.yaml:8:16]
             7 │       - when: profile.cart.value > 10
             8 │         then: [wait: 30d]
               ·                ────┬────
               ·                    ╰── here
             9 │       - otherwise: [wait: 1d]
               ╰────
              help: shorten the wait, or let `within` of the goal be longer

            attune::late_wait

              ⚠ this ends 3d1h after the entry at the earliest, and `Order Completed` counts as the goal
              │ within 3d only
                ╭─[shop.yaml:11:5]
             10 │   - wait: 1d
             11 │   - wait: 1h
                ·     ────┬───
                ·         ╰── here
             12 │   - wait: 5d
                ╰────
              help: shorten the wait, or let `within` of the goal be longer"#]],
    );
}

#[test]
fn a_placement_without_offers() {
    check_wrong(
        r"placements: { hero: {}, side: {} }
offers: { a: { placements: [hero] } }
",
        &expect![[r#"
            attune::empty_placement

              ⚠ placement `side` has no offers: nothing can be shown there
               ╭─[shop.yaml:1:25]
             1 │ placements: { hero: {}, side: {} }
               ·                         ──┬─
               ·                           ╰── here
             2 │ offers: { a: { placements: [hero] } }
               ╰────
              help: name it in `placements: [side]` of an offer, or remove it"#]],
    );
}

#[test]
fn an_offer_that_no_placement_can_reach() {
    check_wrong(
        r"placements: { hero: {} }
offers:
  a: { placements: [hero], cap: 0 per 1d }
  b: { placements: [hero], when: [profile.cart.value > 5, profile.cart.value < 5] }
  c: { placements: [hero], budget: 0 }
",
        &expect![[r#"
            attune::unreachable

              ⚠ offer `a` can never be shown: its cap is 0
               ╭─[shop.yaml:3:3]
             2 │ offers:
             3 │   a: { placements: [hero], cap: 0 per 1d }
               ·   ┬
               ·   ╰── here
             4 │   b: { placements: [hero], when: [profile.cart.value > 5, profile.cart.value < 5] }
               ╰────
              help: raise the cap, or remove the offer

            attune::always_false

              ⚠ these conditions are never true together
               ╭─[shop.yaml:4:35]
             3 │   a: { placements: [hero], cap: 0 per 1d }
             4 │   b: { placements: [hero], when: [profile.cart.value > 5, profile.cart.value < 5] }
               ·                                   ───────────────────────┬──────────────────────
               ·                                                          ╰── here
             5 │   c: { placements: [hero], budget: 0 }
               ╰────
              help: every condition of a list must be true at once; `||` in one condition says either

            attune::unreachable

              ⚠ offer `c` can never be shown: its budget is 0
               ╭─[shop.yaml:5:3]
             4 │   b: { placements: [hero], when: [profile.cart.value > 5, profile.cart.value < 5] }
             5 │   c: { placements: [hero], budget: 0 }
               ·   ┬
               ·   ╰── here
               ╰────
              help: raise the budget, or remove the offer"#]],
    );
}

#[test]
fn a_rank_that_looks_at_no_offer() {
    check_wrong(
        r"placements: { hero: { rank: profile.cart.value } }
offers: { a: { placements: [hero] }, b: { placements: [hero] } }
",
        &expect![[r#"
            attune::blind_rank

              ⚠ every offer gets the same rank: it looks at neither `offer` nor `p`
               ╭─[shop.yaml:1:29]
             1 │ placements: { hero: { rank: profile.cart.value } }
               ·                             ─────────┬────────
               ·                                      ╰── here
             2 │ offers: { a: { placements: [hero] }, b: { placements: [hero] } }
               ╰────
              help: write for example `p * offer.value`"#]],
    );
}
