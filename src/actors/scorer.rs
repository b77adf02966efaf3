//! Runs the models that a step asks for, and counts.

use crate::decide::{Request, Scores};
use crate::domain::Score;
use crate::scoring::Scorer;
use crate::telemetry::Meters;

/// Runs every requested model once over its rows.
pub fn score(scorer: &dyn Scorer, meters: &Meters, requests: &[Request]) -> Scores {
    meters.score.time(|| {
        requests
            .iter()
            .map(|request| run(scorer, meters, request))
            .collect()
    })
}

fn run(
    scorer: &dyn Scorer,
    meters: &Meters,
    request: &Request,
) -> (std::sync::Arc<str>, Vec<Score>) {
    let answers = scorer.score_batch(&request.model, &request.cells());
    let n_unavailable = answers
        .iter()
        .filter(|score| score.known().is_none())
        .count();
    meters.scores_unavailable.add(n_unavailable as u64);
    (request.model.clone(), answers)
}
