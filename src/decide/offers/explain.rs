//! A decision in words: the line of the timeline, and what an offer was chosen for.

use std::sync::Arc;

use crate::decide::offers::Ranked;
use crate::decide::offers::arbitrate::Candidate;
use crate::domain::{Choice, Loser, Reason, What};
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
        What::Ranked(chosen, by_reason(&self.answer.losers).into())
    }
}

/// How many offers the timeline names for each reason code: a placement may have thousands.
const NAMED_MAX: usize = 4;

/// Writes who lost, by reason code, in the order of the ranking.
fn by_reason(losers: &[Loser]) -> String {
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
        let n_more = of_reason().count().saturating_sub(NAMED_MAX);
        if n_more > 0 {
            text.extend([" and ", &n_more.to_string(), " more"]);
        }
    }
    text
}

impl Candidate<'_> {
    /// Returns the offer as the answer shows it.
    pub fn into_choice(self) -> Choice {
        let p = self
            .propensity
            .map_or_else(|| "1 (no model)".into(), |p| format!("{p:.6}"));
        let why = format!(
            "priority {:.6} from p {p} and value {}",
            self.priority, self.value
        );
        Choice {
            offer: self.offer.id.clone(),
            propensity: self.propensity,
            priority: Some(self.priority),
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
    }
}
