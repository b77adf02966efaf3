//! Turns what is known of a customer into the input columns of a model, and what came back into scores.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::eval::eval;
use crate::decide::step::{Request, Scored, Scores};
use crate::domain::answer::Inputs;
use crate::domain::{Cell, Score, Value};
use crate::policy::model::{Input, Kind, Model, Unknown};

/// Returns one row of a model, in the order of its manifest.
///
/// # Errors
///
/// The sentence to trace when an input is unknown and the manifest says `fail`.
pub fn row(model: &Model, env: &Env<'_>) -> Result<Arc<Inputs>, Arc<str>> {
    filled(model, |_, input| cell(input, env))
}

/// The rows of a model that looks at offers: what no offer changes is looked up once.
pub struct Sheet<'a> {
    model: &'a Model,
    /// By column; `None` where the offer is looked at.
    common: Vec<Option<Result<Cell, Arc<str>>>>,
}

impl<'a> Sheet<'a> {
    /// Looks up what all offers have in common.
    pub fn new(model: &'a Model, env: &Env<'_>) -> Self {
        let common = |input: &Input| (!input.per_offer).then(|| cell(input, env));
        Self {
            model,
            common: model.inputs.iter().map(common).collect(),
        }
    }

    /// Returns the row about the offer that is judged.
    ///
    /// # Errors
    ///
    /// As of [`row`].
    pub fn row(&self, env: &Env<'_>) -> Result<Arc<Inputs>, Arc<str>> {
        filled(self.model, |idx, input| {
            let common = self.common[idx].clone();
            common.unwrap_or_else(|| cell(input, env))
        })
    }
}

fn filled(
    model: &Model,
    mut cell: impl FnMut(usize, &Input) -> Result<Cell, Arc<str>>,
) -> Result<Arc<Inputs>, Arc<str>> {
    let mut row = Vec::with_capacity(model.inputs.len());
    for (idx, input) in model.inputs.iter().enumerate() {
        row.push(cell(idx, input)?);
    }
    let model = model.name.clone();
    Ok(Arc::new(Inputs { model, row }))
}

fn cell(input: &Input, env: &Env<'_>) -> Result<Cell, Arc<str>> {
    let value = eval(&input.from.root, env);
    match (input.kind, value.as_deref()) {
        (Kind::Number, Some(Value::Number(number))) => Ok(Cell::Number(single(*number))),
        (Kind::Number, Some(Value::Bool(yes))) => Ok(Cell::Number(f32::from(u8::from(*yes)))),
        (Kind::Text, Some(Value::Text(text))) => Ok(Cell::Text(text.clone())),
        (Kind::Text, Some(value @ (Value::Number(_) | Value::Bool(_)))) => {
            Ok(Cell::Text(value.to_string().into()))
        }
        (Kind::Number | Kind::Text, _) => unknown(input),
    }
}

fn unknown(input: &Input) -> Result<Cell, Arc<str>> {
    match &input.unknown {
        Unknown::Fail => Err(format!("`{}` is unknown", input.column).into()),
        Unknown::Nan => Ok(Cell::Number(f32::NAN)),
        Unknown::Number(number) => Ok(Cell::Number(single(*number))),
        Unknown::Text(text) => Ok(Cell::Text(text.clone())),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "models take single precision"
)]
fn single(number: f64) -> f32 {
    number as f32
}

/// Puts a score to every row that was asked for, so that a step never asks twice.
pub fn complete(request: Request, scored: &Scores) -> Scored {
    let given = scored.get(&request.model).map_or(&[][..], Vec::as_slice);
    let none = || Score::unavailable("the model gave no score");
    let of = |idx: usize| given.get(idx).cloned().unwrap_or_else(none);
    let scores = (0..request.rows.len()).map(of).collect();
    Scored { request, scores }
}
