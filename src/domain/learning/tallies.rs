//! All evidence of one partition, or of all of them together: rows by learner, placement and offer, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::learning::{Arm, Lesson, Month, Row, Share, Update};

/// Whose evidence: the version of the learner, and the placement.
pub type Key = (u64, Arc<str>);

/// Which share: the placement, the month, the arm.
pub type Of = (Arc<str>, Month, Arm);

/// The evidence about the offers of a placement, by offer; what is shared is not copied until it changes.
pub type Rows = BTreeMap<Arc<str>, Arc<Row>>;

/// Shares by the placement, the month and the arm.
pub type Shares = BTreeMap<Of, Share>;

/// Evidence and shares. Bounded by [`Tallies::ROWS_MAX`] and [`Tallies::MONTHS_MAX`], however many decisions there were.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tallies {
    rows: BTreeMap<Key, Arc<Rows>>,
    shares: Shares,
}

impl Tallies {
    /// The most rows: the one whose last decision is oldest makes room.
    pub const ROWS_MAX: usize = 16_384;
    /// The most months of a placement and arm: the oldest makes room.
    pub const MONTHS_MAX: usize = 3;

    /// Nothing.
    pub const fn new() -> Self {
        Self {
            rows: BTreeMap::new(),
            shares: BTreeMap::new(),
        }
    }

    /// Adds one thing.
    pub fn apply(&mut self, update: &Update) {
        self.apply_to(update, &mut BTreeSet::new());
    }

    /// Adds one thing, and says whose rows are touched by it.
    pub fn apply_to(&mut self, update: &Update, touched: &mut BTreeSet<Key>) {
        match update {
            Update::Learnt(lesson) => self.learn(lesson, touched),
            Update::Decided(placement, arm, at) => {
                if let Some(share) = self.share_mut(placement, *arm, Month::of(*at)) {
                    share.n += 1;
                }
            }
            Update::Came(placement, arm, at, kind) => {
                if let Some(share) = self.share_mut(placement, *arm, Month::of(*at)) {
                    share.note(*kind);
                }
            }
        }
    }

    fn learn(&mut self, lesson: &Lesson, touched: &mut BTreeSet<Key>) {
        let key = (lesson.version, lesson.placement.clone());
        let known = self.row(lesson.version, &lesson.placement, &lesson.offer);
        if known.is_none() && self.n_rows() >= Self::ROWS_MAX {
            touched.extend(self.make_room());
        }
        touched.insert(key.clone());
        let offers = Arc::make_mut(self.rows.entry(key).or_default());
        let row = offers.entry(lesson.offer.clone());
        let row = row.or_insert_with(|| Arc::new(Row::new(lesson)));
        Arc::make_mut(row).learn(lesson);
    }

    /// Returns a share to count in; `None` for a month that is too old.
    fn share_mut(&mut self, placement: &Arc<str>, arm: Arm, month: Month) -> Option<&mut Share> {
        let of = |month| (placement.clone(), month, arm);
        if self.shares.contains_key(&of(month)) {
            return self.shares.get_mut(&of(month));
        }
        let own = self.shares.keys();
        let own = own.filter(|(place, _, of)| place == placement && *of == arm);
        let months: Vec<Month> = own.map(|(_, month, _)| *month).collect();
        let full = months.len() >= Self::MONTHS_MAX;
        if let Some(oldest) = months.first().filter(|_| full) {
            if month < *oldest {
                return None;
            }
            self.shares.remove(&of(*oldest));
        }
        Some(self.shares.entry(of(month)).or_default())
    }

    /// Forgets the row whose last decision is oldest.
    fn make_room(&mut self) -> Option<Key> {
        let all = self.rows.iter().flat_map(|(key, offers)| {
            let rows = offers.iter();
            rows.map(move |(offer, row)| (row.at, key, offer))
        });
        let oldest = all.min_by_key(|(at, ..)| *at);
        let (key, offer) = oldest.map(|(_, key, offer)| (key.clone(), offer.clone()))?;
        self.remove(&key, &offer);
        Some(key)
    }

    fn remove(&mut self, key: &Key, offer: &str) {
        let Some(offers) = self.rows.get_mut(key) else {
            return;
        };
        Arc::make_mut(offers).remove(offer);
        if offers.is_empty() {
            self.rows.remove(key);
        }
    }

    /// Returns the evidence about an offer in a placement.
    pub fn row(&self, version: u64, placement: &Arc<str>, offer: &str) -> Option<&Row> {
        self.offers(version, placement)?
            .get(offer)
            .map(AsRef::as_ref)
    }

    /// Returns the evidence about all offers of a placement.
    pub fn offers(&self, version: u64, placement: &Arc<str>) -> Option<&Rows> {
        self.rows
            .get(&(version, placement.clone()))
            .map(AsRef::as_ref)
    }

    /// Returns how the arms of a placement fare, by month.
    pub fn shares(&self, placement: &str) -> impl Iterator<Item = (Month, Arm, &Share)> {
        let shares = self.shares.iter();
        let own = shares.filter(move |((of, ..), _)| of.as_ref() == placement);
        own.map(|((_, month, arm), share)| (*month, *arm, share))
    }

    /// Returns how many rows there are.
    pub fn n_rows(&self) -> usize {
        self.rows.values().map(|offers| offers.len()).sum()
    }

    /// Tells if there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.shares.is_empty()
    }

    /// Returns whose rows there are.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.rows.keys()
    }

    /// Returns all shares.
    pub fn all_shares(&self) -> &Shares {
        &self.shares
    }

    /// Puts in rows as they were kept.
    pub fn restore(&mut self, key: Key, offers: Rows) {
        self.rows.insert(key, Arc::new(offers));
    }

    /// Puts in shares as they were kept.
    pub fn restore_shares(&mut self, shares: Shares) {
        self.shares = shares;
    }

    /// Makes the rows of a key those of other tallies.
    pub fn copy(&mut self, key: &Key, from: &Self) {
        match from.rows.get(key) {
            Some(offers) => drop(self.rows.insert(key.clone(), offers.clone())),
            None => drop(self.rows.remove(key)),
        }
    }

    /// Makes the shares those of other tallies.
    pub fn copy_shares(&mut self, from: &Self) {
        self.shares.clone_from(&from.shares);
    }

    /// Makes the rows of these keys the sum over all parts.
    pub fn sum_of<'a>(
        &mut self,
        parts: &(impl Iterator<Item = &'a Self> + Clone),
        keys: &BTreeSet<Key>,
    ) {
        for key in keys {
            self.rows.remove(key);
            for offers in parts.clone().filter_map(|part| part.rows.get(key)) {
                self.add_rows(key, offers);
            }
        }
    }

    fn add_rows(&mut self, key: &Key, offers: &Arc<Rows>) {
        let own = self.rows.entry(key.clone()).or_default();
        if own.is_empty() {
            own.clone_from(offers);
            return;
        }
        let own = Arc::make_mut(own);
        for (offer, row) in offers.as_ref() {
            match own.get_mut(offer) {
                Some(known) => Arc::make_mut(known).add(row),
                None => drop(own.insert(offer.clone(), row.clone())),
            }
        }
    }

    fn add_shares(&mut self, other: &Self) {
        for (of, share) in &other.shares {
            self.shares.entry(of.clone()).or_default().add(share);
        }
    }

    /// Adds all evidence of other tallies.
    pub fn add(&mut self, other: &Self) {
        for (key, offers) in &other.rows {
            self.add_rows(key, offers);
        }
        self.add_shares(other);
    }
}
