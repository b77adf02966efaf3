//! Who gets the places of an answer.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::decide::offers::arbitrate::Candidate;
use crate::decide::offers::contact::given;
use crate::decide::offers::explain::lost;
use crate::domain::answer::RunnerUp;
use crate::domain::{Answer, Fact, Loser, Reason, Timestamp, Value};
use crate::policy::offer::{Diversity, Key, Offer, Placement};

/// Candidates that got a place, in the order of the answer, and those that did not, each with the reason.
pub struct Picked<'a> {
    /// The best first.
    pub chosen: Vec<Candidate<'a>>,
    /// The best first; why they are not chosen.
    pub others: Vec<(Candidate<'a>, Option<Arc<str>>)>,
}

/// Picks the best: group by group where the placement fills them in order, and none that is too much like those before.
pub fn pick<'a>(
    placement: &Placement,
    mut candidates: Vec<Candidate<'a>>,
    limit: usize,
) -> Picked<'a> {
    candidates.sort_by(better);
    if placement.diversity.is_empty() {
        let others = candidates.split_off(candidates.len().min(limit));
        return Picked {
            chosen: candidates,
            others: others.into_iter().map(|other| (other, None)).collect(),
        };
    }
    let mut alike = BTreeMap::new();
    let (mut chosen, mut others) = (Vec::new(), Vec::new());
    for candidate in candidates {
        if chosen.len() >= limit {
            others.push((candidate, None));
        } else if let Some(detail) = too_alike(&placement.diversity, candidate.offer, &mut alike) {
            others.push((candidate, Some(detail)));
        } else {
            chosen.push(candidate);
        }
    }
    Picked { chosen, others }
}

/// Earlier groups first, then the higher priority; ties break by offer id.
fn better(a: &Candidate<'_>, b: &Candidate<'_>) -> Ordering {
    a.order
        .cmp(&b.order)
        .then(b.priority.total_cmp(&a.priority))
        .then(a.offer.id.cmp(&b.offer.id))
}

/// Counts an offer among those that are alike; if it is one too many, says so and counts nothing.
fn too_alike(
    rules: &[Diversity],
    offer: &Offer,
    alike: &mut BTreeMap<(usize, String), u32>,
) -> Option<Arc<str>> {
    let shares = |(idx, rule): (usize, &Diversity)| {
        let values = shared(&rule.key, offer);
        values
            .into_iter()
            .map(move |value| (idx, value))
            .collect::<Vec<_>>()
    };
    let own: Vec<_> = rules.iter().enumerate().flat_map(shares).collect();
    let full = own.iter().find_map(|key| {
        let rule = rules.get(key.0)?;
        let n = alike.get(key).copied().unwrap_or(0);
        (n >= rule.n).then(|| format!("diversity: {} `{}` has {n}/{}", rule.key, key.1, rule.n))
    });
    if full.is_none() {
        for key in own {
            *alike.entry(key).or_default() += 1;
        }
    }
    full.map(Into::into)
}

/// Returns what an offer may share with others; what it does not have it shares with nobody.
fn shared(key: &Key, offer: &Offer) -> Vec<String> {
    match key {
        Key::Group => offer.groups.iter().map(ToString::to_string).collect(),
        Key::Data(path) => {
            let value = path
                .iter()
                .try_fold(&offer.data, |value, name| value.get(name));
            let value = value.filter(|value| **value != Value::Null);
            value.map(ToString::to_string).into_iter().collect()
        }
    }
}

/// Moves the chosen ones into the answer and the others to the losers; returns the capped ones that were given.
pub fn fill(picked: Picked<'_>, now: Timestamp, answer: &mut Answer) -> Vec<Fact> {
    let Picked { chosen, others } = picked;
    let given = chosen
        .iter()
        .filter_map(|candidate| given(candidate.offer, now))
        .collect();
    let last = chosen.last();
    let behind: Arc<str> = last.map_or("no place was asked for".into(), |last| {
        format!("after {}", last.offer.id).into()
    });
    answer.runner_up = last.zip(others.first()).map(|(last, (next, _))| RunnerUp {
        offer: next.offer.id.clone(),
        priority: next.priority,
        behind: last.priority - next.priority,
    });
    for (loser, detail) in others {
        let priority = Some(loser.priority);
        let detail = detail.unwrap_or_else(|| behind.clone());
        answer.losers.push(Loser {
            priority,
            ..lost(loser.offer, Reason::Outranked, detail)
        });
    }
    answer.offers = chosen.into_iter().map(Candidate::into_choice).collect();
    given
}
