//! Checking and compiling a thousand journeys, as at every start and reload.

use std::time::{Duration, Instant};

use anyhow::bail;
use attune::policy::{self, Source};

use crate::row::Row;

const JOURNEY: &str = include_str!("../../policies/abandoned-cart.yaml");
const OFFERS: &str = include_str!("../../policies/offers.yaml");
const MODEL: &str = include_str!("../../models/purchase-intent/model.yaml");
const N_JOURNEYS: usize = 1_000;
const GOAL: Duration = Duration::from_secs(2);

/// Measures the best of three.
pub fn a_thousand_journeys() -> anyhow::Result<Vec<Row>> {
    let sources = sources(N_JOURNEYS);
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        let checked = policy::check(&sources);
        best = best.min(start.elapsed());
        if checked
            .bundle
            .is_none_or(|bundle| bundle.journeys.len() != N_JOURNEYS)
        {
            bail!("the journeys are wrong: {}", checked.problems);
        }
    }
    Ok(vec![Row {
        what: format!("check and compile {N_JOURNEYS} journeys"),
        figure: format!("{:.0} ms", best.as_secs_f64() * 1_000.0),
        reference: String::new(),
        ratio: None,
        goal: format!("< {} s", GOAL.as_secs()),
        ok: best < GOAL,
    }])
}

/// Writes the abandoned-cart journey under as many names, one a file.
fn sources(n: usize) -> Vec<Source> {
    let journey = |k: usize| {
        let name = format!("journey: abandoned-cart-{k}");
        let text = JOURNEY.replacen("journey: abandoned-cart", &name, 1);
        Source::new(&format!("policies/{k}.yaml"), &text)
    };
    let shared = [
        ("policies/offers.yaml", OFFERS),
        ("models/model.yaml", MODEL),
    ];
    let shared = shared.map(|(name, text)| Source::new(name, text));
    (0..n).map(journey).chain(shared).collect()
}
