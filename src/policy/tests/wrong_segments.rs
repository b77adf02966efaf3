//! What an author reads when a segment, a trigger or a feature is wrong.

use expect_test::expect;

use super::check_wrong;

#[test]
fn segments_that_ask_each_other_are_named_as_a_circle() {
    check_wrong(
        "segments:\n  a: in_segment('c')\n  b: in_segment('a')\n  c: in_segment('b')\n  d: in_segment('a')\n",
        &expect![[r#"
            attune::segment_cycle

              × segments ask each other in a circle: `a` → `c` → `b` → `a`
               ╭─[shop.yaml:2:3]
             1 │ segments:
             2 │   a: in_segment('c')
               ·   ┬
               ·   ╰── here
             3 │   b: in_segment('a')
               ╰────
              help: one of them must say who is in without asking the others"#]],
    );
}

#[test]
fn an_unknown_segment_suggests_a_known_one() {
    check_wrong(
        "segments: { lapsing: profile.traits.x == 1 }\n---\njourney: j\nenter: { segment: { entered: lapsin } }\nexit: { when: \"in_segment('laping')\" }\nsteps: [stop]\n",
        &expect![[r#"
            attune::unknown_segment

              × unknown segment `lapsin`, did you mean `lapsing`?
               ╭─[shop.yaml:4:30]
             3 │ journey: j
             4 │ enter: { segment: { entered: lapsin } }
               ·                              ───┬──
               ·                                 ╰── here
             5 │ exit: { when: "in_segment('laping')" }
               ╰────
              help: declared segments are `lapsing`

            attune::unknown_segment

              × unknown segment `laping`, did you mean `lapsing`?
               ╭─[shop.yaml:5:27]
             4 │ enter: { segment: { entered: lapsin } }
             5 │ exit: { when: "in_segment('laping')" }
               ·                           ────┬───
               ·                               ╰── here
             6 │ steps: [stop]
               ╰────
              help: declared segments are `lapsing`"#]],
    );
}

#[test]
fn a_clock_that_cannot_be_told_in_advance_is_refused() {
    check_wrong(
        "segments:\n  odd: now() % 2 == 0\n  good: profile.traits.at + 1000 < now()\n",
        &expect![[r#"
            attune::segment_clock

              × it cannot be told in advance when the clock changes `now() % 2 == 0`, so leaving the segment
              │ would be missed
               ╭─[shop.yaml:2:3]
             1 │ segments:
             2 │   odd: now() % 2 == 0
               ·   ─┬─
               ·    ╰── here
             3 │   good: profile.traits.at + 1000 < now()
               ╰────
              help: compare the clock with something that stands still: `profile.traits.renewal < ago('7d')`;
                    ask the calendar by `local_hour()`, `local_weekday()` and `local_month()`"#]],
    );
}

#[test]
fn a_segment_looks_at_the_customer_alone() {
    check_wrong(
        "segments:\n  a: event.properties.x == 1\n  b: { wen: true }\n  c: { when: true, publish: maybe }\n",
        &expect![[r#"
            attune::not_at_hand

              × `event` is not at hand in a segment
               ╭─[shop.yaml:2:6]
             1 │ segments:
             2 │   a: event.properties.x == 1
               ·      ──┬──
               ·        ╰── here
             3 │   b: { wen: true }
               ╰────
              help: who is in a segment depends on the customer alone: declare a feature over the event

            attune::unknown_key

              × unknown key `wen` in segment `b`, did you mean `when`?
               ╭─[shop.yaml:3:8]
             2 │   a: event.properties.x == 1
             3 │   b: { wen: true }
               ·        ─┬─
               ·         ╰── here
             4 │   c: { when: true, publish: maybe }
               ╰────
              help: keys of segment `b` are `about`, `when`, `publish`

            attune::always_true

              ⚠ this condition is true for every value
               ╭─[shop.yaml:4:14]
             3 │   b: { wen: true }
             4 │   c: { when: true, publish: maybe }
               ·              ──┬─
               ·                ╰── here
               ╰────
              help: remove it, or compare with another value

            attune::bad_value

              × unknown `publish` `maybe`
               ╭─[shop.yaml:4:29]
             3 │   b: { wen: true }
             4 │   c: { when: true, publish: maybe }
               ·                             ──┬──
               ·                               ╰── here
               ╰────
              help: write one of `true`, `false`"#]],
    );
}

#[test]
fn an_entry_has_one_trigger_and_it_makes_sense() {
    check_wrong(
        "journey: j
enter: { event: A, schedule: { cron: '0 9 * * *' } }
steps: [stop]
---
journey: k
enter: { schedule: { cron: '0 25 * * *', zone: Europe/Berlinn } }
steps: [stop]
---
journey: l
enter: { absent: { event: A }, max_age: 1h }
steps: [stop]
---
journey: m
enter: { segment: lapsing }
steps: [stop]
---
journey: n
enter: { event: A, reentry: concurrent up to 0 by key }
steps: [stop]
---
journey: o
enter: { event: A, reentry: concurrent up to 2 by key }
steps: [stop]
",
        &expect![[r#"
            attune::bad_value

              × `enter` has 2 triggers instead of one
               ╭─[shop.yaml:2:8]
             1 │ journey: j
             2 │ enter: { event: A, schedule: { cron: '0 9 * * *' } }
               ·        ──────────────────────┬──────────────────────
               ·                              ╰── here
             3 │ steps: [stop]
               ╰────
              help: write one of `event`, `segment`, `schedule`, `absent`; a second way in is a second journey

            attune::missing_key

              × the schedule does not say for whom
               ╭─[shop.yaml:6:20]
             5 │ journey: k
             6 │ enter: { schedule: { cron: '0 25 * * *', zone: Europe/Berlinn } }
               ·                    ──────────────────────┬─────────────────────
               ·                                          ╰── here
             7 │ steps: [stop]
               ╰────
              help: add `for: SEGMENT` to it, or `where: CONDITION` to `enter`

            attune::bad_cron

              × the hour `25` is not between 0 and 23
               ╭─[shop.yaml:6:28]
             5 │ journey: k
             6 │ enter: { schedule: { cron: '0 25 * * *', zone: Europe/Berlinn } }
               ·                            ──────┬─────
               ·                                  ╰── here
             7 │ steps: [stop]
               ╰────
              help: write minute, hour, day, month and weekday: `'0 9 * * mon'`

            attune::bad_zone

              × `Europe/Berlinn` is not a time zone
               ╭─[shop.yaml:6:48]
             5 │ journey: k
             6 │ enter: { schedule: { cron: '0 25 * * *', zone: Europe/Berlinn } }
               ·                                                ───────┬──────
               ·                                                       ╰── here
             7 │ steps: [stop]
               ╰────
              help: write `customer`, or a zone of tzdata: `Europe/Berlin`

            attune::missing_key

              × `for` is missing in `absent`
                ╭─[shop.yaml:10:20]
              9 │ journey: l
             10 │ enter: { absent: { event: A }, max_age: 1h }
                ·                    ──┬──
                ·                      ╰── here
             11 │ steps: [stop]
                ╰────
              help: add `for: ..`

            attune::wrong_type

              × `segment` says which way and which one, not a text
                ╭─[shop.yaml:14:19]
             13 │ journey: m
             14 │ enter: { segment: lapsing }
                ·                   ───┬───
                ·                      ╰── here
             15 │ steps: [stop]
                ╰────
              help: write `segment: { entered: NAME }` or `segment: { exited: NAME }`

            attune::bad_value

              × `concurrent up to 0 by key` is not a number of runs from 1
                ╭─[shop.yaml:18:29]
             17 │ journey: n
             18 │ enter: { event: A, reentry: concurrent up to 0 by key }
                ·                             ────────────┬────────────
                ·                                         ╰── here
             19 │ steps: [stop]
                ╰────
              help: write `concurrent up to 3 by key`, or `{ concurrent: 3 }`

            attune::missing_key

              × runs at the same time are told apart by their key, and there is none
                ╭─[shop.yaml:22:29]
             21 │ journey: o
             22 │ enter: { event: A, reentry: concurrent up to 2 by key }
                ·                             ────────────┬────────────
                ·                                         ╰── here
             23 │ steps: [stop]
                ╰────
              help: add `key: event.properties.order_id`, or leave the number of runs out"#]],
    );
}

#[test]
fn what_would_need_endless_memory_is_refused() {
    check_wrong(
        "features:
  a: { mode: V, of: event.properties.x }
  b: { count: V, remember: 9 }
  c: { count: V, window: 7d, remember: 99999 }
  d: { recency: V, of: event.properties.x }
",
        &expect![[r#"
            attune::bad_value

              × `mode` over a lifetime would have to remember every event
               ╭─[shop.yaml:2:3]
             1 │ features:
             2 │   a: { mode: V, of: event.properties.x }
               ·   ┬
               ·   ╰── here
             3 │   b: { count: V, remember: 9 }
               ╰────
              help: add `window: session`, or a length of time: `window: 90d`

            attune::bad_value

              × this feature remembers a single value, whatever happens
               ╭─[shop.yaml:3:28]
             2 │   a: { mode: V, of: event.properties.x }
             3 │   b: { count: V, remember: 9 }
               ·                            ┬
               ·                            ╰── here
             4 │   c: { count: V, window: 7d, remember: 99999 }
               ╰────
              help: leave `remember` out

            attune::bad_value

              × `99999` is not a number of events from 1 to 16384
               ╭─[shop.yaml:4:40]
             3 │   b: { count: V, remember: 9 }
             4 │   c: { count: V, window: 7d, remember: 99999 }
               ·                                        ──┬──
               ·                                          ╰── here
             5 │   d: { recency: V, of: event.properties.x }
               ╰────
              help: where more would count, the feature is unknown: `remember: 2000`

            attune::bad_value

              × `recency` takes no `of`
               ╭─[shop.yaml:5:3]
             4 │   c: { count: V, window: 7d, remember: 99999 }
             5 │   d: { recency: V, of: event.properties.x }
               ·   ┬
               ·   ╰── here
               ╰────
              help: remove `of`; `count`, `recency` and `dwell` look at nothing but the event itself"#]],
    );
}
