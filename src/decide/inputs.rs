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
    let mut row = Vec::with_capacity(model.inputs.len());
    for input in &model.inputs {
        row.push(cell(input, env)?);
    }
    let model = model.name.clone();
    Ok(Arc::new(Inputs { model, row }))
}

/// The rows of a model that looks at offers: what no offer changes is looked up once.
pub struct Sheet<'a> {
    model: &'a Model,
    /// What is in every row; NaN where the offer is looked at. `None`: a column that all have in common is unknown.
    common: Option<Vec<Cell>>,
}

impl<'a> Sheet<'a> {
    /// Looks up what all offers have in common.
    pub fn new(model: &'a Model, env: &Env<'_>) -> Self {
        let common = |input: &Input| {
            if input.per_offer {
                return Some(Cell::Number(f32::NAN));
            }
            cell(input, env).ok()
        };
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
        let Some(common) = &self.common else {
            // The first of the columns that are unknown is the one to name.
            return row(self.model, env);
        };
        let mut row = common.clone();
        let columns = row.iter_mut().zip(&self.model.inputs);
        for (column, input) in columns.filter(|(_, input)| input.per_offer) {
            *column = cell(input, env)?;
        }
        let model = self.model.name.clone();
        Ok(Arc::new(Inputs { model, row }))
    }
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

/// Puts a score to every row that was asked for, so that a step never asks twice.
pub fn complete(request: Request, said: &Scores) -> Scored {
    let given = said.get(&request.model).map_or(&[][..], Vec::as_slice);
    let none = || Score::unavailable("the model gave no score");
    let of = |idx: usize| given.get(idx).cloned().unwrap_or_else(none);
    let scores = (0..request.rows.len()).map(of).collect();
    Scored { request, scores }
}
