//! Placements: who wins, who loses, and why.

use expect_test::expect;

use super::check;

const OFFERS: &str = "
offers:
  big: { placements: [hero], value: 10, when: profile.traits.tier == 'gold', cap: 1 per 1d }
  mid: { placements: [hero], value: 5, cap: 2 per 1d }
  odd: { placements: [hero], value: profile.traits.worth }
  tie: { placements: [hero], value: 1 }
  tea: { placements: [hero], value: 1 }
placements:
  hero: { limit: 2, fallback: tea }
";

#[test]
fn the_best_win_ties_break_by_id_and_every_loser_has_a_reason() {
    check(
        OFFERS,
        None,
        "0m ask hero",
        &expect![[r#"
            0s hero#0 ranked ["mid", "tea"], lost INELIGIBLE big; UNSUITABLE odd; OUTRANKED tie
            0s ANSWER degraded=false fallback=false
               mid p=None priority=Some(5.0)
               tea p=None priority=Some(1.0)
               not big: INELIGIBLE profile.traits.tier == 'gold' [unknown == "gold"] test.yaml:3
               not odd: UNSUITABLE profile.traits.worth is unknown
               not tie: OUTRANKED after tea at 1
        "#]],
    );
}

#[test]
fn a_cap_of_n_is_never_n_plus_one_and_frees_when_the_window_has_passed() {
    check(
        OFFERS,
        None,
        r#"
        0m identify {"tier":"gold"}
        1m ask hero
        2m ask hero
        3m ask hero
        1d1m ask hero
        1d1m1s ask hero
    "#,
        &expect![[r#"
            1m hero#0 ranked ["big", "mid"], lost UNSUITABLE odd; OUTRANKED tea, tie
            1m ANSWER degraded=false fallback=false
               big p=None priority=Some(10.0)
               mid p=None priority=Some(5.0)
               not odd: UNSUITABLE profile.traits.worth is unknown
               not tea: OUTRANKED after mid at 1
               not tie: OUTRANKED after mid at 1
            2m hero#0 ranked ["mid", "tea"], lost UNSUITABLE odd; CAP big; OUTRANKED tie
            2m ANSWER degraded=false fallback=false
               mid p=None priority=Some(5.0)
               tea p=None priority=Some(1.0)
               not big: CAP 1/1 per 1d, frees at 2026-01-06T00:01:00.000Z
               not odd: UNSUITABLE profile.traits.worth is unknown
               not tie: OUTRANKED after tea at 1
            3m hero#0 ranked ["tea", "tie"], lost UNSUITABLE odd; CAP big, mid
            3m ANSWER degraded=false fallback=false
               tea p=None priority=Some(1.0)
               tie p=None priority=Some(1.0)
               not big: CAP 1/1 per 1d, frees at 2026-01-06T00:01:00.000Z
               not mid: CAP 2/2 per 1d, frees at 2026-01-06T00:01:00.000Z
               not odd: UNSUITABLE profile.traits.worth is unknown
            1d1m hero#0 ranked ["big", "mid"], lost UNSUITABLE odd; OUTRANKED tea, tie
            1d1m ANSWER degraded=false fallback=false
               big p=None priority=Some(10.0)
               mid p=None priority=Some(5.0)
               not odd: UNSUITABLE profile.traits.worth is unknown
               not tea: OUTRANKED after mid at 1
               not tie: OUTRANKED after mid at 1
            1d1m1s hero#0 ranked ["tea", "tie"], lost UNSUITABLE odd; CAP big, mid
            1d1m1s ANSWER degraded=false fallback=false
               tea p=None priority=Some(1.0)
               tie p=None priority=Some(1.0)
               not big: CAP 1/1 per 1d, frees at 2026-01-07T00:01:00.000Z
               not mid: CAP 2/2 per 1d, frees at 2026-01-06T00:02:00.000Z
               not odd: UNSUITABLE profile.traits.worth is unknown
        "#]],
    );
}

#[test]
fn a_rank_formula_sees_propensity_offer_and_profile() {
    let policy = "
model: accept
file: m.onnx
inputs: [ { column: n, from: profile.traits.age, unknown: nan } ]
---
offers:
  a: { placements: [hero], value: 10, data: { margin: 1 } }
  b: { placements: [hero], value: 8, data: { margin: 9 } }
placements:
  hero: { model: accept, rank: p * (offer.value + offer.data.margin), limit: 5 }
";
    check(
        policy,
        Some(0.25),
        "0m ask hero",
        &expect![[r#"
            0s hero#0 ranked ["b", "a"], lost 
            0s ANSWER degraded=false fallback=false
               b p=Some(0.25) priority=Some(4.25)
               a p=Some(0.25) priority=Some(2.75)
        "#]],
    );
    check(
        policy,
        None,
        "0m ask hero",
        &expect![[r#"
            0s hero#0 ranked ["b", "a"], lost 
            0s ANSWER degraded=true fallback=false
               b p=None priority=Some(17.0)
               a p=None priority=Some(11.0)
        "#]],
    );
}

#[test]
fn the_fallback_is_given_when_nothing_qualifies() {
    let policy = "
offers:
  never: { placements: [hero], when: profile.traits.x == 1 }
  always: { placements: [other] }
placements:
  hero: { fallback: always }
  other: { limit: 1 }
";
    check(
        policy,
        None,
        "0m ask hero",
        &expect![[r#"
            0s hero#0 ranked ["always"], lost INELIGIBLE never
            0s ANSWER degraded=false fallback=true
               always p=None priority=None
               not never: INELIGIBLE profile.traits.x == 1 [unknown == 1] test.yaml:3
        "#]],
    );
}

#[test]
fn a_journey_takes_the_offer_with_it_and_uses_up_the_cap() {
    let policy = "
offers:
  once: { placements: [mail], value: 2, cap: 1 per 30d, data: { code: X } }
placements:
  mail: {}
---
journey: j
enter: { event: A }
steps:
  - offer: { placement: mail, as: pick }
  - send: { channel: email, template: t, with: { offer: pick.id, code: pick.data.code } }
";
    check(
        policy,
        None,
        "
        0m A
        1m A
    ",
        &expect![[r#"
            0s j#1 entered
            0s j#1 @0 ranked ["once"], lost 
            0s j#1 @1 sent email t
            0s j#1 @1 left: completed
            0s ACTION email t {"code":"X","offer":"once"}
            0s ANSWER degraded=false fallback=false
               once p=None priority=Some(2.0)
            1m j#2 entered
            1m j#2 @0 ranked [], lost CAP once
            1m j#2 @1 sent email t
            1m j#2 @1 left: completed
            1m ACTION email t {}
            1m ANSWER degraded=false fallback=false
               not once: CAP 1/1 per 30d, frees at 2026-02-04T00:00:00.000Z
        "#]],
    );
}

#[test]
fn a_model_of_offers_sees_the_value_of_each() {
    let policy = "
model: accept
file: m.onnx
inputs: [ { column: worth, from: offer.value, unknown: fail } ]
---
offers:
  a: { placements: [hero], value: 10 }
  b: { placements: [hero], value: profile.traits.worth * 2 }
placements:
  hero: { model: accept, limit: 5 }
";
    check(
        policy,
        Some(0.25),
        r#"
        0m ask hero
        1m identify {"worth":8}
        2m ask hero
        "#,
        &expect![[r#"
            0s hero#0 ranked ["a"], lost UNSUITABLE b
            0s ANSWER degraded=true fallback=false
               a p=None priority=Some(10.0)
               not b: UNSUITABLE profile.traits.worth * 2 is unknown
            2m hero#0 ranked ["b", "a"], lost 
            2m ANSWER degraded=false fallback=false
               b p=Some(0.25) priority=Some(4.0)
               a p=Some(0.25) priority=Some(2.5)
        "#]],
    );
}
