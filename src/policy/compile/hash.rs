//! The hashes that stand for a bundle, and for what of it keeps up with customers.

use std::collections::BTreeSet;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::{Document, Kind, listeners};
use crate::policy::bundle::Bundle;
use crate::policy::yaml::Yaml;

/// A journey that is entered by an event alone keeps up with nobody.
pub(super) fn standing(bundle: &Bundle, documents: &[Document]) -> u64 {
    let has = |root: &Yaml, key: &str| root.entry(key).is_some();
    let stands = |root: &Yaml| {
        has(root, "features") || has(root, "segments") || has(root, "journey") && waits(root)
    };
    let documents = documents.iter().filter(|document| stands(&document.root));
    let mut texts: Vec<&str> = documents
        .map(|document| document.canonical.as_str())
        .collect();
    // Whoever asks for a segment, also in an earlier journey that is kept, lets it be kept up with.
    let used = bundle.segments.iter().filter(|it| it.used);
    let used: BTreeSet<&str> = used.map(|segment| segment.name.as_ref()).collect();
    texts.extend(used);
    listeners::standing(bundle, &texts)
}

fn waits(journey: &Yaml) -> bool {
    let enter = journey.entry("enter").map(|(_, node)| node);
    enter.is_some_and(|enter| enter.entry("event").is_none())
}

/// Hashes everything that decides; what it is checked against does not.
pub(super) fn id(documents: &[Document]) -> Arc<str> {
    let all: Vec<&str> = documents
        .iter()
        .filter(|document| document.kind != Kind::Schema)
        .map(|document| document.canonical.as_str())
        .collect();
    format!("{:016x}", xxh3_64(all.join("\n").as_bytes())).into()
}
