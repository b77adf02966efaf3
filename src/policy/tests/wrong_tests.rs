//! What is wrong with tests.

use expect_test::{Expect, expect};

use super::{Source, bundle, check, check_wrong};

const POLICIES: &str = r"journey: cart
enter: { event: Product Added }
goal: { event: Order Completed, within: 3d }
exit: { when: size(profile.cart.items) == 0, reason: cart emptied }
steps:
  - split: { loud: 50%, still: 50%, as: voice }
  - hold_until: { quiet: 30m, of: [Product Added], max: 6h }
  - offer: { placement: mail, as: pick }
  - send: { channel: email, template: come-back }
---
offers:
  ten-off: { placements: [mail], value: 10 }
placements:
  mail: {}
segments:
  vip: profile.traits.tier == 'gold'
---
";

/// Checks what the author of a wrong test beside right policies reads; a test that does not begin with `test:` gets a name.
fn check_test(text: &str, expected: &Expect) {
    let name = if text.starts_with("test:") {
        ""
    } else {
        "test: t\n"
    };
    let checked = check(&[
        Source::new("shop.yaml", POLICIES),
        Source::new("tests.yaml", &format!("{name}{text}")),
    ]);
    let shown = if checked.problems.0.is_empty() {
        "nothing is wrong".to_owned()
    } else {
        checked.problems.render(false)
    };
    let trimmed: Vec<&str> = shown.lines().map(str::trim_end).collect();
    expected.assert_eq(trimmed.join("\n").trim_matches('\n'));
}

#[test]
fn a_test_changes_nothing_that_decides() {
    let test = "test: t\ntimeline: [{ at: 0m, expect: { sent: none } }]\n";
    let without = bundle(POLICIES).unwrap();
    let with = bundle(&format!("{POLICIES}{test}")).unwrap();
    assert_eq!((&without.id, without.standing), (&with.id, with.standing));
}

#[test]
fn unknown_keys_suggest_known_ones() {
    check_test(
        r"journy: cart
customer: { id: u1, trait: { tier: gold } }
timeline:
  - { at: 0m, evnt: Product Added, expect: { sends: none } }
",
        &expect![[r#"
            attune::unknown_key

              × unknown key `journy` in a test, did you mean `journey`?
               ╭─[tests.yaml:2:1]
             1 │ test: t
             2 │ journy: cart
               · ───┬──
               ·    ╰── here
             3 │ customer: { id: u1, trait: { tier: gold } }
               ╰────
              help: keys of a test are `test`, `about`, `journey`, `start`, `customer`, `holdout`, `split`,
                    `models`, `timeline`

            attune::unknown_key

              × unknown key `trait` in `customer`, did you mean `traits`?
               ╭─[tests.yaml:3:21]
             2 │ journy: cart
             3 │ customer: { id: u1, trait: { tier: gold } }
               ·                     ──┬──
               ·                       ╰── here
             4 │ timeline:
               ╰────
              help: keys of `customer` are `id`, `traits`, `consent`, `timezone`, `reachable`

            attune::unknown_key

              × unknown key `evnt` in a line of the timeline, did you mean `event`?
               ╭─[tests.yaml:5:15]
             4 │ timeline:
             5 │   - { at: 0m, evnt: Product Added, expect: { sends: none } }
               ·               ──┬─
               ·                 ╰── here
               ╰────
              help: keys of a line of the timeline are `at`, `event`, `identify`, `page`, `screen`, `decide`,
                    `as`, `properties`, `decision`, `context`, `late`, `id`, `limit`, `expect`

            attune::unknown_key

              × unknown key `sends` in `expect`
               ╭─[tests.yaml:5:46]
             4 │ timeline:
             5 │   - { at: 0m, evnt: Product Added, expect: { sends: none } }
               ·                                              ──┬──
               ·                                                ╰── here
               ╰────
              help: keys of `expect` are `journey`, `sent`, `would_send`, `state`, `at_step`, `reason`,
                    `runs`, `blocked`, `refused`, `offer`, `offers`, `lost`, `segments`, `traits`, `next`"#]],
    );
}

#[test]
fn names_of_what_does_not_exist_suggest_what_does() {
    check_test(
        r"journey: cart
customer: { timezone: Europe/Berln, reachable: [emial] }
models: { intent: 0.2 }
split: { voice: lowd }
timeline:
  - { at: 0m, event: Product Aded }
  - { at: 0m, decide: mial }
  - at: 1h
    expect:
      sent: [come-bak]
      at_step: hold_untill
      state: runing
      reason: cart emptied out
      blocked: NO_CONSENTS
      refused: ALREDY_IN
      offer: ten-of
      lost: { ten-off: CAPS }
      segments: { in: [vipp] }
",
        &expect![[r#"
            attune::bad_value

              × unknown time zone `Europe/Berln`
               ╭─[tests.yaml:3:23]
             2 │ journey: cart
             3 │ customer: { timezone: Europe/Berln, reachable: [emial] }
               ·                       ──────┬─────
               ·                             ╰── here
             4 │ models: { intent: 0.2 }
               ╰────
              help: write a name of tzdata such as `Europe/Berlin`; for a customer with a wrong one put it
                    under `traits`

            attune::unknown_reference

              × unknown channel `emial`, did you mean `email`?
               ╭─[tests.yaml:3:49]
             2 │ journey: cart
             3 │ customer: { timezone: Europe/Berln, reachable: [emial] }
               ·                                                 ──┬──
               ·                                                   ╰── here
             4 │ models: { intent: 0.2 }
               ╰────
              help: declared are `email`

            attune::unknown_reference

              × unknown model `intent`
               ╭─[tests.yaml:4:11]
             3 │ customer: { timezone: Europe/Berln, reachable: [emial] }
             4 │ models: { intent: 0.2 }
               ·           ───┬──
               ·              ╰── here
             5 │ split: { voice: lowd }
               ╰────
              help: no model is declared: a model is a folder with `model.yaml` in the folder that `--models`
                    names (`models` without it)

            attune::unknown_reference

              × unknown arm `lowd`, did you mean `loud`?
               ╭─[tests.yaml:5:17]
             4 │ models: { intent: 0.2 }
             5 │ split: { voice: lowd }
               ·                 ──┬─
               ·                   ╰── here
             6 │ timeline:
               ╰────
              help: declared are `loud`, `still`

            attune::unknown_event

              × unknown event `Product Aded`, did you mean `Product Added`?
               ╭─[tests.yaml:7:22]
             6 │ timeline:
             7 │   - { at: 0m, event: Product Aded }
               ·                      ──────┬─────
               ·                            ╰── here
             8 │   - { at: 0m, decide: mial }
               ╰────
              help: if senders do write it, declare it: `schemas: { events: { Product Aded: {} } }`

            attune::unknown_reference

              × unknown placement `mial`, did you mean `mail`?
               ╭─[tests.yaml:8:23]
             7 │   - { at: 0m, event: Product Aded }
             8 │   - { at: 0m, decide: mial }
               ·                       ──┬─
               ·                         ╰── here
             9 │   - at: 1h
               ╰────
              help: declared are `mail`

            attune::unknown_reference

              × unknown template `come-bak`, did you mean `come-back`?
                ╭─[tests.yaml:11:14]
             10 │     expect:
             11 │       sent: [come-bak]
                ·              ────┬───
                ·                  ╰── here
             12 │       at_step: hold_untill
                ╰────
              help: declared are `come-back`

            attune::unknown_reference

              × unknown step `hold_untill`, did you mean `hold_until`?
                ╭─[tests.yaml:12:16]
             11 │       sent: [come-bak]
             12 │       at_step: hold_untill
                ·                ─────┬─────
                ·                     ╰── here
             13 │       state: runing
                ╰────
              help: declared are `0`, `1`, `2`, `3`, `hold_until`, `none`, `offer`, `send`, `split`

            attune::bad_value

              × unknown state `runing`, did you mean `running`?
                ╭─[tests.yaml:13:14]
             12 │       at_step: hold_untill
             13 │       state: runing
                ·              ───┬──
                ·                 ╰── here
             14 │       reason: cart emptied out
                ╰────
              help: write one of `none`, `running`, `converted`, `completed`, `exited`

            attune::unknown_reference

              × unknown reason `cart emptied out`, did you mean `cart emptied`?
                ╭─[tests.yaml:14:15]
             13 │       state: runing
             14 │       reason: cart emptied out
                ·               ────────┬───────
                ·                       ╰── here
             15 │       blocked: NO_CONSENTS
                ╰────
              help: declared are `cart emptied`, `completed`, `converted`, `none`, `past_date`, `restarted`

            attune::unknown_reference

              × unknown reason code `NO_CONSENTS`, did you mean `NO_CONSENT`?
                ╭─[tests.yaml:15:16]
             14 │       reason: cart emptied out
             15 │       blocked: NO_CONSENTS
                ·                ─────┬─────
                ·                     ╰── here
             16 │       refused: ALREDY_IN
                ╰────
              help: declared are `HOLDOUT`, `NO_CONSENT`, `SUPPRESSED`, `UNREACHABLE`, `QUIET_HOURS`,
                    `CONTACT_LIMIT`, `OUTRANKED`

            attune::unknown_reference

              × unknown reason code `ALREDY_IN`, did you mean `ALREADY_IN`?
                ╭─[tests.yaml:16:16]
             15 │       blocked: NO_CONSENTS
             16 │       refused: ALREDY_IN
                ·                ────┬────
                ·                    ╰── here
             17 │       offer: ten-of
                ╰────
              help: declared are `WHERE`, `UNLESS`, `TOO_OLD`, `KEY_UNKNOWN`, `ALREADY_IN`, `REENTRY_GAP`,
                    `CONCURRENCY`, `HAPPENED`, `LOOP`

            attune::unknown_reference

              × unknown offer `ten-of`, did you mean `ten-off`?
                ╭─[tests.yaml:17:14]
             16 │       refused: ALREDY_IN
             17 │       offer: ten-of
                ·              ───┬──
                ·                 ╰── here
             18 │       lost: { ten-off: CAPS }
                ╰────
              help: declared are `ten-off`

            attune::bad_value

              × unknown reason code `CAPS`, did you mean `CAP`?
                ╭─[tests.yaml:18:24]
             17 │       offer: ten-of
             18 │       lost: { ten-off: CAPS }
                ·                        ──┬─
                ·                          ╰── here
             19 │       segments: { in: [vipp] }
                ╰────
              help: write one of `NO_CONSENT`, `SUPPRESSED`, `INELIGIBLE`, `NOT_APPLICABLE`, `UNSUITABLE`,
                    `CONTACT_LIMIT`, `CAP`, `BUDGET`, `HOLDOUT`, `OUTRANKED`

            attune::unknown_reference

              × unknown segment `vipp`, did you mean `vip`?
                ╭─[tests.yaml:19:24]
             18 │       lost: { ten-off: CAPS }
             19 │       segments: { in: [vipp] }
                ·                        ──┬─
                ·                          ╰── here
                ╰────
              help: declared are `vip`"#]],
    );
}

#[test]
fn times_are_sorted_and_can_be_read() {
    check_test(
        r"start: next monday
timeline:
  - { at: 1h, event: Product Added }
  - { at: 30m, expect: { sent: none } }
  - { at: noon, expect: { sent: none } }
",
        &expect![[r#"
            attune::bad_value

              × `next monday` is not a time
               ╭─[tests.yaml:2:8]
             1 │ test: t
             2 │ start: next monday
               ·        ─────┬─────
               ·             ╰── here
             3 │ timeline:
               ╰────
              help: write RFC 3339, with the offset: `2026-01-05T10:00:00+01:00`

            attune::bad_time

              × time goes backwards: `30m` comes after `1h`
               ╭─[tests.yaml:5:11]
             4 │   - { at: 1h, event: Product Added }
             5 │   - { at: 30m, expect: { sent: none } }
               ·           ─┬─
               ·            ╰── here
             6 │   - { at: noon, expect: { sent: none } }
               ╰────
              help: `at` counts from the start of the test, not from the line before; sort the lines by it

            attune::bad_duration

              × `noon` is not a duration, write for example `45m`, `1h30m` or `3d`
               ╭─[tests.yaml:6:11]
             5 │   - { at: 30m, expect: { sent: none } }
             6 │   - { at: noon, expect: { sent: none } }
               ·           ──┬─
               ·             ╰── here
               ╰────
              help: units are `ms`, `s`, `m`, `h`, `d`, `w`: `45m`, `1h30m`, `3d`"#]],
    );
}

#[test]
fn a_line_is_one_thing_that_happens_or_is_expected() {
    check_test(
        r"timeline:
  - { at: 0m, event: Product Added, identify: { tier: gold } }
  - { at: 1h }
  - { at: 2h, identify: { tier: gold }, properties: { price: 1 } }
  - { event: Product Added, expect: { sent: none } }
",
        &expect![[r#"
            attune::duplicate_key

              × both `event` and `identify` are given
               ╭─[tests.yaml:3:5]
             2 │ timeline:
             3 │   - { at: 0m, event: Product Added, identify: { tier: gold } }
               ·     ─────────────────────────────┬────────────────────────────
               ·                                  ╰── here
             4 │   - { at: 1h }
               ╰────
              help: one line is one thing that happens: write two lines with the same `at`

            attune::nothing_expected

              × nothing happens here and nothing is expected
               ╭─[tests.yaml:4:5]
             3 │   - { at: 0m, event: Product Added, identify: { tier: gold } }
             4 │   - { at: 1h }
               ·     ─────┬────
               ·          ╰── here
             5 │   - { at: 2h, identify: { tier: gold }, properties: { price: 1 } }
               ╰────
              help: write `- { at: 30m, event: Cart Viewed }`, or `- { at: 1h, expect: { sent: none } }`

            attune::bad_value

              × `properties` says nothing without `event`
               ╭─[tests.yaml:5:53]
             4 │   - { at: 1h }
             5 │   - { at: 2h, identify: { tier: gold }, properties: { price: 1 } }
               ·                                                     ──────┬─────
               ·                                                           ╰── here
             6 │   - { event: Product Added, expect: { sent: none } }
               ╰────
              help: remove it, or write it in a line with `event`

            attune::missing_key

              × `at` is missing in a line of the timeline
               ╭─[tests.yaml:6:7]
             5 │   - { at: 2h, identify: { tier: gold }, properties: { price: 1 } }
             6 │   - { event: Product Added, expect: { sent: none } }
               ·       ──┬──
               ·         ╰── here
               ╰────
              help: add `at: ..`"#]],
    );
}

#[test]
fn an_outcome_is_of_a_decision_that_was_made() {
    check_test(
        r"test: t
timeline:
  - { at: 0m, event: Offer Clicked, decision: last }
  - { at: 1m, decide: mail }
  - { at: 2m, event: Offer Clicked, decision: first }
  - { at: 3m, decide: mail, as: second }
  - { at: 4m, decide: mail, as: second }
  - { at: 5m, event: Offer Clicked, decision: secnd }
  - { at: 6m, event: Offer Clicked, decision: last, properties: { decision_id: x } }
  - { at: 7m, identify: { tier: gold }, decision: last, as: third }
  - { at: 8m, decide: mail, as: last }
  - { at: 9m, expect: { offer: none } }
",
        &expect![[r#"
            attune::unknown_reference

              × no decision was made before
               ╭─[tests.yaml:3:47]
             2 │ timeline:
             3 │   - { at: 0m, event: Offer Clicked, decision: last }
               ·                                               ──┬─
               ·                                                 ╰── here
             4 │   - { at: 1m, decide: mail }
               ╰────
              help: write a line with `decide: PLACEMENT` before this one

            attune::unknown_reference

              × no decision before is called `first`
               ╭─[tests.yaml:5:47]
             4 │   - { at: 1m, decide: mail }
             5 │   - { at: 2m, event: Offer Clicked, decision: first }
               ·                                               ──┬──
               ·                                                 ╰── here
             6 │   - { at: 3m, decide: mail, as: second }
               ╰────
              help: write `last`, or `as: first` beside its `decide`

            attune::duplicate_name

              × a decision before is called `second`, too
               ╭─[tests.yaml:7:33]
             6 │   - { at: 3m, decide: mail, as: second }
             7 │   - { at: 4m, decide: mail, as: second }
               ·                                 ───┬──
               ·                                    ╰── here
             8 │   - { at: 5m, event: Offer Clicked, decision: secnd }
               ╰────
              help: give it a name of its own

            attune::unknown_reference

              × no decision before is called `secnd`, did you mean `second`?
               ╭─[tests.yaml:8:47]
             7 │   - { at: 4m, decide: mail, as: second }
             8 │   - { at: 5m, event: Offer Clicked, decision: secnd }
               ·                                               ──┬──
               ·                                                 ╰── here
             9 │   - { at: 6m, event: Offer Clicked, decision: last, properties: { decision_id: x } }
               ╰────
              help: there are `second`, and `last`

            attune::duplicate_key

              × both `decision` and `properties.decision_id` are given
                ╭─[tests.yaml:9:47]
              8 │   - { at: 5m, event: Offer Clicked, decision: secnd }
              9 │   - { at: 6m, event: Offer Clicked, decision: last, properties: { decision_id: x } }
                ·                                               ──┬─
                ·                                                 ╰── here
             10 │   - { at: 7m, identify: { tier: gold }, decision: last, as: third }
                ╰────
              help: keep one of them

            attune::bad_value

              × `decision` says nothing without `event`
                ╭─[tests.yaml:10:51]
              9 │   - { at: 6m, event: Offer Clicked, decision: last, properties: { decision_id: x } }
             10 │   - { at: 7m, identify: { tier: gold }, decision: last, as: third }
                ·                                                   ──┬─
                ·                                                     ╰── here
             11 │   - { at: 8m, decide: mail, as: last }
                ╰────
              help: remove it, or write it in a line with `event`

            attune::bad_value

              × `as` says nothing without `decide`
                ╭─[tests.yaml:10:61]
              9 │   - { at: 6m, event: Offer Clicked, decision: last, properties: { decision_id: x } }
             10 │   - { at: 7m, identify: { tier: gold }, decision: last, as: third }
                ·                                                             ──┬──
                ·                                                               ╰── here
             11 │   - { at: 8m, decide: mail, as: last }
                ╰────
              help: remove it, or write it in a line with `decide`

            attune::duplicate_name

              × `last` means the decision before, whatever its name
                ╭─[tests.yaml:11:33]
             10 │   - { at: 7m, identify: { tier: gold }, decision: last, as: third }
             11 │   - { at: 8m, decide: mail, as: last }
                ·                                 ──┬─
                ·                                   ╰── here
             12 │   - { at: 9m, expect: { offer: none } }
                ╰────
              help: give it a name of its own"#]],
    );
}

#[test]
fn a_test_that_expects_nothing_cannot_fail() {
    check_test(
        r"timeline:
  - { at: 0m, event: Product Added }
",
        &expect![[r#"
            attune::nothing_expected

              × the test expects nothing, so it cannot fail
               ╭─[tests.yaml:3:3]
             2 │ timeline:
             3 │   - { at: 0m, event: Product Added }
               ·   ┬
               ·   ╰── here
               ╰────
              help: write `- { at: 30m, event: Cart Viewed }`, or `- { at: 1h, expect: { sent: none } }`"#]],
    );
    check_test(
        "journey: cart\n",
        &expect![[r#"
        attune::missing_key

          × `timeline` is missing in a test
           ╭─[tests.yaml:1:1]
         1 │ test: t
           · ──┬─
           ·   ╰── here
         2 │ journey: cart
           ╰────
          help: add `timeline: ..`"#]],
    );
}

#[test]
fn values_that_nobody_can_read_are_explained() {
    check_test(
        r"customer: { consent: { email: maybe } }
holdout: yes
timeline:
  - { at: 0m, event: Product Added, properties: 3, expect: { journey: cart, runs: two, next: later, traits: gold } }
",
        &expect![[r#"
            attune::bad_value

              × nobody can read this as a consent
               ╭─[tests.yaml:2:22]
             1 │ test: t
             2 │ customer: { consent: { email: maybe } }
               ·                      ────────┬───────
               ·                              ╰── here
             3 │ holdout: yes
               ╰────
              help: write `granted`, `denied` or `withdrawn`, for all channels or by channel: `{ email:
                    granted }`

            attune::bad_value

              × unknown `holdout` `yes`
               ╭─[tests.yaml:3:10]
             2 │ customer: { consent: { email: maybe } }
             3 │ holdout: yes
               ·          ─┬─
               ·           ╰── here
             4 │ timeline:
               ╰────
              help: write one of `in`, `out`

            attune::yaml_ambiguous

              ⚠ `yes` is a text here, and true or false to older tools
               ╭─[tests.yaml:3:10]
             2 │ customer: { consent: { email: maybe } }
             3 │ holdout: yes
               ·          ─┬─
               ·           ╰── here
             4 │ timeline:
               ╰────
              help: write `true` or `false`, or put the text in quotes

            attune::wrong_type

              × `properties` is a map, not a text
               ╭─[tests.yaml:5:49]
             4 │ timeline:
             5 │   - { at: 0m, event: Product Added, properties: 3, expect: { journey: cart, runs: two, next: later, traits: gold } }
               ·                                                 ┬
               ·                                                 ╰── here
               ╰────
              help: write `{ name: value }`

            attune::bad_value

              × `runs` is a whole number, not `two`
               ╭─[tests.yaml:5:83]
             4 │ timeline:
             5 │   - { at: 0m, event: Product Added, properties: 3, expect: { journey: cart, runs: two, next: later, traits: gold } }
               ·                                                                                   ─┬─
               ·                                                                                    ╰── here
               ╰────

            attune::bad_duration

              × `later` is not a duration, write for example `45m`, `1h30m` or `3d`
               ╭─[tests.yaml:5:94]
             4 │ timeline:
             5 │   - { at: 0m, event: Product Added, properties: 3, expect: { journey: cart, runs: two, next: later, traits: gold } }
               ·                                                                                              ──┬──
               ·                                                                                                ╰── here
               ╰────
              help: units are `ms`, `s`, `m`, `h`, `d`, `w`: `45m`, `1h30m`, `3d`

            attune::wrong_type

              × `traits` is a map, not a text
               ╭─[tests.yaml:5:109]
             4 │ timeline:
             5 │   - { at: 0m, event: Product Added, properties: 3, expect: { journey: cart, runs: two, next: later, traits: gold } }
               ·                                                                                                             ──┬─
               ·                                                                                                               ╰── here
               ╰────
              help: write `{ tier: gold }`"#]],
    );
}

#[test]
fn what_is_about_one_journey_says_which() {
    check_test(
        r"split: { voice: loud }
timeline:
  - { at: 0m, event: Product Added, expect: { state: running, runs: 1 } }
",
        &expect![[r#"
            attune::which_journey

              × `split` needs a `journey`
               ╭─[tests.yaml:2:8]
             1 │ test: t
             2 │ split: { voice: loud }
               ·        ───────┬───────
               ·               ╰── here
             3 │ timeline:
               ╰────
              help: add `journey: ..`, the one whose splits are meant

            attune::which_journey

              × `state` of which journey?
               ╭─[tests.yaml:4:54]
             3 │ timeline:
             4 │   - { at: 0m, event: Product Added, expect: { state: running, runs: 1 } }
               ·                                                      ───┬───
               ·                                                         ╰── here
               ╰────
              help: add `journey: ..` to the test, or beside this expectation

            attune::which_journey

              × `runs` of which journey?
               ╭─[tests.yaml:4:69]
             3 │ timeline:
             4 │   - { at: 0m, event: Product Added, expect: { state: running, runs: 1 } }
               ·                                                                     ┬
               ·                                                                     ╰── here
               ╰────
              help: add `journey: ..` to the test, or beside this expectation"#]],
    );
}

#[test]
fn a_second_test_of_the_same_name_is_reported() {
    check_test(
        r"test: t
timeline: [{ at: 0m, expect: { sent: none } }]
---
test: t
timeline: [{ at: 0m, expect: { sent: none } }]
",
        &expect![[r#"
            attune::duplicate_name

              × test `t` is declared twice
               ╭─[tests.yaml:4:7]
             3 │ ---
             4 │ test: t
               ·       ┬
               ·       ╰── here
             5 │ timeline: [{ at: 0m, expect: { sent: none } }]
               ╰────
              help: the first one stands in tests.yaml:1: rename or remove one of them"#]],
    );
}

#[test]
fn a_broken_journey_does_not_break_its_tests() {
    check_wrong(
        r"journey: cart
enter: { event: Product Added }
steps: [ { send: { channel: email } } ]
---
test: t
journey: cart
timeline: [{ at: 0m, expect: { sent: come-back, at_step: hold_until } }]
",
        &expect![[r#"
            attune::missing_key

              × `template` is missing in `send`
               ╭─[shop.yaml:3:20]
             2 │ enter: { event: Product Added }
             3 │ steps: [ { send: { channel: email } } ]
               ·                    ───┬───
               ·                       ╰── here
             4 │ ---
               ╰────
              help: add `template: ..`"#]],
    );
}

#[test]
fn what_events_and_customers_bring_is_held_against_the_schemas() {
    check_test(
        r"customer: { traits: { tier: gold, emial: a@example.org } }
timeline:
  - { at: 0m, event: Product Added, properties: { prodct_id: A1, price: cheap, quantity: '2' } }
  - { at: 1m, event: Order Completed, properties: { products: [ { product_id: A1, quanttiy: 2 } ], own: 1 } }
  - { at: 2m, identify: { frist_name: Ada, email: true }, expect: { sent: none } }
",
        &expect![[r#"
            attune::unknown_property

              × unknown property `profile.traits.emial`, did you mean `profile.traits.email`?
               ╭─[tests.yaml:2:35]
             1 │ test: t
             2 │ customer: { traits: { tier: gold, emial: a@example.org } }
               ·                                   ──┬──
               ·                                     ╰── here
             3 │ timeline:
               ╰────
              help: if senders do write `emial`, declare it under `schemas:`

            attune::unknown_property

              × unknown property `event.properties.prodct_id`, did you mean `event.properties.product_id`?
               ╭─[tests.yaml:4:51]
             3 │ timeline:
             4 │   - { at: 0m, event: Product Added, properties: { prodct_id: A1, price: cheap, quantity: '2' } }
               ·                                                   ────┬────
               ·                                                       ╰── here
             5 │   - { at: 1m, event: Order Completed, properties: { products: [ { product_id: A1, quanttiy: 2 } ], own: 1 } }
               ╰────
              help: if senders do write `prodct_id`, declare it under `schemas:`

            attune::unusual_value

              ⚠ `event.properties.price` is a number, this brings a text
               ╭─[tests.yaml:4:73]
             3 │ timeline:
             4 │   - { at: 0m, event: Product Added, properties: { prodct_id: A1, price: cheap, quantity: '2' } }
               ·                                                                         ──┬──
               ·                                                                           ╰── here
             5 │   - { at: 1m, event: Order Completed, properties: { products: [ { product_id: A1, quanttiy: 2 } ], own: 1 } }
               ╰────
              help: most conditions do not know what to do with a value of another type

            attune::unusual_value

              ⚠ `event.properties.quantity` is a number, this brings a text
               ╭─[tests.yaml:4:90]
             3 │ timeline:
             4 │   - { at: 0m, event: Product Added, properties: { prodct_id: A1, price: cheap, quantity: '2' } }
               ·                                                                                          ─┬─
               ·                                                                                           ╰── here
             5 │   - { at: 1m, event: Order Completed, properties: { products: [ { product_id: A1, quanttiy: 2 } ], own: 1 } }
               ╰────
              help: most conditions do not know what to do with a value of another type

            attune::unknown_property

              × unknown property `event.properties.products.quanttiy`, did you mean
              │ `event.properties.products.quantity`?
               ╭─[tests.yaml:5:83]
             4 │   - { at: 0m, event: Product Added, properties: { prodct_id: A1, price: cheap, quantity: '2' } }
             5 │   - { at: 1m, event: Order Completed, properties: { products: [ { product_id: A1, quanttiy: 2 } ], own: 1 } }
               ·                                                                                   ────┬───
               ·                                                                                       ╰── here
             6 │   - { at: 2m, identify: { frist_name: Ada, email: true }, expect: { sent: none } }
               ╰────
              help: if senders do write `quanttiy`, declare it under `schemas:`"#]],
    );
    check_test(
        r"timeline:
  - { at: 0m, event: Seat Reserved, properties: { seta: A1, row: 3, price: 2, note: ~ }, expect: { sent: none } }
---
schemas: { events: { Seat Reserved: { properties: { seat: text, price: number, note: text } } } }
",
        &expect![[r#"
            attune::unknown_property

              ⚠ unknown property `profile.traits.tier`
                ╭─[shop.yaml:16:23]
             15 │ segments:
             16 │   vip: profile.traits.tier == 'gold'
                ·                       ──┬─
                ·                         ╰── here
             17 │ ---
                ╰────
              help: if senders do write `tier`, declare it under `schemas:`

            attune::unknown_property

              ⚠ unknown property `event.properties.seta`, did you mean `event.properties.seat`?
               ╭─[tests.yaml:3:51]
             2 │ timeline:
             3 │   - { at: 0m, event: Seat Reserved, properties: { seta: A1, row: 3, price: 2, note: ~ }, expect: { sent: none } }
               ·                                                   ──┬─
               ·                                                     ╰── here
             4 │ ---
               ╰────
              help: if senders do write `seta`, declare it under `schemas:`

            attune::unknown_property

              ⚠ unknown property `event.properties.row`
               ╭─[tests.yaml:3:61]
             2 │ timeline:
             3 │   - { at: 0m, event: Seat Reserved, properties: { seta: A1, row: 3, price: 2, note: ~ }, expect: { sent: none } }
               ·                                                             ─┬─
               ·                                                              ╰── here
             4 │ ---
               ╰────
              help: if senders do write `row`, declare it under `schemas:`"#]],
    );
}

#[test]
fn of_a_shadow_nothing_is_known_that_goes_with_a_send() {
    check_test(
        r"timeline:
  - { at: 0m, expect: { would_send: { template: come-bak, with: { a: 1 } } } }
",
        &expect![[r#"
            attune::unknown_reference

              × unknown template `come-bak`, did you mean `come-back`?
               ╭─[tests.yaml:3:49]
             2 │ timeline:
             3 │   - { at: 0m, expect: { would_send: { template: come-bak, with: { a: 1 } } } }
               ·                                                 ────┬───
               ·                                                     ╰── here
               ╰────
              help: declared are `come-back`

            attune::unknown_key

              × unknown key `with` in a send
               ╭─[tests.yaml:3:59]
             2 │ timeline:
             3 │   - { at: 0m, expect: { would_send: { template: come-bak, with: { a: 1 } } } }
               ·                                                           ──┬─
               ·                                                             ╰── here
               ╰────
              help: keys of a send are `template`, `channel`"#]],
    );
}
