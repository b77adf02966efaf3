//! What an author reads when types do not fit.

use expect_test::expect;

use super::{check_condition, check_wrong};

#[test]
fn a_number_is_not_compared_with_a_text() {
    check_condition(
        "profile.cart.value > '50'",
        &expect![[r#"
        attune::type_mismatch

          × `profile.cart.value` (a number) is compared with a text
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     profile.cart.value > '50'
           ·     ────────────┬────────────
           ·                 ╰── here
         6 │ steps: [stop]
           ╰────
          help: write the number without quotes: `50`"#]],
    );
}

#[test]
fn a_property_of_the_standard_has_its_type() {
    check_condition(
        "event.properties.price == 'cheap'",
        &expect![[r#"
            attune::type_mismatch

              × `event.properties.price` (a number) is compared with a text
               ╭─[shop.yaml:5:5]
             4 │   where: >-
             5 │     event.properties.price == 'cheap'
               ·     ────────────────┬────────────────
               ·                     ╰── here
             6 │ steps: [stop]
               ╰────
              help: a number has no quotes; a time is read by `timestamp('2026-01-31T10:00:00Z')`"#]],
    );
}

#[test]
fn a_text_is_not_compared_with_a_number() {
    check_condition(
        "event.properties.brand < 5",
        &expect![[r#"
            attune::type_mismatch

              × `event.properties.brand` (a text) is compared with a number
               ╭─[shop.yaml:5:5]
             4 │   where: >-
             5 │     event.properties.brand < 5
               ·     ─────────────┬────────────
               ·                  ╰── here
             6 │ steps: [stop]
               ╰────
              help: write a text in quotes: `'5'`"#]],
    );
}

#[test]
fn a_count_is_a_number() {
    check_condition(
        "count('Order Completed') == 'one'",
        &expect![[r#"
            attune::type_mismatch

              × a number is compared with a text
               ╭─[shop.yaml:5:5]
             4 │   where: >-
             5 │     count('Order Completed') == 'one'
               ·     ────────────────┬────────────────
               ·                     ╰── here
             6 │ steps: [stop]
               ╰────
              help: a number has no quotes; a time is read by `timestamp('2026-01-31T10:00:00Z')`"#]],
    );
}

#[test]
fn a_truth_is_not_compared_with_a_number() {
    check_condition(
        "has(profile.traits.tier) == 1",
        &expect![[r#"
        attune::type_mismatch

          × true or false is compared with a number
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     has(profile.traits.tier) == 1
           ·     ──────────────┬──────────────
           ·                   ╰── here
         6 │ steps: [stop]
           ╰────
          help: what is true or false is a condition by itself: write `x` or `!x`"#]],
    );
}

#[test]
fn a_list_is_not_compared_with_a_number() {
    check_condition(
        "profile.cart.items > 3",
        &expect![[r#"
        attune::type_mismatch

          × `profile.cart.items` (a list) is compared with a number
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     profile.cart.items > 3
           ·     ───────────┬──────────
           ·                ╰── here
         6 │ steps: [stop]
           ╰────
          help: ask `size(x)`, `'a' in x` or `x.exists(y, ..)`"#]],
    );
}

#[test]
fn a_number_is_no_condition() {
    check_condition(
        "profile.cart.value",
        &expect![[r#"
        attune::not_a_condition

          × a condition is true or false, not a number
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     profile.cart.value
           ·     ─────────┬─────────
           ·              ╰── here
         6 │ steps: [stop]
           ╰────
          help: compare it with something: `profile.cart.value >= 50`; `has(x)` asks whether it is known"#]],
    );
}

#[test]
fn a_text_is_no_condition() {
    check_condition(
        "event.properties.brand",
        &expect![[r#"
        attune::not_a_condition

          × a condition is true or false, not a text
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     event.properties.brand
           ·     ───────────┬───────────
           ·                ╰── here
         6 │ steps: [stop]
           ╰────
          help: compare it with something: `profile.cart.value >= 50`; `has(x)` asks whether it is known"#]],
    );
}

#[test]
fn a_number_beside_and_is_no_condition() {
    check_condition(
        "profile.cart.value && profile.cart.item_count > 1",
        &expect![[r#"
            attune::wrong_operand

              × `&&` takes true or false, not `profile.cart.value` (a number)
               ╭─[shop.yaml:5:5]
             4 │   where: >-
             5 │     profile.cart.value && profile.cart.item_count > 1
               ·     ─────────┬────────
               ·              ╰── here
             6 │ steps: [stop]
               ╰────
              help: compare it with something, or ask `has(x)` whether it is known"#]],
    );
}

#[test]
fn not_takes_a_condition() {
    check_condition(
        "!profile.cart.value",
        &expect![[r#"
        attune::wrong_operand

          × `!` takes true or false, not `profile.cart.value` (a number)
           ╭─[shop.yaml:5:6]
         4 │   where: >-
         5 │     !profile.cart.value
           ·      ─────────┬────────
           ·               ╰── here
         6 │ steps: [stop]
           ╰────
          help: compare it with something, or ask `has(x)` whether it is known"#]],
    );
}

#[test]
fn a_minus_takes_a_number() {
    check_condition(
        "profile.cart.value - 'a' > 1",
        &expect![[r#"
        attune::wrong_operand

          × `-` takes a number, not a text
           ╭─[shop.yaml:5:26]
         4 │   where: >-
         5 │     profile.cart.value - 'a' > 1
           ·                          ─┬─
           ·                           ╰── here
         6 │ steps: [stop]
           ╰────
          help: a number is written without quotes"#]],
    );
}

#[test]
fn a_negative_text_is_refused() {
    check_condition(
        "-event.properties.brand == 'x'",
        &expect![[r#"
            attune::type_mismatch

              × a number is compared with a text
               ╭─[shop.yaml:5:5]
             4 │   where: >-
             5 │     -event.properties.brand == 'x'
               ·     ───────────────┬──────────────
               ·                    ╰── here
             6 │ steps: [stop]
               ╰────
              help: a number has no quotes; a time is read by `timestamp('2026-01-31T10:00:00Z')`

            attune::wrong_operand

              × `-` takes a number, not `event.properties.brand` (a text)
               ╭─[shop.yaml:5:6]
             4 │   where: >-
             5 │     -event.properties.brand == 'x'
               ·      ───────────┬──────────
               ·                 ╰── here
             6 │ steps: [stop]
               ╰────
              help: `double(x)` reads a number from a text"#]],
    );
}

#[test]
fn a_number_is_not_added_to_a_text() {
    check_condition(
        "'total: ' + profile.cart.value == 'total: 5'",
        &expect![[r#"
            attune::type_mismatch

              × a text and `profile.cart.value` (a number) are added
               ╭─[shop.yaml:5:5]
             4 │   where: >-
             5 │     'total: ' + profile.cart.value == 'total: 5'
               ·     ───────────────┬──────────────
               ·                    ╰── here
             6 │ steps: [stop]
               ╰────
              help: `string(x)` makes a text of a number, `double(x)` reads a number from a text"#]],
    );
}

#[test]
fn a_number_has_no_size() {
    check_condition(
        "size(profile.cart.value) > 1",
        &expect![[r#"
        attune::wrong_operand

          × `size` takes a text or a list or a map, not `profile.cart.value` (a number)
           ╭─[shop.yaml:5:10]
         4 │   where: >-
         5 │     size(profile.cart.value) > 1
           ·          ─────────┬────────
           ·                   ╰── here
         6 │ steps: [stop]
           ╰────
          help: a number has no size"#]],
    );
}

#[test]
fn a_number_contains_nothing() {
    check_condition(
        "profile.cart.value.contains('5')",
        &expect![[r#"
        attune::wrong_operand

          × `contains` takes a text, not `profile.cart.value` (a number)
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     profile.cart.value.contains('5')
           ·     ─────────┬────────
           ·              ╰── here
         6 │ steps: [stop]
           ╰────
          help: an item of a list is found by `x in list`"#]],
    );
}

#[test]
fn a_list_is_asked_by_in() {
    check_condition(
        "profile.cart.items.contains('a')",
        &expect![[r#"
        attune::wrong_operand

          × `contains` takes a text, not `profile.cart.items` (a list)
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     profile.cart.items.contains('a')
           ·     ─────────┬────────
           ·              ╰── here
         6 │ steps: [stop]
           ╰────
          help: an item of a list is found by `x in list`"#]],
    );
}

#[test]
fn a_text_is_not_a_list_to_look_in() {
    check_condition(
        "'a' in event.properties.brand",
        &expect![[r#"
        attune::wrong_operand

          × `in` takes a list or a map, not `event.properties.brand` (a text)
           ╭─[shop.yaml:5:12]
         4 │   where: >-
         5 │     'a' in event.properties.brand
           ·            ───────────┬──────────
           ·                       ╰── here
         6 │ steps: [stop]
           ╰────
          help: `in` looks in a list or a map; a part of a text is found by `text.contains(part)`"#]],
    );
}

#[test]
fn the_items_of_a_list_have_the_type_of_what_is_looked_for() {
    check_condition(
        "event.properties.brand in [1, 2]",
        &expect![[r#"
        attune::type_mismatch

          × `event.properties.brand` (a text) is looked for in a list with a number
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     event.properties.brand in [1, 2]
           ·     ────────────────┬───────────────
           ·                     ╰── here
         6 │ steps: [stop]
           ╰────
          help: let both be of one type; a text has quotes, a number has none"#]],
    );
}

#[test]
fn a_comprehension_asks_a_list() {
    check_condition(
        "event.properties.brand.exists(x, x == 'a')",
        &expect![[r#"
        attune::wrong_operand

          × `exists` takes a list, not `event.properties.brand` (a text)
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     event.properties.brand.exists(x, x == 'a')
           ·     ───────────┬──────────
           ·                ╰── here
         6 │ steps: [stop]
           ╰────
          help: a comprehension asks the items of a list, for example `profile.cart.items`"#]],
    );
}

#[test]
fn the_body_of_exists_is_a_condition() {
    check_condition(
        "profile.cart.items.exists(x, x.price)",
        &expect![[r#"
        attune::wrong_operand

          × `exists` takes true or false, not `x.price` (a number)
           ╭─[shop.yaml:5:34]
         4 │   where: >-
         5 │     profile.cart.items.exists(x, x.price)
           ·                                  ───┬───
           ·                                     ╰── here
         6 │ steps: [stop]
           ╰────
          help: compare it with something, or ask `has(x)` whether it is known"#]],
    );
}

#[test]
fn fields_of_products_have_types() {
    check_condition(
        "profile.cart.items.exists(x, x.price > 'a')",
        &expect![[r#"
            attune::type_mismatch

              × `x.price` (a number) is compared with a text
               ╭─[shop.yaml:5:34]
             4 │   where: >-
             5 │     profile.cart.items.exists(x, x.price > 'a')
               ·                                  ──────┬──────
               ·                                        ╰── here
             6 │ steps: [stop]
               ╰────
              help: a number has no quotes; a time is read by `timestamp('2026-01-31T10:00:00Z')`"#]],
    );
}

#[test]
fn a_time_is_read_from_a_text() {
    check_condition(
        "timestamp(5) < now()",
        &expect![[r#"
        attune::wrong_operand

          × `timestamp` takes a text, not a number
           ╭─[shop.yaml:5:15]
         4 │   where: >-
         5 │     timestamp(5) < now()
           ·               ┬
           ·               ╰── here
         6 │ steps: [stop]
           ╰────
          help: a number is written without quotes"#]],
    );
}

#[test]
fn the_larger_one_is_of_numbers() {
    check_condition(
        "max(profile.cart.value, 'a') > 1",
        &expect![[r#"
        attune::wrong_operand

          × `max` takes a number, not a text
           ╭─[shop.yaml:5:29]
         4 │   where: >-
         5 │     max(profile.cart.value, 'a') > 1
           ·                             ─┬─
           ·                              ╰── here
         6 │ steps: [stop]
           ╰────
          help: a number is written without quotes"#]],
    );
}

#[test]
fn a_conditional_asks_a_condition() {
    check_condition(
        "(profile.cart.value ? 1 : 2) > 1",
        &expect![[r#"
        attune::wrong_operand

          × `?` takes true or false, not `profile.cart.value` (a number)
           ╭─[shop.yaml:5:6]
         4 │   where: >-
         5 │     (profile.cart.value ? 1 : 2) > 1
           ·      ─────────┬────────
           ·               ╰── here
         6 │ steps: [stop]
           ╰────
          help: compare it with something, or ask `has(x)` whether it is known"#]],
    );
}

#[test]
fn a_missing_value_is_not_null() {
    check_condition(
        "profile.traits.tier == null",
        &expect![[r#"
        attune::null_comparison

          × a comparison with `null` is never true: a missing value is unknown
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     profile.traits.tier == null
           ·     ─────────────┬─────────────
           ·                  ╰── here
         6 │ steps: [stop]
           ╰────
          help: write `!has(x)` instead of `x == null`"#]],
    );
}

#[test]
fn a_known_value_is_not_unequal_to_null() {
    check_condition(
        "profile.traits.tier != null",
        &expect![[r#"
        attune::null_comparison

          × a comparison with `null` is never true: a missing value is unknown
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     profile.traits.tier != null
           ·     ─────────────┬─────────────
           ·                  ╰── here
         6 │ steps: [stop]
           ╰────
          help: write `has(x)` instead of `x != null`"#]],
    );
}

#[test]
fn the_time_of_an_event_is_a_number() {
    check_condition(
        "event.timestamp > '2026-01-01'",
        &expect![[r#"
            attune::type_mismatch

              × `event.timestamp` (a number) is compared with a text
               ╭─[shop.yaml:5:5]
             4 │   where: >-
             5 │     event.timestamp > '2026-01-01'
               ·     ───────────────┬──────────────
               ·                    ╰── here
             6 │ steps: [stop]
               ╰────
              help: a number has no quotes; a time is read by `timestamp('2026-01-31T10:00:00Z')`"#]],
    );
}

#[test]
fn the_session_counts_in_numbers() {
    check_condition(
        "profile.session.index == 'first'",
        &expect![[r#"
            attune::type_mismatch

              × `profile.session.index` (a number) is compared with a text
               ╭─[shop.yaml:5:5]
             4 │   where: >-
             5 │     profile.session.index == 'first'
               ·     ────────────────┬───────────────
               ·                     ╰── here
             6 │ steps: [stop]
               ╰────
              help: a number has no quotes; a time is read by `timestamp('2026-01-31T10:00:00Z')`"#]],
    );
}

#[test]
fn a_misspelled_property_is_a_slip() {
    check_condition(
        "event.properties.pirce > 5",
        &expect![[r#"
        attune::unknown_property

          × unknown property `event.properties.pirce`, did you mean `event.properties.price`?
           ╭─[shop.yaml:5:22]
         4 │   where: >-
         5 │     event.properties.pirce > 5
           ·                      ──┬──
           ·                        ╰── here
         6 │ steps: [stop]
           ╰────
          help: if senders do write `pirce`, declare it under `schemas:`"#]],
    );
}

#[test]
fn a_misspelled_trait_is_a_slip() {
    check_condition(
        "profile.traits.emial == 'a'",
        &expect![[r#"
        attune::unknown_property

          × unknown property `profile.traits.emial`, did you mean `profile.traits.email`?
           ╭─[shop.yaml:5:20]
         4 │   where: >-
         5 │     profile.traits.emial == 'a'
           ·                    ──┬──
           ·                      ╰── here
         6 │ steps: [stop]
           ╰────
          help: if senders do write `emial`, declare it under `schemas:`"#]],
    );
}

#[test]
fn a_misspelled_event_in_a_count_is_a_slip() {
    check_condition(
        "count('Order Complete') > 0",
        &expect![[r#"
        attune::unknown_event

          × unknown event `Order Complete`, did you mean `Order Completed`?
           ╭─[shop.yaml:5:11]
         4 │   where: >-
         5 │     count('Order Complete') > 0
           ·           ────────┬───────
           ·                   ╰── here
         6 │ steps: [stop]
           ╰────
          help: if senders do write it, declare it: `schemas: { events: { Order Complete: {} } }`"#]],
    );
}

#[test]
fn two_mistakes_in_types_are_both_reported() {
    check_condition(
        "profile.cart.value > 'a' && event.properties.brand > 1",
        &expect![[r#"
            attune::type_mismatch

              × `profile.cart.value` (a number) is compared with a text
               ╭─[shop.yaml:5:5]
             4 │   where: >-
             5 │     profile.cart.value > 'a' && event.properties.brand > 1
               ·     ────────────┬───────────
               ·                 ╰── here
             6 │ steps: [stop]
               ╰────
              help: a number has no quotes; a time is read by `timestamp('2026-01-31T10:00:00Z')`

            attune::type_mismatch

              × `event.properties.brand` (a text) is compared with a number
               ╭─[shop.yaml:5:33]
             4 │   where: >-
             5 │     profile.cart.value > 'a' && event.properties.brand > 1
               ·                                 ─────────────┬────────────
               ·                                              ╰── here
             6 │ steps: [stop]
               ╰────
              help: write a text in quotes: `'1'`"#]],
    );
}

#[test]
fn the_value_of_an_offer_is_a_number() {
    check_wrong(
        r#"offers:
  a: { placements: [hero], value: "'ten'" }
placements: { hero: {} }
"#,
        &expect![[r#"
            attune::not_a_number

              ⚠ a number is expected, not a text
               ╭─[shop.yaml:2:35]
             1 │ offers:
             2 │   a: { placements: [hero], value: "'ten'" }
               ·                                   ───┬───
               ·                                      ╰── here
             3 │ placements: { hero: {} }
               ╰────
              help: write a number, or an expression that gives one: `offer.value * 2`"#]],
    );
}

#[test]
fn the_rank_of_a_placement_is_a_number() {
    check_wrong(
        r"offers:
  a: { placements: [hero] }
placements: { hero: { rank: p > 0.5 } }
",
        &expect![[r#"
            attune::not_a_number

              ⚠ a number is expected, not true or false
               ╭─[shop.yaml:3:29]
             2 │   a: { placements: [hero] }
             3 │ placements: { hero: { rank: p > 0.5 } }
               ·                             ───┬───
               ·                                ╰── here
               ╰────
              help: write a number, or an expression that gives one: `offer.value * 2`"#]],
    );
}

#[test]
fn the_score_of_a_model_is_a_number() {
    check_wrong(
        r"model: m
file: m.onnx
inputs: [{ column: a, from: profile.cart.value }]
---
journey: j
enter: { event: Product Added }
steps:
  - score: { model: m, as: buy }
  - branch:
      - when: buy == 'high'
        then: stop
      - otherwise: next
",
        &expect![[r#"
            attune::type_mismatch

              × `buy` (a number) is compared with a text
                ╭─[shop.yaml:10:15]
              9 │   - branch:
             10 │       - when: buy == 'high'
                ·               ──────┬──────
                ·                     ╰── here
             11 │         then: stop
                ╰────
              help: a number has no quotes; a time is read by `timestamp('2026-01-31T10:00:00Z')`"#]],
    );
}

#[test]
fn the_entry_has_the_properties_of_its_event() {
    check_wrong(
        r"journey: j
enter: { event: Product Added }
steps:
  - branch:
      - when: entry.properties.quantity > '1'
        then: stop
      - otherwise: next
",
        &expect![[r#"
            attune::type_mismatch

              × `entry.properties.quantity` (a number) is compared with a text
               ╭─[shop.yaml:5:15]
             4 │   - branch:
             5 │       - when: entry.properties.quantity > '1'
               ·               ───────────────┬───────────────
               ·                              ╰── here
             6 │         then: stop
               ╰────
              help: write the number without quotes: `1`"#]],
    );
}

#[test]
fn a_trigger_looks_at_its_own_event() {
    check_wrong(
        r"journey: j
enter: { event: Product Added }
steps:
  - hold_until:
      quiet: 5m
      of:
        - { event: Order Completed, where: event.properties.total > 'a' }
",
        &expect![[r#"
            attune::type_mismatch

              × `event.properties.total` (a number) is compared with a text
               ╭─[shop.yaml:7:44]
             6 │       of:
             7 │         - { event: Order Completed, where: event.properties.total > 'a' }
               ·                                            ──────────────┬─────────────
               ·                                                          ╰── here
               ╰────
              help: a number has no quotes; a time is read by `timestamp('2026-01-31T10:00:00Z')`"#]],
    );
}

#[test]
fn a_goal_looks_at_its_own_event() {
    check_wrong(
        r"journey: j
enter: { event: Product Added }
goal: { event: Order Completed, where: event.properties.totl > 5 }
steps: [stop]
",
        &expect![[r#"
            attune::unknown_property

              × unknown property `event.properties.totl`, did you mean `event.properties.total`?
               ╭─[shop.yaml:3:57]
             2 │ enter: { event: Product Added }
             3 │ goal: { event: Order Completed, where: event.properties.totl > 5 }
               ·                                                         ──┬─
               ·                                                           ╰── here
             4 │ steps: [stop]
               ╰────
              help: if senders do write `totl`, declare it under `schemas:`"#]],
    );
}

#[test]
fn a_feature_looks_at_the_properties_of_its_event() {
    check_wrong(
        r"features:
  spent: { sum: Order Completed, of: event.properties.totl }
  dear: { count: Product Viewed, where: event.properties.price > 'a' }
",
        &expect![[r#"
            attune::unknown_property

              × unknown property `event.properties.totl`, did you mean `event.properties.total`?
               ╭─[shop.yaml:2:55]
             1 │ features:
             2 │   spent: { sum: Order Completed, of: event.properties.totl }
               ·                                                       ──┬─
               ·                                                         ╰── here
             3 │   dear: { count: Product Viewed, where: event.properties.price > 'a' }
               ╰────
              help: if senders do write `totl`, declare it under `schemas:`

            attune::type_mismatch

              × `event.properties.price` (a number) is compared with a text
               ╭─[shop.yaml:3:41]
             2 │   spent: { sum: Order Completed, of: event.properties.totl }
             3 │   dear: { count: Product Viewed, where: event.properties.price > 'a' }
               ·                                         ──────────────┬─────────────
               ·                                                       ╰── here
               ╰────
              help: a number has no quotes; a time is read by `timestamp('2026-01-31T10:00:00Z')`"#]],
    );
}

#[test]
fn a_misspelled_event_is_a_slip() {
    check_wrong(
        r"journey: j
enter: { event: Product Aded }
goal: { event: order completed }
exit: { event: Order Canceled }
steps:
  - hold_until: { quiet: 5m, of: [Cart Viewd, Cart Emptied] }
",
        &expect![[r#"
            attune::unknown_event

              × unknown event `Product Aded`, did you mean `Product Added`?
               ╭─[shop.yaml:2:17]
             1 │ journey: j
             2 │ enter: { event: Product Aded }
               ·                 ──────┬─────
               ·                       ╰── here
             3 │ goal: { event: order completed }
               ╰────
              help: if senders do write it, declare it: `schemas: { events: { Product Aded: {} } }`

            attune::unknown_event

              × unknown event `order completed`, did you mean `Order Completed`?
               ╭─[shop.yaml:3:16]
             2 │ enter: { event: Product Aded }
             3 │ goal: { event: order completed }
               ·                ───────┬───────
               ·                       ╰── here
             4 │ exit: { event: Order Canceled }
               ╰────
              help: if senders do write it, declare it: `schemas: { events: { order completed: {} } }`

            attune::unknown_event

              × unknown event `Order Canceled`, did you mean `Order Cancelled`?
               ╭─[shop.yaml:4:16]
             3 │ goal: { event: order completed }
             4 │ exit: { event: Order Canceled }
               ·                ───────┬──────
               ·                       ╰── here
             5 │ steps:
               ╰────
              help: if senders do write it, declare it: `schemas: { events: { Order Canceled: {} } }`

            attune::unknown_event

              × unknown event `Cart Viewd`, did you mean `Cart Viewed`?
               ╭─[shop.yaml:6:35]
             5 │ steps:
             6 │   - hold_until: { quiet: 5m, of: [Cart Viewd, Cart Emptied] }
               ·                                   ─────┬────
               ·                                        ╰── here
               ╰────
              help: if senders do write it, declare it: `schemas: { events: { Cart Viewd: {} } }`"#]],
    );
}

#[test]
fn an_event_that_is_declared_is_no_slip() {
    check_wrong(
        r"schemas:
  events: { Product Aded: {} }
---
journey: j
enter: { event: Product Aded }
steps: [stop]
",
        &expect!["nothing is wrong"],
    );
}

#[test]
fn what_is_in_no_schema_is_a_warning_once_there_are_any() {
    check_wrong(
        r"schemas:
  events:
    Seat Reserved: { properties: { seat: text, price: number } }
  traits: { tier: text }
---
journey: j
enter: { event: Seat Reserved, where: event.properties.row == 'a' && profile.traits.level > 2 }
goal: { event: Show Seen }
steps: [stop]
",
        &expect![[r#"
            attune::unknown_property

              ⚠ unknown property `event.properties.row`
               ╭─[shop.yaml:7:56]
             6 │ journey: j
             7 │ enter: { event: Seat Reserved, where: event.properties.row == 'a' && profile.traits.level > 2 }
               ·                                                        ─┬─
               ·                                                         ╰── here
             8 │ goal: { event: Show Seen }
               ╰────
              help: if senders do write `row`, declare it under `schemas:`

            attune::unknown_property

              ⚠ unknown property `profile.traits.level`
               ╭─[shop.yaml:7:85]
             6 │ journey: j
             7 │ enter: { event: Seat Reserved, where: event.properties.row == 'a' && profile.traits.level > 2 }
               ·                                                                                     ──┬──
               ·                                                                                       ╰── here
             8 │ goal: { event: Show Seen }
               ╰────
              help: if senders do write `level`, declare it under `schemas:`

            attune::unknown_event

              ⚠ unknown event `Show Seen`
               ╭─[shop.yaml:8:16]
             7 │ enter: { event: Seat Reserved, where: event.properties.row == 'a' && profile.traits.level > 2 }
             8 │ goal: { event: Show Seen }
               ·                ────┬────
               ·                    ╰── here
             9 │ steps: [stop]
               ╰────
              help: if senders do write it, declare it: `schemas: { events: { Show Seen: {} } }`"#]],
    );
}

#[test]
fn declared_properties_have_types() {
    check_wrong(
        r"schemas:
  events:
    Seat Reserved:
      about: Somebody took a seat.
      properties:
        seat: text
        price: number
        window: bool
        tags: [text]
        hall: { name: text, rows: number }
---
journey: j
enter:
  event: Seat Reserved
  where:
    - event.properties.price > '5'
    - event.properties.window == 'yes'
    - event.properties.tags.exists(t, t > 3)
    - event.properties.hall.rows == 'a'
    - event.properties.hall.nmae == 'a'
    - event.properties.tags == 'a'
steps: [stop]
",
        &expect![[r#"
            attune::type_mismatch

              × `event.properties.price` (a number) is compared with a text
                ╭─[shop.yaml:16:7]
             15 │   where:
             16 │     - event.properties.price > '5'
                ·       ──────────────┬─────────────
                ·                     ╰── here
             17 │     - event.properties.window == 'yes'
                ╰────
              help: write the number without quotes: `5`

            attune::type_mismatch

              × `event.properties.window` (true or false) is compared with a text
                ╭─[shop.yaml:17:7]
             16 │     - event.properties.price > '5'
             17 │     - event.properties.window == 'yes'
                ·       ────────────────┬───────────────
                ·                       ╰── here
             18 │     - event.properties.tags.exists(t, t > 3)
                ╰────
              help: what is true or false is a condition by itself: write `x` or `!x`

            attune::type_mismatch

              × `t` (a text) is compared with a number
                ╭─[shop.yaml:18:39]
             17 │     - event.properties.window == 'yes'
             18 │     - event.properties.tags.exists(t, t > 3)
                ·                                       ──┬──
                ·                                         ╰── here
             19 │     - event.properties.hall.rows == 'a'
                ╰────
              help: write a text in quotes: `'3'`

            attune::type_mismatch

              × `event.properties.hall.rows` (a number) is compared with a text
                ╭─[shop.yaml:19:7]
             18 │     - event.properties.tags.exists(t, t > 3)
             19 │     - event.properties.hall.rows == 'a'
                ·       ────────────────┬────────────────
                ·                       ╰── here
             20 │     - event.properties.hall.nmae == 'a'
                ╰────
              help: a number has no quotes; a time is read by `timestamp('2026-01-31T10:00:00Z')`

            attune::unknown_property

              ⚠ unknown property `event.properties.hall.nmae`, did you mean `event.properties.hall.name`?
                ╭─[shop.yaml:20:29]
             19 │     - event.properties.hall.rows == 'a'
             20 │     - event.properties.hall.nmae == 'a'
                ·                             ──┬─
                ·                               ╰── here
             21 │     - event.properties.tags == 'a'
                ╰────
              help: if senders do write `nmae`, declare it under `schemas:`

            attune::type_mismatch

              × `event.properties.tags` (a list) is compared with a text
                ╭─[shop.yaml:21:7]
             20 │     - event.properties.hall.nmae == 'a'
             21 │     - event.properties.tags == 'a'
                ·       ──────────────┬─────────────
                ·                     ╰── here
             22 │ steps: [stop]
                ╰────
              help: ask `size(x)`, `'a' in x` or `x.exists(y, ..)`"#]],
    );
}

#[test]
fn a_declaration_goes_before_the_standard() {
    check_wrong(
        r#"schemas:
  events: { Product Added: { properties: { price: text } } }
---
journey: j
enter: { event: Product Added, where: "event.properties.price == '5' && event.properties.quantity > 'a'" }
steps: [stop]
"#,
        &expect![[r#"
            attune::type_mismatch

              × `event.properties.quantity` (a number) is compared with a text
               ╭─[shop.yaml:5:73]
             4 │ journey: j
             5 │ enter: { event: Product Added, where: "event.properties.price == '5' && event.properties.quantity > 'a'" }
               ·                                                                         ───────────────┬───────────────
               ·                                                                                        ╰── here
             6 │ steps: [stop]
               ╰────
              help: a number has no quotes; a time is read by `timestamp('2026-01-31T10:00:00Z')`"#]],
    );
}

#[test]
fn declared_traits_have_types() {
    check_wrong(
        r"schemas:
  traits: { age: number, vip: bool }
---
journey: j
enter: { event: Product Added, where: [profile.traits.age > '18', profile.traits.vip == 'yes'] }
steps: [stop]
",
        &expect![[r#"
            attune::type_mismatch

              × `profile.traits.age` (a number) is compared with a text
               ╭─[shop.yaml:5:40]
             4 │ journey: j
             5 │ enter: { event: Product Added, where: [profile.traits.age > '18', profile.traits.vip == 'yes'] }
               ·                                        ────────────┬────────────
               ·                                                    ╰── here
             6 │ steps: [stop]
               ╰────
              help: write the number without quotes: `18`

            attune::type_mismatch

              × `profile.traits.vip` (true or false) is compared with a text
               ╭─[shop.yaml:5:67]
             4 │ journey: j
             5 │ enter: { event: Product Added, where: [profile.traits.age > '18', profile.traits.vip == 'yes'] }
               ·                                                                   ─────────────┬─────────────
               ·                                                                                ╰── here
             6 │ steps: [stop]
               ╰────
              help: what is true or false is a condition by itself: write `x` or `!x`"#]],
    );
}

#[test]
fn a_schema_is_checked() {
    check_wrong(
        r"schemas:
  events:
    Seat Reserved: { properties: { seat: string, price: numbr, tags: [text, number], rows: } }
    Show Seen: [a]
  trait: { a: text }
",
        &expect![[r#"
            attune::bad_value

              × unknown type `string`, write `text`
               ╭─[shop.yaml:3:42]
             2 │   events:
             3 │     Seat Reserved: { properties: { seat: string, price: numbr, tags: [text, number], rows: } }
               ·                                          ───┬──
               ·                                             ╰── here
             4 │     Show Seen: [a]
               ╰────
              help: a type is `text`, `number`, `bool` or `any`; `[text]` is a list, `{ city: text }` a map

            attune::bad_value

              × unknown type `numbr`, did you mean `number`?
               ╭─[shop.yaml:3:57]
             2 │   events:
             3 │     Seat Reserved: { properties: { seat: string, price: numbr, tags: [text, number], rows: } }
               ·                                                         ──┬──
               ·                                                           ╰── here
             4 │     Show Seen: [a]
               ╰────
              help: a type is `text`, `number`, `bool` or `any`; `[text]` is a list, `{ city: text }` a map

            attune::bad_value

              × a list has one type, not 2
               ╭─[shop.yaml:3:70]
             2 │   events:
             3 │     Seat Reserved: { properties: { seat: string, price: numbr, tags: [text, number], rows: } }
               ·                                                                      ───────┬──────
               ·                                                                             ╰── here
             4 │     Show Seen: [a]
               ╰────
              help: a type is `text`, `number`, `bool` or `any`; `[text]` is a list, `{ city: text }` a map

            attune::missing_value

              × a type is missing
               ╭─[shop.yaml:3:90]
             2 │   events:
             3 │     Seat Reserved: { properties: { seat: string, price: numbr, tags: [text, number], rows: } }
               ·                                                                                          ▲
               ·                                                                                          ╰── here
             4 │     Show Seen: [a]
               ╰────
              help: a type is `text`, `number`, `bool` or `any`; `[text]` is a list, `{ city: text }` a map

            attune::wrong_type

              × event `Show Seen` is a map, not a list
               ╭─[shop.yaml:4:16]
             3 │     Seat Reserved: { properties: { seat: string, price: numbr, tags: [text, number], rows: } }
             4 │     Show Seen: [a]
               ·                ─┬─
               ·                 ╰── here
             5 │   trait: { a: text }
               ╰────
              help: write it with keys: `about`, `properties`

            attune::unknown_key

              × unknown key `trait` in `schemas`, did you mean `traits`?
               ╭─[shop.yaml:5:3]
             4 │     Show Seen: [a]
             5 │   trait: { a: text }
               ·   ──┬──
               ·     ╰── here
               ╰────
              help: keys of `schemas` are `events`, `traits`"#]],
    );
}

#[test]
fn an_event_is_declared_once() {
    check_wrong(
        r"schemas: { events: { Seat Reserved: {} } }
---
schemas:
  events:
    Seat Reserved: {}
",
        &expect![[r#"
            attune::duplicate_name

              × event `Seat Reserved` is declared twice
               ╭─[shop.yaml:5:5]
             4 │   events:
             5 │     Seat Reserved: {}
               ·     ──────┬──────
               ·           ╰── here
               ╰────
              help: the first one stands in shop.yaml:1: rename or remove one of them"#]],
    );
}

#[test]
fn a_template_that_does_not_exist_is_refused() {
    check_wrong(
        r"templates: [cart-nudge, cart-reminder]
---
journey: j
enter: { event: Product Added }
steps:
  - send: { channel: email, template: cart-nugde }
",
        &expect![[r#"
            attune::unknown_reference

              × unknown template `cart-nugde`, did you mean `cart-nudge`?
               ╭─[shop.yaml:6:39]
             5 │ steps:
             6 │   - send: { channel: email, template: cart-nugde }
               ·                                       ─────┬────
               ·                                            ╰── here
               ╰────
              help: declared are `cart-nudge`, `cart-reminder`"#]],
    );
}

#[test]
fn a_misspelled_type_in_a_trigger_of_a_hold_is_found() {
    check_wrong(
        r"journey: j
enter: { event: Product Added }
exit: { event: Product Removed, when: event.properties.quantiti > 1 }
steps: [stop]
",
        &expect![[r#"
            attune::unknown_property

              × unknown property `event.properties.quantiti`, did you mean `event.properties.quantity`?
               ╭─[shop.yaml:3:56]
             2 │ enter: { event: Product Added }
             3 │ exit: { event: Product Removed, when: event.properties.quantiti > 1 }
               ·                                                        ────┬───
               ·                                                            ╰── here
             4 │ steps: [stop]
               ╰────
              help: if senders do write `quantiti`, declare it under `schemas:`"#]],
    );
}
