//! The bundle: an immutable, compiled set of policies, named by the hash of its content.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::domain::Zone;
use crate::domain::instance::Instance;
use crate::policy::feature::Feature;
use crate::policy::journey::Journey;
use crate::policy::learner::Learner;
use crate::policy::limits::Limits;
use crate::policy::model::Model;
use crate::policy::offer::{Group, Offer, Placement};
use crate::policy::question::Vocabulary;
use crate::policy::segment::Segment;

/// Everything that decides, compiled. Equal texts give an equal bundle.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    /// Hash of the content, 16 hex digits.
    pub id: Arc<str>,
    /// Declared features, then those that expressions imply; unique by [`Feature::id`].
    pub features: Vec<Feature>,
    /// Journeys, sorted by name.
    pub journeys: Vec<Journey>,
    /// Journeys that are no more, whose runs leave.
    pub ended: BTreeSet<Arc<str>>,
    /// Offers by id.
    pub offers: BTreeMap<Arc<str>, Arc<Offer>>,
    /// Groups of offers by name.
    pub groups: BTreeMap<Arc<str>, Group>,
    /// Placements by name.
    pub placements: BTreeMap<Arc<str>, Placement>,
    /// Learners by name.
    pub learners: BTreeMap<Arc<str>, Learner>,
    /// What holds for the sends of all journeys.
    pub limits: Limits,
    /// Models by name.
    pub models: BTreeMap<Arc<str>, Model>,
    /// Segments, each after those that it asks.
    pub segments: Vec<Segment>,
    /// Hash of what keeps up with a customer without being in a journey: segments, schedules and absences; 0 if nothing.
    pub standing: u64,
    /// Who listens to which event.
    pub listeners: Listeners,
    /// The zone of customers who told none; UTC unless the workspace sets it.
    pub zone: Zone,
    /// What questions are checked against.
    pub vocabulary: Vocabulary,
    /// What is kept for those who are in journeys of earlier sets.
    pub archive: Archive,
}

/// Journeys of earlier policy sets, and what they name that the live set has not.
#[derive(Clone, Debug, Default)]
pub struct Archive {
    /// Sorted by name and revision.
    pub journeys: Vec<Journey>,
    /// Placements by name; nobody can ask for them from outside.
    pub placements: BTreeMap<Arc<str>, Placement>,
    /// Offers by id.
    pub offers: BTreeMap<Arc<str>, Arc<Offer>>,
    /// Groups by name.
    pub groups: BTreeMap<Arc<str>, Group>,
    /// Models by name.
    pub models: BTreeMap<Arc<str>, Model>,
    /// Learners by name.
    pub learners: BTreeMap<Arc<str>, Learner>,
}

/// Who listens to an event, by the event's name; an event that nobody listens to costs nothing.
#[derive(Clone, Debug, Default)]
pub struct Listeners {
    /// By event name.
    pub by_event: BTreeMap<Arc<str>, Listens>,
    /// Features whose value depends on every event of the customer (`dwell`).
    pub every: Vec<usize>,
    /// Segments that any event may change.
    pub segments: Vec<usize>,
    /// Segments that a trait may change.
    pub traits: Vec<usize>,
    /// Journeys that a crossing of the segment's edge, or being in it, concerns: by the segment's name.
    pub by_segment: BTreeMap<Arc<str>, Vec<usize>>,
    /// Journeys with a schedule for everybody, or for a segment.
    pub schedules: Vec<usize>,
}

/// What one event name concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listens {
    /// Indexes into [`Bundle::features`].
    pub features: Vec<usize>,
    /// Indexes into [`Bundle::journeys`] of journeys that this event may enter.
    pub journeys: Vec<usize>,
    /// Indexes into [`Bundle::journeys`] of journeys that wait for this event or its absence.
    pub absences: Vec<usize>,
    /// Indexes into [`Bundle::segments`] of segments that it may change.
    pub segments: Vec<usize>,
}

/// Where something stands in the policy files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Name of the file as it was given.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Bytes of the file.
    pub span: Range<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Bundle {
    /// Returns a journey by name.
    pub fn journey(&self, name: &str) -> Option<&Journey> {
        let idx = self
            .journeys
            .binary_search_by(|journey| journey.name.as_ref().cmp(name))
            .ok()?;
        Some(&self.journeys[idx])
    }

    /// Returns the journey that a run is in: the revision that it entered, while it is kept; else the live one.
    pub fn journey_of(&self, run: &Instance) -> Option<&Journey> {
        let live = self.journey(&run.journey);
        if live.is_some_and(|live| live.revision == run.revision) {
            return live;
        }
        let sought = (run.journey.as_ref(), run.revision);
        let kept = &self.archive.journeys;
        let idx = kept.binary_search_by(|it| (it.name.as_ref(), it.revision).cmp(&sought));
        idx.ok().map(|idx| &kept[idx]).or(live)
    }

    /// Returns a placement by name, also one that only earlier journeys name.
    pub fn placement(&self, name: &str) -> Option<&Placement> {
        let live = self.placements.get(name);
        live.or_else(|| self.archive.placements.get(name))
    }

    /// Returns an offer by its id, also one that only earlier journeys give.
    pub fn offer(&self, id: &str) -> Option<&Offer> {
        let live = self.offers.get(id);
        let offer = live.or_else(|| self.archive.offers.get(id));
        offer.map(AsRef::as_ref)
    }

    /// Returns a group by name, also one that only offers of earlier journeys are in.
    pub fn group(&self, name: &str) -> Option<&Group> {
        let live = self.groups.get(name);
        live.or_else(|| self.archive.groups.get(name))
    }

    /// Returns a model by name, also one that only earlier journeys ask.
    pub fn model(&self, name: &str) -> Option<&Model> {
        let live = self.models.get(name);
        live.or_else(|| self.archive.models.get(name))
    }

    /// Returns a learner by name, also one that only earlier journeys ask.
    pub fn learner(&self, name: &str) -> Option<&Learner> {
        let live = self.learners.get(name);
        live.or_else(|| self.archive.learners.get(name))
    }

    /// Returns the learner of a version, also one that only earlier journeys ask.
    pub fn learner_of(&self, version: u64) -> Option<&Learner> {
        let live = self.learners.values();
        let mut all = live.chain(self.archive.learners.values());
        all.find(|learner| learner.version == version)
    }

    /// Returns a segment by name, with its index.
    pub fn segment(&self, name: &str) -> Option<(usize, &Segment)> {
        let mut segments = self.segments.iter().enumerate();
        segments.find(|(_, segment)| segment.name.as_ref() == name)
    }

    /// Returns the segments that an event of this name may change, sorted.
    pub fn segments_of(&self, event: &str) -> &[usize] {
        let listens = self.listens(event);
        listens.map_or(&self.listeners.segments, |listens| &listens.segments)
    }

    /// Returns what listens to an event of this name.
    pub fn listens(&self, event: &str) -> Option<&Listens> {
        self.listeners.by_event.get(event)
    }
}
