//! The propensity of each offer: which rows a model must score, and which score is whose.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::eval::eval;
use crate::decide::inputs;
use crate::decide::step::{Request, Scores};
use crate::domain::Score;
use crate::policy::offer::{Offer, Placement};

/// Returns the score of each offer (`None`: no model), or what must be scored first.
pub fn propensities<'a>(
    placement: &Placement,
    offers: &[&'a Offer],
    env: &'a Env<'a>,
    scores: &'a Scores,
) -> Result<Vec<Option<Score>>, Vec<Request>> {
    let mut asked = Asked {
        env,
        scores,
        missing: Vec::new(),
    };
    let mut found = Vec::with_capacity(offers.len());
    for offer in offers {
        let model = offer.model.as_ref().or(placement.model.as_ref());
        found.push(model.map(|model| asked.slot(model, offer)));
    }
    if !asked.missing.is_empty() {
        return Err(asked.missing);
    }
    let score = |slot: Slot| match slot {
        Slot::Known(score) => score,
        Slot::Row(model, idx) => {
            let rows = scores.get(&model).map_or(&[][..], Vec::as_slice);
            let none = || Score::Unavailable("the model gave no score".into());
            rows.get(idx).cloned().unwrap_or_else(none)
        }
    };
    let mut rows_before = BTreeMap::<Arc<str>, usize>::new();
    let numbered = found
        .into_iter()
        .map(|slot| slot.map(|slot| number(slot, &mut rows_before)));
    Ok(numbered.map(|slot| slot.map(score)).collect())
}

/// Returns what the placement's model must score, if it is one that does not look at the offers: it is asked for
/// before any offer is judged, so that nothing is judged twice.
pub fn shared(placement: &Placement, env: &Env<'_>, scores: &Scores) -> Option<Request> {
    let name = placement.model.as_ref()?;
    let model = env.bundle.model(name)?;
    if model.per_offer || placement.offers.is_empty() || scores.contains_key(name) {
        return None;
    }
    let rows = vec![inputs::row(model, env).ok()?];
    let model = name.clone();
    Some(Request {
        model,
        rows,
        offers: Vec::new(),
    })
}

/// Where the score of an offer is found.
enum Slot {
    Known(Score),
    /// A row of a model's scores; `usize::MAX`: the next one.
    Row(Arc<str>, usize),
}

/// Gives each row of a model that scores offer by offer its place.
fn number(slot: Slot, rows: &mut BTreeMap<Arc<str>, usize>) -> Slot {
    match slot {
        Slot::Row(model, usize::MAX) => {
            let next = rows.entry(model.clone()).or_default();
            *next += 1;
            Slot::Row(model, *next - 1)
        }
        Slot::Known(_) | Slot::Row(..) => slot,
    }
}

struct Asked<'a> {
    env: &'a Env<'a>,
    scores: &'a Scores,
    missing: Vec<Request>,
}

impl<'a> Asked<'a> {
    /// Returns what a model sees of an offer, its value too: that never depends on a propensity.
    fn env_of(&self, offer: &'a Offer) -> Env<'a> {
        let env = Env {
            offer: Some((offer, None)),
            ..*self.env
        };
        let value = eval(&offer.value.root, &env).and_then(|value| value.as_f64());
        Env {
            offer: Some((offer, value)),
            ..env
        }
    }

    /// Finds the score of an offer; a model that does not look at the offer is asked once for all.
    fn slot(&mut self, name: &Arc<str>, offer: &'a Offer) -> Slot {
        let Some(model) = self.env.bundle.model(name) else {
            return Slot::Known(Score::Unavailable("there is no such model".into()));
        };
        let known = self.scores.contains_key(name);
        let pending = self
            .missing
            .iter()
            .position(|request| request.model == *name);
        if !model.per_offer && (known || pending.is_some()) {
            return Slot::Row(name.clone(), 0);
        }
        let env = self.env_of(offer);
        let row = match inputs::row(model, &env) {
            Ok(row) => row,
            Err(why) => return Slot::Known(Score::Unavailable(why)),
        };
        let about = model.per_offer.then(|| offer.id.clone());
        match pending {
            Some(idx) => {
                self.missing[idx].rows.push(row);
                self.missing[idx].offers.extend(about);
            }
            None if !known => {
                self.missing.push(Request {
                    model: name.clone(),
                    rows: vec![row],
                    offers: about.into_iter().collect(),
                });
            }
            None => {}
        }
        Slot::Row(name.clone(), if model.per_offer { usize::MAX } else { 0 })
    }
}
