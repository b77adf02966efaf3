//! One purse for everybody: what tests and backtests give from, one decision after the other.

use std::cell::RefCell;

use crate::domain::budget::{Claim, Holder, Key, Ledger, Market, Purse, Refusal};

/// A market with one partition, whose commits stand at once.
#[derive(Debug)]
pub struct Till {
    market: RefCell<Market>,
    holder: Holder,
}

impl Till {
    /// Goes on from what was given before.
    pub fn new(ledger: &Ledger) -> Self {
        let mut market = Market::new(1);
        let holder = market.begin(0, ledger);
        Self {
            market: RefCell::new(market),
            holder,
        }
    }

    /// Ends an input that has given these.
    pub fn settle(&mut self, spent: &[Key]) {
        let market = self.market.get_mut();
        let moved = market.settle(self.holder, spent);
        market.stands(self.holder, &moved);
    }

    /// Returns what was given so far.
    pub fn ledger(&self) -> Ledger {
        self.market.borrow().ledger(self.holder)
    }
}

impl Default for Till {
    fn default() -> Self {
        Self::new(&Ledger::new())
    }
}

impl Purse for Till {
    fn look(&self, claims: &[Claim]) -> Vec<Option<Refusal>> {
        let mut market = self.market.borrow_mut();
        let look = |claim| market.look(self.holder, claim);
        claims.iter().map(look).collect()
    }

    fn take(&self, claims: &[Claim]) -> Result<(), Vec<(usize, Refusal)>> {
        self.market.borrow_mut().take(self.holder, claims)
    }
}
