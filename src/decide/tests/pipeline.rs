//! The stages of a decision: who may have an offer, when, how often; what it is ranked by; who gets the places.

use std::fmt::Write as _;

use expect_test::expect;

use super::{World, check};

const MODEL: &str = "
model: accept
file: m.onnx
inputs: [ { column: n, from: profile.traits.age, unknown: nan } ]
---
";

#[test]
fn priority_is_propensity_times_context_times_value_times_levers() {
    let policy = format!(
        "{MODEL}
groups: {{ cards: {{ weight: 20 }} }}
offers:
  gold: {{ placements: [hero], group: cards, weight: 35, value: 100 }}
placements:
  hero: {{ model: accept, context_weights: [{{ when: context.page == 'cards', weight: 100% }}] }}
"
    );
    let mut world = World::new(&policy);
    world.score = crate::domain::Score::Value(0.12);
    let (_, outcomes) = world.line(r#"0m ask hero {"page":"cards"}"#);
    let choice = &outcomes[1].answers[0].offers[0];
    // The worked example of the specification.
    assert!((choice.priority.unwrap() - 37.2).abs() < 1e-9);
    expect!["priority 37.200000 from p 0.120000, context 2, value 100 and levers 1.55"]
        .assert_eq(&choice.reasons[0]);
}

#[test]
fn a_factor_that_is_off_is_one() {
    let policy = |factors: &str| {
        format!(
            "{MODEL}
offers:
  a: {{ placements: [hero], weight: 100, value: 10 }}
placements:
  hero: {{ model: accept, context_weights: [{{ when: context.page == 'x', weight: 50 }}], factors: [{factors}] }}
"
        )
    };
    let factors = [
        ("propensity, context, value, levers", 0.5 * 1.5 * 10.0 * 2.0),
        ("context, value, levers", 1.5 * 10.0 * 2.0),
        ("propensity, value, levers", 0.5 * 10.0 * 2.0),
        ("propensity, context, levers", 0.5 * 1.5 * 2.0),
        ("propensity, context, value", 0.5 * 1.5 * 10.0),
    ];
    for (words, priority) in factors {
        let mut world = World::new(&policy(words));
        world.score = crate::domain::Score::Value(0.5);
        let (_, outcomes) = world.line(r#"0m ask hero {"page":"x"}"#);
        let found = outcomes[1].answers[0].offers[0].priority.unwrap();
        assert!((found - priority).abs() < 1e-9, "{words}: {found}");
    }
}

#[test]
fn each_stage_has_its_reason_and_the_earlier_one_of_group_and_offer_counts() {
    check(
        "
groups:
  loans: { suitable: profile.traits.debt < 1000 }
  closed: { eligible: profile.traits.tier == 'gold' }
offers:
  a: { placements: [hero], eligible: profile.traits.age >= 18 }
  b: { placements: [hero], applicable: context.page == 'loans' }
  c: { placements: [hero], suitable: profile.traits.debt < 10 }
  d: { placements: [hero], group: loans }
  e: { placements: [hero], group: loans, applicable: context.page == 'loans' }
  f: { placements: [hero], group: closed, suitable: profile.traits.debt < 10 }
  g: { placements: [hero], group: [closed, loans] }
  h: { placements: [hero] }
placements: { hero: { limit: 9 } }
",
        None,
        r#"
        0m identify {"debt":5000}
        1m ask hero {"page":"home"}
        2m identify {"debt":500,"age":20}
        3m ask hero {"page":"loans"}
    "#,
        &expect![[r#"
            1m hero#0 ranked ["h"], lost INELIGIBLE a, f, g; NOT_APPLICABLE b, e; UNSUITABLE c, d
            1m ANSWER degraded=false fallback=false
               h p=None priority=Some(1.0)
               not a: INELIGIBLE profile.traits.age >= 18 [unknown >= 18] test.yaml:6
               not b: NOT_APPLICABLE context.page == 'loans' ["home" == "loans"] test.yaml:7
               not c: UNSUITABLE profile.traits.debt < 10 [5000 < 10] test.yaml:8
               not d: UNSUITABLE group loans: profile.traits.debt < 1000 [5000 < 1000] test.yaml:3
               not e: NOT_APPLICABLE context.page == 'loans' ["home" == "loans"] test.yaml:10
               not f: INELIGIBLE group closed: profile.traits.tier == 'gold' [unknown == "gold"] test.yaml:4
               not g: INELIGIBLE group closed: profile.traits.tier == 'gold' [unknown == "gold"] test.yaml:4
            3m hero#0 ranked ["a", "b", "d", "e", "g", "h"], lost INELIGIBLE f; UNSUITABLE c
            3m ANSWER degraded=false fallback=false
               a p=None priority=Some(1.0)
               b p=None priority=Some(1.0)
               d p=None priority=Some(1.0)
               e p=None priority=Some(1.0)
               g p=None priority=Some(1.0)
               h p=None priority=Some(1.0)
               not c: UNSUITABLE profile.traits.debt < 10 [500 < 10] test.yaml:8
               not f: INELIGIBLE group closed: profile.traits.tier == 'gold' [unknown == "gold"] test.yaml:4
        "#]],
    );
}

#[test]
fn an_offer_is_given_from_its_first_day_to_the_end_of_its_last_on_the_customers_clocks() {
    check(
        "
offers:
  day: { placements: [hero], from: 2026-01-06, until: 2026-01-06, value: 3 }
  hour: { placements: [hero], until: '2026-01-06T12:00:00+01:00', value: 2 }
placements: { hero: { limit: 9 } }
",
        None,
        r#"
        0m identify {"timezone":"America/New_York"}
        1d4h59m ask hero
        1d5h ask hero
        1d10h59m ask hero
        1d11h ask hero
        2d4h59m59s ask hero
        2d5h ask hero
    "#,
        &expect![[r#"
            1d4h59m hero#0 ranked ["hour"], lost INELIGIBLE day
            1d4h59m ANSWER degraded=false fallback=false
               hour p=None priority=Some(2.0)
               not day: INELIGIBLE from 2026-01-06 [now 2026-01-06T04:59:00.000Z]
            1d5h hero#0 ranked ["day", "hour"], lost 
            1d5h ANSWER degraded=false fallback=false
               day p=None priority=Some(3.0)
               hour p=None priority=Some(2.0)
            1d10h59m hero#0 ranked ["day", "hour"], lost 
            1d10h59m ANSWER degraded=false fallback=false
               day p=None priority=Some(3.0)
               hour p=None priority=Some(2.0)
            1d11h hero#0 ranked ["day"], lost INELIGIBLE hour
            1d11h ANSWER degraded=false fallback=false
               day p=None priority=Some(3.0)
               not hour: INELIGIBLE until 2026-01-06T12:00:00+01:00 [now 2026-01-06T11:00:00.000Z]
            2d4h59m59s hero#0 ranked ["day"], lost INELIGIBLE hour
            2d4h59m59s ANSWER degraded=false fallback=false
               day p=None priority=Some(3.0)
               not hour: INELIGIBLE until 2026-01-06T12:00:00+01:00 [now 2026-01-07T04:59:59.000Z]
            2d5h hero#0 ranked [], lost INELIGIBLE day, hour
            2d5h ANSWER degraded=false fallback=false
               not day: INELIGIBLE until 2026-01-06 [now 2026-01-07T05:00:00.000Z]
               not hour: INELIGIBLE until 2026-01-06T12:00:00+01:00 [now 2026-01-07T05:00:00.000Z]
        "#]],
    );
}

#[test]
fn three_impressions_without_a_click_keep_an_offer_back_for_a_while() {
    check(
        "
offers:
  a: { placements: [hero], value: 2, contact: { after: 3 impressions per 7d without click, suppress: 14d } }
  b: { placements: [hero] }
placements: { hero: {} }
",
        None,
        r#"
        0d Offer Impression {"offer":"a"}
        1d Offer Impression {"offer":"a"}
        8d Offer Impression {"offer":"a"}
        8d1m ask hero
        9d Offer Impression {"offer":"a"}
        10d Offer Impression {"offer":"a"}
        10d1m ask hero
        23d23h59m ask hero
        24d ask hero
    "#,
        &expect![[r#"
            0s offers#0 told impression of ["a"]
            1d offers#0 told impression of ["a"]
            8d offers#0 told impression of ["a"]
            8d1m hero#0 ranked ["a"], lost OUTRANKED b
            8d1m ANSWER degraded=false fallback=false
               a p=None priority=Some(2.0)
               not b: OUTRANKED after a at 1
            9d offers#0 told impression of ["a"]
            10d offers#0 told impression of ["a"]
            10d1m hero#0 ranked ["b"], lost CONTACT_LIMIT a
            10d1m ANSWER degraded=false fallback=false
               b p=None priority=Some(1.0)
               not a: CONTACT_LIMIT 3 impressions per 7d without click [reached, frees at 2026-01-29T00:00:00.000Z] test.yaml:3
            23d23h59m hero#0 ranked ["b"], lost CONTACT_LIMIT a
            23d23h59m ANSWER degraded=false fallback=false
               b p=None priority=Some(1.0)
               not a: CONTACT_LIMIT 3 impressions per 7d without click [reached, frees at 2026-01-29T00:00:00.000Z] test.yaml:3
            24d hero#0 ranked ["a"], lost OUTRANKED b
            24d ANSWER degraded=false fallback=false
               a p=None priority=Some(2.0)
               not b: OUTRANKED after a at 1
        "#]],
    );
}

#[test]
fn a_click_lifts_what_impressions_without_one_led_to() {
    check(
        "
offers:
  a: { placements: [hero], contact: { after: 3 impressions per 7d without click, suppress: 14d } }
placements: { hero: {} }
",
        None,
        r#"
        0m Offer Impression {"offer":"a"}
        1m Offer Impression {"offer":"a"}
        2m Offer Impression {"offer":"a"}
        3m ask hero
        4m Offer Clicked {"offer":"a"}
        5m ask hero
    "#,
        &expect![[r#"
            0s offers#0 told impression of ["a"]
            1m offers#0 told impression of ["a"]
            2m offers#0 told impression of ["a"]
            3m hero#0 ranked [], lost CONTACT_LIMIT a
            3m ANSWER degraded=false fallback=false
               not a: CONTACT_LIMIT 3 impressions per 7d without click [reached, frees at 2026-01-19T00:02:00.000Z] test.yaml:3
            4m offers#0 told click of ["a"]
            5m hero#0 ranked ["a"], lost 
            5m ANSWER degraded=false fallback=false
               a p=None priority=Some(1.0)
        "#]],
    );
}

#[test]
fn a_group_and_a_placement_tire_by_what_is_shown_of_all_their_offers() {
    let hero = crate::domain::action::stable_id(&["u1", "hero", "1"]);
    let side = crate::domain::action::stable_id(&["u1", "side", "5"]);
    check(
        "
groups: { cards: { contact: { after: 1 rejection, suppress: 30d } } }
offers:
  a: { placements: [hero], value: 3, group: cards }
  b: { placements: [hero], value: 2, group: cards }
  c: { placements: [hero, side] }
placements:
  hero: {}
  side: { contact: { after: 1 impression per 1h, suppress: 1h }, fallback: b }
",
        None,
        &format!(
            r#"
        0m ask hero
        1m Offer Rejected {{"decision_id":"{hero}"}}
        2m ask hero
        3m ask hero
        4m ask side
        5m Offer Impression {{"decision_id":"{side}"}}
        6m ask side
        1h5m ask side
    "#
        ),
        &expect![[r#"
            0s hero#0 ranked ["a"], lost OUTRANKED b, c
            0s ANSWER degraded=false fallback=false
               a p=None priority=Some(3.0)
               not b: OUTRANKED after a at 2
               not c: OUTRANKED after a at 1
            1m hero#0 told rejection of ["a"]
            2m hero#0 ranked ["c"], lost CONTACT_LIMIT a, b
            2m ANSWER degraded=false fallback=false
               c p=None priority=Some(1.0)
               not a: CONTACT_LIMIT group cards: 1 rejection [reached, frees at 2026-02-04T00:01:00.000Z] test.yaml:2
               not b: CONTACT_LIMIT group cards: 1 rejection [reached, frees at 2026-02-04T00:01:00.000Z] test.yaml:2
            3m hero#0 ranked ["c"], lost CONTACT_LIMIT a, b
            3m ANSWER degraded=false fallback=false
               c p=None priority=Some(1.0)
               not a: CONTACT_LIMIT group cards: 1 rejection [reached, frees at 2026-02-04T00:01:00.000Z] test.yaml:2
               not b: CONTACT_LIMIT group cards: 1 rejection [reached, frees at 2026-02-04T00:01:00.000Z] test.yaml:2
            4m side#0 ranked ["c"], lost 
            4m ANSWER degraded=false fallback=false
               c p=None priority=Some(1.0)
            5m side#0 told impression of ["c"]
            6m side#0 ranked [], lost CONTACT_LIMIT c, b
            6m ANSWER degraded=false fallback=false
               not c: CONTACT_LIMIT placement side: 1 impression per 1h [reached, frees at 2026-01-05T01:05:00.000Z] test.yaml:9
               not b: CONTACT_LIMIT placement side: 1 impression per 1h [reached, frees at 2026-01-05T01:05:00.000Z] test.yaml:9
            1h5m side#0 ranked ["c"], lost 
            1h5m ANSWER degraded=false fallback=false
               c p=None priority=Some(1.0)
        "#]],
    );
}

#[test]
fn places_are_filled_group_by_group_and_no_offer_comes_twice() {
    check(
        "
groups: { first: {}, second: { weight: 100 } }
offers:
  a: { placements: [hero], value: 1, group: first }
  b: { placements: [hero], value: 9, group: second }
  c: { placements: [hero], value: 5, group: [second, first] }
  d: { placements: [hero], value: 100 }
placements: { hero: { limit: 3, groups: [first, second] } }
",
        None,
        "0m ask hero",
        &expect![[r#"
            0s hero#0 ranked ["c", "a", "b"], lost OUTRANKED d
            0s ANSWER degraded=false fallback=false
               c p=None priority=Some(10.0)
               a p=None priority=Some(1.0)
               b p=None priority=Some(18.0)
               not d: OUTRANKED after b at 100
        "#]],
    );
}

#[test]
fn an_answer_holds_no_more_of_a_kind_than_it_may() {
    check(
        "
groups: { cards: {}, loans: {} }
offers:
  a: { placements: [hero], value: 9, group: cards, data: { color: red } }
  b: { placements: [hero], value: 8, group: cards, data: { color: blue } }
  c: { placements: [hero], value: 7, group: loans, data: { color: red } }
  d: { placements: [hero], value: 6, data: { color: red } }
  e: { placements: [hero], value: 5, data: { color: 1 } }
placements: { hero: { limit: 4, diversity: { group: 1, data.color: 2 } } }
",
        None,
        "0m ask hero",
        &expect![[r#"
            0s hero#0 ranked ["a", "c", "e"], lost OUTRANKED b, d
            0s ANSWER degraded=false fallback=false
               a p=None priority=Some(9.0)
               c p=None priority=Some(7.0)
               e p=None priority=Some(5.0)
               not b: OUTRANKED diversity: group `cards` has 1/1 at 8
               not d: OUTRANKED diversity: data.color `"red"` has 2/2 at 6
        "#]],
    );
}

#[test]
fn whoever_comes_next_is_not_too_much_like_the_chosen_ones() {
    let mut world = World::new(
        "
groups: { cards: {} }
offers:
  a: { placements: [hero], value: 9, group: cards }
  b: { placements: [hero], value: 8, group: cards }
  c: { placements: [hero], value: 7 }
  d: { placements: [hero], value: 6 }
placements: { hero: { limit: 2, diversity: { group: 1 } } }
",
    );
    let (_, outcomes) = world.line("0m ask hero");
    let next = outcomes[1].answers[0].runner_up.clone().unwrap();
    assert_eq!(
        (next.offer.as_ref(), next.behind.to_string().as_str()),
        ("d", "1")
    );
}

#[test]
fn a_fallback_obeys_its_dates_its_groups_fatigue_and_its_cap() {
    check(
        "
groups: { cards: { contact: { after: 1 rejection, suppress: 30d } } }
offers:
  once: { placements: [other], cap: 1 per 1d }
  later: { placements: [other], from: 2026-01-06 }
  card: { placements: [other], group: cards }
placements:
  other: {}
  a: { fallback: once }
  b: { fallback: later }
  c: { fallback: card }
",
        None,
        r#"
        0m ask a
        1m ask a
        2m ask b
        3m ask c
        4m Offer Rejected {"offer":"card"}
        5m ask c
        1d1m ask a
        1d2m ask b
    "#,
        &expect![[r#"
            0s a#0 ranked ["once"], lost 
            0s ANSWER degraded=false fallback=true
               once p=None priority=None
            1m a#0 ranked [], lost CAP once
            1m ANSWER degraded=false fallback=false
               not once: CAP 1/1 per 1d, frees at 2026-01-06T00:00:00.000Z
            2m b#0 ranked [], lost INELIGIBLE later
            2m ANSWER degraded=false fallback=false
               not later: INELIGIBLE from 2026-01-06 [now 2026-01-05T00:02:00.000Z]
            3m c#0 ranked ["card"], lost 
            3m ANSWER degraded=false fallback=true
               card p=None priority=None
            4m offers#0 told rejection of ["card"]
            5m c#0 ranked [], lost CONTACT_LIMIT card
            5m ANSWER degraded=false fallback=false
               not card: CONTACT_LIMIT group cards: 1 rejection [reached, frees at 2026-02-04T00:04:00.000Z] test.yaml:2
            1d1m a#0 ranked ["once"], lost 
            1d1m ANSWER degraded=false fallback=true
               once p=None priority=None
            1d2m b#0 ranked ["later"], lost 
            1d2m ANSWER degraded=false fallback=true
               later p=None priority=None
        "#]],
    );
}

#[test]
fn of_a_broken_model_nobody_has_a_propensity() {
    let policy = format!(
        "{MODEL}
offers:
  a: {{ placements: [hero], value: 10, model: accept }}
  b: {{ placements: [hero], value: 12 }}
placements: {{ hero: {{ limit: 2, model: other }} }}
---
model: other
file: m.onnx
inputs: [ {{ column: n, from: profile.traits.height, unknown: fail }} ]
"
    );
    check(
        &policy,
        Some(0.5),
        r#"
        0m ask hero
        1m identify {"height":180}
        2m ask hero
    "#,
        &expect![[r#"
            0s hero#0 ranked ["b", "a"], lost 
            0s ANSWER degraded=true fallback=false
               b p=None priority=Some(12.0)
               a p=None priority=Some(10.0)
            2m hero#0 ranked ["b", "a"], lost 
            2m ANSWER degraded=false fallback=false
               b p=Some(0.5) priority=Some(6.0)
               a p=Some(0.5) priority=Some(5.0)
        "#]],
    );
}

#[test]
fn an_answer_for_a_channel_obeys_consent_and_suppression_also_in_its_fallback() {
    check(
        "
offers:
  a: { placements: [mail], value: 2 }
  info: { placements: [mail], purpose: transactional }
placements: { mail: { channel: email, fallback: a } }
",
        None,
        r#"
        0m ask mail
        1m Consent Changed {"channel":"email","purpose":"marketing","status":"withdrawn"}
        2m ask mail
        3m Suppressed {"channel":"email","reason":"complaint"}
        4m ask mail
    "#,
        &expect![[r#"
            0s mail#0 ranked ["a"], lost OUTRANKED info
            0s ANSWER degraded=false fallback=false
               a p=None priority=Some(2.0)
               not info: OUTRANKED after a at 1
            2m mail#0 ranked ["info"], lost NO_CONSENT a
            2m ANSWER degraded=false fallback=false
               info p=None priority=Some(1.0)
               not a: NO_CONSENT profile.consent.email.marketing [withdrawn]
            4m mail#0 ranked [], lost SUPPRESSED a, info
            4m ANSWER degraded=false fallback=false
               not a: SUPPRESSED suppressed channel email [by complaint, until lifted]
               not info: SUPPRESSED suppressed channel email [by complaint, until lifted]
        "#]],
    );
}

/// Offers that wait for a region, a number or a segment, and one for nobody's.
fn many(n: usize) -> String {
    let mut policy = "segments: { rich: profile.traits.worth > 100 }\noffers:\n".to_owned();
    for idx in 0..n {
        let eligible = match idx % 4 {
            0 | 1 => format!(
                "profile.traits.region == 'r{}' && profile.traits.age >= 18",
                idx % 50
            ),
            2 => format!("{}.0 == context.shelf", idx % 30),
            _ => "in_segment('rich')".to_owned(),
        };
        let value = 1 + idx % 17;
        writeln!(
            policy,
            "  o{idx:04}: {{ placements: [hero], value: {value}, eligible: \"{eligible}\" }}"
        )
        .unwrap();
    }
    policy + "  any: { placements: [hero] }\nplacements: { hero: { limit: 5 } }\n"
}

#[test]
fn offers_that_wait_for_another_value_are_passed_over_and_counted() {
    let mut world = World::new(&many(200));
    let (_, outcomes) = world.line(r#"0m ask hero {"shelf":2}"#);
    let answer = &outcomes[1].answers[0];
    let over = answer.passed_over.iter();
    let over: Vec<_> = over
        .map(|of| format!("{} {} {}", of.n, of.reason.code(), of.detail))
        .collect();
    expect![[r#"
        46 INELIGIBLE context.shelf is another than they wait for [2]
        50 INELIGIBLE in_segment('rich') is another than they wait for [false]
        100 INELIGIBLE profile.traits.region is another than they wait for [unknown]"#]]
    .assert_eq(&over.join("\n"));
    let n_over: u32 = answer.passed_over.iter().map(|of| of.n).sum();
    let n_all = answer.offers.len() + answer.losers.len() + n_over as usize;
    assert_eq!(n_all, 201, "every candidate has a reason");
    assert_eq!(
        answer.lost("o0000"),
        Some(crate::domain::Reason::Ineligible)
    );
    assert_eq!(answer.lost(&answer.offers[0].offer), None);
}

#[test]
fn the_index_changes_nothing_but_who_is_asked() {
    let mut world = World::new(&many(200));
    for (idx, line) in [
        r#"0m identify {"region":"r1","age":20}"#,
        r#"0m identify {"region":"r4","age":17,"worth":500}"#,
        r#"0m identify {"region":4}"#,
        r#"0m identify {"region":"r48","age":99,"worth":1}"#,
    ]
    .into_iter()
    .enumerate()
    {
        world.line(line);
        for shelf in [
            "{}",
            r#"{"shelf":10}"#,
            r#"{"shelf":-0.0}"#,
            r#"{"shelf":"2"}"#,
        ] {
            let ask = format!("{}m ask hero {shelf}", idx + 1);
            let mut plain = World::with(&many(200), world.profile.clone());
            plain.bundle.placements.get_mut("hero").unwrap().index = None;
            let (_, with) = world.line(&ask);
            let (_, without) = plain.line(&ask);
            let offers = |outcomes: &[crate::decide::drive::Outcome]| {
                outcomes.last().unwrap().answers[0].offers.clone()
            };
            assert_eq!(offers(&with), offers(&without), "{line} {shelf}");
        }
    }
}

#[test]
fn the_answer_says_what_the_model_was_asked_and_by_how_much_the_next_one_lost() {
    let policy = format!(
        "{MODEL}
offers:
  a: {{ placements: [hero], value: 10 }}
  b: {{ placements: [hero], value: 8 }}
  c: {{ placements: [hero], value: 7 }}
placements: {{ hero: {{ model: accept, limit: 2 }} }}
"
    );
    let mut world = World::new(&policy);
    world.score = crate::domain::Score::Value(0.5);
    let model = world.bundle.models.get_mut("accept").unwrap();
    model.version = "0123abcd".into();
    world.line(r#"0m identify {"age":30}"#);
    let (_, outcomes) = world.line("1m ask hero");
    let answer = &outcomes[1].answers[0];
    let json: serde_json::Value = serde_json::from_str(&answer.to_json(true)).unwrap();
    expect![[r#"{"behind":0.5,"offer":"c","priority":3.5}"#]]
        .assert_eq(&json["runner_up"].to_string());
    expect![[r#"{"model":"accept","row":[30.0]}"#]]
        .assert_eq(&json["offers"][0]["inputs"].to_string());
    expect![[r#"{"c":1.0,"l":1.0,"p":0.5,"v":10.0}"#]]
        .assert_eq(&json["offers"][0]["factors"].to_string());
    expect![[r#"[{"detail":"after b","offer":"c","priority":3.5,"propensity":0.5,"reason":"OUTRANKED","value":7.0}]"#]].assert_eq(&json["losers"].to_string());
    expect![[r#"[{"name":"accept","version":"0123abcd"}]"#]].assert_eq(&json["models"].to_string());
    assert_eq!(json["bundle"], *world.bundle.id);
    let json: serde_json::Value = serde_json::from_str(&answer.to_json(false)).unwrap();
    for absent in ["runner_up", "losers", "models", "bundle"] {
        assert_eq!(json.get(absent), None);
    }
    assert_eq!(json["offers"][0].get("inputs"), None);
}

#[test]
fn a_stranger_gets_what_needs_no_memory() {
    let mut world = World::new(
        "
offers:
  capped: { placements: [hero], value: 9, cap: 1 per 1d }
  here: { placements: [hero], value: 2, eligible: context.page == 'start' }
  known: { placements: [hero], value: 5, eligible: profile.traits.age > 1 }
placements: { hero: {} }
",
    );
    let context = serde_json::from_str(r#"{"page":"start"}"#).unwrap();
    let ask = crate::decide::Cause::Ask(crate::decide::Ask {
        id: "1".into(),
        placement: "hero".into(),
        context,
        limit: None,
        stranger: true,
    });
    let outcome = world.handle(&ask, super::start());
    let answer = &outcome.answers[0];
    assert_eq!(&*answer.offers[0].offer, "here");
    assert_eq!(answer.lost("capped"), Some(crate::domain::Reason::Cap));
}
