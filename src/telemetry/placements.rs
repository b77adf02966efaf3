//! What placements decided: for whose part of the customers, and how often something was tried out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::Answer;
use crate::domain::learning::Arm;

/// What each placement decided since the process began.
#[derive(Debug, Default)]
pub struct Placements(Mutex<BTreeMap<Arc<str>, Decided>>);

/// What a placement decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// Decisions by the part of the customers; `None` where parts are not compared and nothing is learnt.
    pub arms: BTreeMap<Option<Arm>, u64>,
    /// Decisions with an offer that was given although another one was better as far as anybody knew.
    pub explored: u64,
}

impl Placements {
    /// Counts decisions.
    pub fn note(&self, answers: &[Arc<Answer>]) {
        if answers.is_empty() {
            return;
        }
        let mut placements = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for answer in answers {
            let of = placements.entry(answer.placement.clone()).or_default();
            *of.arms.entry(answer.arm).or_default() += 1;
            of.explored += u64::from(answer.offers.iter().any(|choice| choice.explored));
        }
    }

    /// Returns what was counted, by placement.
    pub fn all(&self) -> BTreeMap<Arc<str>, Decided> {
        let placements = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        placements.clone()
    }
}
