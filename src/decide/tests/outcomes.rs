//! What comes back of offers: which decision it belongs to, and what counts.

use expect_test::expect;

use super::{World, check, start};
use crate::domain::action::stable_id;
use crate::domain::decision::Decisions;
use crate::domain::outcome::Kind;
use crate::domain::{Duration, Fact};

const OFFERS: &str = "
offers:
  a: { placements: [hero, two], value: 2 }
  b: { placements: [two], value: 1 }
placements:
  hero: { attribution: 2d }
  two: { limit: 2 }
";

/// Returns the id of the decision that the ask in this line (from 1) of a script gets.
fn id(placement: &str, line: usize) -> String {
    stable_id(&["u1", placement, &line.to_string()]).to_string()
}

#[test]
fn an_outcome_counts_once_in_time_and_for_its_own_decision() {
    let (hero, two) = (id("hero", 1), id("two", 2));
    let script = [
        "0m ask hero".to_owned(),
        "1m ask two".to_owned(),
        format!(r#"2m Offer Impression {{"decision_id":"{two}"}}"#),
        format!(r#"3m Offer Impression {{"decision_id":"{two}","offer":"a"}}"#),
        format!(r#"4m Offer Clicked {{"decision_id":"{two}"}}"#),
        format!(r#"5m Offer Clicked {{"decision_id":"{two}","offer":"b"}}"#),
        format!(r#"6m Offer Clicked {{"decision_id":"{hero}"}}"#),
        format!(r#"7m Offer Rejected {{"decision_id":"{hero}","offer":"b"}}"#),
        format!(r#"2d Offer Converted {{"decision_id":"{hero}"}}"#),
        format!(r#"2d1m late 2m Offer Rejected {{"decision_id":"{hero}"}}"#),
        format!(r#"2d2m Offer Impression {{"decision_id":"{hero}"}}"#),
        r#"3d Offer Clicked {"decision_id":"gone","offer":"a"}"#.to_owned(),
        r#"3d1m Offer Clicked {"decision_id":"gone"}"#.to_owned(),
        r#"3d2m Offer Clicked {"offer":"a"}"#.to_owned(),
        "3d3m Offer Clicked".to_owned(),
    ];
    check(
        OFFERS,
        None,
        &script.join("\n"),
        &expect![[r#"
            0s hero#0 ranked ["a"], lost 
            0s ANSWER degraded=false fallback=false
               a p=None priority=Some(2.0)
            1m two#0 ranked ["a", "b"], lost 
            1m ANSWER degraded=false fallback=false
               a p=None priority=Some(2.0)
               b p=None priority=Some(1.0)
            2m two#0 told impression of ["a", "b"]
            3m two#0 untold DUPLICATE: the impression was told before
            4m two#0 untold AMBIGUOUS: click of one of 2 offers: `offer` says which
            5m two#0 told click of ["b"]
            6m hero#0 told click of ["a"]
            7m hero#0 untold NOT_GIVEN: the decision did not give b
            2d hero#0 told conversion of ["a"]
            2d1m hero#0 told rejection of ["a"]
            2d2m hero#0 untold LATE: impression 2d2m after the decision, 2d count: it counts for contact policies alone
            3d offers#0 untold UNKNOWN_DECISION: click of a: it counts for contact policies alone
            3d1m offers#0 untold UNKNOWN_DECISION: click
            3d2m offers#0 told click of ["a"]
            3d3m offers#0 untold UNNAMED: click without `decision_id` and `offer`
        "#]],
    );
}

#[test]
fn an_outcome_of_what_can_be_no_offer_is_not_that_of_the_only_one() {
    let mut script = vec!["1m ask hero".to_owned()];
    let long = "x".repeat(257);
    for (minute, offer) in ["7", r#"["a"]"#, &format!("\"{long}\""), "null"]
        .iter()
        .enumerate()
    {
        script.push(format!(
            r#"{}m Offer Clicked {{"decision_id":"{}","offer":{offer}}}"#,
            minute + 2,
            id("hero", 1)
        ));
    }
    check(
        OFFERS,
        None,
        &script.join("\n"),
        &expect![[r#"
        1m hero#0 ranked ["a"], lost 
        1m ANSWER degraded=false fallback=false
           a p=None priority=Some(2.0)
        2m offers#0 untold UNNAMED: click of an `offer` that is no text of at most 256 bytes
        3m offers#0 untold UNNAMED: click of an `offer` that is no text of at most 256 bytes
        4m offers#0 untold UNNAMED: click of an `offer` that is no text of at most 256 bytes
        5m hero#0 told click of ["a"]
    "#]],
    );
}

#[test]
fn a_late_rejection_counts_for_contact_policies_alone() {
    let hero = id("hero", 1);
    check(
        "
offers: { a: { placements: [hero], contact: { after: 1 rejection, suppress: 30d } } }
placements: { hero: { attribution: 2d } }
",
        None,
        &format!(
            r#"
        0m ask hero
        3d Offer Rejected {{"decision_id":"{hero}"}}
        3d1m ask hero
    "#
        ),
        &expect![[r#"
            0s hero#0 ranked ["a"], lost 
            0s ANSWER degraded=false fallback=false
               a p=None priority=Some(1.0)
            3d hero#0 untold LATE: rejection 3d after the decision, 2d count: it counts for contact policies alone
            3d1m hero#0 ranked [], lost CONTACT_LIMIT a
            3d1m ANSWER degraded=false fallback=false
               not a: CONTACT_LIMIT 1 rejection [reached, frees at 2026-02-07T00:00:00.000Z] test.yaml:2
        "#]],
    );
}

#[test]
fn an_outcome_says_which_place_it_is_of_and_when_it_was_given() {
    let mut world = World::new(OFFERS);
    world.line("1m ask two");
    let two = id("two", 1);
    let line = format!(r#"3m Offer Clicked {{"decision_id":"{two}","offer":"b"}}"#);
    let (_, outcomes) = world.line(&line);
    let facts = outcomes.iter().flat_map(|outcome| &outcome.facts);
    let told: Vec<_> = facts
        .filter_map(|fact| {
            if let Fact::Told(told) = fact {
                Some(told)
            } else {
                None
            }
        })
        .collect();
    let [told] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!((told.slot, told.kind), (1, Kind::Click));
    assert_eq!((&*told.placement, &*told.offer), ("two", "b"));
    assert_eq!(told.given_at, start() + Duration::from_secs(60));
    assert_eq!(told.at, start() + Duration::from_secs(180));
}

#[test]
fn a_shadow_and_an_answer_without_offers_are_not_remembered() {
    let policy = "
offers:
  never: { placements: [hero], when: profile.traits.x == 1 }
  any: { placements: [mail] }
placements: { hero: {}, mail: {} }
---
journey: j
mode: shadow
enter: { event: A }
steps: [ { offer: { placement: mail, as: pick } } ]
";
    let mut world = World::new(policy);
    world.line("0m ask hero");
    world.line("1m A");
    assert_eq!(world.profile.decisions.iter().count(), 0);
}

#[test]
fn the_offer_of_a_journey_brings_the_id_that_its_outcome_names() {
    check(
        "
offers: { once: { placements: [mail] } }
placements: { mail: {} }
---
journey: j
enter: { event: A }
steps:
  - offer: { placement: mail, as: pick }
  - send: { channel: email, template: t, with: { decision: pick.decision_id } }
",
        None,
        &format!(
            "0m A\n1m Offer Clicked {{\"decision_id\":\"{}\"}}",
            stable_id(&["u1", "j", "1", "0"])
        ),
        &expect![[r#"
            0s j#1 entered
            0s j#1 @0 ranked ["once"], lost 
            0s j#1 @1 sent email t
            0s j#1 @1 left: completed
            0s ACTION email t {"decision":"76aa3c72e668526a4b076bc72cc91a54"}
            0s ANSWER degraded=false fallback=false
               once p=None priority=Some(1.0)
            1m mail#0 told click of ["once"]
        "#]],
    );
}

#[test]
fn as_many_decisions_are_remembered_as_there_is_room_for() {
    let mut world = World::new(OFFERS);
    let n = 2 * Decisions::MAX;
    for minute in 1..=n {
        world.line(&format!("{minute}m ask two"));
    }
    assert_eq!(world.profile.decisions.iter().count(), Decisions::MAX);
    let (old, new) = (id("two", Decisions::MAX), id("two", Decisions::MAX + 1));
    for (decision, counts) in [(old, false), (new, true)] {
        let line = format!(r#"2h Offer Impression {{"decision_id":"{decision}"}}"#);
        let (_, outcomes) = world.line(&line);
        let mut facts = outcomes.iter().flat_map(|outcome| &outcome.facts);
        assert_eq!(facts.any(|fact| matches!(fact, Fact::Told(_))), counts);
    }
}

#[test]
fn a_call_that_is_repeated_keeps_what_was_told() {
    let mut world = World::new(OFFERS);
    world.line("1m ask hero");
    let decision = world.profile.decisions.iter().next().cloned().unwrap();
    let told = format!(r#"2m Offer Clicked {{"decision_id":"{}"}}"#, id("hero", 1));
    world.line(&told);
    world.profile.apply(&Fact::Decided(decision.into()));
    let (_, outcomes) = world.line(&told.replace("2m", "3m"));
    let mut facts = outcomes.iter().flat_map(|outcome| &outcome.facts);
    assert!(!facts.any(|fact| matches!(fact, Fact::Told(_))));
}
