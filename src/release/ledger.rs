//! The ledger: every policy set that was live, numbered, with its sources.
//!
//! It is one record of the log of the policies, replaced as a whole by compare-and-swap: whoever reads it reads all of
//! it, and two who change it at the same time cannot both win. A text that several sets share is kept once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use crate::domain::Timestamp;
use crate::policy::{Bundle, Kept, Source};

/// The form of the record that this build writes.
const FORM: u32 = 1;

/// All sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    form: u32,
    /// The bundle that was last taken from the folder, whether it is live or not.
    pub folder: Option<Arc<str>>,
    /// In the order of their revisions; the last one is live.
    pub sets: Vec<Set>,
    /// Revisions of journeys that nobody was in when it was looked, after they were live.
    pub left: BTreeSet<Revision>,
    /// Texts of policy files by their hash.
    texts: BTreeMap<Arc<str>, Arc<str>>,
}

/// One policy set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Set {
    /// Its number, from 1; never used twice.
    pub revision: u64,
    /// Hash of its content.
    pub bundle: Arc<str>,
    /// When it became live.
    pub at: Timestamp,
    /// Where it came from.
    pub origin: Origin,
    /// The revisions of its journeys, by name.
    pub journeys: BTreeMap<Arc<str>, Revision>,
    /// Its files: name and hash of the text.
    files: Vec<(Arc<str>, Arc<str>)>,
}

/// The revision of a journey: a hash of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(pub u64);

/// Where a policy set came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The folder of the server.
    Folder,
    /// A call of the API.
    Apply,
    /// The set of this revision was made live again.
    Rollback(u64),
}

/// Why a ledger cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not what was written.
    #[error("the ledger of the policies cannot be read: {0}")]
    Damaged(String),
    /// A newer build wrote it.
    #[error("the ledger of the policies has form {0}, which is newer than this build")]
    Form(u32),
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            form: FORM,
            folder: None,
            sets: Vec::new(),
            left: BTreeSet::new(),
            texts: BTreeMap::new(),
        }
    }
}

impl Ledger {
    /// Returns the live set.
    pub fn live(&self) -> Option<&Set> {
        self.sets.last()
    }

    /// Returns the set of a revision.
    pub fn set(&self, revision: u64) -> Option<&Set> {
        self.sets.iter().find(|set| set.revision == revision)
    }

    /// Returns the files of a set; `None` if they are no longer kept.
    pub fn sources(&self, set: &Set) -> Option<Vec<Source>> {
        let texts = set.files.iter().map(|(name, hash)| {
            let text = self.texts.get(hash)?;
            let (name, text) = (name.clone(), text.clone());
            Some(Source { name, text })
        });
        texts.collect()
    }

    /// Adds a set, which becomes the live one; returns its revision.
    pub fn push(
        &mut self,
        sources: &[Source],
        bundle: &Bundle,
        origin: Origin,
        at: Timestamp,
    ) -> u64 {
        let revision = self.live().map_or(0, |set| set.revision) + 1;
        let mut files = Vec::new();
        for source in sources {
            let hash: Arc<str> = format!("{:032x}", xxh3_128(source.text.as_bytes())).into();
            self.texts.insert(hash.clone(), source.text.clone());
            files.push((source.name.clone(), hash));
        }
        let journeys = bundle.journeys.iter();
        let journeys = journeys.map(|it| (it.name.clone(), Revision(it.revision)));
        let journeys: BTreeMap<_, _> = journeys.collect();
        for revision in journeys.values() {
            self.left.remove(revision);
        }
        self.sets.push(Set {
            revision,
            bundle: bundle.id.clone(),
            at,
            origin,
            journeys,
            files,
        });
        revision
    }

    /// Returns what those may need who are in a journey of an earlier set, the newest first.
    pub fn kept(&self) -> Vec<Kept> {
        let kept = self.sets.iter().rev().filter_map(|set| {
            let revisions = set.journeys.values();
            let left = revisions.filter(|revision| !self.left.contains(revision));
            let journeys = left.map(|revision| revision.0).collect();
            let sources = self.sources(set)?;
            Some(Kept { sources, journeys })
        });
        kept.collect()
    }

    /// Returns the revisions of journeys that are kept though they are not live, each with the name of its journey.
    pub fn old(&self) -> BTreeSet<(Arc<str>, Revision)> {
        let live = self.live().map(|set| &set.journeys);
        let is_live = |name: &Arc<str>, of: &Revision| {
            live.is_some_and(|journeys| journeys.get(name) == Some(of))
        };
        let all = self.sets.iter().flat_map(|set| &set.journeys);
        all.filter(|(name, of)| !is_live(name, of) && !self.left.contains(of))
            .map(|(name, of)| (name.clone(), *of))
            .collect()
    }

    /// Drops the oldest sets above a number, unless somebody may be in a journey that only they have.
    pub fn trim(&mut self, n_max: usize) {
        let n_over = self.sets.len().saturating_sub(n_max);
        let mut dropped = BTreeSet::new();
        for (idx, set) in self.sets.iter().enumerate().take(n_over) {
            let later = self.sets.iter().skip(idx + 1);
            let later: BTreeSet<_> = later.flat_map(|set| set.journeys.values()).collect();
            let mut revisions = set.journeys.values();
            if revisions.all(|of| later.contains(of) || self.left.contains(of)) {
                dropped.insert(set.revision);
            }
        }
        self.retain(|set| !dropped.contains(&set.revision));
    }

    /// Drops the sets that are not to stay, and the texts that no other one has; the live set stays.
    fn retain(&mut self, stays: impl Fn(&Set) -> bool) {
        let live = self.live().map(|set| set.revision);
        self.sets
            .retain(|set| Some(set.revision) == live || stays(set));
        let files = self.sets.iter().flat_map(|set| &set.files);
        let needed: BTreeSet<_> = files.map(|(_, hash)| hash.clone()).collect();
        self.texts.retain(|hash, _| needed.contains(hash));
        // Of a revision that is in no set any more nobody asks who has left it.
        let journeys = self.sets.iter().flat_map(|set| set.journeys.values());
        let known: BTreeSet<_> = journeys.copied().collect();
        self.left.retain(|revision| known.contains(revision));
    }

    /// Writes the record: JSON, compressed.
    ///
    /// # Errors
    ///
    /// None that happens: what it is made of is in memory.
    pub fn encode(&self) -> Result<Bytes, Error> {
        let damaged = |error: String| Error::Damaged(error);
        let json = serde_json::to_vec(self).map_err(|error| damaged(error.to_string()))?;
        let mut zip = GzEncoder::new(Vec::new(), Compression::default());
        let written = zip.write_all(&json).and_then(|()| zip.finish());
        written
            .map(Bytes::from)
            .map_err(|error| damaged(error.to_string()))
    }

    /// Reads a record.
    ///
    /// # Errors
    ///
    /// It is damaged, or a newer build wrote it.
    pub fn decode(record: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Head {
            form: u32,
        }
        let mut json = Vec::new();
        let read = GzDecoder::new(record).read_to_end(&mut json);
        read.map_err(|error| Error::Damaged(error.to_string()))?;
        let damaged = |error: serde_json::Error| Error::Damaged(error.to_string());
        let Head { form } = serde_json::from_slice(&json).map_err(damaged)?;
        if form > FORM {
            return Err(Error::Form(form));
        }
        serde_json::from_slice(&json).map_err(damaged)
    }
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Revision {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Revision {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = u64::from_str_radix(&text, 16);
        number.map(Self).map_err(serde::de::Error::custom)
    }
}
