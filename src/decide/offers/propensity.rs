//! The propensity of each offer: which rows a model must score, and which score is whose.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::eval::eval;
use crate::decide::inputs;
use crate::decide::step::{Request, Scores};
use crate::domain::Score;
use crate::domain::answer::{Asked, Inputs};
use crate::policy::offer::{Offer, Placement};

/// How likely an offer is accepted, as far as anybody knows.
#[derive(Clone, Debug, Default)]
pub struct Propensity {
    /// What a model says; `None`: there is none.
    pub score: Option<Score>,
    /// What the model was asked.
    pub inputs: Option<Arc<Inputs>>,
}

impl Propensity {
    /// Returns the number, if there is one.
    pub fn known(&self) -> Option<f64> {
        self.score.as_ref().and_then(Score::known)
    }

    /// Tells if a model should have said something and did not.
    pub fn is_broken(&self) -> bool {
        matches!(self.score, Some(Score::Unavailable(_)))
    }
}

/// Returns the propensity of each offer, or what must be scored first.
pub fn propensities(
    placement: &Placement,
    offers: &[&Offer],
    env: &Env<'_>,
    scores: &Scores,
) -> Result<Vec<Propensity>, Vec<Request>> {
    let mut asked = Asking {
        env,
        scores,
        missing: Vec::new(),
        shared: BTreeMap::new(),
    };
    let mut found = Vec::with_capacity(offers.len());
    for offer in offers {
        let model = offer.model.as_ref().or(placement.model.as_ref());
        found.push(model.map(|model| asked.slot(model, offer)));
    }
    if !asked.missing.is_empty() {
        return Err(asked.missing);
    }
    let mut rows_before = BTreeMap::<Arc<str>, usize>::new();
    let mut found_of = |slot: Slot| match slot {
        Slot::Broken(why) => Propensity {
            score: Some(Score::Unavailable(why)),
            ..Propensity::default()
        },
        Slot::Row(inputs, place) => {
            let idx = place.unwrap_or_else(|| {
                let next = rows_before.entry(inputs.model.clone()).or_default();
                *next += 1;
                *next - 1
            });
            let rows = scores.get(&inputs.model).map_or(&[][..], Vec::as_slice);
            let none = || Score::Unavailable("the model gave no score".into());
            Propensity {
                score: Some(rows.get(idx).cloned().unwrap_or_else(none)),
                inputs: Some(inputs),
            }
        }
    };
    let found = found.into_iter();
    Ok(found
        .map(|slot| slot.map_or_else(Propensity::default, &mut found_of))
        .collect())
}

/// Returns the models that are asked about offers, by name, each with the file that was loaded for it.
pub fn asked(placement: &Placement, offers: &[&Offer], env: &Env<'_>) -> Vec<Asked> {
    let mut asked: Vec<Asked> = Vec::new();
    for offer in offers {
        let Some(name) = offer.model.as_ref().or(placement.model.as_ref()) else {
            continue;
        };
        // Nearly always there is one.
        if asked.iter().all(|known| known.name != *name) {
            let version = env.bundle.model(name).map(|model| model.version.clone());
            asked.push(Asked {
                name: name.clone(),
                version: version.filter(|version| !version.is_empty()),
            });
        }
    }
    asked.sort_by(|a, b| a.name.cmp(&b.name));
    asked
}

/// Returns what the models of placements must score that do not look at the offers: they are asked before any offer is judged,
/// so that nothing is judged twice.
pub fn shared<'a>(
    placements: impl Iterator<Item = &'a Placement>,
    env: &Env<'_>,
    scores: &Scores,
) -> Vec<Request> {
    let mut requests = Vec::<Request>::new();
    for placement in placements.filter(|placement| !placement.offers.is_empty()) {
        let Some(name) = &placement.model else {
            continue;
        };
        let asked = requests.iter().any(|request| request.model == *name);
        let model = env.bundle.model(name).filter(|model| !model.per_offer);
        let model = model.filter(|_| !asked && !scores.contains_key(name));
        let row = model.and_then(|model| inputs::row(model, env).ok());
        requests.extend(row.map(|row| Request {
            model: name.clone(),
            rows: vec![row],
            offers: Vec::new(),
        }));
    }
    requests
}

/// Where the score of an offer is found.
enum Slot {
    Broken(Arc<str>),
    /// What the model is asked, and which of its scores it is; `None`: the next one.
    Row(Arc<Inputs>, Option<usize>),
}

struct Asking<'a> {
    env: &'a Env<'a>,
    scores: &'a Scores,
    missing: Vec<Request>,
    /// The one row of each model that does not look at the offer.
    shared: BTreeMap<Arc<str>, Result<Arc<Inputs>, Arc<str>>>,
}

impl<'a> Asking<'a> {
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
            return Slot::Broken("there is no such model".into());
        };
        if !model.per_offer
            && let Some(known) = self.shared.get(name)
        {
            return match known {
                Ok(inputs) => Slot::Row(inputs.clone(), Some(0)),
                Err(why) => Slot::Broken(why.clone()),
            };
        }
        let env = self.env_of(offer);
        let inputs = inputs::row(model, &env).map(|row| {
            let model = name.clone();
            Arc::new(Inputs { model, row })
        });
        if !model.per_offer {
            self.shared.insert(name.clone(), inputs.clone());
        }
        let inputs = match inputs {
            Ok(inputs) => inputs,
            Err(why) => return Slot::Broken(why),
        };
        if !self.scores.contains_key(name) {
            let about = model.per_offer.then(|| offer.id.clone());
            self.miss(&inputs, about);
        }
        Slot::Row(inputs, (!model.per_offer).then_some(0))
    }

    fn miss(&mut self, inputs: &Inputs, about: Option<Arc<str>>) {
        let row = inputs.row.clone();
        let mut missing = self.missing.iter_mut();
        if let Some(request) = missing.find(|request| request.model == inputs.model) {
            request.rows.push(row);
            request.offers.extend(about);
            return;
        }
        self.missing.push(Request {
            model: inputs.model.clone(),
            rows: vec![row],
            offers: about.into_iter().collect(),
        });
    }
}
