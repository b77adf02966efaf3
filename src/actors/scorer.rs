//! Runs the models that a step asks for, and counts.

use crate::actors::engine::Engine;
use crate::decide::{Request, Scores};
use crate::domain::{Cell, Score};

/// Runs every requested model once over its rows.
pub fn score(engine: &Engine, requests: &[Request]) -> Scores {
    engine.meters.score.time(|| {
        requests
            .iter()
            .map(|request| run(engine, request))
            .collect()
    })
}

fn run(engine: &Engine, request: &Request) -> (std::sync::Arc<str>, Vec<Score>) {
    let rows: Vec<&[Cell]> = request.rows.iter().map(Vec::as_slice).collect();
    let scores = engine.scorer.score_batch(&request.model, &rows);
    let n_unavailable = scores
        .iter()
        .filter(|score| score.known().is_none())
        .count();
    engine.meters.scores_unavailable.add(n_unavailable as u64);
    (request.model.clone(), scores)
}
