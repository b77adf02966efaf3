//! What a log holds: counts for its support, and the rewards to expect of what was not chosen.

use std::collections::BTreeMap;

use crate::decide::evaluate::{Row, Situation};

/// Counts of rows and their rewards.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Cell {
    n: f64,
    rewards: f64,
}

impl Cell {
    fn add(&mut self, reward: f64) {
        self.n += 1.0;
        self.rewards += reward;
    }

    /// The mean reward, drawn to `prior` with the weight of `k` rows.
    fn drawn_to(self, prior: f64, k: f64) -> f64 {
        (self.rewards + k * prior) / (self.n + k)
    }
}

/// What a log holds, counted.
///
/// Also the reward model of the doubly robust estimate: the mean reward of an action in a situation, drawn to the mean
/// of the action at the position, which is drawn to the mean of the position, each with the weight of
/// [`prior_rows`](Seen::prior_rows) rows. It is fitted to all rows.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    all: Cell,
    n_rewarded: f64,
    positions: BTreeMap<u32, Cell>,
    actions: BTreeMap<(u32, u32), Cell>,
    cells: BTreeMap<(Situation, u32), Cell>,
}

impl Seen {
    /// Counts a row; its probability does not matter.
    pub fn add(&mut self, row: &Row) {
        let (position, reward) = (row.situation.position, row.reward);
        self.all.add(reward);
        self.n_rewarded += f64::from(u8::from(reward != 0.0));
        self.positions.entry(position).or_default().add(reward);
        let action = self.actions.entry((position, row.action)).or_default();
        action.add(reward);
        let cell = self.cells.entry((row.situation, row.action)).or_default();
        cell.add(reward);
    }

    /// Returns how many rows there are.
    pub fn n_rows(&self) -> f64 {
        self.all.n
    }

    /// Returns how many cells are kept: different actions in different situations.
    pub fn n_cells(&self) -> usize {
        self.cells.len()
    }

    /// Returns the mean reward of the log: what its own policy earned. Not a number without a row.
    pub fn mean(&self) -> f64 {
        self.all.rewards / self.all.n
    }

    /// Tells if an action was ever chosen at a position.
    pub fn has(&self, position: u32, action: u32) -> bool {
        self.actions.contains_key(&(position, action))
    }

    /// Returns the share of an action among the rows of its position: its probability in a randomised trial.
    pub fn share(&self, position: u32, action: u32) -> f64 {
        let n = |cell: Option<&Cell>| cell.map_or(0.0, |cell| cell.n);
        n(self.actions.get(&(position, action))) / n(self.positions.get(&position))
    }

    /// Returns the weight of a prior mean in rows: as many as hold one that earned something.
    ///
    /// So it does not depend on the unit of the reward, and rare rewards make it cautious.
    pub fn prior_rows(&self) -> f64 {
        self.all.n / self.n_rewarded.max(1.0)
    }

    /// Returns the reward to expect of an action in a situation.
    pub fn expected(&self, situation: Situation, action: u32) -> f64 {
        let k = self.prior_rows();
        let cell = |cell: Option<&Cell>| cell.copied().unwrap_or_default();
        let position = cell(self.positions.get(&situation.position));
        let mean = if position.n > 0.0 {
            position.rewards / position.n
        } else {
            self.mean()
        };
        let of_action = cell(self.actions.get(&(situation.position, action)));
        let mean = of_action.drawn_to(mean, k);
        let of_cell = cell(self.cells.get(&(situation, action)));
        // In one context only: the same rows must not count twice.
        if of_cell == of_action {
            return mean;
        }
        of_cell.drawn_to(mean, k)
    }
}
