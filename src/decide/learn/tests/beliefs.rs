//! Beliefs: intervals hold what they say, and densities integrate to one.

use proptest::prelude::*;

use super::of_any_size;
use crate::decide::learn::Belief;
use crate::decide::learn::adaptive::integral;

proptest! {
    #[test]
    fn a_density_on_its_axis_integrates_to_one(a in of_any_size(0.02, 5_000.0), b in of_any_size(0.02, 5_000.0)) {
        let belief = Belief::beta(a, b);
        let (low, high) = belief.axis();
        let peak = (a / b).ln();
        let whole = integral(&[low, peak, high], 1e-9, 1_000, |t| (belief.ln_shape(t) - belief.ln_norm()).exp());
        prop_assert!((whole - 1.0).abs() < 1e-8, "{whole}");
    }

    #[test]
    fn the_middle_share_lies_in_the_interval(a in of_any_size(0.5, 500.0), b in of_any_size(0.5, 5_000.0)) {
        let belief = Belief::beta(a, b);
        let (low, high) = belief.interval(0.9);
        prop_assert!(low < high);
        prop_assert!((belief.below(low, 0.0) - 0.05).abs() < 1e-6);
        prop_assert!((belief.below(high, 0.0) - 0.95).abs() < 1e-6);
    }
}

#[test]
fn the_interval_of_a_known_rate_is_the_tabled_one() {
    // Beta(1, 1) is even; Beta(1, 20) has 1 - 0.025^(1/20) as its upper end.
    let (low, high) = Belief::beta(1.0, 1.0).interval(0.95);
    assert!((low - 0.025).abs() < 1e-8 && (high - 0.975).abs() < 1e-8);
    let (_, high) = Belief::beta(1.0, 20.0).interval(0.95);
    assert!((high - (1.0 - 0.025_f64.powf(0.05))).abs() < 1e-8, "{high}");
    assert_eq!(Belief::Point(0.3).interval(0.95), (0.3, 0.3));
}
