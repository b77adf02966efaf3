//! Rates and lifts against worked examples.

use super::near;
use crate::decide::learn::lift::{Measured, lift, rate};

fn must(found: Option<Measured>, value: f64, low: f64, high: f64) {
    let found = found.unwrap();
    for (found, expected) in [(found.value, value), (found.low, low), (found.high, high)] {
        assert!(near(found, expected, 2e-4), "{found} instead of {expected}");
    }
}

#[test]
fn a_rate_has_wilsons_interval() {
    // Newcombe (1998), table I: 81 of 263, and 0 of 20 whose upper end is 0.1611.
    must(rate(81, 263), 81.0 / 263.0, 0.2553, 0.3662);
    let none = rate(0, 20).unwrap();
    assert!(none.value == 0.0 && none.low == 0.0 && (none.high - 0.1611).abs() < 1e-4);
    assert_eq!(rate(0, 0), None);
}

#[test]
fn a_lift_has_the_interval_of_a_ratio_of_rates() {
    // ratio 1.5, sd of its logarithm sqrt(1/60 - 1/1000 + 1/40 - 1/1000) = 0.199165.
    must(
        lift((60, 1_000), (40, 1_000)),
        0.5,
        1.5 * (-1.959_964_f64 * 0.199_165_f64).exp() - 1.0,
        1.5 * (1.959_964_f64 * 0.199_165_f64).exp() - 1.0,
    );
    assert_eq!(lift((3, 10), (0, 10)), None);
    assert_eq!(lift((0, 10), (3, 10)), None);
}

#[test]
fn the_interval_of_a_lift_holds_the_truth_nineteen_times_in_twenty() {
    let mut chance = crate::decide::learn::Chance::of(&["lift"]);
    let mut draws = |n: u64, p: f64| (0..n).filter(|_| chance.uniform() < p).count() as u64;
    let held = (0..1_000).filter(|_| {
        let (treated, control) = ((draws(900, 0.12), 900), (draws(300, 0.10), 300));
        let found = lift(treated, control).unwrap();
        found.low <= 0.2 && 0.2 <= found.high
    });
    let n = held.count();
    // Four standard deviations around 950 of 1,000.
    assert!((922..=978).contains(&n), "{n}");
}
