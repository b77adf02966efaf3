//! Where the partitions of a node get what they may give of budgets.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::actors::engine::Engine;
use crate::domain::budget::{Claim, Holder, Market, Purse, Refusal};

/// The one market of a node.
///
/// INVARIANT: one node has all partitions. A market that does not know all of them leases nothing, so two nodes that share
/// them give nothing beyond a limit, but nothing of a budget either, until one of them deals for both.
pub struct Exchange(Mutex<Market>);

impl Exchange {
    /// Returns a market that knows of no partition.
    pub fn new(n_partitions: u16) -> Self {
        Self(Mutex::new(Market::new(n_partitions)))
    }

    /// Returns the market; nobody holds it for longer than it takes to count.
    pub fn open(&self) -> MutexGuard<'_, Market> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a partition gives from: its own quotas, and what it leases.
pub struct Wallet {
    /// Where the market is.
    pub engine: Arc<Engine>,
    /// Whose.
    pub holder: Holder,
}

impl Purse for Wallet {
    fn look(&self, claims: &[Claim]) -> Vec<Option<Refusal>> {
        let refusals: Vec<Option<Refusal>> = {
            let mut market = self.engine.exchange.open();
            let look = |claim| market.look(self.holder, claim);
            claims.iter().map(look).collect()
        };
        let n_refused = refusals.iter().flatten().count();
        self.engine.meters.budget_refusals.add(n_refused as u64);
        refusals
    }

    fn take(&self, claims: &[Claim]) -> Result<(), Vec<(usize, Refusal)>> {
        let taken = self.engine.exchange.open().take(self.holder, claims);
        let n_refused = taken.as_ref().map_or_else(Vec::len, |()| 0);
        self.engine.meters.budget_refusals.add(n_refused as u64);
        taken
    }
}
