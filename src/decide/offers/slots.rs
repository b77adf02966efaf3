//! Who gets the places of an answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::decide::learn::{Explore, choose};
use crate::decide::offers::arbitrate::Candidate;
use crate::decide::offers::contact::given;
use crate::decide::offers::explain::lost;
use crate::decide::offers::seat::Seat;
use crate::domain::answer::{Rated, RunnerUp};
use crate::domain::learning::Credit;
use crate::domain::{Answer, Fact, Loser, Reason, Timestamp, Value};
use crate::policy::offer::{Diversity, Key, Offer};

/// Candidates that got a place, in the order of the answer, and those that did not.
pub struct Picked<'a> {
    /// The best first.
    pub chosen: Vec<Candidate<'a>>,
    /// The best first.
    pub others: Vec<Candidate<'a>>,
}

impl Picked<'_> {
    /// Returns what learners make of the outcomes of the chosen ones, by offer.
    pub fn credits(&self) -> BTreeMap<Arc<str>, Credit> {
        let credit = |of: &Candidate<'_>| Some((of.offer.id.clone(), *of.credit.clone()?));
        self.chosen.iter().filter_map(credit).collect()
    }
}

/// Picks the best: group by group where the placement fills them in order, and none that is too much like those before.
/// Where the seat explores, every place is a contest of its own.
pub fn pick<'a>(seat: &Seat<'a>, candidates: Vec<Candidate<'a>>, limit: usize) -> Picked<'a> {
    let mut candidates = sorted(candidates);
    let rules = &seat.placement.diversity;
    if seat.explore != Explore::Never {
        return explore(seat, candidates, limit);
    }
    if rules.is_empty() {
        let others = candidates.split_off(candidates.len().min(limit));
        return Picked {
            chosen: candidates,
            others,
        };
    }
    let mut alike = Alike::default();
    let (mut chosen, mut others) = (Vec::new(), Vec::new());
    for mut candidate in candidates {
        if chosen.len() >= limit {
            others.push(candidate);
        } else if let Some(detail) = alike.full(rules, candidate.offer) {
            candidate.barred = Some(detail);
            others.push(candidate);
        } else {
            alike.count(rules, candidate.offer);
            chosen.push(candidate);
        }
    }
    Picked { chosen, others }
}

/// Sorts the best to the front: earlier groups first, then the higher priority; ties break by offer id. What they are compared by is
/// sorted first, for a candidate is large to move.
fn sorted(candidates: Vec<Candidate<'_>>) -> Vec<Candidate<'_>> {
    let keys = candidates.iter().map(|of| (of.order, of.priority));
    let mut places: Vec<((usize, f64), usize)> = keys.zip(0..).collect();
    let id = |at: usize| &candidates[at].offer.id;
    places.sort_unstable_by(|((order, priority), at), ((order_b, priority_b), at_b)| {
        let better = order.cmp(order_b).then(priority_b.total_cmp(priority));
        better.then_with(|| id(*at).cmp(id(*at_b)))
    });
    let mut candidates: Vec<_> = candidates.into_iter().map(Some).collect();
    let taken = places.into_iter().map(|(_, at)| candidates[at].take());
    taken.flatten().collect()
}

/// Fills place after place: of those who may take it now, one is chosen. What is logged is how likely that was, given the
/// places before.
fn explore<'a>(seat: &Seat<'a>, mut left: Vec<Candidate<'a>>, limit: usize) -> Picked<'a> {
    let rules = &seat.placement.diversity;
    let mut alike = Alike::default();
    let mut chosen: Vec<Candidate<'a>> = Vec::new();
    while chosen.len() < limit {
        let is_open = |of: &&Candidate<'_>| alike.full(rules, of.offer).is_none();
        let Some(order) = left.iter().filter(is_open).map(|of| of.order).min() else {
            break;
        };
        let open = left.iter().enumerate();
        let open = open.filter(|(_, of)| of.order == order && is_open(of));
        let (places, contenders): (Vec<usize>, Vec<_>) =
            open.map(|(at, of)| (at, of.contender())).unzip();
        let chance = seat.chance.branch(&chosen.len().to_string());
        let Some(pick) = choose(&contenders, seat.explore, &chance) else {
            break;
        };
        // Who loses is told what it lost with: by how much is by the same draw.
        for (at, score) in places.iter().zip(&pick.scores) {
            left[*at].priority = *score;
        }
        let mut candidate = left.remove(places[pick.idx]);
        candidate.probability = pick.probability;
        candidate.explored = pick.explored;
        alike.count(rules, candidate.offer);
        chosen.push(candidate);
    }
    let detail = |of: &Candidate<'_>| {
        let full = || alike.full(rules, of.offer);
        (chosen.len() < limit).then(full).flatten()
    };
    let mut others = sorted(left);
    for of in &mut others {
        of.barred = detail(of);
    }
    Picked { chosen, others }
}

/// How many of the chosen offers are alike, by rule and by what they share.
#[derive(Default)]
pub struct Alike(BTreeMap<(usize, String), u32>);

impl Alike {
    /// Says by which rule an offer would be one too many.
    pub fn full(&self, rules: &[Diversity], offer: &Offer) -> Option<Arc<str>> {
        own(rules, offer).find_map(|key| {
            let rule = rules.get(key.0)?;
            let n = self.0.get(&key).copied().unwrap_or(0);
            let detail = || format!("diversity: {} `{}` has {n}/{}", rule.key, key.1, rule.n);
            (n >= rule.n).then(|| detail().into())
        })
    }

    /// Counts an offer.
    pub fn count(&mut self, rules: &[Diversity], offer: &Offer) {
        for key in own(rules, offer) {
            *self.0.entry(key).or_default() += 1;
        }
    }
}

fn own<'a>(rules: &'a [Diversity], offer: &'a Offer) -> impl Iterator<Item = (usize, String)> + 'a {
    let rules = rules.iter().enumerate();
    rules.flat_map(|(idx, rule)| {
        let values = shared(&rule.key, offer).into_iter();
        values.map(move |value| (idx, value))
    })
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
    // Who is too much like the chosen ones would not have come next.
    let next = others.iter().find(|of| of.barred.is_none());
    answer.runner_up = last.zip(next).map(|(last, next)| RunnerUp {
        offer: next.offer.id.clone(),
        priority: next.priority,
        behind: last.priority - next.priority,
    });
    answer.losers.reserve(others.len());
    for loser in others {
        let priority = Some(loser.priority);
        let rated = Some(Rated {
            propensity: loser.propensity,
            belief: loser.belief,
            value: loser.value,
        });
        let detail = loser.barred.unwrap_or_else(|| behind.clone());
        answer.losers.push(Loser {
            priority,
            rated,
            ..lost(loser.offer, Reason::Outranked, detail)
        });
    }
    answer.offers = chosen.into_iter().map(Candidate::into_choice).collect();
    given
}

/// Takes everything back from a customer who is held out, and returns it: it is known what would have been given, and when.
pub fn hold_out(answer: &mut Answer) -> Vec<Arc<str>> {
    let offers = std::mem::take(&mut answer.offers);
    let withheld = offers.iter().map(|choice| choice.offer.clone()).collect();
    for (choice, place) in offers.into_iter().zip(1..) {
        answer.losers.push(Loser {
            offer: choice.offer,
            reason: Reason::Holdout,
            detail: format!("held out: it would have had place {place}").into(),
            priority: choice.priority,
            rated: choice.value.map(|value| Rated {
                propensity: choice.propensity,
                belief: choice.belief,
                value,
            }),
        });
    }
    answer.runner_up = None;
    withheld
}
