//! What an unknown value of each column does to the score.

use super::report::{Hazard, Unknown};
use crate::domain::{Cell, Score};
use crate::policy::model::{self, Input};
use crate::scoring::Model;

/// Tries every column alone, then all of them together.
pub fn unknowns(
    model: &Model,
    inputs: &[Input],
    rows: &[&[Cell]],
    hazards: &mut Vec<Hazard>,
) -> Vec<Unknown> {
    let known = model.score_batch(rows);
    let mut found = Vec::with_capacity(inputs.len() + 1);
    for (idx, input) in inputs.iter().enumerate() {
        let Some(cell) = cell(input) else {
            found.push(no_score(&input.column, rows.len()));
            continue;
        };
        let tried = with(rows, |at, _| (at == idx).then(|| cell.clone()));
        let (unknown, why) = compare(model, &known, &tried, &input.column, shown(input));
        hazards.extend(why.map(|why| unusable(input, &unknown, &why)));
        found.push(unknown);
    }
    found.push(all(model, inputs, rows, &known));
    found
}

/// Returns what the model gets for an unknown value; nothing if it is not asked then.
fn cell(input: &Input) -> Option<Cell> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "models take single precision"
    )]
    match &input.unknown {
        model::Unknown::Fail => None,
        model::Unknown::Nan => Some(Cell::Number(f32::NAN)),
        model::Unknown::Number(number) => Some(Cell::Number(*number as f32)),
        model::Unknown::Text(text) => Some(Cell::Text(text.clone())),
    }
}

fn shown(input: &Input) -> String {
    match &input.unknown {
        model::Unknown::Fail => "fail".to_owned(),
        model::Unknown::Nan => "nan".to_owned(),
        model::Unknown::Number(number) => number.to_string(),
        model::Unknown::Text(text) => format!("'{text}'"),
    }
}

/// Returns copies of rows in which some cells are others.
fn with(rows: &[&[Cell]], other: impl Fn(usize, &Cell) -> Option<Cell>) -> Vec<Vec<Cell>> {
    let row = |row: &&[Cell]| {
        let cells = row.iter().enumerate();
        let cells = cells.map(|(at, cell)| other(at, cell).unwrap_or_else(|| cell.clone()));
        cells.collect()
    };
    rows.iter().map(row).collect()
}

/// Scores rows and compares; returns why a row has no score, too, if one has none that had one.
fn compare(
    model: &Model,
    known: &[Score],
    tried: &[Vec<Cell>],
    column: &str,
    gets: String,
) -> (Unknown, Option<String>) {
    let tried: Vec<&[Cell]> = tried.iter().map(Vec::as_slice).collect();
    let scores = model.score_batch(&tried);
    let (mut n_scored, mut moves, mut why) = (0, 0.0_f64, None);
    for (before, after) in known.iter().zip(&scores) {
        match (before, after) {
            (_, Score::Value(after)) => {
                n_scored += 1;
                let before = before.known().unwrap_or(*after);
                moves = moves.max((after - before).abs());
            }
            (Score::Value(_), Score::Unavailable(reason)) => why = Some(reason.to_string()),
            (Score::Unavailable(_), Score::Unavailable(_)) => {}
        }
    }
    let unknown = Unknown {
        column: column.to_owned(),
        gets,
        n_scored,
        n_rows: scores.len(),
        moves: (n_scored > 0).then_some(moves),
    };
    (unknown, why)
}

fn no_score(column: &str, n_rows: usize) -> Unknown {
    Unknown {
        column: column.to_owned(),
        gets: "fail".to_owned(),
        n_scored: 0,
        n_rows,
        moves: None,
    }
}

fn unusable(input: &Input, unknown: &Unknown, why: &str) -> Hazard {
    let n_left = unknown.n_rows - unknown.n_scored;
    Hazard::error(
        "unknown_unusable",
        format!(
            "column `{}` promises `unknown: {}`, but leaves {n_left} of {} rows without a score: {why}",
            input.column, unknown.gets, unknown.n_rows
        ),
        "write `unknown: fail`, which says so, or a value that the model was trained with",
    )
}

/// Tries a customer of whom nothing is known.
fn all(model: &Model, inputs: &[Input], rows: &[&[Cell]], known: &[Score]) -> Unknown {
    let cells: Option<Vec<Cell>> = inputs.iter().map(cell).collect();
    let Some(cells) = cells else {
        return no_score("*", rows.len());
    };
    let tried = with(rows, |at, _| cells.get(at).cloned());
    let gets = "what each gets".to_owned();
    compare(model, known, &tried, "*", gets).0
}
