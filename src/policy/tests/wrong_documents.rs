//! What an author reads when a document is wrong.

use expect_test::expect;

use super::check_wrong;

#[test]
fn an_unknown_kind_of_document_suggests_a_known_one() {
    check_wrong(
        r"jurney: j
",
        &expect![[r#"
            attune::unknown_document

              × unknown kind of document `jurney`, did you mean `journey`?
               ╭─[shop.yaml:1:1]
             1 │ jurney: j
               · ───┬──
               ·    ╰── here
               ╰────
              help: a document has one of the keys `journey`, `offers`, `groups`, `placements`, `learners`,
                    `features`, `segments`, `limits`, `channels`, `model`, `schemas`, `templates`, `test`"#]],
    );
}

#[test]
fn an_unknown_key_suggests_a_known_one() {
    check_wrong(
        r"journey: j
enter: { evnt: A }
steps: [stop]
",
        &expect![[r#"
            attune::unknown_key

              × unknown key `evnt` in `enter`, did you mean `event`?
               ╭─[shop.yaml:2:10]
             1 │ journey: j
             2 │ enter: { evnt: A }
               ·          ──┬─
               ·            ╰── here
             3 │ steps: [stop]
               ╰────
              help: keys of `enter` are `event`, `segment`, `schedule`, `absent`, `where`, `unless`, `key`,
                    `reentry`, `on_repeat`, `max_age`"#]],
    );
}

#[test]
fn what_is_missing_is_named() {
    check_wrong(
        r"journey: j
",
        &expect![[r#"
            attune::missing_key

              × `enter` is missing in a journey
               ╭─[shop.yaml:1:1]
             1 │ journey: j
               · ───┬───
               ·    ╰── here
               ╰────
              help: add `enter: ..`

            attune::missing_key

              × `steps` is missing in a journey
               ╭─[shop.yaml:1:1]
             1 │ journey: j
               · ───┬───
               ·    ╰── here
               ╰────
              help: add `steps: ..`"#]],
    );
}

#[test]
fn an_empty_value_is_reported() {
    check_wrong(
        r"journey: j
enter:
  event: A
  where:
steps: [stop]
",
        &expect![[r#"
            attune::missing_value

              × `where` has no value
               ╭─[shop.yaml:4:3]
             3 │   event: A
             4 │   where:
               ·   ──┬──
               ·     ╰── here
             5 │ steps: [stop]
               ╰────
              help: write a value, or remove the key; what belongs to it is indented deeper"#]],
    );
}

#[test]
fn a_bad_duration_is_explained() {
    check_wrong(
        r"journey: j
enter: { event: A }
goal: { event: B, within: 3 days }
steps: [wait: 20]
",
        &expect![[r#"
            attune::bad_duration

              × `3 days` is not a duration, write for example `45m`, `1h30m` or `3d`
               ╭─[shop.yaml:3:27]
             2 │ enter: { event: A }
             3 │ goal: { event: B, within: 3 days }
               ·                           ───┬──
               ·                              ╰── here
             4 │ steps: [wait: 20]
               ╰────
              help: units are `ms`, `s`, `m`, `h`, `d`, `w`: `45m`, `1h30m`, `3d`

            attune::bad_duration

              × `20` is not a duration, write for example `45m`, `1h30m` or `3d`
               ╭─[shop.yaml:4:15]
             3 │ goal: { event: B, within: 3 days }
             4 │ steps: [wait: 20]
               ·               ─┬
               ·                ╰── here
               ╰────
              help: units are `ms`, `s`, `m`, `h`, `d`, `w`: `45m`, `1h30m`, `3d`"#]],
    );
}

#[test]
fn a_bad_word_suggests_a_good_one() {
    check_wrong(
        r"journey: j
class: transactionel
enter: { event: A, reentry: sometimes }
steps: [stop]
",
        &expect![[r#"
            attune::bad_value

              × unknown class `transactionel`, did you mean `transactional`?
               ╭─[shop.yaml:2:8]
             1 │ journey: j
             2 │ class: transactionel
               ·        ──────┬──────
               ·              ╰── here
             3 │ enter: { event: A, reentry: sometimes }
               ╰────
              help: write one of `marketing`, `transactional`, `mandatory`

            attune::bad_value

              × unknown `reentry` `sometimes`
               ╭─[shop.yaml:3:29]
             2 │ class: transactionel
             3 │ enter: { event: A, reentry: sometimes }
               ·                             ────┬────
               ·                                 ╰── here
             4 │ steps: [stop]
               ╰────
              help: write `never`, `always`, `{ after_exit: 1d }` or `concurrent up to 3 by key`"#]],
    );
}

#[test]
fn a_bad_name_is_explained() {
    check_wrong(
        r"journey: my journey
enter: { event: A }
steps: [send: { channel: e.mail, template: t }]
",
        &expect![[r#"
            attune::bad_name

              × `my journey` cannot be the name of a journey
               ╭─[shop.yaml:1:10]
             1 │ journey: my journey
               ·          ─────┬────
               ·               ╰── here
             2 │ enter: { event: A }
               ╰────
              help: a name has 1 to 64 letters, digits, `-` and `_`

            attune::bad_name

              × `e.mail` cannot be the name of a channel
               ╭─[shop.yaml:3:26]
             2 │ enter: { event: A }
             3 │ steps: [send: { channel: e.mail, template: t }]
               ·                          ───┬──
               ·                             ╰── here
               ╰────
              help: a name has 1 to 64 letters, digits, `-` and `_`"#]],
    );
}

#[test]
fn a_holdout_is_a_percentage() {
    check_wrong(
        r"journey: j
enter: { event: A }
holdout: 0.1
steps: [stop]
",
        &expect![[r#"
            attune::bad_value

              × `0.1` is not a share of the customers
               ╭─[shop.yaml:3:10]
             2 │ enter: { event: A }
             3 │ holdout: 0.1
               ·          ─┬─
               ·           ╰── here
             4 │ steps: [stop]
               ╰────
              help: write a percentage below 100: `10%`"#]],
    );
}

#[test]
fn an_unknown_step_suggests_a_known_one() {
    check_wrong(
        r"journey: j
enter: { event: A }
steps:
  - sent: { channel: email, template: t }
  - halt
",
        &expect![[r#"
            attune::unknown_step

              × unknown step `sent`, did you mean `send`?
               ╭─[shop.yaml:4:5]
             3 │ steps:
             4 │   - sent: { channel: email, template: t }
               ·     ──┬─
               ·       ╰── here
             5 │   - halt
               ╰────
              help: steps are `wait`, `wait_for`, `hold_until`, `score`, `branch`, `split`, `offer`, `send`,
                    `set`, `stop`, `exit`

            attune::unknown_step

              × unknown step `halt`
               ╭─[shop.yaml:5:5]
             4 │   - sent: { channel: email, template: t }
             5 │   - halt
               ·     ──┬─
               ·       ╰── here
               ╰────
              help: steps are `wait`, `wait_for`, `hold_until`, `score`, `branch`, `split`, `offer`, `send`,
                    `set`, `stop`, `exit`"#]],
    );
}

#[test]
fn steps_of_later_slices_are_named() {
    check_wrong(
        r"journey: j
enter: { event: A }
steps:
  - enroll: { journey: other }
  - send: { channel: email, template: t, to: profile.traits.email }
",
        &expect![[r#"
            attune::not_supported

              × `enroll` is not supported yet
               ╭─[shop.yaml:4:5]
             3 │ steps:
             4 │   - enroll: { journey: other }
               ·     ───┬──
               ·        ╰── here
             5 │   - send: { channel: email, template: t, to: profile.traits.email }
               ╰────
              help: steps are `wait`, `wait_for`, `hold_until`, `score`, `branch`, `split`, `offer`, `send`,
                    `set`, `stop`, `exit`

            attune::not_supported

              × `to` is not supported yet
               ╭─[shop.yaml:5:42]
             4 │   - enroll: { journey: other }
             5 │   - send: { channel: email, template: t, to: profile.traits.email }
               ·                                          ─┬
               ·                                           ╰── here
               ╰────
              help: leave it out; keys of `send` are `channel`, `template`, `with`, `class`, `purpose`,
                    `quiet_hours`, `on_block`"#]],
    );
}

#[test]
fn a_step_with_bad_indents_is_explained() {
    check_wrong(
        r"journey: j
enter: { event: A }
steps:
  - send:
    channel: email
    template: t
",
        &expect![[r#"
            attune::wrong_type

              × a step has one key, not 3
               ╭─[shop.yaml:4:5]
             3 │     steps:
             4 │ ╭─▶   - send:
             5 │ │       channel: email
             6 │ ├─▶     template: t
               · ╰──── here
               ╰────
              help: begin every step with `- `, and indent what belongs to `send` deeper than it"#]],
    );
}

#[test]
fn steps_behind_a_stop_are_never_reached() {
    check_wrong(
        r"journey: j
enter: { event: A }
steps:
  - stop
  - wait: 1h
",
        &expect![[r#"
            attune::unreachable

              × this step can never be reached: everybody has left before it
               ╭─[shop.yaml:5:5]
             4 │   - stop
             5 │   - wait: 1h
               ·     ────┬───
               ·         ╰── here
               ╰────
              help: remove it, or let the step before it go on"#]],
    );
}

#[test]
fn steps_behind_a_branch_that_always_stops_are_never_reached() {
    check_wrong(
        r"journey: j
enter: { event: A }
steps:
  - branch:
      - when: profile.traits.a > 1
        then: stop
      - otherwise: [exit: bored]
  - wait: 1h
",
        &expect![[r#"
            attune::unreachable

              × this step can never be reached: everybody has left before it
               ╭─[shop.yaml:8:5]
             7 │       - otherwise: [exit: bored]
             8 │   - wait: 1h
               ·     ────┬───
               ·         ╰── here
               ╰────
              help: remove it, or let the step before it go on"#]],
    );
}

#[test]
fn an_arm_behind_otherwise_is_never_reached() {
    check_wrong(
        r"journey: j
enter: { event: A }
steps:
  - branch:
      - otherwise: next
      - when: profile.traits.a > 1
        then: stop
",
        &expect![[r#"
            attune::unreachable

              × this arm can never be reached: `otherwise` stands before it
               ╭─[shop.yaml:6:9]
             5 │           - otherwise: next
             6 │ ╭─▶       - when: profile.traits.a > 1
             7 │ ├─▶         then: stop
               · ╰──── here
               ╰────
              help: let `otherwise` be the last arm"#]],
    );
}

#[test]
fn steps_are_not_empty() {
    check_wrong(
        r"journey: j
enter: { event: A }
steps: []
",
        &expect![[r#"
            attune::missing_value

              × there are no steps here
               ╭─[shop.yaml:3:8]
             2 │ enter: { event: A }
             3 │ steps: []
               ·        ─┬
               ·         ╰── here
               ╰────
              help: write at least one, for example `- stop`"#]],
    );
}

#[test]
fn the_result_of_another_arm_is_not_at_hand() {
    check_wrong(
        r"journey: j
enter: { event: A }
steps:
  - branch:
      - when: profile.traits.a > 1
        then: [offer: { placement: p, as: pick }]
      - when: pick.value > 1
        then: stop
---
placements: { p: { limit: 1 } }
",
        &expect![[r#"
            attune::missing_otherwise

              ⚠ the branch has no `otherwise`: who fits no arm, or is unknown, goes on behind it
               ╭─[shop.yaml:7:9]
             6 │         then: [offer: { placement: p, as: pick }]
             7 │       - when: pick.value > 1
               ·         ──┬─
               ·           ╰── here
             8 │         then: stop
               ╰────
              help: add `- otherwise: next` if that is meant, or `- otherwise: stop`

            attune::unknown_name

              × unknown name `pick`
               ╭─[shop.yaml:7:15]
             6 │         then: [offer: { placement: p, as: pick }]
             7 │       - when: pick.value > 1
               ·               ──┬─
               ·                 ╰── here
             8 │         then: stop
               ╰────
              help: names here are `profile`, `entry`; a text stands in quotes inside the expression: "'pick'"

            attune::empty_placement

              ⚠ placement `p` has no offers: nothing can be shown there
                ╭─[shop.yaml:10:15]
              9 │ ---
             10 │ placements: { p: { limit: 1 } }
                ·               ┬
                ·               ╰── here
                ╰────
              help: name it in `placements: [p]` of an offer, or remove it"#]],
    );
}

#[test]
fn the_event_is_not_at_hand_in_a_step() {
    check_wrong(
        r"journey: j
enter: { event: A }
steps:
  - branch:
      - when: event.properties.a > 1
        then: stop
",
        &expect![[r#"
            attune::missing_otherwise

              ⚠ the branch has no `otherwise`: who fits no arm, or is unknown, goes on behind it
               ╭─[shop.yaml:5:9]
             4 │   - branch:
             5 │       - when: event.properties.a > 1
               ·         ──┬─
               ·           ╰── here
             6 │         then: stop
               ╰────
              help: add `- otherwise: next` if that is meant, or `- otherwise: stop`

            attune::not_at_hand

              × `event` is not at hand in a step
               ╭─[shop.yaml:5:15]
             4 │   - branch:
             5 │       - when: event.properties.a > 1
               ·               ──┬──
               ·                 ╰── here
             6 │         then: stop
               ╰────
              help: use `entry`, the event that entered"#]],
    );
}

#[test]
fn a_text_in_with_has_its_own_quotes() {
    check_wrong(
        r"journey: j
enter: { event: A }
steps:
  - send: { channel: email, template: t, with: { title: 'Hello' } }
",
        &expect![[r#"
            attune::unknown_name

              × unknown name `Hello`
               ╭─[shop.yaml:4:58]
             3 │ steps:
             4 │   - send: { channel: email, template: t, with: { title: 'Hello' } }
               ·                                                          ──┬──
               ·                                                            ╰── here
               ╰────
              help: names here are `profile`, `entry`; a text stands in quotes inside the expression:
                    "'Hello'""#]],
    );
}

#[test]
fn a_result_has_a_name_of_its_own() {
    check_wrong(
        r"journey: j
enter: { event: A }
steps:
  - offer: { placement: p, as: profile }
---
placements: { p: { limit: 1 } }
",
        &expect![[r#"
            attune::bad_name

              × `profile` cannot be the name of a result
               ╭─[shop.yaml:4:32]
             3 │ steps:
             4 │   - offer: { placement: p, as: profile }
               ·                                ───┬───
               ·                                   ╰── here
             5 │ ---
               ╰────
              help: a result has a name of letters, digits and `_` that means nothing else, for example `buy`

            attune::empty_placement

              ⚠ placement `p` has no offers: nothing can be shown there
               ╭─[shop.yaml:6:15]
             5 │ ---
             6 │ placements: { p: { limit: 1 } }
               ·               ┬
               ·               ╰── here
               ╰────
              help: name it in `placements: [p]` of an offer, or remove it"#]],
    );
}

#[test]
fn hold_until_ends_at_some_time() {
    check_wrong(
        r"journey: j
enter: { event: A }
steps:
  - hold_until: { quiet: 2h, max: 1h }
",
        &expect![[r#"
            attune::bad_value

              × `max` 1h is shorter than `quiet` 2h: nobody is ever quiet long enough
               ╭─[shop.yaml:4:35]
             3 │ steps:
             4 │   - hold_until: { quiet: 2h, max: 1h }
               ·                                   ─┬
               ·                                    ╰── here
               ╰────
              help: let `max` be the longer one"#]],
    );
}

#[test]
fn references_are_checked() {
    check_wrong(
        r"journey: j
enter: { event: A }
steps:
  - score: { model: purchase, as: buy }
  - offer: { placement: cart_recover, as: pick }
---
offers:
  a: { placements: [cart_recovery, cart], model: m }
placements:
  cart_recovery: { fallback: b }
",
        &expect![[r#"
            attune::unknown_reference

              × unknown model `purchase`
               ╭─[shop.yaml:4:21]
             3 │ steps:
             4 │   - score: { model: purchase, as: buy }
               ·                     ────┬───
               ·                         ╰── here
             5 │   - offer: { placement: cart_recover, as: pick }
               ╰────
              help: no model is declared: a model is a folder with `model.yaml` in the folder that `--models`
                    names (`models` without it)

            attune::unknown_reference

              × unknown placement `cart_recover`, did you mean `cart_recovery`?
               ╭─[shop.yaml:5:25]
             4 │   - score: { model: purchase, as: buy }
             5 │   - offer: { placement: cart_recover, as: pick }
               ·                         ──────┬─────
               ·                               ╰── here
             6 │ ---
               ╰────
              help: declared are `cart_recovery`

            attune::unknown_reference

              × unknown placement `cart`
               ╭─[shop.yaml:8:36]
             7 │ offers:
             8 │   a: { placements: [cart_recovery, cart], model: m }
               ·                                    ──┬─
               ·                                      ╰── here
             9 │ placements:
               ╰────
              help: declared are `cart_recovery`

            attune::unknown_reference

              × unknown model `m`
               ╭─[shop.yaml:8:50]
             7 │ offers:
             8 │   a: { placements: [cart_recovery, cart], model: m }
               ·                                                  ┬
               ·                                                  ╰── here
             9 │ placements:
               ╰────
              help: no model is declared: a model is a folder with `model.yaml` in the folder that `--models`
                    names (`models` without it)

            attune::unknown_reference

              × unknown offer `b`
                ╭─[shop.yaml:10:30]
              9 │ placements:
             10 │   cart_recovery: { fallback: b }
                ·                              ┬
                ·                              ╰── here
                ╰────
              help: declared are `a`"#]],
    );
}

#[test]
fn an_offer_has_a_placement() {
    check_wrong(
        r"offers:
  a: { placements: [] }
  b: { value: 1 }
",
        &expect![[r#"
            attune::missing_value

              × the offer can never be shown
               ╭─[shop.yaml:2:20]
             1 │ offers:
             2 │   a: { placements: [] }
               ·                    ─┬
               ·                     ╰── here
             3 │   b: { value: 1 }
               ╰────
              help: name at least one placement, or remove the offer

            attune::missing_key

              × `placements` is missing in offer `b`
               ╭─[shop.yaml:3:8]
             2 │   a: { placements: [] }
             3 │   b: { value: 1 }
               ·        ──┬──
               ·          ╰── here
               ╰────
              help: add `placements: ..`"#]],
    );
}

#[test]
fn caps_and_limits_are_checked() {
    check_wrong(
        r"offers:
  a: { placements: [p], cap: once a day }
placements:
  p: { limit: 0 }
",
        &expect![[r#"
            attune::bad_value

              × `once a day` is not a cap
               ╭─[shop.yaml:2:30]
             1 │ offers:
             2 │   a: { placements: [p], cap: once a day }
               ·                              ─────┬────
               ·                                   ╰── here
             3 │ placements:
               ╰────
              help: write how many in which length of time: `1 per 30d`

            attune::bad_value

              × `0` is not a number of offers
               ╭─[shop.yaml:4:15]
             3 │ placements:
             4 │   p: { limit: 0 }
               ·               ┬
               ·               ╰── here
               ╰────
              help: write a whole number from 1 to 100"#]],
    );
}

#[test]
fn the_propensity_belongs_to_rank() {
    check_wrong(
        r#"offers:
  a: { placements: [p], when: p > 1 }
placements:
  p: { rank: "p * offer.valeu", explore: 5% }
"#,
        &expect![[r#"
            attune::not_at_hand

              × `p` is not at hand in an offer
               ╭─[shop.yaml:2:31]
             1 │ offers:
             2 │   a: { placements: [p], when: p > 1 }
               ·                               ┬
               ·                               ╰── here
             3 │ placements:
               ╰────
              help: `p` belongs to the `rank` of a placement

            attune::unknown_field

              × unknown field `offer.valeu`, did you mean `offer.value`?
               ╭─[shop.yaml:4:25]
             3 │ placements:
             4 │   p: { rank: "p * offer.valeu", explore: 5% }
               ·                         ──┬──
               ·                           ╰── here
               ╰────
              help: `offer` has `id`, `value`, `group`, `data`"#]],
    );
}

#[test]
fn a_journey_is_declared_once() {
    check_wrong(
        r"journey: j
enter: { event: A }
steps: [stop]
---
journey: j
enter: { event: A }
steps: [wait: 1h]
",
        &expect![[r#"
            attune::duplicate_name

              × journey `j` is declared twice
               ╭─[shop.yaml:5:10]
             4 │ ---
             5 │ journey: j
               ·          ┬
               ·          ╰── here
             6 │ enter: { event: A }
               ╰────
              help: the first one stands in shop.yaml:1: rename or remove one of them"#]],
    );
}

#[test]
fn an_offer_is_declared_once() {
    check_wrong(
        r"offers: { a: { placements: [p] } }
placements: { p: { limit: 1 } }
---
offers: { a: { placements: [p], value: 2 } }
",
        &expect![[r#"
            attune::duplicate_name

              × offer `a` is declared twice
               ╭─[shop.yaml:4:11]
             3 │ ---
             4 │ offers: { a: { placements: [p], value: 2 } }
               ·           ┬
               ·           ╰── here
               ╰────
              help: the first one stands in shop.yaml:1: rename or remove one of them"#]],
    );
}

#[test]
fn a_feature_folds_one_thing() {
    check_wrong(
        r"features:
  a: { count: A, sum: B }
  b: { sum: B }
  c: { count: B, of: event.properties.x }
  d: { window: 1d }
",
        &expect![[r#"
            attune::bad_value

              × feature `a` folds 2 instead of one
               ╭─[shop.yaml:2:3]
             1 │ features:
             2 │   a: { count: A, sum: B }
               ·   ┬
               ·   ╰── here
             3 │   b: { sum: B }
               ╰────
              help: write exactly one of `count`, `sum`, `min`, `average`, `max`, `first`, `last`, `mode`,
                    `distinct`, `recency`, `dwell`

            attune::missing_key

              × `of` is missing: `sum` needs an expression over the event
               ╭─[shop.yaml:3:3]
             2 │   a: { count: A, sum: B }
             3 │   b: { sum: B }
               ·   ┬
               ·   ╰── here
             4 │   c: { count: B, of: event.properties.x }
               ╰────
              help: write `sum: EVENT` and `of: event.properties.price`

            attune::bad_value

              × `count` takes no `of`
               ╭─[shop.yaml:4:3]
             3 │   b: { sum: B }
             4 │   c: { count: B, of: event.properties.x }
               ·   ┬
               ·   ╰── here
             5 │   d: { window: 1d }
               ╰────
              help: remove `of`; `count`, `recency` and `dwell` look at nothing but the event itself

            attune::bad_value

              × feature `d` folds 0 instead of one
               ╭─[shop.yaml:5:3]
             4 │   c: { count: B, of: event.properties.x }
             5 │   d: { window: 1d }
               ·   ┬
               ·   ╰── here
               ╰────
              help: write exactly one of `count`, `sum`, `min`, `average`, `max`, `first`, `last`, `mode`,
                    `distinct`, `recency`, `dwell`"#]],
    );
}

#[test]
fn a_feature_looks_at_its_event_only() {
    check_wrong(
        r#"features:
  a: { count: A, where: profile.cart.value > 1 }
  b: { count: A, where: "count('B') > 1", window: forever }
"#,
        &expect![[r#"
            attune::not_at_hand

              × `profile` is not at hand in the definition of a feature
               ╭─[shop.yaml:2:25]
             1 │ features:
             2 │   a: { count: A, where: profile.cart.value > 1 }
               ·                         ───┬───
               ·                            ╰── here
             3 │   b: { count: A, where: "count('B') > 1", window: forever }
               ╰────
              help: a feature looks at its event only, so that histories can be merged: put the condition
                    where the feature is used

            attune::not_at_hand

              × `count` is not at hand in the definition of a feature
               ╭─[shop.yaml:3:26]
             2 │   a: { count: A, where: profile.cart.value > 1 }
             3 │   b: { count: A, where: "count('B') > 1", window: forever }
               ·                          ──┬──
               ·                            ╰── here
               ╰────
              help: a feature looks at its event only

            attune::bad_duration

              × `forever` is not a duration, write for example `45m`, `1h30m` or `3d`
               ╭─[shop.yaml:3:51]
             2 │   a: { count: A, where: profile.cart.value > 1 }
             3 │   b: { count: A, where: "count('B') > 1", window: forever }
               ·                                                   ───┬───
               ·                                                      ╰── here
               ╰────
              help: write `lifetime`, `session` or a length of time: `7d`"#]],
    );
}

#[test]
fn features_of_one_name_are_one() {
    check_wrong(
        r"features: { a: { count: A } }
---
features: { a: { count: B } }
",
        &expect![[r#"
            attune::duplicate_name

              × feature `a` is declared twice
               ╭─[shop.yaml:3:13]
             2 │ ---
             3 │ features: { a: { count: B } }
               ·             ┬
               ·             ╰── here
               ╰────
              help: the first one stands in shop.yaml:1: rename or remove one of them"#]],
    );
}

#[test]
fn a_manifest_is_checked() {
    check_wrong(
        r"model: m
file: ../secret.onnx
inputs:
  - { column: a, from: profile.features.b, unknown: none }
  - { column: a, from: entry.properties.x }
  - { column: c, from: 1, type: tensor }
output: { class: -1 }
",
        &expect![[r#"
            attune::bad_value

              × `../secret.onnx` is not a file beside the manifest
               ╭─[shop.yaml:2:7]
             1 │ model: m
             2 │ file: ../secret.onnx
               ·       ───────┬──────
               ·              ╰── here
             3 │ inputs:
               ╰────
              help: write a relative path without `..`: `model.onnx`

            attune::unknown_feature

              × unknown feature `b`
               ╭─[shop.yaml:4:41]
             3 │ inputs:
             4 │   - { column: a, from: profile.features.b, unknown: none }
               ·                                         ┬
               ·                                         ╰── here
             5 │   - { column: a, from: entry.properties.x }
               ╰────
              help: declare it: `features: {b: {count: EVENT}}`

            attune::bad_value

              × `none` cannot stand for an unknown number
               ╭─[shop.yaml:4:53]
             3 │ inputs:
             4 │   - { column: a, from: profile.features.b, unknown: none }
               ·                                                     ──┬─
               ·                                                       ╰── here
             5 │   - { column: a, from: entry.properties.x }
               ╰────
              help: write one of `fail`, `nan`, or a number

            attune::not_at_hand

              × `entry` is not at hand in a model manifest
               ╭─[shop.yaml:5:24]
             4 │   - { column: a, from: profile.features.b, unknown: none }
             5 │   - { column: a, from: entry.properties.x }
               ·                        ──┬──
               ·                          ╰── here
             6 │   - { column: c, from: 1, type: tensor }
               ╰────
              help: `entry` belongs to journeys

            attune::bad_value

              × unknown type `tensor`
               ╭─[shop.yaml:6:33]
             5 │   - { column: a, from: entry.properties.x }
             6 │   - { column: c, from: 1, type: tensor }
               ·                                 ───┬──
               ·                                    ╰── here
             7 │ output: { class: -1 }
               ╰────
              help: write one of `number`, `text`

            attune::bad_value

              × `-1` is not a column number from 0
               ╭─[shop.yaml:7:18]
             6 │   - { column: c, from: 1, type: tensor }
             7 │ output: { class: -1 }
               ·                  ─┬
               ·                   ╰── here
               ╰────"#]],
    );
}

#[test]
fn a_score_step_cannot_use_a_model_of_offers() {
    check_wrong(
        r"journey: j
enter: { event: A }
steps: [score: { model: m, as: x }]
---
model: m
file: m.onnx
inputs: [{ column: v, from: offer.value }]
",
        &expect![[r#"
            attune::not_at_hand

              × model `m` looks at `offer`, and there is none at a `score` step
               ╭─[shop.yaml:3:25]
             2 │ enter: { event: A }
             3 │ steps: [score: { model: m, as: x }]
               ·                         ┬
               ·                         ╰── here
             4 │ ---
               ╰────
              help: use it as the `model` of a placement or an offer"#]],
    );
}

#[test]
fn all_problems_of_a_file_come_in_order() {
    check_wrong(
        r"journey: j
abuot: x
enter: { event: A, where: profil.id == 1 }
holdout: 200%
steps:
  - wait: soon
  - fly: away
---
offers: { a b: { placements: [] } }
",
        &expect![[r#"
            attune::unknown_key

              × unknown key `abuot` in a journey, did you mean `about`?
               ╭─[shop.yaml:2:1]
             1 │ journey: j
             2 │ abuot: x
               · ──┬──
               ·   ╰── here
             3 │ enter: { event: A, where: profil.id == 1 }
               ╰────
              help: keys of a journey are `journey`, `about`, `mode`, `class`, `priority`, `quiet_hours`,
                    `enter`, `goal`, `exit`, `holdout`, `steps`, `migrate`

            attune::unknown_name

              × unknown name `profil`, did you mean `profile`?
               ╭─[shop.yaml:3:27]
             2 │ abuot: x
             3 │ enter: { event: A, where: profil.id == 1 }
               ·                           ───┬──
               ·                              ╰── here
             4 │ holdout: 200%
               ╰────
              help: names here are `profile`, `event`; a text stands in quotes inside the expression:
                    "'profil'"

            attune::bad_value

              × `200%` is not a share of the customers
               ╭─[shop.yaml:4:10]
             3 │ enter: { event: A, where: profil.id == 1 }
             4 │ holdout: 200%
               ·          ──┬─
               ·            ╰── here
             5 │ steps:
               ╰────
              help: write a percentage below 100: `10%`

            attune::bad_duration

              × `soon` is not a duration, write for example `45m`, `1h30m` or `3d`
               ╭─[shop.yaml:6:11]
             5 │ steps:
             6 │   - wait: soon
               ·           ──┬─
               ·             ╰── here
             7 │   - fly: away
               ╰────
              help: units are `ms`, `s`, `m`, `h`, `d`, `w`: `45m`, `1h30m`, `3d`

            attune::unknown_step

              × unknown step `fly`
               ╭─[shop.yaml:7:5]
             6 │   - wait: soon
             7 │   - fly: away
               ·     ─┬─
               ·      ╰── here
             8 │ ---
               ╰────
              help: steps are `wait`, `wait_for`, `hold_until`, `score`, `branch`, `split`, `offer`, `send`,
                    `set`, `stop`, `exit`

            attune::bad_name

              × `a b` cannot be the name of an offer
               ╭─[shop.yaml:9:11]
             8 │ ---
             9 │ offers: { a b: { placements: [] } }
               ·           ─┬─
               ·            ╰── here
               ╰────
              help: a name has 1 to 64 letters, digits, `-` and `_`"#]],
    );
}

#[test]
fn a_mode_that_does_not_exist() {
    check_wrong(
        "\
journey: j
mode: shadwo
enter: { event: Order Completed }
steps: [ stop ]
",
        &expect![[r#"
            attune::bad_value

              × unknown mode `shadwo`, did you mean `shadow`?
               ╭─[shop.yaml:2:7]
             1 │ journey: j
             2 │ mode: shadwo
               ·       ───┬──
               ·          ╰── here
             3 │ enter: { event: Order Completed }
               ╰────
              help: write one of `live`, `shadow`"#]],
    );
}
