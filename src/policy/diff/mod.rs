//! What differs between two bundles, in words.

mod catalogue;
mod learning;
mod lines;
mod words;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::policy::Bundle;

pub use lines::{Line, Way};

/// Something that is not the same in both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: Arc<str>,
    /// What becomes of it.
    pub way: How,
    /// What it says in words, line by line.
    pub lines: Vec<Line>,
}

/// What becomes of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It is only in the bundle that is to be live.
    Added,
    /// It is in both and not the same.
    Changed,
    /// It is only in the bundle that is live.
    Removed,
}

/// A kind of thing that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A journey.
    Journey,
    /// An offer.
    Offer,
    /// A group of offers.
    Group,
    /// A placement.
    Placement,
    /// A segment.
    Segment,
    /// A declared feature.
    Feature,
    /// The caps of a channel or of all, and the quiet hours.
    Limit,
    /// A channel.
    Channel,
    /// A model.
    Model,
    /// A learner.
    Learner,
}

impl Kind {
    /// All of them, in the order in which changes are told.
    const ALL: [Self; 10] = [
        Self::Journey,
        Self::Offer,
        Self::Group,
        Self::Placement,
        Self::Segment,
        Self::Feature,
        Self::Limit,
        Self::Channel,
        Self::Model,
        Self::Learner,
    ];

    /// Returns the word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Journey => "journey",
            Self::Offer => "offer",
            Self::Group => "group",
            Self::Placement => "placement",
            Self::Segment => "segment",
            Self::Feature => "feature",
            Self::Limit => "limit",
            Self::Channel => "channel",
            Self::Model => "model",
            Self::Learner => "learner",
        }
    }
}

/// Returns everything that differs, sorted by kind and name.
pub fn diff(before: &Bundle, after: &Bundle) -> Vec<Change> {
    let mut changes = Vec::new();
    for kind in Kind::ALL {
        let (old, new) = (words::all(before, kind), words::all(after, kind));
        let names: BTreeSet<&Arc<str>> = old.keys().chain(new.keys()).collect();
        for name in names {
            let (was, is) = (old.get(name), new.get(name));
            let way = match (was, is) {
                (None, _) => How::Added,
                (_, None) => How::Removed,
                (Some(was), Some(is)) if was != is => How::Changed,
                (Some(_), Some(_)) => continue,
            };
            let told =
                |of| Option::<&words::Told>::map_or(of, &[][..], |told| told.lines.as_slice());
            changes.push(Change {
                kind,
                name: name.clone(),
                way,
                lines: lines::diff(told(was), told(is)),
            });
        }
    }
    changes
}
