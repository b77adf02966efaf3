//! How the budgets of offers stand, as numbers.

use super::{head, sample};
use crate::actors::Engine;
use crate::api::budgets::BudgetState;

/// Writes the numbers of every offer that has a budget, of the period that is running.
pub fn budgets(out: &mut String, engine: &Engine) {
    let live = engine.live.get();
    let offers = live.bundle.offers.values();
    let states: Vec<_> = offers
        .filter_map(|offer| BudgetState::of(engine, &live.bundle, offer))
        .collect();
    if states.is_empty() {
        return;
    }
    let mut each = |name: &str, help: &str, of: fn(&BudgetState<'_>) -> u64| {
        head(out, name, help, "gauge");
        for state in &states {
            let series = format!("{name}{{offer=\"{}\"}}", state.offer);
            sample(out, &series, of(state));
        }
    };
    let help = "The most that may be given of an offer in a period";
    each("attune_offer_budget_limit", help, |of| of.limit);
    let help = "What was given of it in the period that is running";
    each("attune_offer_budget_used", help, |of| of.used);
    let help = "What partitions may give of it without asking, with what was given";
    each("attune_offer_budget_leased", help, |of| of.leased);
}
