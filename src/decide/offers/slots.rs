//! Who gets the places of an answer.

use std::sync::Arc;

use crate::decide::offers::arbitrate::Candidate;
use crate::decide::offers::contact::given;
use crate::decide::offers::explain::lost;
use crate::domain::{Answer, Fact, Loser, Reason, Timestamp};

/// Moves the best so many into the answer and the others to the losers; returns the capped ones that were given.
pub fn choose(
    mut candidates: Vec<Candidate<'_>>,
    limit: usize,
    now: Timestamp,
    answer: &mut Answer,
) -> Vec<Fact> {
    // Ties break by offer id.
    candidates.sort_by(|a, b| {
        b.priority
            .total_cmp(&a.priority)
            .then(a.offer.id.cmp(&b.offer.id))
    });
    let n_chosen = candidates.len().min(limit);
    let given = candidates[..n_chosen]
        .iter()
        .filter_map(|candidate| given(candidate.offer, now))
        .collect();
    let winner = candidates[..n_chosen]
        .last()
        .map(|last| last.offer.id.as_ref());
    let behind: Arc<str> = winner.map_or("no place was asked for".into(), |by| {
        format!("after {by}").into()
    });
    for loser in candidates.drain(n_chosen..) {
        let priority = Some(loser.priority);
        answer.losers.push(Loser {
            priority,
            ..lost(loser.offer, Reason::Outranked, behind.clone())
        });
    }
    answer.offers = candidates.into_iter().map(Candidate::into_choice).collect();
    given
}
