//! Turns what is known of a customer into the input columns of a model, and what came back into scores.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::eval::eval;
use crate::decide::step::{Request, Scores};
use crate::domain::{Cell, Score, Value};
use crate::policy::model::{Input, Kind, Model, Unknown};

/// Returns one row of a model, in the order of its manifest.
///
/// # Errors
///
/// The sentence to trace when an input is unknown and the manifest says `fail`.
pub fn row(model: &Model, env: &Env<'_>) -> Result<Vec<Cell>, Arc<str>> {
    model.inputs.iter().map(|input| cell(input, env)).collect()
}

/// Returns one column of a row.
///
/// # Errors
///
/// As of [`row`].
pub fn cell(input: &Input, env: &Env<'_>) -> Result<Cell, Arc<str>> {
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

/// Returns one score for every row that was asked for, so that a step never asks twice.
pub fn complete(request: &Request, scored: &Scores) -> (Arc<str>, Vec<Score>) {
    let given = scored.get(&request.model).map_or(&[][..], Vec::as_slice);
    let none = || Score::unavailable("the model gave no score");
    let of = |idx: usize| given.get(idx).cloned().unwrap_or_else(none);
    (
        request.model.clone(),
        (0..request.rows.len()).map(of).collect(),
    )
}
