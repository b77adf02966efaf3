//! The estimates against sums done by hand, and their laws.

use proptest::prelude::*;

use super::{Report, Row, Seen, Situation, Valuation, concerns};

/// Position, action, reward, probability of the log, probability of the policy.
type Line = (u32, u32, f64, f64, f64);

#[test]
fn a_log_of_four_rows_is_valued_as_by_hand() {
    // Action 0 was chosen with 0.5 and 0.8, action 1 with 0.5 and 0.2; the policy takes action 0 with 0.9.
    let report = value(&[
        (0, 0, 1.0, 0.5, 0.9),
        (0, 1, 0.0, 0.5, 0.1),
        (0, 0, 0.0, 0.8, 0.9),
        (0, 1, 1.0, 0.2, 0.1),
    ]);
    // Weights 1.8, 0.2, 1.125, 0.5.
    near(report.ips.value, (1.8 + 0.5) / 4.0);
    near(report.snips.value, 2.3 / 3.625);
    near(report.effective_rows, 3.625 * 3.625 / 4.795_625);
    near(report.weight_max, 1.8);
    near(report.weight.value, 3.625 / 4.0);
    near(report.logged.value, 0.5);
    // Weighted rewards 1.8, 0, 0, 0.5: variance 0.7225.
    near(report.ips.error, (0.722_5_f64 / 4.0).sqrt());
    // Σ w²(r − V)²: 3.24·0.133603 + 0.04·0.402568 + 1.265625·0.402568 + 0.25·0.133603.
    let squares = 4.64 - 2.0 * (2.3 / 3.625) * 3.49 + (2.3_f64 / 3.625).powi(2) * 4.795_625;
    near(report.snips.error, (squares - 1.15).sqrt() / 3.625);
    // Two of four rows are rewarded: a prior weighs two rows, and every mean is 0.5.
    near(
        report.dr.value,
        0.5 + (1.8 * 0.5 - 0.2 * 0.5 - 1.125 * 0.5 + 0.5 * 0.5) / 4.0,
    );
    near(report.unseen, 0.0);
}

#[test]
fn what_the_log_never_did_is_refused() {
    let rows: Vec<Line> = (0..100).map(|_| (0, 0, 1.0, 1.0, 0.3)).collect();
    let report = value(&rows);
    near(report.unseen, 0.7);
    let found = concerns(&report, 0.8);
    assert!(found[0].refuses, "{found:?}");
    assert_eq!(found[0].code, "unseen");
    assert!(
        concerns(&report, 0.2)
            .iter()
            .all(|concern| !concern.refuses)
    );
}

#[test]
fn probabilities_that_were_not_those_of_the_log_are_noticed() {
    // Chosen half of the time, said to be chosen with 0.25.
    let rows: Vec<Line> = (0..1_000)
        .map(|idx| (0, idx % 2, f64::from(idx % 3), 0.25, 0.5))
        .collect();
    let codes: Vec<_> = concerns(&value(&rows), 0.8)
        .into_iter()
        .map(|concern| concern.code)
        .collect();
    assert_eq!(codes, ["mean_weight"]);
}

#[test]
fn rare_rewards_make_the_model_cautious() {
    let mut seen = Seen::default();
    for idx in 0..1_000 {
        seen.add(&row(0, idx % 10, f64::from(u8::from(idx == 0)), 0.1));
    }
    near(seen.prior_rows(), 1_000.0);
    let at = Situation {
        position: 0,
        context: 0,
    };
    // One reward in 100 rows, drawn to 0.001 with the weight of 1,000.
    near(seen.expected(at, 0), 2.0 / 1_100.0);
    near(seen.expected(at, 1), 1.0 / 1_100.0);
    near(seen.expected(at, 99), 0.001);
}

#[test]
fn a_context_is_drawn_to_the_action_and_the_action_to_the_position() {
    let mut seen = Seen::default();
    for (context, reward) in [(0, 1.0), (0, 1.0), (1, 0.0), (1, 0.0)] {
        let mut of = row(0, 0, reward, 1.0);
        of.situation.context = context;
        seen.add(&of);
    }
    near(seen.prior_rows(), 2.0);
    let at = |context| Situation {
        position: 0,
        context,
    };
    near(seen.expected(at(0), 0), (2.0 + 2.0 * 0.5) / 4.0);
    near(seen.expected(at(1), 0), (0.0 + 2.0 * 0.5) / 4.0);
    near(seen.expected(at(7), 0), 0.5);
}

proptest! {
    /// A policy that does what the log did is worth what the log earned, by all three.
    #[test]
    fn the_logs_own_policy_is_worth_its_mean(
        rows in prop::collection::vec((0_u32..3, -5.0_f64..5.0), 2..60),
    ) {
        // Probabilities as shares of the log: then the weights are 1 and the model's mean is the log's.
        let n = f64::from(u32::try_from(rows.len()).unwrap());
        let share = |action: u32| {
            let n_of = rows.iter().filter(|(of, _)| *of == action).count();
            f64::from(u32::try_from(n_of).unwrap()) / n
        };
        let lines: Vec<Line> = rows
            .iter()
            .map(|(action, reward)| (0, *action, *reward, share(*action), share(*action)))
            .collect();
        let report = value(&lines);
        let mean = rows.iter().map(|(_, reward)| reward).sum::<f64>() / n;
        for of in [report.ips, report.snips, report.dr, report.logged] {
            prop_assert!((of.value - mean).abs() < 1e-9, "{of:?} {mean}");
        }
        prop_assert!((report.effective_rows - n).abs() < 1e-6);
    }

    /// SNIPS moves with the rewards: adding a constant adds it to the value. IPS does not.
    #[test]
    fn snips_and_dr_follow_a_shift_of_the_rewards(
        rows in prop::collection::vec((0_u32..3, 1.0_f64..2.0, 0.1_f64..1.0), 2..60),
        shift in 1.0_f64..9.0,
    ) {
        let lines = |shift: f64| -> Vec<Line> {
            rows.iter()
                .map(|(action, reward, of)| (0, *action, reward + shift, *of, 1.0 / 3.0))
                .collect()
        };
        let (before, after) = (value(&lines(0.0)), value(&lines(shift)));
        prop_assert!((after.snips.value - before.snips.value - shift).abs() < 1e-9);
        prop_assert!((after.snips.error - before.snips.error).abs() < 1e-6);
    }

    /// Values and errors are numbers whatever the log holds.
    #[test]
    fn nothing_overflows(
        rows in prop::collection::vec((0_u32..4, 0_u32..9, -1e6_f64..1e6, 1e-6_f64..1.0), 2..50),
    ) {
        let lines: Vec<Line> = rows
            .iter()
            .map(|(position, action, reward, of)| (*position, *action, *reward, *of, 1.0 / 9.0))
            .collect();
        let report = value(&lines);
        for of in [report.ips, report.snips, report.dr] {
            prop_assert!(of.value.is_finite() && of.error >= 0.0, "{of:?}");
        }
        prop_assert!(report.effective_rows <= report.n + 1e-6);
        prop_assert!((0.0..=1.0).contains(&report.unseen));
    }
}

fn row(position: u32, action: u32, reward: f64, probability: f64) -> Row {
    Row {
        situation: Situation {
            position,
            context: 0,
        },
        action,
        reward,
        probability,
    }
}

/// Values a policy whose probability for an action is what its first line says.
fn value(lines: &[Line]) -> Report {
    let mut seen = Seen::default();
    for (position, action, reward, probability, _) in lines {
        seen.add(&row(*position, *action, *reward, *probability));
    }
    let mut valuation = Valuation::new(&seen, true);
    for (position, action, reward, probability, of) in lines {
        let mut choices: Vec<(u32, f64)> = Vec::new();
        for line in lines.iter().filter(|line| line.0 == *position) {
            if choices.iter().all(|(action, _)| *action != line.1) {
                choices.push((line.1, line.4));
            }
        }
        let row = row(*position, *action, *reward, *probability);
        valuation.add(&row, &choices, *of);
    }
    valuation.report()
}

fn near(is: f64, should_be: f64) {
    assert!((is - should_be).abs() < 1e-9, "{is} is not {should_be}");
}
