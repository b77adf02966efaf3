//! Arms by chance.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a draw times 100 is the number of a bin"
)]

use std::collections::BTreeMap;

use expect_test::expect;
use proptest::prelude::*;

use super::{World, check};
use crate::decide::draw::draw;
use crate::domain::{CustomerId, Fact, Profile, What};

const SHORT: &str = "
journey: short
enter: { event: A }
steps:
  - split: { a: 50%, b: 50% }
  - branch:
      - when: split == 'a'
        then: { send: { channel: email, template: first } }
      - otherwise: { send: { channel: email, template: second } }
";

const LONG: &str = "
journey: long
enter: { event: A }
steps:
  - split:
      salt: spring
      arms:
        - { name: letter, share: 20%, then: [ { wait: 1d }, { send: { channel: email, template: t, with: { of: split } } } ] }
        - { name: nothing, share: 30%, then: stop }
        - { name: rest, share: 50% }
  - send: { channel: push, template: end, with: { of: split } }
";

/// Enters a customer and returns the arm.
fn arm(policy: &str, id: &str) -> String {
    let mut world = World::new(policy);
    world.profile = Profile::new(CustomerId::parse(id).unwrap());
    arm_of(&mut world, "0m A")
}

fn arm_of(world: &mut World, line: &str) -> String {
    let (_, outcomes) = world.line(line);
    let facts = outcomes.iter().flat_map(|of| &of.facts);
    let dealt = facts.filter_map(Fact::as_trace).find_map(|trace| {
        if let What::Dealt(arm, _) = &trace.what {
            Some(arm.to_string())
        } else {
            None
        }
    });
    dealt.unwrap()
}

#[test]
fn the_arm_is_a_result_for_later_steps_and_the_exposure_is_traced() {
    check(
        SHORT,
        None,
        "0m A",
        &expect![[r#"
        0s short#1 entered
        0s short#1 @0 dealt to a: draw 0.273690 < 0.5
        0s short#1 @1 took 0: split == 'a' ["a" == "a"] test.yaml:7
        0s short#1 @1.branch.0.0 sent email first
        0s short#1 @1 left: completed
        0s ACTION email first {}
    "#]],
    );
}

#[test]
fn arms_have_steps_of_their_own() {
    check(
        LONG,
        None,
        "
        0m A
        2d wake
    ",
        &expect![[r#"
            0s long#1 entered
            0s long#1 @0 dealt to rest: draw 0.525385 < 1
            0s long#1 @1 sent push end
            0s long#1 @1 left: completed
            0s ACTION push end {"of":"rest"}
        "#]],
    );
}

#[test]
fn shares_are_what_they_say() {
    const N: f64 = 20_000.0;
    let mut counts = BTreeMap::new();
    let mut world = World::new(LONG);
    for n in 0..20_000 {
        world.profile = Profile::new(CustomerId::parse(&format!("u{n}")).unwrap());
        *counts.entry(arm_of(&mut world, "0m A")).or_insert(0.0) += 1.0;
    }
    for (arm, share) in [("letter", 0.2), ("nothing", 0.3), ("rest", 0.5)] {
        let deviation = (counts[arm] - share * N) / (share * (1.0 - share) * N).sqrt();
        assert!(
            f64::abs(deviation) < 3.5,
            "{arm} is {deviation} off: {counts:?}"
        );
    }
}

#[test]
fn draws_are_spread_evenly_for_every_salt() {
    const N: u32 = 100_000;
    const BINS: u32 = 100;
    for salt in ["", "spring", "x", "holdout"] {
        let mut bins = vec![0.0; BINS as usize];
        for n in 0..N {
            let at = draw(&[&format!("u{n}"), "journey", "0", salt]) * f64::from(BINS);
            bins[at as usize] += 1.0;
        }
        let expected = f64::from(N / BINS);
        let chi_square: f64 = bins
            .iter()
            .map(|n| (n - expected) * (n - expected) / expected)
            .sum();
        // 99 degrees of freedom: one even deal of 100,000 is outside of this.
        assert!(
            (46.0..182.0).contains(&chi_square),
            "`{salt}`: {chi_square}"
        );
    }
}

#[test]
fn another_salt_deals_anew() {
    let ids: Vec<String> = (0..400).map(|n| format!("u{n}")).collect();
    let mut worlds = [SHORT.to_owned(), SHORT.replace("b: 50%", "b: 50%, salt: x")]
        .map(|policy| World::new(&policy));
    let mut same = 0;
    for id in &ids {
        let arms = worlds.each_mut().map(|world| {
            world.profile = Profile::new(CustomerId::parse(id).unwrap());
            arm_of(world, "0m A")
        });
        same += usize::from(arms[0] == arms[1]);
    }
    // Two deals that know nothing of each other agree on half of the customers.
    assert!((160..240).contains(&same), "{same}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_customer_gets_the_same_arm_again(id in "[a-z0-9]{1,12}", later in 1_u32..1_000) {
        let mut world = World::new(SHORT);
        world.profile = Profile::new(CustomerId::parse(&id).unwrap());
        let first = arm_of(&mut world, "0m A");
        let second = arm_of(&mut world, &format!("{later}h A"));
        prop_assert_eq!(&first, &second);
        prop_assert_eq!(first, arm(SHORT, &id));
    }
}
