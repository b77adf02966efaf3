//! What speaks against believing a valuation.

use crate::decide::evaluate::Report;

/// With fewer effective rows than this, which are less than half of all, nothing is said.
const EFFECTIVE_ROWS_MIN: f64 = 10.0;

/// With fewer effective rows than this, or than this share of all, the value is a rough one.
const EFFECTIVE_ROWS_FEW: (f64, f64) = (100.0, 0.05);

/// A mean weight that is further from what it should be than so many standard errors says that the logged
/// probabilities are not those with which was chosen.
const WEIGHT_ERRORS_MAX: f64 = 4.0;

/// Shares below this are rounding.
const SHARE_MIN: f64 = 0.001;

/// Something that speaks against believing a valuation.
#[derive(Clone, Debug, PartialEq)]
pub struct Concern {
    /// Whether no value is to be given at all.
    pub refuses: bool,
    /// A word for it.
    pub code: &'static str,
    /// What is wrong, and what it means.
    pub detail: String,
}

/// Returns what speaks against believing a valuation, the worst first.
///
/// - `support_min`: the least share of the policy's choices that the log must have made, in `[0, 1]`.
pub fn concerns(report: &Report, support_min: f64) -> Vec<Concern> {
    let mut found: Vec<Concern> = [
        few_rows(report),
        unseen(report, support_min),
        off_weights(report),
        one_row(report),
    ]
    .into_iter()
    .flatten()
    .collect();
    found.sort_by_key(|concern| !concern.refuses);
    found
}

fn unseen(report: &Report, support_min: f64) -> Option<Concern> {
    let percent = report.unseen * 100.0;
    (report.unseen > SHARE_MIN).then(|| Concern {
        refuses: 1.0 - report.unseen < support_min,
        code: "unseen",
        detail: format!(
            "{percent:.1}% of the policy's choices were never made in this log, which says nothing about them"
        ),
    })
}

fn few_rows(report: &Report) -> Option<Concern> {
    let (n, share) = EFFECTIVE_ROWS_FEW;
    let few = report.effective_rows < n.max(share * report.n).min(report.n);
    few.then(|| Concern {
        refuses: report.effective_rows < EFFECTIVE_ROWS_MIN.min(0.5 * report.n),
        code: "few_effective_rows",
        detail: format!(
            "the {:.0} rows tell as much as {:.0} of the policy itself would: it does other things than the log",
            report.n, report.effective_rows
        ),
    })
}

fn off_weights(report: &Report) -> Option<Concern> {
    if report.n < 2.0 {
        // One row says nothing of a mean.
        return None;
    }
    let supported = 1.0 - report.unseen;
    let off = (report.weight.value - supported).abs();
    // A policy that does what the log did has one weight only: rounding is no error.
    let most = (WEIGHT_ERRORS_MAX * report.weight.error).max(SHARE_MIN);
    (off > most).then(|| Concern {
        refuses: false,
        code: "mean_weight",
        detail: format!(
            "the mean weight is {:.3} instead of about {supported:.3}: the logged probabilities are not those with \
             which was chosen",
            report.weight.value
        ),
    })
}

fn one_row(report: &Report) -> Option<Concern> {
    let share = report.weight_max / (report.weight.value * report.n);
    (share > 0.1 && report.n > 10.0).then(|| Concern {
        refuses: false,
        code: "one_row",
        detail: format!(
            "a single row makes {:.0}% of the weight: the errors say too little",
            share * 100.0
        ),
    })
}
