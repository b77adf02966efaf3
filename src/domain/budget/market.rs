//! Who may give how much: budgets are cut into quotas, which partitions lease, use and give back.
//!
//! INVARIANT: of every budget the leases of all partitions together, be they in the log or on their way there, are at most
//! its limit; and a partition gives at most what it has leased. So nothing is given beyond the limit, whatever is lost or
//! comes late: a lease is in the log with its first use, or not at all, and what is given back counts as leased until that
//! is in the log. When a limit is lowered below what was given, nothing more is given.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::budget::{Claim, Key, Ledger, Per, Period, Quota, Refusal};

/// A partition as long as it lives; another life of it begins with what is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Which partition.
    pub partition: u16,
    life: u64,
}

/// How a budget stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Given.
    pub used: u64,
    /// Leased, with what was given.
    pub leased: u64,
}

/// All quotas of a node.
#[derive(Debug, Default)]
pub struct Market {
    n_partitions: u16,
    n_lives: u64,
    /// By partition: its life. Without all of them nobody knows what is left.
    lives: BTreeMap<u16, u64>,
    rows: BTreeMap<Key, BTreeMap<u16, Row>>,
    /// By kind: the number of the newest period.
    newest: BTreeMap<Per, i32>,
    parts: BTreeMap<u16, Part>,
}

/// What there is of a partition beside its rows.
#[derive(Debug, Default)]
struct Part {
    n_rows: usize,
    /// Rows that the log does not have as they are.
    touched: BTreeSet<Key>,
    /// Rows that others want something of.
    owing: BTreeSet<Key>,
    /// By kind: the number of the newest period of which the log has something.
    newest: BTreeMap<Per, i32>,
}

/// A partition's quota of a budget.
#[derive(Debug, Default)]
struct Row {
    /// As the log has it.
    kept: Quota,
    /// As it will be.
    now: Quota,
    /// Given by decisions that are not in the log.
    promised: u64,
}

impl Row {
    const fn free(&self) -> u64 {
        self.now.leased - self.now.used - self.promised
    }

    fn leased(&self) -> u64 {
        self.kept.leased.max(self.now.leased)
    }
}

impl Market {
    /// The most that a partition leases at a time.
    pub const LEASE_MAX: u64 = 32;
    /// How many periods before the newest of their kind are remembered; in one that is older nothing is given.
    pub const PERIODS_MAX: i32 = 8;
    /// The most quotas of a partition; where there would be more nothing is given.
    pub const ROWS_MAX: usize = 65_536;

    /// Returns the market of so many partitions, of which nothing is known.
    pub fn new(n_partitions: u16) -> Self {
        Self {
            n_partitions,
            ..Self::default()
        }
    }

    /// Begins a life of a partition with what is in its log; what it had beyond that has not happened.
    pub fn begin(&mut self, partition: u16, ledger: &Ledger) -> Holder {
        self.n_lives += 1;
        self.lives.insert(partition, self.n_lives);
        for rows in self.rows.values_mut() {
            rows.remove(&partition);
        }
        let n_rows = ledger.len();
        let part = Part {
            n_rows,
            ..Part::default()
        };
        self.parts.insert(partition, part);
        for (key, quota) in ledger {
            let row = Row {
                kept: *quota,
                now: *quota,
                promised: 0,
            };
            self.saw(key);
            self.rows
                .entry(key.clone())
                .or_default()
                .insert(partition, row);
        }
        Holder {
            partition,
            life: self.n_lives,
        }
    }

    /// Says why one more would not be given, and asks others to give back what they do not need; `None` if it would.
    pub fn look(&mut self, holder: Holder, claim: &Claim) -> Option<Refusal> {
        let refusal = self.refusal(holder, claim)?;
        if let Refusal::Spent { idle: 1.., .. } = refusal {
            self.call_back(&claim.key);
        }
        Some(refusal)
    }

    fn refusal(&self, holder: Holder, claim: &Claim) -> Option<Refusal> {
        if self.lives.get(&holder.partition) != Some(&holder.life) {
            return Some(Refusal::Unknown);
        }
        let Period { per, number } = claim.key.period;
        let newest = self.newest.get(&per).copied().unwrap_or(number);
        if number < newest.saturating_sub(Self::PERIODS_MAX) {
            return Some(Refusal::Over);
        }
        let own = self.row(holder.partition, &claim.key);
        let part = self.parts.get(&holder.partition);
        if own.is_none() && part.is_some_and(|part| part.n_rows >= Self::ROWS_MAX) {
            return Some(Refusal::Full);
        }
        let leased = self.leased(&claim.key);
        let has_own = own.is_some_and(|row| row.free() > 0);
        if leased <= claim.limit && has_own {
            return None;
        }
        if self.lives.len() < usize::from(self.n_partitions) {
            return Some(Refusal::Unknown);
        }
        if leased < claim.limit {
            return None;
        }
        let rows = self.rows.get(&claim.key).into_iter().flatten();
        let n = rows.map(|(_, row)| row.now.used + row.promised).sum();
        let idle = leased.saturating_sub(n);
        Some(Refusal::Spent { n, idle })
    }

    /// Gives one of everything that is claimed, or nothing.
    ///
    /// - `claims`: each of another budget.
    ///
    /// # Errors
    ///
    /// The places of the claims that are refused, each with the reason.
    pub fn take(&mut self, holder: Holder, claims: &[Claim]) -> Result<(), Vec<(usize, Refusal)>> {
        let mut refused = Vec::new();
        for (at, claim) in claims.iter().enumerate() {
            refused.extend(self.look(holder, claim).map(|refusal| (at, refusal)));
        }
        if !refused.is_empty() {
            return Err(refused);
        }
        for claim in claims {
            self.promise(holder.partition, claim);
        }
        Ok(())
    }

    fn promise(&mut self, partition: u16, claim: &Claim) {
        let rest = claim.limit.saturating_sub(self.leased(&claim.key));
        let lease = lease(rest, self.n_partitions);
        self.saw(&claim.key);
        let part = self.parts.entry(partition).or_default();
        part.touched.insert(claim.key.clone());
        let rows = self.rows.entry(claim.key.clone()).or_default();
        let row = rows.entry(partition).or_insert_with(|| {
            part.n_rows += 1;
            Row::default()
        });
        if row.free() == 0 {
            row.now.leased += lease;
        }
        row.promised += 1;
    }

    fn call_back(&mut self, key: &Key) {
        let rows = self.rows.get(key).into_iter().flatten();
        for (partition, _) in rows.filter(|(_, row)| row.free() > 0) {
            let part = self.parts.entry(*partition).or_default();
            part.owing.insert(key.clone());
        }
    }

    /// Tells if a partition has something to give back.
    pub fn owes(&self, holder: Holder) -> bool {
        let part = self.parts.get(&holder.partition);
        part.is_some_and(|part| !part.owing.is_empty())
    }

    /// Returns the newest period of a kind in which anything was given.
    pub fn newest(&self, per: Per) -> Option<Period> {
        let number = *self.newest.get(&per)?;
        Some(Period { per, number })
    }

    /// Ends a batch: what was given is used, what was promised beside that is not, and what others want is given back.
    ///
    /// Returns the quotas that the log does not have; they go into the commit of the batch.
    ///
    /// # Panics
    ///
    /// More was spent than [`Market::take`] has given.
    pub fn settle(&mut self, holder: Holder, spent: &[Key]) -> Vec<(Key, Quota)> {
        if self.lives.get(&holder.partition) != Some(&holder.life) {
            return Vec::new();
        }
        let mut n_spent: BTreeMap<&Key, u64> = BTreeMap::new();
        for key in spent {
            *n_spent.entry(key).or_default() += 1;
        }
        let part = self.parts.entry(holder.partition).or_default();
        let owing = std::mem::take(&mut part.owing);
        part.touched.extend(owing.iter().cloned());
        let mut moved = Vec::new();
        for key in &part.touched {
            let rows = self.rows.get_mut(key);
            let Some(row) = rows.and_then(|rows| rows.get_mut(&holder.partition)) else {
                continue;
            };
            row.now.used += n_spent.get(key).copied().unwrap_or(0);
            row.promised = 0;
            // INVARIANT: what was spent was promised, and what is promised is leased.
            assert!(row.now.used <= row.now.leased, "more was given than leased");
            if owing.contains(key) {
                row.now.leased = row.now.used;
            }
            if row.now != row.kept {
                moved.push((key.clone(), row.now));
            }
        }
        moved
    }

    /// Notes that a commit with these quotas stands: what it gave back may be leased by others.
    ///
    /// Returns the budgets of old periods, which are forgotten.
    pub fn stands(&mut self, holder: Holder, moved: &[(Key, Quota)]) -> Vec<Key> {
        if self.lives.get(&holder.partition) != Some(&holder.life) {
            return Vec::new();
        }
        let part = self.parts.entry(holder.partition).or_default();
        part.touched.clear();
        for (key, quota) in moved {
            let rows = self.rows.get_mut(key);
            if let Some(row) = rows.and_then(|rows| rows.get_mut(&holder.partition)) {
                row.kept = *quota;
            }
        }
        let mut gone = Vec::new();
        for (key, _) in moved {
            let Period { per, number } = key.period;
            let part = self.parts.entry(holder.partition).or_default();
            if part.newest.get(&per).is_none_or(|newest| *newest < number) {
                part.newest.insert(per, number);
                gone.extend(self.forget(holder.partition, per, number));
            }
        }
        gone
    }

    /// Forgets what a partition has of periods that are too long before one of which the log has something.
    fn forget(&mut self, partition: u16, per: Per, number: i32) -> Vec<Key> {
        let mut gone = Vec::new();
        let oldest = number.saturating_sub(Self::PERIODS_MAX);
        for (key, rows) in &mut self.rows {
            let is_old = key.period.per == per && key.period.number < oldest;
            if is_old && rows.remove(&partition).is_some() {
                gone.push(key.clone());
            }
        }
        self.rows.retain(|_, rows| !rows.is_empty());
        let part = self.parts.entry(partition).or_default();
        part.n_rows -= gone.len();
        for key in &gone {
            part.owing.remove(key);
        }
        gone
    }

    /// Returns what the log of a partition has of a budget.
    pub fn kept(&self, holder: Holder, key: &Key) -> Option<Quota> {
        self.row(holder.partition, key).map(|row| row.kept)
    }

    /// Returns what the log of a partition has of every budget.
    pub fn ledger(&self, holder: Holder) -> Ledger {
        let own = |(key, rows): (&Key, &BTreeMap<u16, Row>)| {
            let row = rows.get(&holder.partition)?;
            Some((key.clone(), row.kept))
        };
        self.rows.iter().filter_map(own).collect()
    }

    /// Returns how a budget stands, as far as it is in the logs.
    pub fn status(&self, key: &Key) -> Status {
        let rows = self.rows.get(key).into_iter().flatten();
        rows.fold(Status::default(), |sum, (_, row)| Status {
            used: sum.used + row.kept.used,
            leased: sum.leased + row.kept.leased,
        })
    }

    fn row(&self, partition: u16, key: &Key) -> Option<&Row> {
        self.rows.get(key)?.get(&partition)
    }

    fn leased(&self, key: &Key) -> u64 {
        let rows = self.rows.get(key).into_iter().flatten();
        rows.map(|(_, row)| row.leased()).sum()
    }

    fn saw(&mut self, key: &Key) {
        let Period { per, number } = key.period;
        let newest = self.newest.entry(per).or_insert(number);
        *newest = (*newest).max(number);
    }
}

/// Returns how much a partition leases of what is left: less as it goes to its end, so that little of it lies idle.
fn lease(rest: u64, n_partitions: u16) -> u64 {
    let share = rest / (2 * u64::from(n_partitions.max(1)));
    share.clamp(1, Market::LEASE_MAX).min(rest)
}
