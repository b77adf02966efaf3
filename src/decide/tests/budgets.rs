//! Budgets: what everybody together may have, and what it claims.

use expect_test::expect;

use super::{World, check, customer};
use crate::decide::drive::Moment;
use crate::decide::{Ask, Cause, Outside, Scores, handle};
use crate::domain::budget::{Claim, Purse, Refusal};
use crate::domain::{Answer, CustomerId, Duration, Loser, Profile, Reason, Timestamp, Value};

const OFFERS: &str = "
offers:
  gift: { placements: [hero], value: 10, budget: 2 per day }
  book: { placements: [hero], value: 5, budget: { limit: 3, per: month } }
  tea: { placements: [hero] }
placements:
  hero: {}
";

#[test]
fn a_budget_of_n_is_never_n_plus_one_and_begins_anew_with_its_period() {
    check(
        OFFERS,
        None,
        "
        0m ask hero
        1m ask hero
        2m ask hero
        3m ask hero
        4m ask hero
        5m ask hero
        1d ask hero",
        &expect![[r#"
            0s hero#0 ranked ["gift"], lost OUTRANKED book, tea
            0s ANSWER degraded=false fallback=false
               gift p=None priority=Some(10.0)
               not book: OUTRANKED after gift at 5
               not tea: OUTRANKED after gift at 1
            1m hero#0 ranked ["gift"], lost OUTRANKED book, tea
            1m ANSWER degraded=false fallback=false
               gift p=None priority=Some(10.0)
               not book: OUTRANKED after gift at 5
               not tea: OUTRANKED after gift at 1
            2m hero#0 ranked ["book"], lost BUDGET gift; OUTRANKED tea
            2m ANSWER degraded=false fallback=false
               book p=None priority=Some(5.0)
               not gift: BUDGET 2/2 per day, renews at 2026-01-06T00:00:00.000Z
               not tea: OUTRANKED after book at 1
            3m hero#0 ranked ["book"], lost BUDGET gift; OUTRANKED tea
            3m ANSWER degraded=false fallback=false
               book p=None priority=Some(5.0)
               not gift: BUDGET 2/2 per day, renews at 2026-01-06T00:00:00.000Z
               not tea: OUTRANKED after book at 1
            4m hero#0 ranked ["book"], lost BUDGET gift; OUTRANKED tea
            4m ANSWER degraded=false fallback=false
               book p=None priority=Some(5.0)
               not gift: BUDGET 2/2 per day, renews at 2026-01-06T00:00:00.000Z
               not tea: OUTRANKED after book at 1
            5m hero#0 ranked ["tea"], lost BUDGET book, gift
            5m ANSWER degraded=false fallback=false
               tea p=None priority=Some(1.0)
               not book: BUDGET 3/3 per month, renews at 2026-02-01T00:00:00.000Z
               not gift: BUDGET 2/2 per day, renews at 2026-01-06T00:00:00.000Z
            1d hero#0 ranked ["gift"], lost BUDGET book; OUTRANKED tea
            1d ANSWER degraded=false fallback=false
               gift p=None priority=Some(10.0)
               not book: BUDGET 3/3 per month, renews at 2026-02-01T00:00:00.000Z
               not tea: OUTRANKED after gift at 1
        "#]],
    );
}

#[test]
fn a_day_begins_where_the_budget_says() {
    check(
        "
offers:
  gift: { placements: [hero], budget: { limit: 1, per: day, zone: America/New_York } }
placements: { hero: {} }",
        None,
        "
        0m ask hero
        4h59m59s ask hero
        5h ask hero
        1d ask hero
        1d5h ask hero",
        &expect![[r#"
            0s hero#0 ranked ["gift"], lost 
            0s ANSWER degraded=false fallback=false
               gift p=None priority=Some(1.0)
            4h59m59s hero#0 ranked [], lost BUDGET gift
            4h59m59s ANSWER degraded=false fallback=false
               not gift: BUDGET 1/1 per day, renews at 2026-01-05T05:00:00.000Z
            5h hero#0 ranked ["gift"], lost 
            5h ANSWER degraded=false fallback=false
               gift p=None priority=Some(1.0)
            1d hero#0 ranked [], lost BUDGET gift
            1d ANSWER degraded=false fallback=false
               not gift: BUDGET 1/1 per day, renews at 2026-01-06T05:00:00.000Z
            1d5h hero#0 ranked ["gift"], lost 
            1d5h ANSWER degraded=false fallback=false
               gift p=None priority=Some(1.0)
        "#]],
    );
}

#[test]
fn an_offer_of_a_journey_and_a_call_have_one_budget() {
    check(
        &visit("live"),
        None,
        "
        0m V
        1m ask hero
        2m V
        3m ask hero",
        &expect![[r#"
            0s visit#1 entered
            0s visit#1 @0 ranked ["gift"], lost 
            0s visit#1 @0 left: completed
            0s ANSWER degraded=false fallback=false
               gift p=None priority=Some(1.0)
            1m hero#0 ranked ["gift"], lost 
            1m ANSWER degraded=false fallback=false
               gift p=None priority=Some(1.0)
            2m visit#2 entered
            2m visit#2 @0 ranked [], lost BUDGET gift
            2m visit#2 @0 left: completed
            2m ANSWER degraded=false fallback=false
               not gift: BUDGET 2/2, never renews
            3m hero#0 ranked [], lost BUDGET gift
            3m ANSWER degraded=false fallback=false
               not gift: BUDGET 2/2, never renews
        "#]],
    );
}

#[test]
fn a_journey_in_the_shadow_claims_nothing() {
    check(
        &visit("shadow"),
        None,
        "
        0m V
        1m V
        2m V
        3m ask hero",
        &expect![[r#"
            0s visit#shadow 1 entered
            0s visit#shadow 1 @0 ranked ["gift"], lost 
            0s visit#shadow 1 @0 left: completed
            1m visit#shadow 2 entered
            1m visit#shadow 2 @0 ranked ["gift"], lost 
            1m visit#shadow 2 @0 left: completed
            2m visit#shadow 3 entered
            2m visit#shadow 3 @0 ranked ["gift"], lost 
            2m visit#shadow 3 @0 left: completed
            3m hero#0 ranked ["gift"], lost 
            3m ANSWER degraded=false fallback=false
               gift p=None priority=Some(1.0)
        "#]],
    );
}

#[test]
fn who_is_held_out_claims_nothing() {
    let mut world = World::new(
        "
offers: { gift: { placements: [hero], budget: 1 } }
placements: { hero: { holdout: 100% } }",
    );
    for n in 0..3 {
        let answer = asked(&mut world, "u1", n);
        assert_eq!(answer.lost("gift"), Some(Reason::Holdout));
    }
    assert!(world.till.ledger().is_empty());
}

#[test]
fn a_challenger_in_the_shadow_claims_nothing() {
    let mut world = World::new(
        "
offers: { gift: { placements: [hero], budget: 2 } }
placements: { hero: { control: none, challenger: { rank: '2', mode: shadow } } }",
    );
    for (n, who) in ["u1", "u2"].into_iter().enumerate() {
        let answer = asked(&mut world, who, n);
        assert_eq!((answer.offers.len(), answer.shadow.len()), (1, 1));
    }
    let last = asked(&mut world, "u3", 2);
    assert_eq!((last.offers.len(), last.shadow.len()), (0, 0));
}

/// Has something left of everything until it is to be given: the best is gone by then.
struct Fickle;

impl Purse for Fickle {
    fn look(&self, claims: &[Claim]) -> Vec<Option<Refusal>> {
        vec![None; claims.len()]
    }

    fn take(&self, claims: &[Claim]) -> Result<(), Vec<(usize, Refusal)>> {
        let best = claims.iter().position(|claim| &*claim.key.offer == "a");
        let spent = |at| vec![(at, Refusal::Spent { n: 7, idle: 2 })];
        best.map_or(Ok(()), |at| Err(spent(at)))
    }
}

#[test]
fn who_comes_too_late_for_an_offer_gets_the_next_one() {
    let mut world = World::new(
        "
offers:
  a: { placements: [hero], value: 3, budget: 9 per week }
  b: { placements: [hero], value: 2, budget: 9 per week }
placements: { hero: {} }",
    );
    let outside = Outside {
        purse: &Fickle,
        ..Outside::of(&|_| Scores::new())
    };
    let now = super::start();
    let moment = Moment { now, at_due: true };
    let (bundle, profile) = (&world.bundle, &mut world.profile);
    let outcome = handle(bundle, profile, &call(0, false), moment, None, outside);
    let answer = outcome.answers.last().unwrap();
    assert_eq!(&*answer.offers[0].offer, "b");
    let Loser {
        reason,
        detail,
        priority,
        ..
    } = &answer.losers[0];
    assert_eq!((reason, priority), (&Reason::Budget, &Some(3.0)));
    expect![
        "7/9 per week, 2 are leased elsewhere and called back, renews at 2026-01-12T00:00:00.000Z"
    ]
    .assert_eq(detail);
    let spent: Vec<&str> = outcome.spent.iter().map(|key| &*key.offer).collect();
    assert_eq!(spent, ["b"]);
}

#[test]
fn a_fallback_has_its_budget() {
    check(
        "
offers:
  card: { placements: [hero], when: profile.traits.tier == 'gold' }
  gift: { placements: [side], budget: 1 }
placements: { hero: { fallback: gift }, side: {} }",
        None,
        "
        0m ask hero
        1m ask hero",
        &expect![[r#"
            0s hero#0 ranked ["gift"], lost INELIGIBLE card
            0s ANSWER degraded=false fallback=true
               gift p=None priority=None
               not card: INELIGIBLE profile.traits.tier == 'gold' [unknown == "gold"] test.yaml:3
            1m hero#0 ranked [], lost INELIGIBLE card; BUDGET gift
            1m ANSWER degraded=false fallback=false
               not card: INELIGIBLE profile.traits.tier == 'gold' [unknown == "gold"] test.yaml:3
               not gift: BUDGET 1/1, never renews
        "#]],
    );
}

#[test]
fn a_call_that_is_repeated_gets_the_same_and_claims_it_once() {
    let mut world =
        World::new("offers: { gift: { placements: [hero], budget: 2 } }\nplacements: { hero: {} }");
    for _ in 0..5 {
        assert_eq!(asked(&mut world, "u1", 0).offers.len(), 1);
    }
    assert_eq!(asked(&mut world, "u2", 0).offers.len(), 1);
    // Only the last one is remembered: with it, there is no third.
    assert_eq!(asked(&mut world, "u3", 0).offers.len(), 0);
    assert_eq!(
        world.till.ledger().values().map(|of| of.used).sum::<u64>(),
        2
    );
}

#[test]
fn strangers_are_counted_like_everybody() {
    let mut world =
        World::new("offers: { gift: { placements: [hero], budget: 2 } }\nplacements: { hero: {} }");
    let mut n_given = 0;
    for n in 0..5 {
        let id: String = format!("s{n}");
        world.profile = Profile::new(CustomerId::parse(&id).unwrap());
        n_given += ask(&mut world, n, true).offers.len();
    }
    assert_eq!(n_given, 2);
}

#[test]
fn with_several_places_each_offer_claims_its_own() {
    let mut world = World::new(
        "
offers:
  a: { placements: [hero], value: 3, budget: 1 }
  b: { placements: [hero], value: 2, budget: 2 }
  c: { placements: [hero] }
placements: { hero: { limit: 2 } }",
    );
    let given = |world: &mut World, who: &str, n: usize| {
        let answer = asked(world, who, n);
        let names: Vec<&str> = answer.offers.iter().map(|of| &*of.offer).collect();
        names.join(" ")
    };
    assert_eq!(given(&mut world, "u1", 0), "a b");
    assert_eq!(given(&mut world, "u2", 1), "b c");
    assert_eq!(given(&mut world, "u3", 2), "c");
}

/// Lets a customer of whom nothing else is known ask.
fn asked(world: &mut World, who: &str, n: usize) -> std::sync::Arc<Answer> {
    if world.profile.id.as_str() != who {
        let profile = Profile {
            id: CustomerId::parse(who).unwrap(),
            ..customer()
        };
        world.profile = profile;
    }
    ask(world, n, false)
}

fn ask(world: &mut World, n: usize, stranger: bool) -> std::sync::Arc<Answer> {
    let now: Timestamp = super::start() + Duration::from_secs(60 * n as u64);
    let outcome = world.handle(&call(n, stranger), now);
    outcome.answers.last().unwrap().clone()
}

fn call(n: usize, stranger: bool) -> Cause {
    Cause::Ask(Ask {
        id: n.to_string().into(),
        placement: "hero".into(),
        context: Value::Null,
        limit: None,
        stranger,
    })
}

fn visit(mode: &str) -> String {
    format!(
        "
journey: visit
class: transactional
enter: {{ event: V, reentry: always }}
mode: {mode}
steps:
  - offer: {{ placement: hero, as: pick }}
---
offers:
  gift: {{ placements: [hero], budget: 2 }}
placements: {{ hero: {{}} }}"
    )
}
