//! What is wrong with limits, channels, and the guards of a send.

use expect_test::expect;

use super::check_wrong;

#[test]
fn a_cap_that_nobody_can_read_is_explained() {
    check_wrong(
        r"limits:
  email: three per week
  sms: 3
  push: { cap: 3 per 7d, windw: calendar }
  all: [ 3 per 40h, 2 per month, 5000 per 1d, { cap: 3 per 40h, window: calendar } ]
",
        &expect![[r#"
            attune::bad_value

              × `three per week` is not a cap
               ╭─[shop.yaml:2:10]
             1 │ limits:
             2 │   email: three per week
               ·          ───────┬──────
               ·                 ╰── here
             3 │   sms: 3
               ╰────
              help: write how many in which time: `3 per 7d`, `{ cap: 3 per day, window: calendar }`, or `0`
                    for none

            attune::bad_value

              × `3` is not a cap
               ╭─[shop.yaml:3:8]
             2 │   email: three per week
             3 │   sms: 3
               ·        ┬
               ·        ╰── here
             4 │   push: { cap: 3 per 7d, windw: calendar }
               ╰────
              help: write how many in which time: `3 per 7d`, `{ cap: 3 per day, window: calendar }`, or `0`
                    for none

            attune::unknown_key

              × unknown key `windw` in a cap, did you mean `window`?
               ╭─[shop.yaml:4:26]
             3 │   sms: 3
             4 │   push: { cap: 3 per 7d, windw: calendar }
               ·                          ──┬──
               ·                            ╰── here
             5 │   all: [ 3 per 40h, 2 per month, 5000 per 1d, { cap: 3 per 40h, window: calendar } ]
               ╰────
              help: keys of a cap are `cap`, `window`

            attune::bad_value

              × `2 per month` is not a cap
               ╭─[shop.yaml:5:21]
             4 │   push: { cap: 3 per 7d, windw: calendar }
             5 │   all: [ 3 per 40h, 2 per month, 5000 per 1d, { cap: 3 per 40h, window: calendar } ]
               ·                     ─────┬─────
               ·                          ╰── here
               ╰────
              help: write how many in which time: `3 per 7d`, `{ cap: 3 per day, window: calendar }`, or `0`
                    for none

            attune::bad_value

              × a cap of 5000 is more than anybody is written to
               ╭─[shop.yaml:5:34]
             4 │   push: { cap: 3 per 7d, windw: calendar }
             5 │   all: [ 3 per 40h, 2 per month, 5000 per 1d, { cap: 3 per 40h, window: calendar } ]
               ·                                  ─────┬─────
               ·                                       ╰── here
               ╰────
              help: write at most 1000, or leave the cap out: without one a channel is unlimited

            attune::bad_value

              × `3 per 40h` is not a cap
               ╭─[shop.yaml:5:54]
             4 │   push: { cap: 3 per 7d, windw: calendar }
             5 │   all: [ 3 per 40h, 2 per month, 5000 per 1d, { cap: 3 per 40h, window: calendar } ]
               ·                                                      ────┬────
               ·                                                          ╰── here
               ╰────
              help: write how many in which time: `3 per 7d`, `{ cap: 3 per day, window: calendar }`, or `0`
                    for none"#]],
    );
}

#[test]
fn a_cap_on_a_channel_that_nobody_sends_on_is_a_typo() {
    check_wrong(
        r"limits: { emial: 3 per 7d, letter: 1 per 1d }
---
journey: j
enter: { event: A }
steps: [ { send: { channel: leter, template: t } } ]
",
        &expect![[r#"
            attune::unknown_reference

              × unknown channel `emial`, did you mean `email`?
               ╭─[shop.yaml:1:11]
             1 │ limits: { emial: 3 per 7d, letter: 1 per 1d }
               ·           ──┬──
               ·             ╰── here
             2 │ ---
               ╰────
              help: declared are `all`, `email`, `leter`, `push`, `sms`

            attune::unknown_reference

              × unknown channel `letter`, did you mean `leter`?
               ╭─[shop.yaml:1:28]
             1 │ limits: { emial: 3 per 7d, letter: 1 per 1d }
               ·                            ───┬──
               ·                               ╰── here
             2 │ ---
               ╰────
              help: declared are `all`, `email`, `leter`, `push`, `sms`"#]],
    );
}

#[test]
fn quiet_hours_that_nobody_can_read_are_explained() {
    check_wrong(
        r"limits: { quiet_hours: 21-8 customer }
---
journey: j
enter: { event: A }
quiet_hours: 21:00-08:00 Europe/Berln
steps:
  - send: { channel: email, template: t, quiet_hours: { between: 09:00-09:00, days: [monday], then: wait, jitter: 2d } }
  - send: { channel: email, template: t, quiet_hours: { days: [] } }
",
        &expect![[r#"
            attune::bad_value

              × `21-8` is not a part of the day
               ╭─[shop.yaml:1:24]
             1 │ limits: { quiet_hours: 21-8 customer }
               ·                        ──────┬──────
               ·                              ╰── here
             2 │ ---
               ╰────
              help: write `21:00-08:00 customer`, or `{ between: 21:00-08:00, zone: customer, days:
                    [mon..fri], then: hold }`

            attune::bad_value

              × unknown time zone `Europe/Berln`
               ╭─[shop.yaml:5:14]
             4 │ enter: { event: A }
             5 │ quiet_hours: 21:00-08:00 Europe/Berln
               ·              ────────────┬───────────
               ·                          ╰── here
             6 │ steps:
               ╰────
              help: write `customer`, or a name of tzdata such as `Europe/Berlin`

            attune::bad_value

              × `09:00-09:00` is not a part of the day
               ╭─[shop.yaml:7:66]
             6 │ steps:
             7 │   - send: { channel: email, template: t, quiet_hours: { between: 09:00-09:00, days: [monday], then: wait, jitter: 2d } }
               ·                                                                  ─────┬─────
               ·                                                                       ╰── here
             8 │   - send: { channel: email, template: t, quiet_hours: { days: [] } }
               ╰────
              help: write `21:00-08:00 customer`, or `{ between: 21:00-08:00, zone: customer, days:
                    [mon..fri], then: hold }`

            attune::bad_value

              × `monday` is not a day of the week
               ╭─[shop.yaml:7:86]
             6 │ steps:
             7 │   - send: { channel: email, template: t, quiet_hours: { between: 09:00-09:00, days: [monday], then: wait, jitter: 2d } }
               ·                                                                                      ───┬──
               ·                                                                                         ╰── here
             8 │   - send: { channel: email, template: t, quiet_hours: { days: [] } }
               ╰────
              help: write `[mon..fri, sun]`

            attune::bad_value

              × unknown `then` `wait`
               ╭─[shop.yaml:7:101]
             6 │ steps:
             7 │   - send: { channel: email, template: t, quiet_hours: { between: 09:00-09:00, days: [monday], then: wait, jitter: 2d } }
               ·                                                                                                     ──┬─
               ·                                                                                                       ╰── here
             8 │   - send: { channel: email, template: t, quiet_hours: { days: [] } }
               ╰────
              help: write one of `hold`, `drop`

            attune::bad_value

              × a jitter of 2d is longer than 12h
               ╭─[shop.yaml:7:115]
             6 │ steps:
             7 │   - send: { channel: email, template: t, quiet_hours: { between: 09:00-09:00, days: [monday], then: wait, jitter: 2d } }
               ·                                                                                                                   ─┬
               ·                                                                                                                    ╰── here
             8 │   - send: { channel: email, template: t, quiet_hours: { days: [] } }
               ╰────
              help: write for example `30m`

            attune::missing_key

              × `between` is missing in `quiet_hours`
               ╭─[shop.yaml:8:57]
             7 │   - send: { channel: email, template: t, quiet_hours: { between: 09:00-09:00, days: [monday], then: wait, jitter: 2d } }
             8 │   - send: { channel: email, template: t, quiet_hours: { days: [] } }
               ·                                                         ──┬─
               ·                                                           ╰── here
               ╰────
              help: add `between: ..`"#]],
    );
}

#[test]
fn wrong_words_beside_a_send_are_explained() {
    check_wrong(
        r"journey: j
enter: { event: A }
priority: event.properties.x
class: promotional
steps:
  - send: { channel: all, template: t, on_block: retry, purpose: a b, class: law }
  - set: { consent.email: true }
---
channels:
  email: { address: traits., consent: maybe }
  push: token
---
limits: { email: 1 per 1d }
---
limits: { email: 2 per 1d }
",
        &expect![[r#"
            attune::not_at_hand

              × `event` is not at hand in a step
               ╭─[shop.yaml:3:11]
             2 │ enter: { event: A }
             3 │ priority: event.properties.x
               ·           ──┬──
               ·             ╰── here
             4 │ class: promotional
               ╰────
              help: use `entry`, the event that entered

            attune::bad_value

              × unknown class `promotional`
               ╭─[shop.yaml:4:8]
             3 │ priority: event.properties.x
             4 │ class: promotional
               ·        ─────┬─────
               ·             ╰── here
             5 │ steps:
               ╰────
              help: write one of `marketing`, `transactional`, `mandatory`

            attune::bad_name

              × `all` cannot be the name of a channel
               ╭─[shop.yaml:6:22]
             5 │ steps:
             6 │   - send: { channel: all, template: t, on_block: retry, purpose: a b, class: law }
               ·                      ─┬─
               ·                       ╰── here
             7 │   - set: { consent.email: true }
               ╰────
              help: it has a meaning of its own under `limits:`

            attune::bad_value

              × unknown `on_block` `retry`
               ╭─[shop.yaml:6:50]
             5 │ steps:
             6 │   - send: { channel: all, template: t, on_block: retry, purpose: a b, class: law }
               ·                                                  ──┬──
               ·                                                    ╰── here
             7 │   - set: { consent.email: true }
               ╰────
              help: write one of `next`, `exit`, `retry_at_release`

            attune::bad_name

              × `a b` cannot be the name of a purpose
               ╭─[shop.yaml:6:66]
             5 │ steps:
             6 │   - send: { channel: all, template: t, on_block: retry, purpose: a b, class: law }
               ·                                                                  ─┬─
               ·                                                                   ╰── here
             7 │   - set: { consent.email: true }
               ╰────
              help: a name has 1 to 64 letters, digits, `-` and `_`

            attune::bad_value

              × unknown class `law`
               ╭─[shop.yaml:6:78]
             5 │ steps:
             6 │   - send: { channel: all, template: t, on_block: retry, purpose: a b, class: law }
               ·                                                                              ─┬─
               ·                                                                               ╰── here
             7 │   - set: { consent.email: true }
               ╰────
              help: write one of `marketing`, `transactional`, `mandatory`

            attune::bad_name

              × `consent.email` cannot be set by a journey
               ╭─[shop.yaml:7:12]
             6 │   - send: { channel: all, template: t, on_block: retry, purpose: a b, class: law }
             7 │   - set: { consent.email: true }
               ·            ──────┬──────
               ·                  ╰── here
             8 │ ---
               ╰────
              help: consent comes from the customer: by the event `Consent Changed` or by an identify call

            attune::bad_name

              × `traits.` is not the path of a trait
                ╭─[shop.yaml:10:21]
              9 │ channels:
             10 │   email: { address: traits., consent: maybe }
                ·                     ───┬───
                ·                        ╰── here
             11 │   push: token
                ╰────
              help: write the path of a trait, `traits.email`, or `none` where the channel finds the address
                    itself

            attune::wrong_type

              × channel `push` is a map, not a text
                ╭─[shop.yaml:11:9]
             10 │   email: { address: traits., consent: maybe }
             11 │   push: token
                ·         ──┬──
                ·           ╰── here
             12 │ ---
                ╰────
              help: write it with keys: `about`, `address`, `consent`

            attune::duplicate_name

              × limit `email` is declared twice
                ╭─[shop.yaml:15:11]
             14 │ ---
             15 │ limits: { email: 2 per 1d }
                ·           ──┬──
                ·             ╰── here
                ╰────
              help: the first one stands in shop.yaml:13: rename or remove one of them"#]],
    );
}
