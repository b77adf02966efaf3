//! What models promised of the offers that were given, in their own words: a learner may have corrected them since.

use std::sync::Arc;

use crate::domain::answer::Choice;
use crate::domain::decision::Decision;
use crate::domain::learning::Sample;
use crate::domain::outcome::fingerprint;
use crate::domain::{Answer, Fact};

/// The score of a model for an offer that was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Promise {
    /// The model.
    pub model: Arc<str>,
    /// The offer's id.
    pub offer: Arc<str>,
    /// What the model said itself, in `[0, 1]`.
    pub score: f64,
}

/// Returns what models promised of the offers of an answer.
///
/// - `facts`: what the customer learnt with it.
pub fn promises<'a>(answer: &'a Answer, facts: &'a [Fact]) -> impl Iterator<Item = Promise> + 'a {
    let id = fingerprint(&answer.decision_id);
    let decided = facts.iter().find_map(|fact| {
        if let Fact::Decided(decision) = fact {
            Some(&**decision).filter(|decision| decision.id == id)
        } else {
            None
        }
    });
    answer.offers.iter().filter_map(move |choice| {
        Some(Promise {
            model: choice.inputs.as_ref()?.model.clone(),
            offer: choice.offer.clone(),
            score: own(choice, decided)?,
        })
    })
}

/// Returns what the model said itself; `None` where a learner speaks in its place.
fn own(choice: &Choice, decided: Option<&Decision>) -> Option<f64> {
    let mut given = decided.iter().flat_map(|decision| &decision.offers);
    let given = given.find(|given| given.offer == choice.offer);
    match given.and_then(|given| given.credit.as_ref()) {
        None => choice.propensity,
        Some(credit) => match credit.sample {
            Sample::Scored(score) => Some(f64::from(score)),
            Sample::Plain | Sample::Point(_) => None,
        },
    }
}
