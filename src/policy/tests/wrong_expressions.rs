//! What an author reads when an expression is wrong.

use expect_test::expect;

use super::{check_condition, check_wrong};

#[test]
fn a_single_equals_sign_does_not_compare() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: profile.traits.tier = 'gold'
steps: [stop]
",
        &expect![[r#"
            attune::expression_syntax

              × `=` is no operator
               ╭─[shop.yaml:4:30]
             3 │   event: A
             4 │   where: profile.traits.tier = 'gold'
               ·                              ┬
               ·                              ╰── here
             5 │ steps: [stop]
               ╰────
              help: use `==` to compare"#]],
    );
}

#[test]
fn and_is_written_with_signs() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: profile.cart.value > 5 and profile.cart.value < 9
steps: [stop]
",
        &expect![[r#"
            attune::expression_syntax

              × an operator is missing before `and`
               ╭─[shop.yaml:4:33]
             3 │   event: A
             4 │   where: profile.cart.value > 5 and profile.cart.value < 9
               ·                                 ─┬─
               ·                                  ╰── here
             5 │ steps: [stop]
               ╰────
              help: use `&&`"#]],
    );
}

#[test]
fn or_is_written_with_signs() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: profile.cart.value > 5 or profile.cart.value < 9
steps: [stop]
",
        &expect![[r#"
            attune::expression_syntax

              × an operator is missing before `or`
               ╭─[shop.yaml:4:33]
             3 │   event: A
             4 │   where: profile.cart.value > 5 or profile.cart.value < 9
               ·                                 ─┬
               ·                                  ╰── here
             5 │ steps: [stop]
               ╰────
              help: use `||`"#]],
    );
}

#[test]
fn not_is_written_with_a_sign() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: not profile.traits.opted_out
steps: [stop]
",
        &expect![[r#"
            attune::expression_syntax

              × `not` is no operator
               ╭─[shop.yaml:4:10]
             3 │   event: A
             4 │   where: not profile.traits.opted_out
               ·          ─┬─
               ·           ╰── here
             5 │ steps: [stop]
               ╰────
              help: use `!`"#]],
    );
}

#[test]
fn a_text_is_closed() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: profile.traits.tier == 'gold
steps: [stop]
",
        &expect![[r#"
            attune::expression_syntax

              × the text is not closed by `'`
               ╭─[shop.yaml:4:33]
             3 │   event: A
             4 │   where: profile.traits.tier == 'gold
               ·                                 ──┬──
               ·                                   ╰── here
             5 │ steps: [stop]
               ╰────
              help: add a `'` where the text ends"#]],
    );
}

#[test]
fn a_parenthesis_is_closed() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: (profile.cart.value > 5
steps: [stop]
",
        &expect![[r#"
            attune::expression_syntax

              × the parenthesis is not closed
               ╭─[shop.yaml:4:10]
             3 │   event: A
             4 │   where: (profile.cart.value > 5
               ·          ┬
               ·          ╰── here
             5 │ steps: [stop]
               ╰────
              help: add a `)` where it ends"#]],
    );
}

#[test]
fn a_parenthesis_is_opened() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: profile.cart.value > 5)
steps: [stop]
",
        &expect![[r#"
            attune::expression_syntax

              × `)` closes nothing
               ╭─[shop.yaml:4:32]
             3 │   event: A
             4 │   where: profile.cart.value > 5)
               ·                                ┬
               ·                                ╰── here
             5 │ steps: [stop]
               ╰────
              help: remove it, or open it where it begins"#]],
    );
}

#[test]
fn a_call_is_closed() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: size(profile.cart.items > 5
steps: [stop]
",
        &expect![[r#"
            attune::expression_syntax

              × a `,` or the closing `)` is missing
               ╭─[shop.yaml:4:37]
             3 │   event: A
             4 │   where: size(profile.cart.items > 5
               ·                                     ▲
               ·                                     ╰── here
             5 │ steps: [stop]
               ╰────
              help: add a `)` where it ends"#]],
    );
}

#[test]
fn an_operator_needs_two_values() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: profile.cart.value >
steps: [stop]
",
        &expect![[r#"
            attune::expression_syntax

              × the expression ends where a value is missing
               ╭─[shop.yaml:4:30]
             3 │   event: A
             4 │   where: profile.cart.value >
               ·                              ▲
               ·                              ╰── here
             5 │ steps: [stop]
               ╰────
              help: an operator needs a value on both sides"#]],
    );
}

#[test]
fn a_length_of_time_is_a_text() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: now() - profile.cart.updated_at > 30d
steps: [stop]
",
        &expect![[r#"
            attune::expression_syntax

              × `30d` is not a number
               ╭─[shop.yaml:4:44]
             3 │   event: A
             4 │   where: now() - profile.cart.updated_at > 30d
               ·                                            ─┬─
               ·                                             ╰── here
             5 │ steps: [stop]
               ╰────
              help: a length of time is written `duration('30d')`, a text in quotes"#]],
    );
}

#[test]
fn comparisons_do_not_chain() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: 1 < profile.cart.value < 9
steps: [stop]
",
        &expect![[r#"
            attune::expression_syntax

              × a comparison cannot be compared again
               ╭─[shop.yaml:4:33]
             3 │   event: A
             4 │   where: 1 < profile.cart.value < 9
               ·                                 ┬
               ·                                 ╰── here
             5 │ steps: [stop]
               ╰────
              help: write `a < b && b < c`, or use parentheses"#]],
    );
}

#[test]
fn typographic_quotes_are_no_quotes() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: profile.traits.tier == ‘gold’
steps: [stop]
",
        &expect![[r#"
            attune::expression_syntax

              × `‘` is no quote
               ╭─[shop.yaml:4:33]
             3 │   event: A
             4 │   where: profile.traits.tier == ‘gold’
               ·                                 ─┬
               ·                                  ╰── here
             5 │ steps: [stop]
               ╰────
              help: use plain quotes: `'text'`"#]],
    );
}

#[test]
fn an_unknown_root_suggests_a_known_one() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: profil.cart.value > 5
steps: [stop]
",
        &expect![[r#"
            attune::unknown_name

              × unknown name `profil`, did you mean `profile`?
               ╭─[shop.yaml:4:10]
             3 │   event: A
             4 │   where: profil.cart.value > 5
               ·          ───┬──
               ·             ╰── here
             5 │ steps: [stop]
               ╰────
              help: names here are `profile`, `event`; a text stands in quotes inside the expression:
                    "'profil'""#]],
    );
}

#[test]
fn an_unknown_field_suggests_a_known_one() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: profile.cart.valeu > 5
steps: [stop]
",
        &expect![[r#"
            attune::unknown_field

              × unknown field `profile.cart.valeu`, did you mean `profile.cart.value`?
               ╭─[shop.yaml:4:23]
             3 │   event: A
             4 │   where: profile.cart.valeu > 5
               ·                       ──┬──
               ·                         ╰── here
             5 │ steps: [stop]
               ╰────
              help: `profile.cart` has `value`, `currency`, `items`, `item_count`, `updated_at`"#]],
    );
}

#[test]
fn fields_of_items_are_known_in_comprehensions() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: profile.cart.items.exists(x, x.prize > 5)
steps: [stop]
",
        &expect![[r#"
            attune::unknown_field

              × unknown field `x.prize`, did you mean `x.price`?
               ╭─[shop.yaml:4:41]
             3 │   event: A
             4 │   where: profile.cart.items.exists(x, x.prize > 5)
               ·                                         ──┬──
               ·                                           ╰── here
             5 │ steps: [stop]
               ╰────
              help: `x` has `product_id`, `sku`, `name`, `category`, `price`, `quantity`"#]],
    );
}

#[test]
fn a_list_has_no_fields() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: profile.cart.items.price > 5
steps: [stop]
",
        &expect![[r#"
            attune::unknown_field

              × `profile.cart.items` is a list and has no field `price`
               ╭─[shop.yaml:4:29]
             3 │   event: A
             4 │   where: profile.cart.items.price > 5
               ·                             ──┬──
               ·                               ╰── here
             5 │ steps: [stop]
               ╰────
              help: ask its items: `profile.cart.items.exists(x, x.price == 'a')`"#]],
    );
}

#[test]
fn a_single_value_has_no_fields() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: profile.cart.value.amount > 5
steps: [stop]
",
        &expect![[r#"
            attune::unknown_field

              × `profile.cart.value` is a single value and has no field `amount`
               ╭─[shop.yaml:4:29]
             3 │   event: A
             4 │   where: profile.cart.value.amount > 5
               ·                             ───┬──
               ·                                ╰── here
             5 │ steps: [stop]
               ╰────"#]],
    );
}

#[test]
fn an_undeclared_feature_is_unknown() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: profile.features.views > 5
steps: [stop]
",
        &expect![[r#"
            attune::unknown_feature

              × unknown feature `views`
               ╭─[shop.yaml:4:27]
             3 │   event: A
             4 │   where: profile.features.views > 5
               ·                           ──┬──
               ·                             ╰── here
             5 │ steps: [stop]
               ╰────
              help: declare it: `features: {views: {count: EVENT}}`"#]],
    );
}

#[test]
fn an_unknown_function_suggests_a_known_one() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: sise(profile.cart.items) > 5
steps: [stop]
",
        &expect![[r#"
            attune::unknown_function

              × unknown function `sise`, did you mean `size`?
               ╭─[shop.yaml:4:10]
             3 │   event: A
             4 │   where: sise(profile.cart.items) > 5
               ·          ──┬─
               ·            ╰── here
             5 │ steps: [stop]
               ╰────
              help: functions are `size`, `startsWith`, `endsWith`, `contains`, `lower`, `duration`,
                    `timestamp`, `now`, `ago`, `local_hour`, `local_weekday`, `local_month`, `min`, `max`,
                    `abs`, `int`, `double`, `string`, `all`, `exists`, `exists_one`, `filter`, `map`, `count`,
                    `sum`, `last`, `first`, `distinct`, `has`, `in_segment`, `matches`"#]],
    );
}

#[test]
fn a_function_takes_its_number_of_arguments() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: max(1) > 5
steps: [stop]
",
        &expect![[r#"
            attune::wrong_arguments

              × `max` takes 2 arguments, not 1
               ╭─[shop.yaml:4:10]
             3 │   event: A
             4 │   where: max(1) > 5
               ·          ─┬─
               ·           ╰── here
             5 │ steps: [stop]
               ╰────
              help: write `max(a, b)`"#]],
    );
}

#[test]
fn a_method_takes_its_number_of_arguments() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: profile.id.startsWith('a', 'b')
steps: [stop]
",
        &expect![[r#"
            attune::wrong_arguments

              × `startsWith` takes 1 argument, not 2
               ╭─[shop.yaml:4:21]
             3 │   event: A
             4 │   where: profile.id.startsWith('a', 'b')
               ·                     ─────┬────
               ·                          ╰── here
             5 │ steps: [stop]
               ╰────
              help: write `x.startsWith('text')`"#]],
    );
}

#[test]
fn a_method_is_not_called_freely() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: contains(profile.id, 'a')
steps: [stop]
",
        &expect![[r#"
            attune::wrong_arguments

              × `contains` is not called like this
               ╭─[shop.yaml:4:10]
             3 │   event: A
             4 │   where: contains(profile.id, 'a')
               ·          ────┬───
               ·              ╰── here
             5 │ steps: [stop]
               ╰────
              help: write `x.contains('text')`"#]],
    );
}

#[test]
fn a_pattern_is_constant() {
    check_condition(
        "profile.id.matches(event.properties.a)",
        &expect![[r#"
        attune::not_constant

          × the pattern of `matches` must be a constant text
           ╭─[shop.yaml:5:24]
         4 │   where: >-
         5 │     profile.id.matches(event.properties.a)
           ·                        ─────────┬────────
           ·                                 ╰── here
         6 │ steps: [stop]
           ╰────
          help: a pattern is compiled with the policy; a text that varies is found by `contains`"#]],
    );
}

#[test]
fn a_pattern_is_a_regular_expression() {
    check_condition(
        "profile.id.matches('a(b')",
        &expect![[r#"
        attune::bad_pattern

          × this pattern cannot be used: unclosed group
           ╭─[shop.yaml:5:24]
         4 │   where: >-
         5 │     profile.id.matches('a(b')
           ·                        ──┬──
           ·                          ╰── here
         6 │ steps: [stop]
           ╰────
          help: a backslash stays as it is in a raw text: `r'\d+'`; look-around and back-references do not
                exist"#]],
    );
}

#[test]
fn a_pattern_has_no_look_around() {
    check_condition(
        "profile.id.matches('(?=a)b')",
        &expect![[r#"
        attune::bad_pattern

          × this pattern cannot be used: look-around, including look-ahead and look-behind, is not
          │ supported
           ╭─[shop.yaml:5:24]
         4 │   where: >-
         5 │     profile.id.matches('(?=a)b')
           ·                        ────┬───
           ·                            ╰── here
         6 │ steps: [stop]
           ╰────
          help: a backslash stays as it is in a raw text: `r'\d+'`; look-around and back-references do not
                exist"#]],
    );
}

#[test]
fn a_pattern_is_bounded() {
    check_condition(
        "profile.id.matches('(a{1000}){1000}')",
        &expect![[r#"
        attune::bad_pattern

          × this pattern cannot be used: it takes more than 262144 bytes of memory
           ╭─[shop.yaml:5:24]
         4 │   where: >-
         5 │     profile.id.matches('(a{1000}){1000}')
           ·                        ────────┬────────
           ·                                ╰── here
         6 │ steps: [stop]
           ╰────
          help: a backslash stays as it is in a raw text: `r'\d+'`; look-around and back-references do not
                exist"#]],
    );
}

#[test]
fn a_number_matches_nothing() {
    check_condition(
        "profile.cart.value.matches('5')",
        &expect![[r#"
        attune::wrong_operand

          × `matches` takes a text, not `profile.cart.value` (a number)
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     profile.cart.value.matches('5')
           ·     ─────────┬────────
           ·              ╰── here
         6 │ steps: [stop]
           ╰────
          help: `string(x)` makes a text of a number"#]],
    );
}

#[test]
fn matches_takes_one_pattern() {
    check_condition(
        "matches(profile.id)",
        &expect![[r#"
        attune::wrong_arguments

          × `matches` is asked of a text and takes one pattern
           ╭─[shop.yaml:5:5]
         4 │   where: >-
         5 │     matches(profile.id)
           ·     ───┬───
           ·        ╰── here
         6 │ steps: [stop]
           ╰────
          help: write `text.matches('^a.*b$')`"#]],
    );
}

#[test]
fn the_arguments_of_count_are_constant() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: count(event.name) > 5
steps: [stop]
",
        &expect![[r#"
            attune::wrong_arguments

              × the arguments of `count` must be constant texts
               ╭─[shop.yaml:4:16]
             3 │   event: A
             4 │   where: count(event.name) > 5
               ·                ─────┬────
               ·                     ╰── here
             5 │ steps: [stop]
               ╰────
              help: write `count('Order Completed', '1d')`"#]],
    );
}

#[test]
fn the_window_of_count_is_a_length_of_time() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: count('A', '1 day') > 5
steps: [stop]
",
        &expect![[r#"
            attune::bad_duration

              × `1 day` is not a duration, write for example `45m`, `1h30m` or `3d`
               ╭─[shop.yaml:4:21]
             3 │   event: A
             4 │   where: count('A', '1 day') > 5
               ·                     ───┬───
               ·                        ╰── here
             5 │ steps: [stop]
               ╰────"#]],
    );
}

#[test]
fn sum_needs_a_property() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: sum('A') > 5
steps: [stop]
",
        &expect![[r#"
            attune::wrong_arguments

              × `sum` takes 2 to 3 arguments, not 1
               ╭─[shop.yaml:4:10]
             3 │   event: A
             4 │   where: sum('A') > 5
               ·          ─┬─
               ·           ╰── here
             5 │ steps: [stop]
               ╰────
              help: write `sum('Order Completed', 'total', '30d')`"#]],
    );
}

#[test]
fn the_entry_is_not_at_hand_before_it_entered() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: entry.properties.x > 5
steps: [stop]
",
        &expect![[r#"
            attune::not_at_hand

              × `entry` is not at hand in `enter`
               ╭─[shop.yaml:4:10]
             3 │   event: A
             4 │   where: entry.properties.x > 5
               ·          ──┬──
               ·            ╰── here
             5 │ steps: [stop]
               ╰────
              help: use `event`: it is about to enter"#]],
    );
}

#[test]
fn the_context_belongs_to_decisions() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: context.page == 'home'
steps: [stop]
",
        &expect![[r#"
            attune::not_at_hand

              × `context` is not at hand in `enter`
               ╭─[shop.yaml:4:10]
             3 │   event: A
             4 │   where: context.page == 'home'
               ·          ───┬───
               ·             ╰── here
             5 │ steps: [stop]
               ╰────
              help: `context` comes with a request for a decision; the event's own is `event.context`"#]],
    );
}

#[test]
fn a_comprehension_needs_a_variable() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: profile.cart.items.all(x.price > 5)
steps: [stop]
",
        &expect![[r#"
            attune::wrong_arguments

              × `all` takes a variable and an expression
               ╭─[shop.yaml:4:29]
             3 │   event: A
             4 │   where: profile.cart.items.all(x.price > 5)
               ·                             ─┬─
               ·                              ╰── here
             5 │ steps: [stop]
               ╰────
              help: write `list.all(x, x.price > 10)`"#]],
    );
}

#[test]
fn comprehensions_nest_twice_at_most() {
    check_wrong(
        r#"journey: j
enter:
  event: A
  where: "[1].all(a, [2].all(b, [3].all(c, c > a)))"
steps: [stop]
"#,
        &expect![[r#"
            attune::expression_too_large

              × more than 2 comprehensions inside of each other
               ╭─[shop.yaml:4:37]
             3 │   event: A
             4 │   where: "[1].all(a, [2].all(b, [3].all(c, c > a)))"
               ·                                     ─┬─
               ·                                      ╰── here
             5 │ steps: [stop]
               ╰────"#]],
    );
}

#[test]
fn a_constant_time_is_checked() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: timestamp('yesterday') < now()
steps: [stop]
",
        &expect![[r#"
            attune::bad_constant

              × `yesterday` is not a time, write for example `2026-01-31T10:00:00Z`
               ╭─[shop.yaml:4:20]
             3 │   event: A
             4 │   where: timestamp('yesterday') < now()
               ·                    ─────┬─────
               ·                         ╰── here
             5 │ steps: [stop]
               ╰────"#]],
    );
}

#[test]
fn a_constant_duration_is_checked() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: duration('one day') < now()
steps: [stop]
",
        &expect![[r#"
            attune::bad_constant

              × `one day` is not a duration, write for example `45m`, `1h30m` or `3d`
               ╭─[shop.yaml:4:19]
             3 │   event: A
             4 │   where: duration('one day') < now()
               ·                   ────┬────
               ·                       ╰── here
             5 │ steps: [stop]
               ╰────"#]],
    );
}

#[test]
fn every_problem_of_an_expression_is_reported() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: profile.crat.value > 5 && evnt.name == 'A' && siz(profile.id) > 1
steps: [stop]
",
        &expect![[r#"
            attune::unknown_field

              × unknown field `profile.crat`, did you mean `profile.cart`?
               ╭─[shop.yaml:4:18]
             3 │   event: A
             4 │   where: profile.crat.value > 5 && evnt.name == 'A' && siz(profile.id) > 1
               ·                  ──┬─
               ·                    ╰── here
             5 │ steps: [stop]
               ╰────
              help: `profile` has `id`, `traits`, `features`, `cart`, `session`, `consent`

            attune::unknown_name

              × unknown name `evnt`, did you mean `event`?
               ╭─[shop.yaml:4:36]
             3 │   event: A
             4 │   where: profile.crat.value > 5 && evnt.name == 'A' && siz(profile.id) > 1
               ·                                    ──┬─
               ·                                      ╰── here
             5 │ steps: [stop]
               ╰────
              help: names here are `profile`, `event`; a text stands in quotes inside the expression: "'evnt'"

            attune::unknown_function

              × unknown function `siz`, did you mean `size`?
               ╭─[shop.yaml:4:56]
             3 │   event: A
             4 │   where: profile.crat.value > 5 && evnt.name == 'A' && siz(profile.id) > 1
               ·                                                        ─┬─
               ·                                                         ╰── here
             5 │ steps: [stop]
               ╰────
              help: functions are `size`, `startsWith`, `endsWith`, `contains`, `lower`, `duration`,
                    `timestamp`, `now`, `ago`, `local_hour`, `local_weekday`, `local_month`, `min`, `max`,
                    `abs`, `int`, `double`, `string`, `all`, `exists`, `exists_one`, `filter`, `map`, `count`,
                    `sum`, `last`, `first`, `distinct`, `has`, `in_segment`, `matches`"#]],
    );
}

#[test]
fn an_escape_is_checked() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: profile.id == 'a\q'
steps: [stop]
",
        &expect![[r#"
            attune::expression_syntax

              × `\q` is no escape
               ╭─[shop.yaml:4:26]
             3 │   event: A
             4 │   where: profile.id == 'a\q'
               ·                          ─┬
               ·                           ╰── here
             5 │ steps: [stop]
               ╰────
              help: a backslash itself is written `\\`, or the text begins with `r`: `r'a\b'`"#]],
    );
}

#[test]
fn keys_of_maps_are_texts() {
    check_wrong(
        r#"journey: j
enter:
  event: A
  where: "{1: 2}.size() > 5"
steps: [stop]
"#,
        &expect![[r#"
            attune::expression_syntax

              × a key of a map must be a constant text
               ╭─[shop.yaml:4:12]
             3 │   event: A
             4 │   where: "{1: 2}.size() > 5"
               ·            ┬
               ·            ╰── here
             5 │ steps: [stop]
               ╰────
              help: write `{'key': value}`"#]],
    );
}
