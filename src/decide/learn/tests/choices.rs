//! Who is chosen, and how likely that was.

use proptest::prelude::*;

use super::{near, of_any_size};
use crate::decide::learn::special::ln_beta;
use crate::decide::learn::{Belief, Chance, Contender, Explore, choose, win};

fn contender(id: &str, belief: Belief) -> Contender<'_> {
    let (base, slope) = (0.0, 1.0);
    Contender {
        id,
        belief,
        base,
        slope,
    }
}

/// P(X > Y) for X ~ Beta(a, b) and Y ~ Beta(c, d), of a whole `a`: the closed form of Miller (Formulas for Bayesian A/B
/// testing, 2014).
fn closed_form(a: u32, b: f64, other: (f64, f64)) -> f64 {
    let term = |n: u32| {
        let n = f64::from(n);
        let both = ln_beta(other.0 + n, b + other.1);
        (both - (b + n).ln() - ln_beta(1.0 + n, b) - ln_beta(other.0, other.1)).exp()
    };
    (0..a).map(term).sum()
}

proptest! {
    #[test]
    fn of_two_betas_the_probability_is_the_closed_form(
        a in 1_u32..200,
        b in of_any_size(0.5, 2_000.0),
        c in of_any_size(0.2, 200.0),
        d in of_any_size(0.5, 2_000.0),
    ) {
        let exact = closed_form(a, b, (c, d));
        let both = [
            contender("x", Belief::beta(f64::from(a), b)),
            contender("y", Belief::beta(c, d)),
        ];
        let found = win::probability(&both, 0);
        if exact > 1e-6 {
            prop_assert!(near(found, exact, 3e-4), "{found} {exact}");
        } else {
            prop_assert!(found < 1.1e-6);
        }
    }

}

#[test]
fn a_rival_far_below_takes_nothing_away() {
    let both = [
        contender("x", Belief::beta(14.0, 0.864)),
        contender("y", Belief::beta(0.2, 396.5)),
    ];
    assert!(near(win::probability(&both, 0), 1.0, 1e-4));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn probabilities_of_all_add_up_to_one(beliefs in beliefs(), values in prop::collection::vec(-5.0_f64..50.0, 8)) {
        let ids: Vec<String> = (0..beliefs.len()).map(|n| n.to_string()).collect();
        let all: Vec<Contender<'_>> = beliefs.iter().zip(&values).zip(&ids).map(|((belief, value), id)| {
            Contender { slope: *value, ..contender(id, *belief) }
        }).collect();
        let sum: f64 = (0..all.len()).map(|idx| win::probability(&all, idx)).sum();
        prop_assert!((sum - 1.0).abs() < 1e-3, "{sum} {all:?}");
    }
}

/// Beliefs as one learner has them, some of them sure.
fn beliefs() -> impl Strategy<Value = Vec<Belief>> {
    let point = || (0.0_f64..1.0).prop_map(Belief::Point);
    let beta =
        (of_any_size(0.05, 300.0), of_any_size(1.0, 3_000.0)).prop_map(|(a, b)| Belief::beta(a, b));
    let normal =
        (-0.2_f64..0.8, of_any_size(0.001, 0.5)).prop_map(|(mean, sd)| Belief::normal(mean, sd));
    let logit =
        (-6.0_f64..2.0, of_any_size(0.01, 1.5)).prop_map(|(mean, sd)| Belief::Logit { mean, sd });
    prop_oneof![
        prop::collection::vec(prop_oneof![9 => beta, 1 => point()], 1..8),
        prop::collection::vec(prop_oneof![9 => normal, 1 => point()], 1..8),
        prop::collection::vec(prop_oneof![9 => logit, 1 => point()], 1..8),
    ]
}

#[test]
fn chosen_offers_come_as_often_as_their_probability_says() {
    let all = [
        contender("a", Belief::beta(3.0, 40.0)),
        Contender {
            slope: 1.4,
            ..contender("b", Belief::beta(2.0, 45.0))
        },
        Contender {
            base: 0.01,
            ..contender(
                "c",
                Belief::Logit {
                    mean: -3.0,
                    sd: 0.4,
                },
            )
        },
        contender("d", Belief::normal(0.05, 0.03)),
        Contender::known("e", 0.06),
    ];
    let share = |explore: Explore| -> Vec<(f64, f64)> {
        const N: u32 = 40_000;
        let mut counts = [0_u32; 5];
        let mut said = [0.0; 5];
        for n in 0..N {
            let pick = choose(&all, explore, &Chance::of(&["u", &n.to_string()])).unwrap();
            counts[pick.idx] += 1;
            said[pick.idx] = pick.probability;
        }
        let seen = counts.map(|n| f64::from(n) / f64::from(N));
        seen.into_iter().zip(said).collect()
    };
    for explore in [
        Explore::Thompson,
        Explore::Epsilon(0.2),
        Explore::Uniform,
        Explore::Never,
    ] {
        for (seen, said) in share(explore) {
            // Four standard deviations of a share of 40,000.
            let room = 4.0 * (said * (1.0 - said) / 40_000.0).sqrt() + 1e-9;
            assert!((seen - said).abs() <= room, "{explore:?}: {seen} {said}");
        }
    }
}

#[test]
fn ties_break_by_id_and_an_unexplored_choice_is_certain() {
    let tied = [Contender::known("b", 1.0), Contender::known("a", 1.0)];
    let pick = choose(&tied, Explore::Never, &Chance::of(&["u"])).unwrap();
    assert_eq!((pick.idx, pick.explored), (1, false));
    assert!(pick.probability >= 1.0 && win::probability(&tied, 1) >= 1.0);
    assert_eq!(choose(&[], Explore::Thompson, &Chance::of(&["u"])), None);
}

#[test]
fn a_draw_does_not_depend_on_who_else_is_there() {
    let many: Vec<Contender<'_>> = ["a", "b", "c", "d"]
        .into_iter()
        .map(|id| contender(id, Belief::beta(2.0, 30.0)))
        .collect();
    let chance = Chance::of(&["u1", "d1"]);
    let all = choose(&many, Explore::Thompson, &chance).unwrap();
    let few = choose(&many[1..], Explore::Thompson, &chance).unwrap();
    let bits = |scores: &[f64]| scores.iter().map(|of| of.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&all.scores[1..]), bits(&few.scores));
}

#[test]
fn two_thousand_young_offers_are_equally_likely() {
    let ids: Vec<String> = (0..2_000).map(|n| format!("o{n}")).collect();
    let all: Vec<Contender<'_>> = ids
        .iter()
        .map(|id| contender(id, Belief::beta(1.0, 1.0)))
        .collect();
    let probability = win::probability(&all, 7);
    assert!(near(probability, 1.0 / 2_000.0, 1e-4), "{probability}");
}

#[test]
fn many_offers_with_much_evidence_add_up_to_one() {
    let ids: Vec<String> = (0..50).map(|n| format!("o{n}")).collect();
    let all: Vec<Contender<'_>> = ids
        .iter()
        .zip(0_u32..)
        .map(|(id, n)| {
            let (rate, seen) = (0.05 + f64::from(n) * 4e-5, 20_000.0 + f64::from(n));
            contender(id, Belief::beta(rate * seen, (1.0 - rate) * seen))
        })
        .collect();
    let sum: f64 = (0..all.len()).map(|idx| win::probability(&all, idx)).sum();
    assert!(near(sum, 1.0, 1e-3), "{sum}");
}

#[test]
fn one_of_two_hundred_narrow_steps_is_weighed_in_a_bounded_number_of_looks() {
    let ids: Vec<String> = (0..200).map(|n| format!("o{n}")).collect();
    let wide = contender("wide", Belief::beta(0.5, 4.0));
    let narrow = ids.iter().zip(0_u32..).map(|(id, n)| {
        let rate = 0.05 + f64::from(n) * 1e-3;
        contender(id, Belief::beta(rate * 1e7, (1.0 - rate) * 1e7))
    });
    let all: Vec<Contender<'_>> = std::iter::once(wide).chain(narrow).collect();
    // All steps are below the highest one, which alone is in the way: 1 - F(0.249) of Beta(0.5, 4).
    let found = win::probability(&all, 0);
    let exact = 1.0 - wide.belief.below(0.249, 1.0);
    assert!(near(found, exact, 1e-4), "{found} {exact}");
    let highest = win::probability(&all, 200);
    assert!(near(found + highest, 1.0, 1e-3), "{highest}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn many_are_compared_as_two_would_be(
        a in of_any_size(0.3, 400.0),
        b in of_any_size(0.3, 4_000.0),
        c in of_any_size(0.3, 400.0),
        d in of_any_size(0.3, 4_000.0),
    ) {
        // A third one who never wins: distributions are approximated, and nothing else changes.
        let both = [
            contender("x", Belief::beta(a, b)),
            contender("y", Belief::beta(c, d)),
            Contender { slope: 1e-9, ..contender("z", Belief::beta(40.0, 40.0)) },
        ];
        let (two, three) = (win::probability(&both[..2], 0), win::probability(&both, 0));
        if two > 1e-6 {
            prop_assert!(near(three, two, 1e-3), "{three} {two}");
        }
    }
}
