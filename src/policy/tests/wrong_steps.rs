//! Wrong waits, awaited events and splits, and what their author reads.

use expect_test::{Expect, expect};

/// Checks what the author of a journey with these steps reads.
fn check_steps(steps: &str, expected: &Expect) {
    let text = format!(
        "journey: j\nenter: {{ event: A }}\nsteps:\n{}\n",
        steps.trim_matches('\n')
    );
    super::check_wrong(&text, expected);
}

#[test]
fn a_time_beyond_the_day() {
    check_steps(
        "  - wait: { until: 24:00 }",
        &expect![[r#"
        attune::bad_value

          × `24:00` is not a time of the day
           ╭─[shop.yaml:4:20]
         3 │ steps:
         4 │   - wait: { until: 24:00 }
           ·                    ──┬──
           ·                      ╰── here
           ╰────
          help: write hours and minutes from `00:00` to `23:59`"#]],
    );
}

#[test]
fn a_zone_that_tzdata_does_not_know() {
    check_steps(
        "  - wait: { until: 09:00, zone: Europe/Berln }",
        &expect![[r#"
            attune::bad_value

              × unknown zone `Europe/Berln`, did you mean `Europe/Berlin`?
               ╭─[shop.yaml:4:33]
             3 │ steps:
             4 │   - wait: { until: 09:00, zone: Europe/Berln }
               ·                                 ──────┬─────
               ·                                       ╰── here
               ╰────
              help: write `customer`, or a name of tzdata such as `Europe/Berlin`"#]],
    );
}

#[test]
fn days_that_are_none() {
    check_steps(
        "  - wait: { until: 09:00, days: [mon..fry, tues, 1] }",
        &expect![[r#"
            attune::bad_value

              × `mon..fry` is not a day of the week
               ╭─[shop.yaml:4:34]
             3 │ steps:
             4 │   - wait: { until: 09:00, days: [mon..fry, tues, 1] }
               ·                                  ────┬───
               ·                                      ╰── here
               ╰────
              help: write `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`, or a range: `mon..fri`

            attune::bad_value

              × `tues` is not a day of the week, did you mean `tue`?
               ╭─[shop.yaml:4:44]
             3 │ steps:
             4 │   - wait: { until: 09:00, days: [mon..fry, tues, 1] }
               ·                                            ──┬─
               ·                                              ╰── here
               ╰────
              help: write `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`, or a range: `mon..fri`

            attune::bad_value

              × `1` is not a day of the week
               ╭─[shop.yaml:4:50]
             3 │ steps:
             4 │   - wait: { until: 09:00, days: [mon..fry, tues, 1] }
               ·                                                  ┬
               ·                                                  ╰── here
               ╰────
              help: write `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`, or a range: `mon..fri`"#]],
    );
}

#[test]
fn days_that_are_empty() {
    check_steps(
        "  - wait: { until: 09:00, days: [] }",
        &expect![[r#"
        attune::missing_value

          × there are no days
           ╭─[shop.yaml:4:33]
         3 │ steps:
         4 │   - wait: { until: 09:00, days: [] }
           ·                                 ─┬
           ·                                  ╰── here
           ╰────
          help: write for example `[mon..fri]`, or leave `days` out"#]],
    );
}

#[test]
fn an_offset_and_a_past_of_a_clock() {
    check_steps(
        "  - wait: { until: 09:00, offset: -1h, past: skip }",
        &expect![[r#"
            attune::bad_value

              × `offset` belongs to a date, and `until` is a time of the day
               ╭─[shop.yaml:4:35]
             3 │ steps:
             4 │   - wait: { until: 09:00, offset: -1h, past: skip }
               ·                                   ─┬─
               ·                                    ╰── here
               ╰────
              help: leave it out: the next time that the clocks show it is never past

            attune::bad_value

              × `past` belongs to a date, and `until` is a time of the day
               ╭─[shop.yaml:4:46]
             3 │ steps:
             4 │   - wait: { until: 09:00, offset: -1h, past: skip }
               ·                                              ──┬─
               ·                                                ╰── here
               ╰────
              help: leave it out: the next time that the clocks show it is never past"#]],
    );
}

#[test]
fn days_of_a_date() {
    check_steps(
        "  - wait: { until: profile.traits.renewal, days: [mon] }",
        &expect![[r#"
            attune::bad_value

              × `days` belongs to a time of the day, and `until` is a date
               ╭─[shop.yaml:4:50]
             3 │ steps:
             4 │   - wait: { until: profile.traits.renewal, days: [mon] }
               ·                                                  ──┬──
               ·                                                    ╰── here
               ╰────
              help: leave it out, or add a second step: `- wait: { until: 09:00, days: [mon..fri] }`"#]],
    );
}

#[test]
fn an_offset_without_a_unit_and_a_rule_that_is_none() {
    check_steps(
        "  - wait: { until: profile.traits.renewal, offset: -7, past: leave }",
        &expect![[r#"
            attune::bad_duration

              × `7` is not a duration, write for example `45m`, `1h30m` or `3d`
               ╭─[shop.yaml:4:52]
             3 │ steps:
             4 │   - wait: { until: profile.traits.renewal, offset: -7, past: leave }
               ·                                                    ─┬
               ·                                                     ╰── here
               ╰────
              help: write a length of time, with `-` for before the date: `-7d`

            attune::bad_value

              × unknown `past` `leave`
               ╭─[shop.yaml:4:62]
             3 │ steps:
             4 │   - wait: { until: profile.traits.renewal, offset: -7, past: leave }
               ·                                                              ──┬──
               ·                                                                ╰── here
               ╰────
              help: write one of `now`, `skip`, `exit`"#]],
    );
}

#[test]
fn a_wait_until_nothing() {
    check_steps(
        "  - wait: { zone: customer }",
        &expect![[r#"
        attune::missing_key

          × `until` is missing in `wait`
           ╭─[shop.yaml:4:13]
         3 │ steps:
         4 │   - wait: { zone: customer }
           ·             ──┬─
           ·               ╰── here
           ╰────
          help: add `until: ..`"#]],
    );
}

#[test]
fn a_wait_for_so_long_in_a_map() {
    check_steps(
        "  - wait: { for: 20h }",
        &expect![[r#"
        attune::missing_key

          × `until` is missing in `wait`
           ╭─[shop.yaml:4:13]
         3 │ steps:
         4 │   - wait: { for: 20h }
           ·             ─┬─
           ·              ╰── here
           ╰────
          help: add `until: ..`

        attune::unknown_key

          × unknown key `for` in `wait`
           ╭─[shop.yaml:4:13]
         3 │ steps:
         4 │   - wait: { for: 20h }
           ·             ─┬─
           ·              ╰── here
           ╰────
          help: keys of `wait` are `until`, `zone`, `days`, `offset`, `past`"#]],
    );
}

#[test]
fn an_expression_of_a_date_with_a_wrong_name() {
    check_steps(
        "  - wait: { until: profil.traits.renewal }",
        &expect![[r#"
        attune::unknown_name

          × unknown name `profil`, did you mean `profile`?
           ╭─[shop.yaml:4:20]
         3 │ steps:
         4 │   - wait: { until: profil.traits.renewal }
           ·                    ───┬──
           ·                       ╰── here
           ╰────
          help: names here are `profile`, `entry`; a text stands in quotes inside the expression:
                "'profil'""#]],
    );
}

#[test]
fn a_skip_with_nothing_behind_it() {
    check_steps(
        "
  - branch:
      - when: profile.traits.x == 1
        then: { wait: { until: profile.traits.renewal, past: skip } }
      - otherwise: next
  - send: { channel: push, template: t }",
        &expect![[r#"
            attune::bad_value

              × there is no step behind this one that could be skipped
               ╭─[shop.yaml:6:62]
             5 │       - when: profile.traits.x == 1
             6 │         then: { wait: { until: profile.traits.renewal, past: skip } }
               ·                                                              ──┬─
               ·                                                                ╰── here
             7 │       - otherwise: next
               ╰────
              help: put the step for that date behind it, or write `past: now`"#]],
    );
}

#[test]
fn a_wait_for_events_without_an_end() {
    check_steps(
        "  - wait_for: { arms: [ { event: B } ] }",
        &expect![[r#"
        attune::missing_key

          × `within` is missing in `wait_for`
           ╭─[shop.yaml:4:17]
         3 │ steps:
         4 │   - wait_for: { arms: [ { event: B } ] }
           ·                 ──┬─
           ·                   ╰── here
           ╰────
          help: add `within: ..`"#]],
    );
}

#[test]
fn a_wait_for_nothing() {
    check_steps(
        "  - wait_for: { arms: [], within: 1h }",
        &expect![[r#"
        attune::missing_value

          × there is nothing to wait for
           ╭─[shop.yaml:4:23]
         3 │ steps:
         4 │   - wait_for: { arms: [], within: 1h }
           ·                       ─┬
           ·                        ╰── here
           ╰────
          help: write `- event: ..` with `where: ..` and `then: ..`"#]],
    );
}

#[test]
fn arms_that_are_no_list() {
    check_steps(
        "  - wait_for: { arms: { event: B }, within: 1h }",
        &expect![[r#"
            attune::wrong_type

              × `arms` is a list of events to wait for, not a map
               ╭─[shop.yaml:4:23]
             3 │ steps:
             4 │   - wait_for: { arms: { event: B }, within: 1h }
               ·                       ──────┬─────
               ·                             ╰── here
               ╰────
              help: write `- event: ..` with `where: ..` and `then: ..`"#]],
    );
}

#[test]
fn an_arm_without_an_event_and_a_wrong_rank() {
    check_steps(
        "
  - wait_for:
      arms: [ { where: event.properties.x > 1, than: stop } ]
      within: 1h
      rank: yes please",
        &expect![[r#"
            attune::missing_key

              × `event` is missing in an arm
               ╭─[shop.yaml:5:17]
             4 │   - wait_for:
             5 │       arms: [ { where: event.properties.x > 1, than: stop } ]
               ·                 ──┬──
               ·                   ╰── here
             6 │       within: 1h
               ╰────
              help: add `event: ..`

            attune::unknown_key

              × unknown key `than` in an arm, did you mean `then`?
               ╭─[shop.yaml:5:48]
             4 │   - wait_for:
             5 │       arms: [ { where: event.properties.x > 1, than: stop } ]
               ·                                                ──┬─
               ·                                                  ╰── here
             6 │       within: 1h
               ╰────
              help: keys of an arm are `event`, `where`, `then`

            attune::bad_value

              × unknown `rank` `yes please`
               ╭─[shop.yaml:7:13]
             6 │       within: 1h
             7 │       rank: yes please
               ·             ─────┬────
               ·                  ╰── here
               ╰────
              help: write one of `true`, `false`"#]],
    );
}

#[test]
fn a_step_behind_a_wait_that_everybody_leaves_from() {
    check_steps(
        "
  - wait_for: { arms: [ { event: B, then: stop } ], within: 1h, otherwise: stop }
  - wait: 1h",
        &expect![[r#"
            attune::unreachable

              × this step can never be reached: everybody has left before it
               ╭─[shop.yaml:5:5]
             4 │   - wait_for: { arms: [ { event: B, then: stop } ], within: 1h, otherwise: stop }
             5 │   - wait: 1h
               ·     ────┬───
               ·         ╰── here
               ╰────
              help: remove it, or let the step before it go on"#]],
    );
}

#[test]
fn shares_that_are_not_everybody() {
    check_steps(
        "  - split: { a: 50%, b: 40% }",
        &expect![[r#"
        attune::bad_value

          × the shares add up to 90%, not to 100%
           ╭─[shop.yaml:4:12]
         3 │ steps:
         4 │   - split: { a: 50%, b: 40% }
           ·            ─────────┬────────
           ·                     ╰── here
           ╰────
          help: let them be everybody: an arm whose people just go on is one, too"#]],
    );
}

#[test]
fn shares_that_are_no_percentages() {
    check_steps(
        "  - split: { a: 0.5, b: -1%, c: 120%, d: half }",
        &expect![[r#"
            attune::bad_value

              × `0.5` is not a share of the customers
               ╭─[shop.yaml:4:17]
             3 │ steps:
             4 │   - split: { a: 0.5, b: -1%, c: 120%, d: half }
               ·                 ─┬─
               ·                  ╰── here
               ╰────
              help: write a percentage from 0 to 100: `50%`

            attune::bad_value

              × `-1%` is not a share of the customers
               ╭─[shop.yaml:4:25]
             3 │ steps:
             4 │   - split: { a: 0.5, b: -1%, c: 120%, d: half }
               ·                         ─┬─
               ·                          ╰── here
               ╰────
              help: write a percentage from 0 to 100: `50%`

            attune::bad_value

              × `120%` is not a share of the customers
               ╭─[shop.yaml:4:33]
             3 │ steps:
             4 │   - split: { a: 0.5, b: -1%, c: 120%, d: half }
               ·                                 ──┬─
               ·                                   ╰── here
               ╰────
              help: write a percentage from 0 to 100: `50%`

            attune::bad_value

              × `half` is not a share of the customers
               ╭─[shop.yaml:4:42]
             3 │ steps:
             4 │   - split: { a: 0.5, b: -1%, c: 120%, d: half }
               ·                                          ──┬─
               ·                                            ╰── here
               ╰────
              help: write a percentage from 0 to 100: `50%`"#]],
    );
}

#[test]
fn a_split_of_nobody() {
    check_steps(
        "
  - split: {}
  - split: { arms: [] }
  - split: [a, b]",
        &expect![[r#"
            attune::bad_value

              × the shares add up to 0%, not to 100%
               ╭─[shop.yaml:4:12]
             3 │ steps:
             4 │   - split: {}
               ·            ─┬
               ·             ╰── here
             5 │   - split: { arms: [] }
               ╰────
              help: let them be everybody: an arm whose people just go on is one, too

            attune::bad_value

              × the shares add up to 0%, not to 100%
               ╭─[shop.yaml:5:12]
             4 │   - split: {}
             5 │   - split: { arms: [] }
               ·            ──────┬─────
               ·                  ╰── here
             6 │   - split: [a, b]
               ╰────
              help: let them be everybody: an arm whose people just go on is one, too

            attune::wrong_type

              × `split` is a map of shares, not a list
               ╭─[shop.yaml:6:12]
             5 │   - split: { arms: [] }
             6 │   - split: [a, b]
               ·            ───┬──
               ·               ╰── here
               ╰────
              help: write `split: { a: 50%, b: 50% }`, or `split: { arms: [..] }`"#]],
    );
}

#[test]
fn arms_of_a_split_with_one_name() {
    check_steps(
        "
  - split:
      arms:
        - { name: a, share: 50% }
        - { name: a, share: 50% }
        - { nam: c }",
        &expect![[r#"
            attune::duplicate_name

              × arm `a` is declared twice
               ╭─[shop.yaml:7:19]
             6 │         - { name: a, share: 50% }
             7 │         - { name: a, share: 50% }
               ·                   ┬
               ·                   ╰── here
             8 │         - { nam: c }
               ╰────
              help: give every arm a name of its own

            attune::missing_key

              × `share` is missing in an arm
               ╭─[shop.yaml:8:13]
             7 │         - { name: a, share: 50% }
             8 │         - { nam: c }
               ·             ─┬─
               ·              ╰── here
               ╰────
              help: add `share: ..`

            attune::unknown_key

              × unknown key `nam` in an arm, did you mean `name`?
               ╭─[shop.yaml:8:13]
             7 │         - { name: a, share: 50% }
             8 │         - { nam: c }
               ·             ─┬─
               ·              ╰── here
               ╰────
              help: keys of an arm are `name`, `share`, `then`"#]],
    );
}

#[test]
fn a_split_with_arms_and_shares() {
    check_steps(
        "  - split: { arms: [ { name: a, share: 100% } ], b: 50% }",
        &expect![[r#"
            attune::unknown_key

              × unknown key `b` in `split` with `arms`
               ╭─[shop.yaml:4:50]
             3 │ steps:
             4 │   - split: { arms: [ { name: a, share: 100% } ], b: 50% }
               ·                                                  ┬
               ·                                                  ╰── here
               ╰────
              help: keys of `split` with `arms` are `arms`, `salt`, `as`"#]],
    );
}

#[test]
fn a_result_of_a_split_that_means_something_else() {
    check_steps(
        "  - split: { a: 100%, as: profile }",
        &expect![[r#"
        attune::bad_name

          × `profile` cannot be the name of a result
           ╭─[shop.yaml:4:27]
         3 │ steps:
         4 │   - split: { a: 100%, as: profile }
           ·                           ───┬───
           ·                              ╰── here
           ╰────
          help: a result has a name of letters, digits and `_` that means nothing else, for example `buy`"#]],
    );
}
