//! The names of what we measure.

mod placements;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::domain::{Trace, What};
pub use placements::{Decided, Placements};

/// A counter that only rises.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to the counter.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// Returns the count.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that rises and falls.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// Raises the number.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// Lowers the number.
    pub fn sub(&self, n: u64) {
        self.0.fetch_sub(n, Ordering::Relaxed);
    }

    /// Raises the number to at least this; returns whether it rose.
    pub fn raise(&self, to: u64) -> bool {
        self.0.fetch_max(to, Ordering::Relaxed) < to
    }

    /// Returns the number.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Time spent in one stage of the pipeline.
#[derive(Debug, Default)]
pub struct Stage {
    /// Nanoseconds.
    pub nanos: Counter,
    /// Runs.
    pub runs: Counter,
}

impl Stage {
    /// Runs something and counts its time.
    pub fn time<T>(&self, run: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = run();
        self.since(start);
        result
    }

    /// Counts the time since a start.
    pub fn since(&self, start: Instant) {
        self.nanos
            .add(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
        self.runs.add(1);
    }
}

/// Who entered each journey and how they left it, since the process began.
#[derive(Debug, Default)]
pub struct Journeys(Mutex<BTreeMap<Arc<str>, Traffic>>);

/// Who entered a journey and how they left it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Runs that began.
    pub entered: u64,
    /// Runs that ended, by reason.
    pub left: BTreeMap<Arc<str>, u64>,
}

impl Journeys {
    /// Counts a line of a timeline if it is about an entry or an end.
    pub fn note(&self, trace: &Trace) {
        if trace.what == What::Entered {
            self.of(&trace.subject, |of| of.entered += 1);
        } else if let What::Left(reason) = &trace.what {
            self.of(&trace.subject, |of| {
                *of.left.entry(reason.clone()).or_default() += 1;
            });
        }
    }

    /// Returns what was counted of a journey.
    pub fn traffic(&self, journey: &str) -> Traffic {
        self.lock().get(journey).cloned().unwrap_or_default()
    }

    fn of(&self, journey: &Arc<str>, change: impl FnOnce(&mut Traffic)) {
        change(self.lock().entry(journey.clone()).or_default());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Traffic>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything a node counts; one for the process.
#[derive(Debug, Default)]
pub struct Meters {
    /// Events applied.
    pub events: Counter,
    /// Events that were among the recent ones of their customer.
    pub duplicates: Counter,
    /// Events that went to the dead letters.
    pub dead_letters: Counter,
    /// Events that were in the wrong partition.
    pub forwarded: Counter,
    /// Actions committed.
    pub actions: Counter,
    /// Changes of segments committed.
    pub crossings: Counter,
    /// Actions that shadows would have sent.
    pub shadow_actions: Counter,
    /// Outcomes that taught a learner something.
    pub lessons: Counter,
    /// Offers that budgets have given.
    pub budget_spent: Counter,
    /// Offers that were out because of their budget.
    pub budget_refusals: Counter,
    /// Images of customers larger than the budget.
    pub oversized: Counter,
    /// Bytes of the images written.
    pub image_bytes: Counter,
    /// Bytes of the largest image written.
    pub image_bytes_max: Gauge,
    /// Decisions committed.
    pub decisions: Counter,
    /// The same by placement: for whom, and what was tried.
    pub placements: Placements,
    /// Runs of journeys that began.
    pub entries: Counter,
    /// The same by journey, and how they ended.
    pub journeys: Journeys,
    /// Scores that were not available.
    pub scores_unavailable: Counter,
    /// Commits appended.
    pub commits: Counter,
    /// Bytes appended.
    pub commit_bytes: Counter,
    /// Partitions that were started again after a failure.
    pub restarts: Counter,
    /// Policy sets that became live.
    pub policies_reloads: Counter,
    /// Policy sets that were rejected.
    pub policies_rejected: Counter,
    /// Customers looked at because segments, absences or schedules became others.
    pub rounds_customers: Counter,
    /// Those of them whom it concerned.
    pub rounds_concerned: Counter,
    /// Partitions in which not everybody was looked at.
    pub rounds_open: Gauge,
    /// Customers resident in memory.
    pub residents: Gauge,
    /// Images written by checkpoints.
    pub images: Counter,
    /// Reading JSON.
    pub decode: Stage,
    /// Grouping by customer, loading and handing over.
    pub route: Stage,
    /// Deciding.
    pub step: Stage,
    /// Running models.
    pub score: Stage,
    /// Encoding commits.
    pub commit: Stage,
    /// Waiting for appends: time that passes, not work.
    pub append: Stage,
    /// Encoding and publishing actions.
    pub emit: Stage,
    /// Encoding and writing images.
    pub checkpoint: Stage,
    /// Waiting for the state log to be trimmed: time that passes, not work.
    pub trim: Stage,
}

impl Meters {
    /// Counts the image of a customer; returns whether it is above the budget and larger than any before.
    ///
    /// - `bytes`, `budget`: of the image as it is stored.
    pub fn image(&self, bytes: usize, budget: usize) -> bool {
        let n_bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.image_bytes.add(n_bytes);
        let is_above = bytes > budget;
        self.oversized.add(u64::from(is_above));
        self.image_bytes_max.raise(n_bytes) && is_above
    }

    /// Returns every counter with its name and what it counts, in the order of their names.
    pub fn counters(&self) -> Vec<(&'static str, &'static str, u64)> {
        [self.first_counters(), self.last_counters()].concat()
    }

    fn first_counters(&self) -> Vec<(&'static str, &'static str, u64)> {
        vec![
            (
                "attune_actions_total",
                "Actions committed",
                self.actions.get(),
            ),
            (
                "attune_lessons_total",
                "Outcomes that taught a learner something",
                self.lessons.get(),
            ),
            (
                "attune_budget_given_total",
                "Offers with a budget that were given",
                self.budget_spent.get(),
            ),
            (
                "attune_budget_refusals_total",
                "Offers that were out because of their budget",
                self.budget_refusals.get(),
            ),
            (
                "attune_checkpoint_images_total",
                "Customer images written",
                self.images.get(),
            ),
            (
                "attune_commit_bytes_total",
                "Bytes appended to the state log",
                self.commit_bytes.get(),
            ),
            (
                "attune_commits_total",
                "Commits appended to the state log",
                self.commits.get(),
            ),
            (
                "attune_customer_state_bytes_total",
                "Bytes of the customer images written",
                self.image_bytes.get(),
            ),
            (
                "attune_customers_oversized_total",
                "Customer images written above the size budget",
                self.oversized.get(),
            ),
            (
                "attune_dead_letters_total",
                "Events that could not be handled",
                self.dead_letters.get(),
            ),
            (
                "attune_decisions_total",
                "Decisions committed",
                self.decisions.get(),
            ),
        ]
    }

    fn last_counters(&self) -> Vec<(&'static str, &'static str, u64)> {
        vec![
            (
                "attune_duplicates_total",
                "Events recognised as duplicates",
                self.duplicates.get(),
            ),
            ("attune_events_total", "Events applied", self.events.get()),
            (
                "attune_forwarded_total",
                "Events sent on to their partition",
                self.forwarded.get(),
            ),
            (
                "attune_journey_entries_total",
                "Runs of journeys begun",
                self.entries.get(),
            ),
            (
                "attune_partition_restarts_total",
                "Partitions started again",
                self.restarts.get(),
            ),
            (
                "attune_policies_rejected_total",
                "Policy sets rejected",
                self.policies_rejected.get(),
            ),
            (
                "attune_policies_reloads_total",
                "Policy sets that became live",
                self.policies_reloads.get(),
            ),
            (
                "attune_rounds_concerned_total",
                "Customers whom other segments, absences or schedules concerned",
                self.rounds_concerned.get(),
            ),
            (
                "attune_rounds_customers_total",
                "Customers looked at because segments, absences or schedules became others",
                self.rounds_customers.get(),
            ),
            (
                "attune_scores_unavailable_total",
                "Scores that were not available",
                self.scores_unavailable.get(),
            ),
            (
                "attune_segment_crossings_total",
                "Changes of published segments committed",
                self.crossings.get(),
            ),
            (
                "attune_shadow_actions_total",
                "Actions that journeys in shadow mode would have sent",
                self.shadow_actions.get(),
            ),
        ]
    }

    /// Returns every stage with its name.
    pub fn stages(&self) -> [(&'static str, &Stage); 9] {
        [
            ("decode", &self.decode),
            ("route", &self.route),
            ("step", &self.step),
            ("score", &self.score),
            ("commit", &self.commit),
            ("append", &self.append),
            ("emit", &self.emit),
            ("checkpoint", &self.checkpoint),
            ("trim", &self.trim),
        ]
    }
}
