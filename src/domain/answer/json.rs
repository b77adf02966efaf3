//! An answer as callers and subscribers see it, in JSON.

use serde::{Serialize, Serializer};

use crate::domain::answer::{
    Answer, Asked, By, Choice, Factors, Inputs, Loser, PassedOver, Reason, RunnerUp, Shadowed,
    Spread,
};
use crate::domain::learning::Arm;
use crate::domain::{Cell, CustomerId, Timestamp, Value};

/// About so many bytes tell of an offer that lost.
const LOSER_BYTES: usize = 160;

impl Answer {
    /// Writes the answer as callers and subscribers see it, in JSON.
    ///
    /// - `explain`: with the factors and the model's inputs of what was chosen, the runner-up, the offers that lost, and the
    ///   versions of models and policies.
    ///
    /// # Panics
    ///
    /// Never: every key is text and the writer is memory.
    pub fn to_json(&self, explain: bool) -> String {
        let shown = Shown {
            decision_id: &self.decision_id,
            customer: &self.customer,
            placement: &self.placement,
            offers: self
                .offers
                .iter()
                .map(|of| Given::of(of, explain))
                .collect(),
            runner_up: self.runner_up.as_ref().filter(|_| explain),
            losers: explain.then(|| self.losers.iter().map(Lost::of).collect()),
            passed_over: explain.then_some(&self.passed_over),
            shadow: &self.shadow,
            arm: self.arm,
            learner: self.learner.as_ref(),
            models: explain.then_some(&self.models),
            bundle: explain.then_some(&*self.bundle),
            degraded: self.degraded,
            fallback: self.fallback,
            decided_at: self.decided_at,
        };
        let n_losers = shown.losers.as_ref().map_or(0, Vec::len);
        let mut json = Vec::with_capacity(1_024 + LOSER_BYTES * n_losers);
        let written = serde_json::to_writer(&mut json, &shown);
        // INVARIANT: an answer can be written; see above.
        assert!(written.is_ok(), "an answer is not JSON");
        String::from_utf8(json).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    decision_id: &'a str,
    customer: &'a CustomerId,
    placement: &'a str,
    offers: Vec<Given<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runner_up: Option<&'a RunnerUp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    losers: Option<Vec<Lost<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passed_over: Option<&'a Vec<PassedOver>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    shadow: &'a [Shadowed],
    #[serde(skip_serializing_if = "Option::is_none")]
    arm: Option<Arm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    learner: Option<&'a By>,
    #[serde(skip_serializing_if = "Option::is_none")]
    models: Option<&'a Vec<Asked>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle: Option<&'a str>,
    degraded: bool,
    fallback: bool,
    #[serde(serialize_with = "as_text")]
    decided_at: Timestamp,
}

#[derive(Serialize)]
struct Given<'a> {
    offer: &'a str,
    propensity: Option<f64>,
    priority: Option<f64>,
    probability: f64,
    explored: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    belief: Option<Spread>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    factors: Option<Factors>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inputs: Option<Row<'a>>,
    data: &'a Value,
    reasons: &'a [std::sync::Arc<str>],
}

impl<'a> Given<'a> {
    fn of(choice: &'a Choice, explain: bool) -> Self {
        Self {
            offer: &choice.offer,
            propensity: choice.propensity,
            priority: choice.priority,
            probability: choice.probability,
            explored: choice.explored,
            belief: choice.belief.filter(|_| explain),
            value: choice.value.filter(|_| explain),
            factors: choice.factors.filter(|_| explain),
            inputs: choice.inputs.as_deref().filter(|_| explain).map(Row::of),
            data: &choice.data,
            reasons: &choice.reasons,
        }
    }
}

#[derive(Serialize)]
struct Lost<'a> {
    offer: &'a str,
    reason: Reason,
    detail: &'a str,
    priority: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    propensity: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    belief: Option<Spread>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
}

impl<'a> Lost<'a> {
    fn of(loser: &'a Loser) -> Self {
        Self {
            offer: &loser.offer,
            reason: loser.reason,
            detail: &loser.detail,
            priority: loser.priority,
            propensity: loser.rated.and_then(|rated| rated.propensity),
            belief: loser.rated.and_then(|rated| rated.belief),
            value: loser.rated.map(|rated| rated.value),
        }
    }
}

#[derive(Serialize)]
struct Row<'a> {
    model: &'a str,
    row: Vec<Column<'a>>,
}

impl<'a> Row<'a> {
    fn of(inputs: &'a Inputs) -> Self {
        let column = |cell: &'a Cell| match cell {
            Cell::Number(number) => Column::Number(*number),
            Cell::Text(text) => Column::Text(text),
        };
        Self {
            model: &inputs.model,
            row: inputs.row.iter().map(column).collect(),
        }
    }
}

/// A cell; JSON has no NaN: it is `null`.
#[derive(Serialize)]
#[serde(untagged)]
enum Column<'a> {
    Number(f32),
    Text(&'a str),
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out a reference"
)]
fn as_text<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}
