//! Who listens to what, so that a policy costs nothing where it does not listen.

use std::collections::BTreeSet;

use xxhash_rust::xxh3::xxh3_64;

use crate::policy::bundle::{Bundle, Listeners};
use crate::policy::feature::Fold;
use crate::policy::journey::On;

/// Finds out who listens to what; everything else in the bundle is complete.
///
/// - `idle`: features that nobody asks for.
pub fn listeners(bundle: &Bundle, idle: &BTreeSet<usize>) -> Listeners {
    let mut listeners = Listeners::default();
    let features = bundle.features.iter().enumerate();
    for (idx, feature) in features.filter(|(idx, _)| !idle.contains(idx)) {
        let listens = listeners.by_event.entry(feature.event.clone()).or_default();
        listens.features.push(idx);
        if matches!(feature.fold, Fold::Dwell) {
            listeners.every.push(idx);
        }
    }
    for idx in 0..bundle.journeys.len() {
        listeners.journey(bundle, idx);
    }
    listeners.segments(bundle);
    listeners
}

impl Listeners {
    fn journey(&mut self, bundle: &Bundle, idx: usize) {
        match &bundle.journeys[idx].enter.on {
            On::Event(event) => {
                let listens = self.by_event.entry(event.clone()).or_default();
                listens.journeys.push(idx);
            }
            On::Crossing(segment, _) => self
                .by_segment
                .entry(segment.clone())
                .or_default()
                .push(idx),
            On::Schedule(schedule) => {
                self.schedules.push(idx);
                if let Some(segment) = &schedule.members {
                    self.by_segment
                        .entry(segment.clone())
                        .or_default()
                        .push(idx);
                }
            }
            On::Absence(absence) => {
                let events = BTreeSet::from([&absence.event.event, &absence.after.event]);
                for event in events {
                    let listens = self.by_event.entry(event.clone()).or_default();
                    listens.absences.push(idx);
                }
            }
        }
    }

    fn segments(&mut self, bundle: &Bundle) {
        let used = || bundle.segments.iter().enumerate().filter(|(_, it)| it.used);
        self.segments = used()
            .filter(|(_, it)| it.depends.every)
            .map(|(idx, _)| idx)
            .collect();
        self.traits = used()
            .filter(|(_, it)| it.depends.traits)
            .map(|(idx, _)| idx)
            .collect();
        for event in used().flat_map(|(_, it)| &it.depends.events) {
            self.by_event.entry(event.clone()).or_default();
        }
        for (event, listens) in &mut self.by_event {
            listens.segments = used()
                .filter(|(_, it)| it.depends.every || it.depends.events.contains(event))
                .map(|(idx, _)| idx)
                .collect();
        }
    }
}

/// Hashes what keeps up with a customer without being in a journey; 0 if nothing does.
///
/// - `texts`: of every document that declares features, segments, or such a journey.
pub fn standing(bundle: &Bundle, texts: &[&str]) -> u64 {
    let stands = |on: &On| match on {
        On::Schedule(_) | On::Absence(_) => true,
        On::Event(_) | On::Crossing(..) => false,
    };
    let any = bundle.segments.iter().any(|segment| segment.used)
        || bundle
            .journeys
            .iter()
            .any(|journey| stands(&journey.enter.on));
    if any {
        xxh3_64(texts.join("\n").as_bytes()).max(1)
    } else {
        0
    }
}
