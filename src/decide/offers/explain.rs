//! A decision in words: the line of the timeline, and what an offer was chosen for.

use std::sync::Arc;

use crate::decide::offers::Ranked;
use crate::decide::offers::arbitrate::Candidate;
use crate::domain::answer::Factors;
use crate::domain::{Answer, Choice, Loser, Reason, What};
use crate::policy::offer::Offer;

impl Ranked {
    /// Returns the line of the timeline.
    pub fn what(&self) -> What {
        let chosen = self
            .answer
            .offers
            .iter()
            .map(|choice| choice.offer.clone())
            .collect();
        // The details go with the decision; the timeline keeps a reason code for every candidate.
        What::Ranked(chosen, by_reason(&self.answer).into())
    }
}

/// How many offers the timeline names for each reason code: a placement may have thousands.
const NAMED_MAX: usize = 4;

/// Writes who lost, by reason code, in the order of the ranking.
fn by_reason(answer: &Answer) -> String {
    let losers = &answer.losers;
    let mut text = String::with_capacity(128);
    for reason in Reason::ALL {
        let of_reason = || losers.iter().filter(|loser| loser.reason == reason);
        for (idx, loser) in of_reason().take(NAMED_MAX).enumerate() {
            let before = match (idx, text.is_empty()) {
                (0, true) => "",
                (0, false) => "; ",
                (_, _) => ", ",
            };
            let code = if idx == 0 { reason.code() } else { "" };
            let space = if idx == 0 { " " } else { "" };
            text.extend([before, code, space, &*loser.offer]);
        }
        let n_named = of_reason().count();
        let passed_over = answer.passed_over.iter().filter(|of| of.reason == reason);
        let n_passed: usize = passed_over.map(|of| of.n as usize).sum();
        let n_more = (n_named + n_passed).saturating_sub(n_named.min(NAMED_MAX));
        if n_more > 0 && n_named == 0 {
            let before = if text.is_empty() { "" } else { "; " };
            text.extend([before, reason.code(), " ", &n_more.to_string()]);
        } else if n_more > 0 {
            text.extend([" and ", &n_more.to_string(), " more"]);
        }
    }
    text
}

impl Candidate<'_> {
    /// Returns the offer as the answer shows it.
    pub fn into_choice(self) -> Choice {
        let Factors { p, c, v, l } = self.factors;
        let p = match self.propensity {
            Some(known) if known.to_bits() == p.to_bits() => format!("p {p:.6}"),
            Some(known) => format!("p {p:.6} (the model says {known:.6})"),
            None if p.to_bits() == 1.0_f64.to_bits() => "p 1 (no model)".into(),
            None => format!("p {p:.6} (no model)"),
        };
        let why = format!(
            "priority {:.6} from {p}, context {c}, value {v} and levers {l}",
            self.priority
        );
        Choice {
            offer: self.offer.id.clone(),
            propensity: self.propensity,
            belief: self.belief,
            priority: Some(self.priority),
            value: Some(self.value),
            probability: self.probability,
            explored: self.explored,
            factors: Some(self.factors),
            inputs: self.inputs,
            data: self.offer.data.clone(),
            reasons: vec![why.into()],
        }
    }
}

/// Returns an offer that is out of the running.
pub fn lost(offer: &Offer, reason: Reason, detail: Arc<str>) -> Loser {
    Loser {
        offer: offer.id.clone(),
        reason,
        detail,
        priority: None,
        rated: None,
    }
}
