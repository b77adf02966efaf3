//! What an author reads when an offer, a group or a placement is wrong.

use expect_test::expect;

use super::check_wrong;

#[test]
fn a_contact_policy_that_cannot_be_counted_shows_how_one_is_written() {
    check_wrong(
        r"offers:
  a: { placements: [p], contact: { after: 3 views per 7d, suppress: 14d } }
  b: { placements: [p], contact: { after: 99 clicks per 7d, suppress: 14d } }
  c: { placements: [p], contact: { after: 2 clicks, suppress: 14d } }
  d: { placements: [p], contact: { after: 1 click per 1d without click, suppress: 0d } }
  e: { placements: [p], contact: { aftr: 1 click } }
placements: { p: {} }
",
        &expect![[r#"
            attune::bad_value

              × `3 views per 7d` is not something that can be counted
               ╭─[shop.yaml:2:43]
             1 │ offers:
             2 │   a: { placements: [p], contact: { after: 3 views per 7d, suppress: 14d } }
               ·                                           ───────┬──────
               ·                                                  ╰── here
             3 │   b: { placements: [p], contact: { after: 99 clicks per 7d, suppress: 14d } }
               ╰────
              help: write how many of which in which time, and what lifts it: `3 impressions per 7d without
                    click`, `1 rejection`; there are impressions, clicks, conversions and rejections

            attune::bad_value

              × 99 are more than are remembered
               ╭─[shop.yaml:3:43]
             2 │   a: { placements: [p], contact: { after: 3 views per 7d, suppress: 14d } }
             3 │   b: { placements: [p], contact: { after: 99 clicks per 7d, suppress: 14d } }
               ·                                           ────────┬───────
               ·                                                   ╰── here
             4 │   c: { placements: [p], contact: { after: 2 clicks, suppress: 14d } }
               ╰────
              help: write at most 50

            attune::bad_value

              × `2 clicks` is not something that can be counted
               ╭─[shop.yaml:4:43]
             3 │   b: { placements: [p], contact: { after: 99 clicks per 7d, suppress: 14d } }
             4 │   c: { placements: [p], contact: { after: 2 clicks, suppress: 14d } }
               ·                                           ────┬───
               ·                                               ╰── here
             5 │   d: { placements: [p], contact: { after: 1 click per 1d without click, suppress: 0d } }
               ╰────
              help: write how many of which in which time, and what lifts it: `3 impressions per 7d without
                    click`, `1 rejection`; there are impressions, clicks, conversions and rejections

            attune::bad_value

              × `1 click per 1d without click` is not something that can be counted
               ╭─[shop.yaml:5:43]
             4 │   c: { placements: [p], contact: { after: 2 clicks, suppress: 14d } }
             5 │   d: { placements: [p], contact: { after: 1 click per 1d without click, suppress: 0d } }
               ·                                           ──────────────┬─────────────
               ·                                                         ╰── here
             6 │   e: { placements: [p], contact: { aftr: 1 click } }
               ╰────
              help: write how many of which in which time, and what lifts it: `3 impressions per 7d without
                    click`, `1 rejection`; there are impressions, clicks, conversions and rejections

            attune::bad_duration

              × `suppress` is longer than nothing
               ╭─[shop.yaml:5:83]
             4 │   c: { placements: [p], contact: { after: 2 clicks, suppress: 14d } }
             5 │   d: { placements: [p], contact: { after: 1 click per 1d without click, suppress: 0d } }
               ·                                                                                   ─┬
               ·                                                                                    ╰── here
             6 │   e: { placements: [p], contact: { aftr: 1 click } }
               ╰────
              help: units are `ms`, `s`, `m`, `h`, `d`, `w`: `45m`, `1h30m`, `3d`

            attune::missing_key

              × `suppress` is missing in a contact policy
               ╭─[shop.yaml:6:36]
             5 │   d: { placements: [p], contact: { after: 1 click per 1d without click, suppress: 0d } }
             6 │   e: { placements: [p], contact: { aftr: 1 click } }
               ·                                    ──┬─
               ·                                      ╰── here
             7 │ placements: { p: {} }
               ╰────
              help: add `suppress: ..`

            attune::unknown_key

              × unknown key `aftr` in a contact policy, did you mean `after`?
               ╭─[shop.yaml:6:36]
             5 │   d: { placements: [p], contact: { after: 1 click per 1d without click, suppress: 0d } }
             6 │   e: { placements: [p], contact: { aftr: 1 click } }
               ·                                    ──┬─
               ·                                      ╰── here
             7 │ placements: { p: {} }
               ╰────
              help: keys of a contact policy are `after`, `suppress`"#]],
    );
}

#[test]
fn a_date_that_is_none_and_an_end_before_the_start_are_reported() {
    check_wrong(
        r"offers:
  a: { placements: [p], from: tomorrow }
  b: { placements: [p], from: 2026-03-31, until: 2026-03-01 }
placements: { p: {} }
",
        &expect![[r#"
            attune::bad_value

              × `tomorrow` is not a date
               ╭─[shop.yaml:2:31]
             1 │ offers:
             2 │   a: { placements: [p], from: tomorrow }
               ·                               ────┬───
               ·                                   ╰── here
             3 │   b: { placements: [p], from: 2026-03-31, until: 2026-03-01 }
               ╰────
              help: write `2026-03-31`, `2026-03-31T18:00` on the customer's clocks, or `2026-03-
                    31T18:00:00+02:00` for everybody at once

            attune::bad_value

              × `until` 2026-03-01 is not after `from` 2026-03-31
               ╭─[shop.yaml:3:50]
             2 │   a: { placements: [p], from: tomorrow }
             3 │   b: { placements: [p], from: 2026-03-31, until: 2026-03-01 }
               ·                                                  ─────┬────
               ·                                                       ╰── here
             4 │ placements: { p: {} }
               ╰────
              help: a day without a time is all of it: `from: 2026-03-01`, `until: 2026-03-31`"#]],
    );
}

#[test]
fn weights_are_percent_and_never_take_more_than_there_is() {
    check_wrong(
        r"groups: { g: { weight: -101 } }
offers:
  a: { placements: [p], group: g, weight: heavy }
placements:
  p: { context_weights: [{ when: context.page == 'x', weight: 10001% }, { when: context.page }] }
",
        &expect![[r#"
            attune::bad_value

              × `-101` is not a weight
               ╭─[shop.yaml:1:24]
             1 │ groups: { g: { weight: -101 } }
               ·                        ──┬─
               ·                          ╰── here
             2 │ offers:
               ╰────
              help: write percent from -100 to 10000: 35 is 35 % more

            attune::bad_value

              × `heavy` is not a weight
               ╭─[shop.yaml:3:43]
             2 │ offers:
             3 │   a: { placements: [p], group: g, weight: heavy }
               ·                                           ──┬──
               ·                                             ╰── here
             4 │ placements:
               ╰────
              help: write percent from -100 to 10000: 35 is 35 % more

            attune::bad_value

              × `10001%` is not a weight
               ╭─[shop.yaml:5:63]
             4 │ placements:
             5 │   p: { context_weights: [{ when: context.page == 'x', weight: 10001% }, { when: context.page }] }
               ·                                                               ───┬──
               ·                                                                  ╰── here
               ╰────
              help: write percent from -100 to 10000: 35 is 35 % more

            attune::missing_key

              × `weight` is missing in a context weight
               ╭─[shop.yaml:5:75]
             4 │ placements:
             5 │   p: { context_weights: [{ when: context.page == 'x', weight: 10001% }, { when: context.page }] }
               ·                                                                           ──┬─
               ·                                                                             ╰── here
               ╰────
              help: add `weight: ..`"#]],
    );
}

#[test]
fn a_group_is_declared_and_does_not_look_at_one_offer() {
    check_wrong(
        r"groups: { cards: { eligible: offer.value > 3, wieght: 3 } }
offers:
  a: { placements: [p], group: card }
placements:
  p: { groups: [cards, loans] }
",
        &expect![[r#"
            attune::empty_group

              ⚠ group `cards` has no offers
               ╭─[shop.yaml:1:11]
             1 │ groups: { cards: { eligible: offer.value > 3, wieght: 3 } }
               ·           ──┬──
               ·             ╰── here
             2 │ offers:
               ╰────
              help: write `group: cards` in an offer, or remove it

            attune::not_at_hand

              × `offer` is not at hand in a group
               ╭─[shop.yaml:1:30]
             1 │ groups: { cards: { eligible: offer.value > 3, wieght: 3 } }
               ·                              ──┬──
               ·                                ╰── here
             2 │ offers:
               ╰────
              help: a group is asked once for all its offers: put the condition into the offers

            attune::unknown_key

              × unknown key `wieght` in group `cards`, did you mean `weight`?
               ╭─[shop.yaml:1:47]
             1 │ groups: { cards: { eligible: offer.value > 3, wieght: 3 } }
               ·                                               ───┬──
               ·                                                  ╰── here
             2 │ offers:
               ╰────
              help: keys of group `cards` are `about`, `weight`, `when`, `eligible`, `applicable`, `suitable`,
                    `contact`, `from`, `until`

            attune::unknown_reference

              × unknown group `card`, did you mean `cards`?
               ╭─[shop.yaml:3:32]
             2 │ offers:
             3 │   a: { placements: [p], group: card }
               ·                                ──┬─
               ·                                  ╰── here
             4 │ placements:
               ╰────
              help: declared are `cards`

            attune::unknown_reference

              × unknown group `loans`
               ╭─[shop.yaml:5:24]
             4 │ placements:
             5 │   p: { groups: [cards, loans] }
               ·                        ──┬──
               ·                          ╰── here
               ╰────
              help: declared are `cards`"#]],
    );
}

#[test]
fn what_belongs_to_the_product_of_factors_does_not_stand_beside_rank() {
    check_wrong(
        r"offers: { a: { placements: [p] } }
placements:
  p: { rank: p * offer.value, factors: [propensity], context_weights: [{ when: context.x == 1, weight: 5 }] }
  q: { factors: [propensity, price], smoothing: { evidence: -1, propensity: 1.5 } }
  r: { smoothing: { evidence: 50 }, diversity: { color: 1, data.kind: 0 } }
  s: { diversity: [group], purpose: marketing }
  t: { channel: emial }
",
        &expect![[r#"
            attune::bad_value

              × `factors` says nothing beside `rank`
               ╭─[shop.yaml:3:40]
             2 │ placements:
             3 │   p: { rank: p * offer.value, factors: [propensity], context_weights: [{ when: context.x == 1, weight: 5 }] }
               ·                                        ──────┬─────
               ·                                              ╰── here
             4 │   q: { factors: [propensity, price], smoothing: { evidence: -1, propensity: 1.5 } }
               ╰────
              help: `rank` is the priority; leave it out for P × C × V × L, or write the factors into it

            attune::bad_value

              × `context_weights` says nothing beside `rank`
               ╭─[shop.yaml:3:71]
             2 │ placements:
             3 │   p: { rank: p * offer.value, factors: [propensity], context_weights: [{ when: context.x == 1, weight: 5 }] }
               ·                                                                       ──────────────────┬──────────────────
               ·                                                                                         ╰── here
             4 │   q: { factors: [propensity, price], smoothing: { evidence: -1, propensity: 1.5 } }
               ╰────
              help: `rank` is the priority; leave it out for P × C × V × L, or write the factors into it

            attune::bad_value

              × unknown factor `price`
               ╭─[shop.yaml:4:30]
             3 │   p: { rank: p * offer.value, factors: [propensity], context_weights: [{ when: context.x == 1, weight: 5 }] }
             4 │   q: { factors: [propensity, price], smoothing: { evidence: -1, propensity: 1.5 } }
               ·                              ──┬──
               ·                                ╰── here
             5 │   r: { smoothing: { evidence: 50 }, diversity: { color: 1, data.kind: 0 } }
               ╰────
              help: write one of `propensity`, `context`, `value`, `levers`

            attune::bad_value

              × `evidence` cannot be `-1`
               ╭─[shop.yaml:4:61]
             3 │   p: { rank: p * offer.value, factors: [propensity], context_weights: [{ when: context.x == 1, weight: 5 }] }
             4 │   q: { factors: [propensity, price], smoothing: { evidence: -1, propensity: 1.5 } }
               ·                                                             ─┬
               ·                                                              ╰── here
             5 │   r: { smoothing: { evidence: 50 }, diversity: { color: 1, data.kind: 0 } }
               ╰────
              help: write a number from 0 to 1000000

            attune::bad_value

              × `propensity` cannot be `1.5`
               ╭─[shop.yaml:4:77]
             3 │   p: { rank: p * offer.value, factors: [propensity], context_weights: [{ when: context.x == 1, weight: 5 }] }
             4 │   q: { factors: [propensity, price], smoothing: { evidence: -1, propensity: 1.5 } }
               ·                                                                             ─┬─
               ·                                                                              ╰── here
             5 │   r: { smoothing: { evidence: 50 }, diversity: { color: 1, data.kind: 0 } }
               ╰────
              help: write a number from 0 to 1

            attune::missing_key

              × `propensity` is missing in `smoothing`
               ╭─[shop.yaml:5:21]
             4 │   q: { factors: [propensity, price], smoothing: { evidence: -1, propensity: 1.5 } }
             5 │   r: { smoothing: { evidence: 50 }, diversity: { color: 1, data.kind: 0 } }
               ·                     ────┬───
               ·                         ╰── here
             6 │   s: { diversity: [group], purpose: marketing }
               ╰────
              help: add `propensity: ..`

            attune::bad_value

              × `color` is nothing that offers share
               ╭─[shop.yaml:5:50]
             4 │   q: { factors: [propensity, price], smoothing: { evidence: -1, propensity: 1.5 } }
             5 │   r: { smoothing: { evidence: 50 }, diversity: { color: 1, data.kind: 0 } }
               ·                                                  ──┬──
               ·                                                    ╰── here
             6 │   s: { diversity: [group], purpose: marketing }
               ╰────
              help: write how many offers of an answer may be alike: `{ group: 1, data.category: 2 }`

            attune::bad_value

              × `0` is not a number of offers
               ╭─[shop.yaml:5:71]
             4 │   q: { factors: [propensity, price], smoothing: { evidence: -1, propensity: 1.5 } }
             5 │   r: { smoothing: { evidence: 50 }, diversity: { color: 1, data.kind: 0 } }
               ·                                                                       ┬
               ·                                                                       ╰── here
             6 │   s: { diversity: [group], purpose: marketing }
               ╰────
              help: write a whole number from 1 to 100

            attune::empty_placement

              ⚠ placement `s` has no offers: nothing can be shown there
               ╭─[shop.yaml:6:3]
             5 │   r: { smoothing: { evidence: 50 }, diversity: { color: 1, data.kind: 0 } }
             6 │   s: { diversity: [group], purpose: marketing }
               ·   ┬
               ·   ╰── here
             7 │   t: { channel: emial }
               ╰────
              help: name it in `placements: [s]` of an offer, or remove it

            attune::wrong_type

              × `diversity` is a map, not a list
               ╭─[shop.yaml:6:19]
             5 │   r: { smoothing: { evidence: 50 }, diversity: { color: 1, data.kind: 0 } }
             6 │   s: { diversity: [group], purpose: marketing }
               ·                   ───┬───
               ·                      ╰── here
             7 │   t: { channel: emial }
               ╰────
              help: write how many offers of an answer may be alike: `{ group: 1, data.category: 2 }`

            attune::bad_value

              × `purpose` without `channel` asks for nothing
               ╭─[shop.yaml:6:37]
             5 │   r: { smoothing: { evidence: 50 }, diversity: { color: 1, data.kind: 0 } }
             6 │   s: { diversity: [group], purpose: marketing }
               ·                                     ────┬────
               ·                                         ╰── here
             7 │   t: { channel: emial }
               ╰────
              help: name the `channel` of the placement, too: consent is given by channel and purpose

            attune::unknown_reference

              × unknown channel `emial`, did you mean `email`?
               ╭─[shop.yaml:7:17]
             6 │   s: { diversity: [group], purpose: marketing }
             7 │   t: { channel: emial }
               ·                 ──┬──
               ·                   ╰── here
               ╰────
              help: declared are `email`, `sms`, `push`"#]],
    );
}

#[test]
fn eligible_and_when_are_one_word() {
    check_wrong(
        r"offers:
  a: { placements: [p], when: profile.traits.age > 1, eligible: profile.traits.age > 2, suitable: [] }
placements: { p: {} }
",
        &expect![[r#"
            attune::duplicate_key

              × both `eligible` and `when` are given
               ╭─[shop.yaml:2:31]
             1 │ offers:
             2 │   a: { placements: [p], when: profile.traits.age > 1, eligible: profile.traits.age > 2, suitable: [] }
               ·                               ───────────┬──────────
               ·                                          ╰── here
             3 │ placements: { p: {} }
               ╰────
              help: keep `eligible`; `when` is another word for it

            attune::missing_value

              × the list of conditions is empty
               ╭─[shop.yaml:2:99]
             1 │ offers:
             2 │   a: { placements: [p], when: profile.traits.age > 1, eligible: profile.traits.age > 2, suitable: [] }
               ·                                                                                                   ─┬
               ·                                                                                                    ╰── here
             3 │ placements: { p: {} }
               ╰────"#]],
    );
}

#[test]
fn a_group_without_offers_is_worth_a_warning() {
    check_wrong(
        r"groups: { empty: {} }
offers: { a: { placements: [p] } }
placements: { p: {} }
",
        &expect![[r#"
            attune::empty_group

              ⚠ group `empty` has no offers
               ╭─[shop.yaml:1:11]
             1 │ groups: { empty: {} }
               ·           ──┬──
               ·             ╰── here
             2 │ offers: { a: { placements: [p] } }
               ╰────
              help: write `group: empty` in an offer, or remove it"#]],
    );
}

#[test]
fn a_budget_that_cannot_be_counted_shows_how_one_is_written() {
    check_wrong(
        r"offers:
  a: { placements: [p], budget: 500 per 7d }
  b: { placements: [p], budget: 5.5 per day }
  c: { placements: [p], budget: 500 per dya }
  d: { placements: [p], budget: { limit: 500, per: day, zone: Europe/Brelin } }
  e: { placements: [p], budget: { per: day } }
  f: { placements: [p], budget: { limit: -1, zone: customer } }
  g: { placements: [p], budget: 0 per day }
  h: { placements: [p], budget: [] }
placements: { p: {} }
",
        &expect![[r#"
            attune::bad_value

              × `7d` is no period of a budget
               ╭─[shop.yaml:2:33]
             1 │ offers:
             2 │   a: { placements: [p], budget: 500 per 7d }
               ·                                 ─────┬────
               ·                                      ╰── here
             3 │   b: { placements: [p], budget: 5.5 per day }
               ╰────
              help: write how many for everybody together: `500 per day` (or `week`, `month`), `500` for all
                    time, or `{ limit: 500, per: day, zone: Europe/Berlin }`

            attune::bad_value

              × `5.5` is no number of offers from 0 to 1000000000000
               ╭─[shop.yaml:3:33]
             2 │   a: { placements: [p], budget: 500 per 7d }
             3 │   b: { placements: [p], budget: 5.5 per day }
               ·                                 ─────┬─────
               ·                                      ╰── here
             4 │   c: { placements: [p], budget: 500 per dya }
               ╰────
              help: write how many for everybody together: `500 per day` (or `week`, `month`), `500` for all
                    time, or `{ limit: 500, per: day, zone: Europe/Berlin }`

            attune::bad_value

              × `dya` is no period of a budget, did you mean `day`?
               ╭─[shop.yaml:4:33]
             3 │   b: { placements: [p], budget: 5.5 per day }
             4 │   c: { placements: [p], budget: 500 per dya }
               ·                                 ─────┬─────
               ·                                      ╰── here
             5 │   d: { placements: [p], budget: { limit: 500, per: day, zone: Europe/Brelin } }
               ╰────
              help: write how many for everybody together: `500 per day` (or `week`, `month`), `500` for all
                    time, or `{ limit: 500, per: day, zone: Europe/Berlin }`

            attune::bad_value

              × unknown zone `Europe/Brelin`, did you mean `Europe/Berlin`?
               ╭─[shop.yaml:5:63]
             4 │   c: { placements: [p], budget: 500 per dya }
             5 │   d: { placements: [p], budget: { limit: 500, per: day, zone: Europe/Brelin } }
               ·                                                               ──────┬──────
               ·                                                                     ╰── here
             6 │   e: { placements: [p], budget: { per: day } }
               ╰────
              help: write a name of tzdata such as `Europe/Berlin`; without one the calendar of the workspace
                    counts

            attune::missing_key

              × `limit` is missing in a budget
               ╭─[shop.yaml:6:35]
             5 │   d: { placements: [p], budget: { limit: 500, per: day, zone: Europe/Brelin } }
             6 │   e: { placements: [p], budget: { per: day } }
               ·                                   ─┬─
               ·                                    ╰── here
             7 │   f: { placements: [p], budget: { limit: -1, zone: customer } }
               ╰────
              help: add `limit: ..`

            attune::bad_value

              × `-1` is no number of offers from 0 to 1000000000000
               ╭─[shop.yaml:7:42]
             6 │   e: { placements: [p], budget: { per: day } }
             7 │   f: { placements: [p], budget: { limit: -1, zone: customer } }
               ·                                          ─┬
               ·                                           ╰── here
             8 │   g: { placements: [p], budget: 0 per day }
               ╰────
              help: write how many for everybody together: `500 per day` (or `week`, `month`), `500` for all
                    time, or `{ limit: 500, per: day, zone: Europe/Berlin }`

            attune::bad_value

              × unknown zone `customer`
               ╭─[shop.yaml:7:52]
             6 │   e: { placements: [p], budget: { per: day } }
             7 │   f: { placements: [p], budget: { limit: -1, zone: customer } }
               ·                                                    ────┬───
               ·                                                        ╰── here
             8 │   g: { placements: [p], budget: 0 per day }
               ╰────
              help: write a name of tzdata such as `Europe/Berlin`; without one the calendar of the workspace
                    counts

            attune::wrong_type

              × `budget` is a text, not a list
                ╭─[shop.yaml:9:33]
              8 │   g: { placements: [p], budget: 0 per day }
              9 │   h: { placements: [p], budget: [] }
                ·                                 ─┬
                ·                                  ╰── here
             10 │ placements: { p: {} }
                ╰────
              help: write one value here"#]],
    );
}
