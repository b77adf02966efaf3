//! What an author reads when YAML reads something else than was written.

use expect_test::expect;

use super::check_wrong;

#[test]
fn a_file_in_another_encoding_is_no_text() {
    let latin = b"journey: caf\xe9\x1b[2J\nenter: { event: A }\nsteps: [stop]\n";
    check_wrong(
        &String::from_utf8_lossy(latin),
        &expect![[r#"
        attune::not_utf8

          × the file is not UTF-8
           ╭─[shop.yaml:1:13]
         1 │ journey: caf�?[2J
           ·             ┬
           ·             ╰── no letter
         2 │ enter: { event: A }
           ╰────
          help: save it as UTF-8; is it a policy file at all?"#]],
    );
}

#[test]
fn a_leading_exclamation_mark_is_a_tag() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: !profile.traits.opted_out && profile.cart.value > 50
steps: [stop]
",
        &expect![[r#"
            attune::yaml_tag

              × YAML reads `!profile.traits.opted_out` as a tag and deletes it
               ╭─[shop.yaml:4:10]
             3 │   event: A
             4 │   where: !profile.traits.opted_out && profile.cart.value > 50
               ·          ──────────────────────────┬─────────────────────────
               ·                                    ╰── a leading `!`
             5 │ steps: [stop]
               ╰────
              help: put the whole expression in double quotes, or below a `>-` line; a condition without its
                    `!` also fits `unless:`"#]],
    );
}

#[test]
fn a_leading_ampersand_is_an_anchor() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: &x profile.cart.value > 50
steps: [stop]
",
        &expect![[r#"
            attune::yaml_anchor

              × YAML reads a leading `&` as an anchor and deletes it
               ╭─[shop.yaml:4:10]
             3 │   event: A
             4 │   where: &x profile.cart.value > 50
               ·          ─┬─
               ·           ╰── a leading `&`
             5 │ steps: [stop]
               ╰────
              help: policies have no anchors: remove it, or put the whole text in double quotes"#]],
    );
}

#[test]
fn a_leading_star_is_an_alias() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: *x
steps: [stop]
",
        &expect![[r#"
            attune::yaml_alias

              × YAML reads `*x` as an alias
               ╭─[shop.yaml:4:10]
             3 │   event: A
             4 │   where: *x
               ·          ─┬
               ·           ╰── a leading `*`
             5 │ steps: [stop]
               ╰────
              help: policies have no aliases: write the value out, or put the text in double quotes"#]],
    );
}

#[test]
fn a_hash_after_a_space_cuts_an_expression() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: event.properties.tag == 'item #4'
steps: [stop]
",
        &expect![[r#"
            attune::yaml_comment

              × the text is not closed by `'`: YAML ends the text at ` #`
               ╭─[shop.yaml:4:34]
             3 │   event: A
             4 │   where: event.properties.tag == 'item #4'
               ·                                  ──┬──
               ·                                    ╰── here
             5 │ steps: [stop]
               ╰────
              help: if the `#` belongs to the expression, put the whole expression in double quotes"#]],
    );
}

#[test]
fn a_comma_in_a_flow_map_cuts_an_expression() {
    check_wrong(
        r"journey: j
enter: { event: A, where: count('B', '1d') > 0 }
steps: [stop]
",
        &expect![[r#"
            attune::yaml_comma

              × YAML cuts this text at the comma
               ╭─[shop.yaml:2:42]
             1 │ journey: j
             2 │ enter: { event: A, where: count('B', '1d') > 0 }
               ·                                          ┬
               ·                                          ╰── YAML stops here
             3 │ steps: [stop]
               ╰────
              help: inside `{ }` and `[ ]` put the whole expression in double quotes"#]],
    );
}

#[test]
fn a_comma_in_a_flow_list_cuts_an_expression() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: [size(profile.cart.items) > 0, max(1, 2) > 1]
steps: [stop]
",
        &expect![[r#"
            attune::yaml_comma

              × YAML cuts this text at the comma
               ╭─[shop.yaml:4:41]
             3 │   event: A
             4 │   where: [size(profile.cart.items) > 0, max(1, 2) > 1]
               ·                                         ──┬──
               ·                                           ╰── only this much is left of it
             5 │ steps: [stop]
               ╰────
              help: inside `{ }` and `[ ]` put the whole expression in double quotes"#]],
    );
}

#[test]
fn a_comma_in_the_data_of_an_offer_cuts_a_text() {
    check_wrong(
        r"offers:
  a: { placements: [p], data: { title: Buy three, pay two } }
placements:
  p: { limit: 1 }
",
        &expect![[r#"
            attune::yaml_comma

              × `pay two` has no value: inside `{ }` a comma ends a text
               ╭─[shop.yaml:2:51]
             1 │ offers:
             2 │   a: { placements: [p], data: { title: Buy three, pay two } }
               ·                                                   ───┬───
               ·                                                      ╰── YAML takes this for a key
             3 │ placements:
               ╰────
              help: put the whole text in double quotes, or write `key: value`"#]],
    );
}

#[test]
fn a_text_that_begins_with_a_quote_ends_at_the_next_one() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: 'gold' in profile.traits.tiers
steps: [stop]
",
        &expect![[r#"
            attune::yaml_syntax

              × this is not YAML: invalid trailing content after single-quoted scalar
               ╭─[shop.yaml:4:17]
             3 │   event: A
             4 │   where: 'gold' in profile.traits.tiers
               ·                 ┬
               ·                 ╰── YAML stops here
             5 │ steps: [stop]
               ╰────
              help: a text that begins with a quote ends at the next one: put the whole expression in the
                    other quotes, or below a `>-` line"#]],
    );
}

#[test]
fn a_conditional_without_quotes_is_two_keys() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: profile.traits.a ? 1 : 2 > 1
steps: [stop]
",
        &expect![[r#"
            attune::yaml_syntax

              × this is not YAML: mapping values are not allowed in this context
               ╭─[shop.yaml:4:31]
             3 │   event: A
             4 │   where: profile.traits.a ? 1 : 2 > 1
               ·                               ┬
               ·                               ╰── YAML stops here
             5 │ steps: [stop]
               ╰────
              help: `: ` is a sign of YAML: put an expression with `? :` in double quotes, or below a `>-`
                    line"#]],
    );
}

#[test]
fn a_second_key_is_reported_and_not_taken() {
    check_wrong(
        r"journey: j
enter: { event: A }
steps: [stop]
enter: { event: B }
",
        &expect![[r#"
            attune::duplicate_key

              × `enter` is written twice
               ╭─[shop.yaml:4:1]
             3 │ steps: [stop]
             4 │ enter: { event: B }
               · ──┬──
               ·   ╰── first in line 2
               ╰────
              help: keep one of them; a list holds several conditions: `where: [a, b]`"#]],
    );
}

#[test]
fn tabs_do_not_indent() {
    check_wrong(
        r"journey: j
enter:
	event: A
steps: [stop]
",
        &expect![[r#"
            attune::yaml_syntax

              × this is not YAML: tabs disallowed within this context (block indentation)
               ╭─[shop.yaml:3:2]
             2 │ enter:
             3 │     event: A
               ·     ┬
               ·     ╰── YAML stops here
             4 │ steps: [stop]
               ╰────
              help: indent with spaces"#]],
    );
}

#[test]
fn a_bracket_that_is_not_closed_ends_the_file() {
    check_wrong(
        r"journey: j
enter: { event: A }
steps: [stop
",
        &expect![[r#"
            attune::yaml_syntax

              × this is not YAML: unclosed bracket '['
               ╭─[shop.yaml:3:8]
             2 │ enter: { event: A }
             3 │ steps: [stop
               ·        ┬
               ·        ╰── YAML stops here
               ╰────
              help: check indents, quotes and brackets around this line"#]],
    );
}

#[test]
fn a_document_is_a_map() {
    check_wrong(
        r"- journey: j
",
        &expect![[r#"
            attune::wrong_type

              × a policy document is a map, not a list
               ╭─[shop.yaml:1:1]
             1 │ - journey: j
               · ──────┬─────
               ·       ╰── here
               ╰────
              help: a document has one of the keys `journey`, `offers`, `groups`, `placements`, `learners`,
                    `features`, `segments`, `limits`, `channels`, `model`, `schemas`, `templates`, `test`"#]],
    );
}

#[test]
fn a_problem_in_a_quoted_text_is_underlined_where_it_stands() {
    check_wrong(
        r#"journey: j
enter:
  event: A
  where: "profile.traits.name == 'it' && \"x\" == profile.nmae"
steps: [stop]
"#,
        &expect![[r#"
            attune::unknown_field

              × unknown field `profile.nmae`
               ╭─[shop.yaml:4:59]
             3 │   event: A
             4 │   where: "profile.traits.name == 'it' && \"x\" == profile.nmae"
               ·                                                           ──┬─
               ·                                                             ╰── here
             5 │ steps: [stop]
               ╰────
              help: `profile` has `id`, `traits`, `features`, `cart`, `session`, `consent`"#]],
    );
}

#[test]
fn a_problem_in_a_block_is_underlined_where_it_stands() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: >-
    profile.cart.value > 5
    && profile.crat.value < 9
steps: [stop]
",
        &expect![[r#"
            attune::unknown_field

              × unknown field `profile.crat`, did you mean `profile.cart`?
               ╭─[shop.yaml:6:16]
             5 │     profile.cart.value > 5
             6 │     && profile.crat.value < 9
               ·                ──┬─
               ·                  ╰── here
             7 │ steps: [stop]
               ╰────
              help: `profile` has `id`, `traits`, `features`, `cart`, `session`, `consent`"#]],
    );
}

#[test]
fn a_problem_in_a_folded_plain_text_is_underlined_where_it_stands() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: profile.cart.value > 5
    && profile.crat.value < 9
steps: [stop]
",
        &expect![[r#"
            attune::unknown_field

              × unknown field `profile.crat`, did you mean `profile.cart`?
               ╭─[shop.yaml:5:16]
             4 │   where: profile.cart.value > 5
             5 │     && profile.crat.value < 9
               ·                ──┬─
               ·                  ╰── here
             6 │ steps: [stop]
               ╰────
              help: `profile` has `id`, `traits`, `features`, `cart`, `session`, `consent`"#]],
    );
}

#[test]
fn an_expression_that_begins_with_a_bracket_is_quoted() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where: [1, 2].size() > 1
steps: [stop]
",
        &expect![[r#"
            attune::yaml_syntax

              × this is not YAML: while parsing a block mapping, did not find expected key
               ╭─[shop.yaml:4:16]
             3 │   event: A
             4 │   where: [1, 2].size() > 1
               ·                ┬
               ·                ╰── YAML stops here
             5 │ steps: [stop]
               ╰────
              help: an expression that begins with `[` or `{` is put in double quotes"#]],
    );
}

#[test]
fn carriage_returns_move_nothing() {
    check_wrong(
        "journey: j\r\nenter:\r\n  event: A\r\n  where: >-\r\n    profile.cart.value > 1\r\n    && profil.id == 'a'\r\nsteps: [stop]\r\n",
        &expect![[r#"
            attune::unknown_name

              × unknown name `profil`, did you mean `profile`?
               ╭─[shop.yaml:6:8]
             5 │     profile.cart.value > 1
             6 │     && profil.id == 'a'
               ·        ───┬──
               ·           ╰── here
             7 │ steps: [stop]
               ╰────
              help: names here are `profile`, `event`; a text stands in quotes inside the expression:
                    "'profil'""#]],
    );
}

#[test]
fn words_of_older_tools_are_ambiguous() {
    check_wrong(
        r"offers:
  a:
    placements: [hero]
    data: { on: 1, enabled: yes, country: NO, quoted: 'yes', 'off': 1 }
placements: { hero: {} }
",
        &expect![[r#"
            attune::yaml_ambiguous

              ⚠ `on` is a text here, and true or false to older tools
               ╭─[shop.yaml:4:13]
             3 │     placements: [hero]
             4 │     data: { on: 1, enabled: yes, country: NO, quoted: 'yes', 'off': 1 }
               ·             ─┬
               ·              ╰── here
             5 │ placements: { hero: {} }
               ╰────
              help: write `true` or `false`, or put the text in quotes

            attune::yaml_ambiguous

              ⚠ `yes` is a text here, and true or false to older tools
               ╭─[shop.yaml:4:29]
             3 │     placements: [hero]
             4 │     data: { on: 1, enabled: yes, country: NO, quoted: 'yes', 'off': 1 }
               ·                             ─┬─
               ·                              ╰── here
             5 │ placements: { hero: {} }
               ╰────
              help: write `true` or `false`, or put the text in quotes

            attune::yaml_ambiguous

              ⚠ `NO` is a text here, and true or false to older tools
               ╭─[shop.yaml:4:43]
             3 │     placements: [hero]
             4 │     data: { on: 1, enabled: yes, country: NO, quoted: 'yes', 'off': 1 }
               ·                                           ─┬
               ·                                            ╰── here
             5 │ placements: { hero: {} }
               ╰────
              help: write `true` or `false`, or put the text in quotes"#]],
    );
}

#[test]
fn a_clock_as_a_key_is_ambiguous() {
    check_wrong(
        r"offers:
  a:
    placements: [hero]
    data:
      10:00: open
      '20:00': closed
placements: { hero: {} }
",
        &expect![[r#"
            attune::yaml_ambiguous

              ⚠ `10:00` is a text here, and a number of minutes to older tools
               ╭─[shop.yaml:5:7]
             4 │     data:
             5 │       10:00: open
               ·       ──┬──
               ·         ╰── here
             6 │       '20:00': closed
               ╰────
              help: put the key in quotes"#]],
    );
}

#[test]
fn a_number_loses_its_leading_zero() {
    check_wrong(
        r"offers:
  a: { placements: [hero], data: { zip: 01234, price: 0.5, none: 0, text: '01234' } }
placements: { hero: {} }
",
        &expect![[r#"
            attune::yaml_ambiguous

              ⚠ YAML reads `01234` as a number without its zero
               ╭─[shop.yaml:2:41]
             1 │ offers:
             2 │   a: { placements: [hero], data: { zip: 01234, price: 0.5, none: 0, text: '01234' } }
               ·                                         ──┬──
               ·                                           ╰── here
             3 │ placements: { hero: {} }
               ╰────
              help: put it in quotes if it is a text, such as a postal code"#]],
    );
}

#[test]
fn a_tag_inside_of_a_list_is_found() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where:
    - !profile.traits.a && profile.cart.value > 1
    - profile.cart.value > 2
steps: [stop]
",
        &expect![[r#"
            attune::yaml_tag

              × YAML reads `!profile.traits.a` as a tag and deletes it
               ╭─[shop.yaml:5:7]
             4 │   where:
             5 │     - !profile.traits.a && profile.cart.value > 1
               ·       ─────────────────────┬─────────────────────
               ·                            ╰── a leading `!`
             6 │     - profile.cart.value > 2
               ╰────
              help: put the whole expression in double quotes, or below a `>-` line; a condition without its
                    `!` also fits `unless:`"#]],
    );
}
