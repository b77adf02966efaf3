//! What outcomes teach, who explores, and who is compared with whom.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::{World, customer, start};
use crate::decide::drive::Outcome;
use crate::decide::promises::promises;
use crate::decide::{Ask, Cause, Outside};
use crate::domain::action::stable_id;
use crate::domain::learning::{Arm, Tallies};
use crate::domain::outcome::Kind;
use crate::domain::{CustomerId, Duration, Event, EventId, Profile, Score, Timestamp, Value};

const TASTE: &str = "
learners:
  taste: { reward: { impression: 0, click: 0.5, conversion: 1 }, within: 2d }
placements:
  hero: { learner: taste, control: none }
offers:
  a: { placements: [hero] }
  b: { placements: [hero] }
";

/// Many customers on a virtual clock that learn together.
struct Crowd {
    world: World,
    profiles: BTreeMap<usize, Profile>,
}

impl Crowd {
    fn new(policies: &str) -> Self {
        let (world, profiles) = (World::new(policies), BTreeMap::new());
        Self { world, profiles }
    }

    fn handle(&mut self, who: usize, cause: &Cause, now: Timestamp) -> Outcome {
        let profile = self.profiles.remove(&who).unwrap_or_else(|| Profile {
            id: CustomerId::parse(&format!("c{who}")).unwrap(),
            ..customer()
        });
        let before = std::mem::replace(&mut self.world.profile, profile);
        let outcome = self.world.handle(cause, now);
        let profile = std::mem::replace(&mut self.world.profile, before);
        self.profiles.insert(who, profile);
        outcome
    }

    fn ask(&mut self, who: usize, placement: &str, now: Timestamp) -> Outcome {
        let ask = Ask {
            id: "1".into(),
            placement: placement.into(),
            context: Value::Null,
            limit: None,
            stranger: false,
        };
        self.handle(who, &Cause::Ask(ask), now)
    }

    fn tell(&mut self, who: usize, name: &str, decision: &str, at: Timestamp) -> Outcome {
        let properties = format!(r#"{{"decision_id":"{decision}"}}"#);
        let event = Event {
            id: EventId::new(&format!("{who} {name} {}", at.as_millis())),
            kind: crate::domain::event::Kind::Track,
            name: name.into(),
            at,
            properties: serde_json::from_str(&properties).unwrap(),
            traits: Value::Null,
            context: Value::Null,
        };
        self.handle(who, &Cause::Event(event), at)
    }
}

fn at(text: &str) -> Timestamp {
    start() + Duration::parse(text).unwrap()
}

fn decision(placement: &str, ask: usize) -> String {
    stable_id(&["u1", placement, &ask.to_string()]).to_string()
}

/// Runs a script, and shows the evidence after each line that changed it.
fn learns(policies: &str, script: &[String], expected: &Expect) {
    let mut world = World::new(policies);
    let (mut out, mut last) = (String::new(), String::new());
    for line in script {
        world.line(line);
        let now = evidence(&world, "hero");
        if now != last {
            let (time, what) = line.split_once(' ').unwrap();
            let what = what.split_once('{').map_or(what, |(what, _)| what);
            writeln!(out, "{time} {}: {now}", what.trim()).unwrap();
            last = now;
        }
    }
    expected.assert_eq(&out);
}

fn evidence(world: &World, placement: &str) -> String {
    let mut out = String::new();
    for learner in world.bundle.learners.values() {
        let rows = world.learnt.offers(learner.version, &placement.into());
        for (offer, row) in rows.into_iter().flatten() {
            write!(out, "{offer} {} of {}  ", row.rewards, row.n).unwrap();
        }
    }
    out.trim_end().to_owned()
}

#[test]
fn an_offer_of_a_decision_is_one_trial_and_its_best_outcome_counts() {
    let id = decision("hero", 1);
    let tell = |time: &str, name: &str| format!(r#"{time} {name} {{"decision_id":"{id}"}}"#);
    let script = [
        "0m ask hero".to_owned(),
        tell("1m", "Offer Impression"),
        tell("2m", "Offer Impression"),
        tell("3m", "Offer Clicked"),
        tell("4m", "Offer Clicked"),
        // The learner does not look at rejections.
        tell("5m", "Offer Rejected"),
        tell("6m", "Offer Converted"),
    ];
    learns(
        TASTE,
        &script,
        &expect![[r#"
        1m Offer Impression: a 0 of 1
        3m Offer Clicked: a 0.5 of 1
        6m Offer Converted: a 1 of 1
    "#]],
    );
}

#[test]
fn an_outcome_that_comes_before_the_impression_is_the_trial() {
    let id = decision("hero", 1);
    let script = [
        "0m ask hero".to_owned(),
        format!(r#"1m Offer Converted {{"decision_id":"{id}"}}"#),
        format!(r#"2m Offer Impression {{"decision_id":"{id}"}}"#),
    ];
    learns(
        TASTE,
        &script,
        &expect![[r#"
        1m Offer Converted: a 1 of 1
    "#]],
    );
}

#[test]
fn what_comes_too_late_or_belongs_to_no_decision_teaches_nothing() {
    let id = decision("hero", 1);
    let script = [
        "0m ask hero".to_owned(),
        format!(r#"1m Offer Impression {{"decision_id":"{id}"}}"#),
        r#"2m Offer Clicked {"decision_id":"another"}"#.to_owned(),
        r#"3m Offer Clicked {"offer":"a"}"#.to_owned(),
        // Within the placement's week, and not within the learner's two days.
        format!(r#"2d1m Offer Clicked {{"decision_id":"{id}"}}"#),
        format!(r#"8d Offer Converted {{"decision_id":"{id}"}}"#),
    ];
    learns(
        TASTE,
        &script,
        &expect![[r#"
        1m Offer Impression: a 0 of 1
    "#]],
    );
}

#[test]
fn a_call_that_is_repeated_decides_once_and_keeps_what_was_told() {
    let mut crowd = Crowd::new(TASTE);
    let first = crowd.ask(0, "hero", at("0m"));
    let id = first.answers[0].decision_id.to_string();
    crowd.tell(0, "Offer Clicked", &id, at("1m"));
    let again = crowd.ask(0, "hero", at("2m"));
    assert_eq!(again.answers[0].decision_id.to_string(), id);
    let outcome = crowd.tell(0, "Offer Clicked", &id, at("3m"));
    assert!(outcome.updates.is_empty(), "{:?}", outcome.updates);
    let decided = crowd.world.learnt.shares("hero").map(|(.., share)| share.n);
    assert_eq!(decided.sum::<u64>(), 1);
}

#[test]
fn equal_arguments_choose_the_same_offer_and_another_view_may_not() {
    let mut worlds = [(); 2].map(|()| World::new(TASTE));
    let lines = ["0m ask hero", "1m ask hero", "2m ask hero"];
    for line in lines {
        let [a, b] = worlds.each_mut().map(|world| world.line(line).1);
        assert_eq!(a, b);
    }
}

const ARMS: &str = "
learners: { taste: { prior: { propensity: 0.2, evidence: 10 } } }
placements:
  hero:
    learner: taste
    control: 20%
    holdout: 10%
    fallback: z
    challenger: { learner: none, rank: offer.value, share: 25% }
offers:
  a: { placements: [hero], value: 1 }
  b: { placements: [hero], value: 2 }
  c: { placements: [hero], value: 3 }
  z: { placements: [], value: 0 }
";

#[test]
fn customers_are_dealt_to_arms_and_stay_there() {
    let mut crowd = Crowd::new(
        &ARMS
            .replace(
                "z: { placements: [], value: 0 }",
                "z: { placements: [back] }",
            )
            .replace("placements:\n  hero:", "placements:\n  back: {}\n  hero:"),
    );
    let mut n = BTreeMap::<Arm, u32>::new();
    let mut moved = 0;
    for who in 0..2_000 {
        let arm = |outcome: Outcome| outcome.answers[0].arm.unwrap();
        let first = crowd.ask(who, "hero", at("0m"));
        let answer = first.answers[0].clone();
        match arm(first) {
            Arm::Holdout => {
                assert!(answer.fallback && answer.offers[0].offer.as_ref() == "z");
                assert!(
                    answer
                        .losers
                        .iter()
                        .any(|loser| loser.reason.code() == "HOLDOUT")
                );
            }
            Arm::Control => assert!((answer.offers[0].probability - 1.0 / 3.0).abs() < 1e-12),
            Arm::Challenger => assert_eq!(answer.offers[0].offer.as_ref(), "c"),
            Arm::Champion => assert!(answer.offers[0].probability < 1.0),
        }
        *n.entry(answer.arm.unwrap()).or_default() += 1;
        // Within the month all of them stay; the control is another one in the next.
        assert_eq!(arm(crowd.ask(who, "hero", at("10d"))), answer.arm.unwrap());
        moved += u32::from(arm(crowd.ask(who, "hero", at("40d"))) != answer.arm.unwrap());
    }
    // Of 2,000: a tenth, a fifth of the rest, a quarter of the rest; four standard deviations around.
    let near = |arm, expected: u32, room: u32| {
        let found = n.get(&arm).copied().unwrap_or(0);
        assert!(found.abs_diff(expected) < room, "{arm:?}: {found}");
    };
    near(Arm::Holdout, 200, 54);
    near(Arm::Control, 360, 69);
    near(Arm::Challenger, 360, 69);
    near(Arm::Champion, 1_080, 90);
    assert!((400..800).contains(&moved), "{moved}");
}

#[test]
fn a_challenger_in_the_shadow_is_logged_and_changes_nothing() {
    let policies = "
learners: { taste: {} }
placements:
  hero: { control: none, challenger: { rank: 0 - offer.value, mode: shadow } }
offers:
  a: { placements: [hero], value: 1 }
  b: { placements: [hero], value: 2 }
";
    let mut crowd = Crowd::new(policies);
    let outcome = crowd.ask(0, "hero", at("0m"));
    let answer = &outcome.answers[0];
    assert_eq!(answer.offers[0].offer.as_ref(), "b");
    assert_eq!(answer.shadow[0].offer.as_ref(), "a");
    assert_eq!(answer.arm, Some(Arm::Champion));
    let json = answer.to_json(false);
    assert!(json.contains(r#""shadow":[{"offer":"a""#), "{json}");
}

#[test]
fn outcomes_are_counted_for_the_arm_of_their_decision() {
    let mut crowd = Crowd::new(TASTE);
    for who in 0..40 {
        let outcome = crowd.ask(who, "hero", at("0m"));
        let id = outcome.answers[0].decision_id.to_string();
        crowd.tell(who, "Offer Impression", &id, at("1m"));
        if who % 4 == 0 {
            crowd.tell(who, "Offer Clicked", &id, at("2m"));
            crowd.tell(who, "Offer Clicked", &id, at("3m"));
        }
    }
    let shares: Vec<_> = crowd.world.learnt.shares("hero").collect();
    let [(_, Arm::Champion, share)] = shares[..] else {
        panic!("{shares:?}");
    };
    assert_eq!(
        (
            share.n,
            share.with(Kind::Impression),
            share.with(Kind::Click)
        ),
        (40, 40, 10)
    );
}

#[test]
fn what_is_withheld_and_what_is_given_to_nobody_counts_once_or_not_at_all() {
    let policies = "
placements: { hero: { holdout: 50%, control: none } }
offers: { a: { placements: [hero] }, b: { placements: [hero], value: 0.5 } }
";
    let mut crowd = Crowd::new(policies);
    for who in 0..40 {
        for minute in ["0m", "1m"] {
            crowd.ask(who, "hero", at(minute));
        }
        let outcome = crowd.ask(who, "hero", at("2m"));
        let id = outcome.answers[0].decision_id.to_string();
        // Whoever gets nothing converts, too.
        crowd.tell(who, "Offer Converted", &id, at("3m"));
        crowd.tell(who, "Offer Converted", &id, at("4m"));
    }
    for who in 40..60 {
        let ask = Ask {
            id: "1".into(),
            placement: "hero".into(),
            context: Value::Null,
            limit: None,
            stranger: true,
        };
        let outcome = crowd.handle(who, &Cause::Ask(ask), at("0m"));
        assert!(outcome.updates.is_empty(), "{:?}", outcome.updates);
    }
    let shares = crowd.world.learnt.shares("hero");
    let shares: Vec<_> = shares
        .map(|(_, arm, share)| (arm, share.n, share.with(Kind::Conversion)))
        .collect();
    let [
        (Arm::Champion, given, bought),
        (Arm::Holdout, withheld, bought_without),
    ] = shares[..]
    else {
        panic!("{shares:?}");
    };
    assert_eq!(
        (given + withheld, bought, bought_without),
        (40, given, withheld)
    );
    assert!(withheld > 10, "{withheld}");
}

#[test]
fn a_young_propensity_is_pulled_to_where_it_starts() {
    let mut crowd = Crowd::new(
        "
learners: { taste: {} }
placements:
  hero: { learner: taste, explore: none, control: none, smoothing: { evidence: 50, propensity: 0.30 } }
offers: { a: { placements: [hero] } }
",
    );
    let mut said = Vec::new();
    for who in 0..51 {
        let outcome = crowd.ask(who, "hero", at("0m"));
        let answer = &outcome.answers[0];
        said.push(answer.offers[0].propensity.unwrap());
        let id = answer.decision_id.to_string();
        crowd.tell(who, "Offer Impression", &id, at("1m"));
        if who % 10 == 0 {
            crowd.tell(who, "Offer Clicked", &id, at("2m"));
        }
    }
    // The worked examples of the specification, to the digits that they have: nothing seen, then 5 of 50.
    assert!((said[0] - 0.294).abs() < 5e-4, "{}", said[0]);
    assert!((said[50] - 0.198).abs() < 5e-4, "{}", said[50]);
}

#[test]
fn a_decision_with_a_shadow_waits_for_its_models_once() {
    use crate::decide::drive::Moment;
    use crate::decide::{Request, Scores, handle};
    let policies = "
placements: { hero: { model: m, challenger: { model: n, mode: shadow } } }
offers: { a: { placements: [hero] }, b: { placements: [hero] } }
---
model: m
file: m.onnx
inputs: [{ column: v, from: profile.cart.value, type: number, unknown: 0 }]
---
model: n
file: n.onnx
inputs: [{ column: v, from: offer.value, type: number, unknown: 0 }]
---
placements: { side: { model: m, challenger: { model: k, mode: shadow } } }
offers: { c: { placements: [side] } }
---
model: k
file: k.onnx
inputs: [{ column: v, from: profile.cart.value, type: number, unknown: 0 }]
";
    let world = World::new(policies);
    for (placement, trips) in [("hero", vec!["m 1", "n 2"]), ("side", vec!["m 1 k 1"])] {
        let asked = std::cell::RefCell::new(Vec::new());
        let scoring = |requests: &[Request]| -> Scores {
            let rows = |of: &Request| format!("{} {}", of.model, of.rows.len());
            let trip: Vec<String> = requests.iter().map(rows).collect();
            asked.borrow_mut().push(trip.join(" "));
            let scores = |of: &Request| (of.model.clone(), vec![Score::Value(0.5); of.rows.len()]);
            requests.iter().map(scores).collect()
        };
        let ask = Cause::Ask(Ask {
            id: "1".into(),
            placement: placement.into(),
            context: Value::Null,
            limit: None,
            stranger: false,
        });
        let moment = Moment {
            now: at("0m"),
            at_due: true,
        };
        let mut profile = customer();
        handle(
            &world.bundle,
            &mut profile,
            &ask,
            moment,
            None,
            Outside {
                learnt: &world.learnt,
                ..Outside::of(&scoring)
            },
        );
        assert_eq!(asked.into_inner(), trips);
    }
}

const CALIBRATED: &str = "
learners: { fix: { kind: calibrate } }
placements: { hero: { model: m, learner: fix, explore: none, control: none } }
offers: { a: { placements: [hero] } }
---
model: m
file: m.onnx
inputs: [{ column: v, from: profile.cart.value, type: number, unknown: 0 }]
output: { name: p }
";

#[test]
fn a_model_that_promises_too_much_is_corrected() {
    let mut crowd = Crowd::new(CALIBRATED);
    crowd.world.score = Score::Value(0.5);
    let mut said = Vec::new();
    for who in 0..200 {
        let outcome = crowd.ask(who, "hero", at("0m"));
        let answer = &outcome.answers[0];
        said.push(answer.offers[0].propensity.unwrap());
        let id = answer.decision_id.to_string();
        crowd.tell(who, "Offer Impression", &id, at("1m"));
        if who % 10 == 0 {
            crowd.tell(who, "Offer Clicked", &id, at("2m"));
        }
    }
    assert!((said[0] - 0.5).abs() < 1e-6, "{}", said[0]);
    let last = said[199];
    assert!((last - 0.1).abs() < 0.03, "{last}");
    // Without a score there is nothing to correct.
    crowd.world.score = Score::unavailable("down");
    let outcome = crowd.ask(999, "hero", at("3m"));
    assert!(outcome.answers[0].degraded);
    assert_eq!(outcome.answers[0].offers[0].propensity, None);
}

/// Shows what models promised of the first answer.
fn promised(outcome: &Outcome) -> Vec<String> {
    let promises = promises(&outcome.answers[0], &outcome.facts);
    promises
        .map(|of| format!("{} {} {:.3}", of.model, of.offer, of.score))
        .collect()
}

#[test]
fn a_model_promises_its_own_score_whatever_a_learner_makes_of_it() {
    let mut crowd = Crowd::new(CALIBRATED);
    crowd.world.score = Score::Value(0.5);
    for who in 0..50 {
        let outcome = crowd.ask(who, "hero", at("0m"));
        assert_eq!(promised(&outcome), ["m a 0.500"]);
        let id = outcome.answers[0].decision_id.to_string();
        crowd.tell(who, "Offer Impression", &id, at("1m"));
    }
    let outcome = crowd.ask(99, "hero", at("2m"));
    let corrected = outcome.answers[0].offers[0].propensity.unwrap();
    assert!(corrected < 0.1, "{corrected}");
    assert_eq!(promised(&outcome), ["m a 0.500"]);
}

#[test]
fn a_promise_is_of_the_model_that_was_asked_and_a_learner_makes_none() {
    let model = |name: &str| {
        format!(
            "---\nmodel: {name}\nfile: m.onnx\ninputs: [{{ column: v, from: profile.cart.value, unknown: 0 }}]\n"
        )
    };
    let policies = format!(
        "
learners: {{ taste: {{}} }}
placements:
  hero: {{ model: m, challenger: {{ model: n, share: 100% }} }}
  side: {{ learner: taste, control: none }}
offers: {{ a: {{ placements: [hero, side] }}, b: {{ placements: [side], model: m }} }}
{}{}",
        model("m"),
        model("n")
    );
    let mut crowd = Crowd::new(&policies);
    crowd.world.score = Score::Value(0.2);
    assert_eq!(promised(&crowd.ask(0, "hero", at("0m"))), ["n a 0.200"]);
    for who in 0..9 {
        assert!(promised(&crowd.ask(who, "side", at("0m"))).is_empty());
    }
    crowd.world.score = Score::unavailable("down");
    assert!(promised(&crowd.ask(1, "hero", at("0m"))).is_empty());
}

const LINEAR: &str = "
learners:
  line: { kind: linear, features: { rich: profile.traits.rich }, prior: { propensity: 0.5, evidence: 1 } }
placements: { hero: { learner: line, explore: 20%, control: none } }
offers:
  a: { placements: [hero] }
  b: { placements: [hero] }
";

#[test]
fn a_line_over_features_gives_each_customer_their_own() {
    let mut crowd = Crowd::new(LINEAR);
    let rich = |who: usize| !who.is_multiple_of(2);
    let mut last = Vec::new();
    for who in 0..600 {
        let traits = format!(r#"{{"rich":{}}}"#, u8::from(rich(who)));
        let known = Event {
            id: EventId::new(&format!("{who}")),
            kind: crate::domain::event::Kind::Identify,
            name: "identify".into(),
            at: at("0m"),
            properties: Value::Null,
            traits: serde_json::from_str(&traits).unwrap(),
            context: Value::Null,
        };
        crowd.handle(who, &Cause::Event(known), at("0m"));
        let outcome = crowd.ask(who, "hero", at("1m"));
        let choice = outcome.answers[0].offers[0].clone();
        let id = outcome.answers[0].decision_id.to_string();
        // The rich like `a`, the others `b`.
        let liked = (choice.offer.as_ref() == "a") == rich(who);
        crowd.tell(who, "Offer Impression", &id, at("2m"));
        if liked {
            crowd.tell(who, "Offer Clicked", &id, at("3m"));
        }
        if who >= 500 {
            last.push((liked, choice));
        }
    }
    let n_liked = last.iter().filter(|(liked, _)| *liked).count();
    assert!(n_liked > 80, "{n_liked} of 100");
    for (_, choice) in last {
        let expected = if choice.explored { 0.1 } else { 0.9 };
        assert!((choice.probability - expected).abs() < 1e-12);
    }
}

#[test]
fn every_place_is_a_contest_of_its_own_and_no_offer_comes_twice() {
    let policies = "
learners: { taste: {} }
placements: { hero: { learner: taste, limit: 3, control: none } }
offers:
  a: { placements: [hero] }
  b: { placements: [hero] }
  c: { placements: [hero] }
  d: { placements: [hero] }
";
    let mut crowd = Crowd::new(policies);
    let mut orders = std::collections::BTreeSet::new();
    for who in 0..60 {
        let outcome = crowd.ask(who, "hero", at("0m"));
        let offers = &outcome.answers[0].offers;
        let ids: Vec<&str> = offers.iter().map(|of| of.offer.as_ref()).collect();
        let said: Vec<f64> = offers.iter().map(|of| of.probability).collect();
        // Nothing is known: each of those that are left is as likely as any other.
        for (said, expected) in said.iter().zip([0.25, 1.0 / 3.0, 0.5]) {
            assert!((said - expected).abs() < 1e-4, "{said}");
        }
        let mut once = ids.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), 3);
        orders.insert(ids.join(""));
    }
    assert!(orders.len() > 15, "{orders:?}");
}

#[test]
fn who_loses_a_draw_is_told_by_how_much_it_was_lost() {
    let mut crowd = Crowd::new(
        "
learners: { taste: {} }
placements: { hero: { learner: taste, limit: 2, control: none } }
offers:
  a: { placements: [hero] }
  b: { placements: [hero] }
  c: { placements: [hero] }
  d: { placements: [hero] }
",
    );
    for who in 0..60 {
        let outcome = crowd.ask(who, "hero", at("0m"));
        let answer = &outcome.answers[0];
        let (last, next) = (answer.offers[1].priority.unwrap(), &answer.losers[0]);
        let runner_up = answer.runner_up.as_ref().unwrap();
        assert_eq!(runner_up.offer, next.offer);
        assert_eq!(Some(runner_up.priority), next.priority);
        assert!(runner_up.behind >= 0.0, "{runner_up:?}");
        assert!((last - runner_up.priority - runner_up.behind).abs() < 1e-12);
        assert!(answer.losers[1].priority <= next.priority);
    }
}

#[test]
fn tallies_are_bounded_however_many_offers_and_months_there_are() {
    use crate::domain::learning::{Lesson, Sample, Update};
    let mut tallies = Tallies::default();
    for n in 0..Tallies::ROWS_MAX + 10 {
        let lesson = Lesson {
            version: 1,
            placement: "hero".into(),
            offer: format!("o{n}").into(),
            at: start() + Duration::from_secs(n as u64),
            half_life: None,
            trial: true,
            reward: 0.0,
            sample: Sample::Plain,
        };
        tallies.apply(&Update::Learnt(lesson.into()));
    }
    assert_eq!(tallies.n_rows(), Tallies::ROWS_MAX);
    assert!(tallies.row(1, &"hero".into(), "o9").is_none());
    assert!(tallies.row(1, &"hero".into(), "o10").is_some());
    for month in 0..9 {
        let at = start() + Duration::from_secs(31 * 86_400 * month);
        tallies.apply(&Update::Decided("hero".into(), Arm::Control, at));
    }
    assert_eq!(tallies.shares("hero").count(), Tallies::MONTHS_MAX);
}

#[test]
fn what_is_kept_of_decisions_does_not_grow_with_their_number() {
    let policies = "
learners: { taste: { half_life: 30d } }
placements: { hero: { learner: taste, control: 10%, challenger: { learner: none, share: 20% } } }
offers:
  a: { placements: [hero], cap: 2 per 1d, contact: { after: 3 impressions per 1d, suppress: 1h } }
  b: { placements: [hero], group: g }
groups: { g: {} }
";
    let mut world = World::new(policies);
    let size = |world: &World| {
        let profile = postcard::to_stdvec(&world.profile).unwrap();
        let learnt = postcard::to_stdvec(&world.learnt).unwrap();
        profile.len() + learnt.len()
    };
    let mut sizes = Vec::new();
    for ask in 1..=12_000 {
        let minute = ask * 10;
        world.line(&format!("{minute}m ask hero"));
        let id = decision("hero", ask);
        for event in ["Offer Impression", "Offer Clicked"] {
            world.line(&format!(r#"{minute}m {event} {{"decision_id":"{id}"}}"#));
        }
        if ask % 4_000 == 0 {
            sizes.push(size(&world));
        }
    }
    assert!(world.learnt.n_rows() > 0);
    // Longer times take a byte more here and there.
    assert!(sizes[2] < sizes[0] + sizes[0] / 20, "{sizes:?}");
}
