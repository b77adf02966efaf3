//! Runs the models that a step asks for.

use crate::decide::{Request, Scores};
use crate::domain::Score;
use crate::scoring::Scorer;
use crate::telemetry::Meters;

/// Runs every requested model once over its rows, for a live decision: it is counted, and the watches over the models see it.
pub fn score(scorer: &dyn Scorer, meters: &Meters, requests: &[Request]) -> Scores {
    let answered = meters.score.time(|| answers(scorer, requests));
    for request in requests {
        let of = answered.get(&request.model).map_or(&[][..], Vec::as_slice);
        let n_unavailable = of.iter().filter(|score| score.known().is_none()).count();
        meters.scores_unavailable.add(n_unavailable as u64);
        if let Some(watch) = scorer.watch(&request.model) {
            watch.seen(&request.cells(), of);
        }
    }
    answered
}

/// Runs every requested model once over its rows, for what is only thought of: nobody is told.
pub fn answers(scorer: &dyn Scorer, requests: &[Request]) -> Scores {
    let run = |request: &Request| (request.model.clone(), answer(scorer, request));
    requests.iter().map(run).collect()
}

/// Runs one model over its rows.
pub fn answer(scorer: &dyn Scorer, request: &Request) -> Vec<Score> {
    scorer.score_batch(&request.model, &request.cells())
}
