//! A valuation for people and for tools.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::cli::evaluate::{Args, Valued};
use crate::decide::evaluate::Estimate;

/// How many standard errors an interval of 95% reaches.
const Z_95: f64 = 1.96;

/// What is shown.
pub struct Shown<'a> {
    /// What was asked.
    pub args: &'a Args,
    /// What came out.
    pub of: &'a Valued,
}

impl Shown<'_> {
    fn estimates(&self) -> [(&'static str, Estimate); 3] {
        let report = &self.of.report;
        [
            ("IPS", report.ips),
            ("SNIPS", report.snips),
            ("DR", report.dr),
        ]
    }

    /// Returns a page of text.
    pub fn human(&self) -> String {
        let mut page = self.head();
        if !self.of.is_refused() {
            page += &self.table();
        }
        page += &self.support();
        for concern in &self.of.concerns {
            let word = if concern.refuses {
                "refused"
            } else {
                "warning"
            };
            // INVARIANT: writing to a string does not fail.
            let _ = writeln!(page, "{word}: {}", concern.detail);
        }
        for note in &self.of.notes {
            let _ = writeln!(page, "note: {note}");
        }
        page
    }

    fn head(&self) -> String {
        let (known, report) = (&self.of.known, &self.of.report);
        let n_positions = known.positions.len();
        let positions = if n_positions > 1 {
            format!(" at {n_positions} positions")
        } else {
            String::new()
        };
        format!(
            "log     {}: {}, {} actions{positions}; mean reward {:.6} ± {}\npolicy  {}\n\n",
            self.args.log.display(),
            rows(report.n),
            known.actions.len(),
            report.logged.value,
            known_or_dash(report.logged.error),
            self.args.policy,
        )
    }

    fn table(&self) -> String {
        let mut table = format!(
            "{:<8}{:>12}{:>12}   {:<24}{:>12}",
            "", "value", "std. error", "95% interval", "of the log"
        );
        let truth = self.of.truth;
        table += if truth.is_some() {
            "  off truth\n"
        } else {
            "\n"
        };
        for (name, of) in self.estimates() {
            let (low, high) = (of.value - Z_95 * of.error, of.value + Z_95 * of.error);
            let interval = if of.error.is_finite() {
                format!("{low:.6} to {high:.6}")
            } else {
                "-".into()
            };
            let error = known_or_dash(of.error);
            // Nothing is so many times more than nothing.
            let gain = match self.of.report.logged.value {
                0.0 => "-".into(),
                logged => format!("{:+.1} %", 100.0 * (of.value / logged - 1.0)),
            };
            let off = truth.map_or(String::new(), |(mean, _)| match off(of.value, mean) {
                Some(off) => format!("{off:>11.3}"),
                None => format!("{:>11}", "-"),
            });
            // INVARIANT: writing to a string does not fail.
            let _ = writeln!(
                table,
                "{name:<8}{:>12.6}{error:>12}   {interval:<24}{gain:>12}{off}",
                of.value
            );
        }
        if let Some((mean, n)) = truth {
            let _ = writeln!(
                table,
                "{:<8}{mean:>12.6}   in {n} rows of the policy",
                "truth"
            );
        }
        table.push('\n');
        table
    }

    fn support(&self) -> String {
        let report = &self.of.report;
        let share = 100.0 * report.effective_rows / report.n;
        format!(
            "effective sample size  {:.0} of {} ({share:.1} %)\n\
             weights                mean {:.3}, largest {:.1}\n\
             support                the log made {:.2} % of the policy's choices\n\
             reward model of DR     means drawn to the mean of the position with the weight of {}\n",
            report.effective_rows,
            rows(report.n),
            report.weight.value,
            report.weight_max,
            100.0 * (1.0 - report.unseen),
            rows(self.of.known.seen.prior_rows()),
        )
    }

    /// Returns the same for tools. What is not known is `null`; a refused value is.
    pub fn json(&self) -> Value {
        let (report, known) = (&self.of.report, &self.of.known);
        let refused = self.of.is_refused();
        let estimate = |of: Estimate| {
            let shown = json!({
                "value": of.value,
                "standard_error": of.error,
                "low": of.value - Z_95 * of.error,
                "high": of.value + Z_95 * of.error,
                "relative_error": self.of.truth.and_then(|(mean, _)| off(of.value, mean)),
            });
            if refused { Value::Null } else { shown }
        };
        let concerns = self.of.concerns.iter().map(|concern| {
            json!({ "code": concern.code, "refuses": concern.refuses, "detail": concern.detail })
        });
        json!({
            "log": {
                "file": self.args.log.display().to_string(),
                "rows": report.n,
                "actions": known.actions.len(),
                "positions": known.positions.len(),
                "mean_reward": report.logged.value,
                "standard_error": report.logged.error,
            },
            "policy": self.args.policy,
            "refused": refused,
            "ips": estimate(report.ips),
            "snips": estimate(report.snips),
            "dr": estimate(report.dr),
            "effective_sample_size": report.effective_rows,
            "weight_max": report.weight_max,
            "weight_mean": report.weight.value,
            "unseen": report.unseen,
            "reward_model": {
                "prior_rows": known.seen.prior_rows(),
                "context": self.args.columns.context,
            },
            "truth": self.of.truth.map(|(mean, n)| json!({ "mean_reward": mean, "rows": n })),
            "concerns": concerns.collect::<Vec<_>>(),
            "notes": self.of.notes,
        })
    }
}

/// How far a value is from the truth, as a share of it; of nothing there is none.
fn off(value: f64, truth: f64) -> Option<f64> {
    (truth != 0.0).then(|| (value - truth).abs() / truth.abs())
}

/// Returns how many rows, as text.
fn rows(n: f64) -> String {
    let word = if n.to_bits() == 1.0_f64.to_bits() {
        "row"
    } else {
        "rows"
    };
    format!("{n:.0} {word}")
}

/// Returns a standard error as text; one row has none.
fn known_or_dash(error: f64) -> String {
    if error.is_finite() {
        format!("{error:.6}")
    } else {
        "-".into()
    }
}
