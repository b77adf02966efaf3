//! How a customer responded to offers, groups and placements: what contact policies count.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::outcome::Kind;
use crate::domain::{Duration, Timestamp};

/// What a response is counted for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Of {
    /// An offer.
    Offer(Arc<str>),
    /// A group of offers.
    Group(Arc<str>),
    /// A placement.
    Placement(Arc<str>),
}

/// The responses by what they are counted for, as long as contact policies look back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responses(BTreeMap<Of, Vec<(Timestamp, Kind)>>);

impl Responses {
    /// How many responses of a kind are kept for one thing: no contact policy counts further.
    pub const OF_KIND_MAX: usize = 50;
    /// How many offers, groups and placements have responses; the one that was quiet longest makes room.
    pub const THINGS_MAX: usize = 256;

    /// Counts a response; of the same thing what is older than `keep` is forgotten.
    pub fn add(&mut self, of: &Of, kind: Kind, at: Timestamp, keep: Duration) {
        if !self.0.contains_key(of) && self.0.len() >= Self::THINGS_MAX {
            self.make_room();
        }
        let all = self.0.entry(of.clone()).or_default();
        let idx = all.partition_point(|(known, _)| *known <= at);
        all.insert(idx, (at, kind));
        let newest = all.last().map_or(at, |(newest, _)| *newest);
        all.retain(|(known, _)| *known > newest - keep);
        let n_kind = all.iter().filter(|(_, known)| *known == kind).count();
        if n_kind > Self::OF_KIND_MAX
            && let Some(oldest) = all.iter().position(|(_, known)| *known == kind)
        {
            all.remove(oldest);
        }
    }

    fn make_room(&mut self) {
        let last = |all: &[(Timestamp, Kind)]| all.last().map(|(at, _)| *at);
        let quiet = self.0.iter().min_by_key(|(_, all)| last(all));
        if let Some(quiet) = quiet.map(|(of, _)| of.clone()) {
            self.0.remove(&quiet);
        }
    }

    /// Returns the responses to something, the oldest first.
    pub fn of(&self, of: &Of) -> &[(Timestamp, Kind)] {
        self.0.get(of).map_or(&[], Vec::as_slice)
    }

    /// Tells if there are none at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns everything that there are responses to.
    pub fn iter(&self) -> impl Iterator<Item = (&Of, &[(Timestamp, Kind)])> {
        self.0.iter().map(|(of, all)| (of, all.as_slice()))
    }
}
