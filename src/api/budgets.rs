//! How the budgets of offers stand.

use serde::Serialize;
use utoipa::ToSchema;

use crate::actors::Engine;
use crate::api::customer::At;
use crate::clock::{self, Clock};
use crate::domain::budget::{Key, Period};
use crate::policy::Bundle;
use crate::policy::offer::Offer;

/// How the budget of an offer stands in the period that is running, as far as it is in the logs of all partitions.
#[derive(Serialize, ToSchema)]
pub struct BudgetState<'a> {
    pub offer: &'a str,
    /// The most that may be given to everybody together.
    pub limit: u64,
    /// `2026-03-01`, `the week of 2026-03-02`, `2026-03`, or `ever` where it has no end.
    period: String,
    /// When the next period begins; `null`: never.
    ends: Option<At>,
    /// Given.
    pub used: u64,
    /// What partitions may give without asking, with what was given.
    pub leased: u64,
    /// What can still be given.
    left: u64,
}

impl<'a> BudgetState<'a> {
    /// Returns how an offer's budget stands; `None` without one.
    pub fn of(engine: &Engine, bundle: &Bundle, offer: &'a Offer) -> Option<Self> {
        let budget = offer.budget.as_ref()?;
        let zone = budget.zone.as_ref().unwrap_or(&bundle.zone);
        let market = engine.exchange.open();
        let period = match engine.clock {
            Clock::Stream => None,
            // Time goes on with the events: the newest period is the one of the last of them.
            Clock::Event => market.newest(budget.per),
        };
        let period = period.unwrap_or_else(|| Period::of(budget.per, zone, clock::now()));
        let key = Key {
            offer: offer.id.clone(),
            period,
        };
        let status = market.status(&key);
        Some(Self {
            offer: &offer.id,
            limit: budget.limit,
            period: period.to_string(),
            ends: period.end(zone).map(At),
            used: status.used,
            leased: status.leased,
            left: budget.limit.saturating_sub(status.used),
        })
    }
}
