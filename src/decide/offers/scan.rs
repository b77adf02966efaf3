//! Takes the offers of a placement through the stages, the few that a value picks where many wait for one.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::eval::eval;
use crate::decide::offers::gate::Gate;
use crate::decide::offers::stages::{Passed, pass};
use crate::domain::answer::PassedOver;
use crate::domain::{Answer, Reason};
use crate::policy::eligibility::{Index, OFFERS_MIN, mark};
use crate::policy::offer::{Offer, Placement};

/// Returns the offers that pass every stage; the others lose.
pub fn qualify<'a>(
    placement: &'a Placement,
    gate: &mut Gate<'a>,
    env: &Env<'a>,
    answer: &mut Answer,
) -> Vec<Passed<'a>> {
    if let Some((reason, detail)) = gate.closed()
        && placement.offers.len() >= OFFERS_MIN
    {
        pass_over(answer, *reason, detail.clone(), placement.offers.len());
        return Vec::new();
    }
    let Some(index) = &placement.index else {
        let offers = placement.offers.iter();
        return judge_all(offers, gate, env, answer);
    };
    let picked = pick(index, env, answer);
    let offers = picked.iter().filter_map(|idx| placement.offers.get(*idx));
    judge_all(offers, gate, env, answer)
}

fn judge_all<'a>(
    offers: impl Iterator<Item = &'a Arc<Offer>>,
    gate: &mut Gate<'a>,
    env: &Env<'a>,
    answer: &mut Answer,
) -> Vec<Passed<'a>> {
    let mut qualified = Vec::new();
    for offer in offers {
        match pass(gate, offer, env) {
            Ok(passed) => qualified.push(passed),
            Err(loser) => answer.losers.push(loser),
        }
    }
    qualified
}

/// Returns the offers that wait for what there is, in the order of the placement; the others are passed over.
fn pick<'a>(index: &'a Index, env: &Env<'a>, answer: &mut Answer) -> Vec<usize> {
    let mut picked = index.rest.clone();
    for key in &index.keys {
        let value = eval(&key.of, env);
        let found = value
            .as_deref()
            .and_then(|value| key.offers.get(&mark(value)));
        let found = found.map_or(&[][..], Vec::as_slice);
        picked.extend(found);
        if found.len() < key.n {
            let shown = value.map_or_else(|| "unknown".to_owned(), |value| value.to_string());
            let shown: String = shown.chars().take(SHOWN_CHARS_MAX).collect();
            let detail = format!("{} is another than they wait for [{shown}]", key.text);
            pass_over(
                answer,
                Reason::Ineligible,
                detail.into(),
                key.n - found.len(),
            );
        }
    }
    picked.sort_unstable();
    picked
}

/// The most characters of a value in an explanation.
const SHOWN_CHARS_MAX: usize = 80;

fn pass_over(answer: &mut Answer, reason: Reason, detail: Arc<str>, n: usize) {
    let n = u32::try_from(n).unwrap_or(u32::MAX);
    answer.passed_over.push(PassedOver { reason, detail, n });
}
