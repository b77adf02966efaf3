//! Special functions and seeded chance.

use proptest::prelude::*;

use super::{near, of_any_size};
use crate::decide::learn::Chance;
use crate::decide::learn::special::{beta_below, erfc, ln_beta, ln_gamma, normal_below};

#[test]
fn the_special_functions_have_their_tabled_values() {
    let factorial = [1.0, 1.0, 2.0, 6.0, 24.0, 120.0, 720.0];
    for (n, value) in (1_u32..).zip(factorial) {
        assert!(
            (ln_gamma(f64::from(n)) - f64::ln(value)).abs() < 1e-12,
            "{n}"
        );
    }
    assert!(near(ln_gamma(0.5), std::f64::consts::PI.sqrt().ln(), 1e-13));
    // DLMF: ln Γ(0.1) and ln Γ(100).
    assert!(near(ln_gamma(0.1), 2.252_712_651_734_206, 1e-13));
    assert!(near(ln_gamma(100.0), 359.134_205_369_575_4, 1e-13));
    assert!(near(erfc(1.0), 0.157_299_207_050_285_13, 2e-7));
    assert!(near(erfc(4.0), 1.541_725_790_028_002e-8, 2e-7));
    assert!(near(normal_below(-1.959_963_984_540_054), 0.025, 1e-6));
}

#[test]
fn the_incomplete_beta_function_is_a_sum_of_binomials() {
    // Of whole parameters it is the chance of at least `a` successes in `a + b - 1` trials.
    for (a, b) in [(1_u32, 1_u32), (3, 7), (20, 5), (60, 40)] {
        for x in [0.001, 0.1, 0.37, 0.5, 0.9] {
            let n = a + b - 1;
            let term = |k: u32| {
                let [n, k] = [n, k].map(f64::from);
                let ways = ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
                (ways + k * f64::ln(x) + (n - k) * f64::ln(1.0 - x)).exp()
            };
            let exact: f64 = (a..=n).map(term).sum();
            let [a, b] = [a, b].map(f64::from);
            let found = beta_below(a, b, ln_beta(a, b), x);
            assert!(
                (found - exact).abs() < 1e-10,
                "{a} {b} {x}: {found} {exact}"
            );
        }
    }
}

proptest! {
    #[test]
    fn a_beta_below_grows_and_mirrors(
        a in of_any_size(0.05, 5_000.0),
        b in of_any_size(0.05, 5_000.0),
        x in 0.0_f64..1.0,
        y in 0.0_f64..1.0,
    ) {
        let below = |a: f64, b: f64, x: f64| beta_below(a, b, ln_beta(a, b), x);
        let (low, high) = (x.min(y), x.max(y));
        prop_assert!(below(a, b, low) <= below(a, b, high) + 1e-9);
        prop_assert!((below(a, b, x) + below(b, a, 1.0 - x) - 1.0).abs() < 1e-7);
    }

    #[test]
    fn both_ways_to_a_beta_below_agree(a in 1_501.0_f64..4_000.0, b in 1_501.0_f64..4_000.0, z in -5.0_f64..5.0) {
        // The recurrence I(a, b) = x I(a - 1, b) + (1 - x) I(a, b - 1) ties neighbors together, across the switch as well.
        let sd = (a * b / ((a + b).powi(2) * (a + b + 1.0))).sqrt();
        let x = a / (a + b) + z * sd;
        let below = |a: f64, b: f64| beta_below(a, b, ln_beta(a, b), x);
        let (left, right) = (below(a, b), x * below(a - 1.0, b) + (1.0 - x) * below(a, b - 1.0));
        prop_assert!((left - right).abs() < 1e-8, "{left} {right}");
    }
}

#[test]
fn equal_words_draw_equal_numbers_and_others_do_not() {
    let draws = |words: &[&str]| {
        let mut chance = Chance::of(words);
        [chance.uniform(), chance.normal(), chance.beta(2.0, 5.0)].map(f64::to_bits)
    };
    assert_eq!(draws(&["u1", "d1"]), draws(&["u1", "d1"]));
    assert_ne!(draws(&["u1", "d1"]), draws(&["u1", "d2"]));
    let branch = |word| Chance::of(&["u1"]).branch(word).uniform().to_bits();
    assert_ne!(branch("a"), branch("b"));
}

#[test]
fn draws_are_spread_as_their_distributions_say() {
    const N: u32 = 20_000;
    // Kolmogorov and Smirnov: the greatest distance is above 1.95 / sqrt(n) once in a thousand times.
    let far = 1.95 / f64::from(N).sqrt();
    let distance = |mut draws: Vec<f64>, below: &dyn Fn(f64) -> f64| {
        draws.sort_by(f64::total_cmp);
        let places = draws.iter().zip(0_u32..);
        let off = places.map(|(x, n)| (below(*x) - f64::from(n) / f64::from(N)).abs());
        off.fold(0.0, f64::max)
    };
    let mut chance = Chance::of(&["spread"]);
    let uniform: Vec<f64> = (0..N).map(|_| chance.uniform()).collect();
    assert!(distance(uniform, &|x| x) < far);
    let normal: Vec<f64> = (0..N).map(|_| chance.normal()).collect();
    assert!(distance(normal, &normal_below) < far);
    for (a, b) in [(0.1, 1.9), (1.0, 1.0), (3.0, 97.0), (40.0, 2.5)] {
        let beta: Vec<f64> = (0..N).map(|_| chance.beta(a, b)).collect();
        let found = distance(beta, &|x| beta_below(a, b, ln_beta(a, b), x));
        assert!(found < far, "Beta({a}, {b}): {found}");
    }
}
