//! The propensity of each offer: which rows a model must score, and which score is whose.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::eval::eval;
use crate::decide::inputs::{self, Sheet};
use crate::decide::step::{Request, Said, Scored};
use crate::domain::Score;
use crate::domain::answer::{Asked, Inputs};
use crate::policy::model::Model;
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
    said: &Said,
) -> Result<Vec<Propensity>, Vec<Request>> {
    // Nearly always there is one.
    let mut models: Vec<Asking<'_>> = Vec::new();
    let mut found = Vec::with_capacity(offers.len());
    for offer in offers {
        let Some(name) = offer.model.as_ref().or(placement.model.as_ref()) else {
            found.push(Propensity::default());
            continue;
        };
        let known = models.iter().position(|model| model.name == name);
        let idx = known.unwrap_or_else(|| {
            models.push(Asking::new(name, env, said.get(name)));
            models.len() - 1
        });
        found.push(models[idx].about(offer, env));
    }
    let missing: Vec<Request> = models.into_iter().filter_map(Asking::missing).collect();
    if missing.is_empty() {
        Ok(found)
    } else {
        Err(missing)
    }
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
    said: &Said,
) -> Vec<Request> {
    let mut requests = Vec::<Request>::new();
    for placement in placements.filter(|placement| !placement.offers.is_empty()) {
        let Some(name) = &placement.model else {
            continue;
        };
        let asked = requests.iter().any(|request| request.model == *name);
        let model = env.bundle.model(name).filter(|model| !model.per_offer);
        let model = model.filter(|_| !asked && !said.contains_key(name));
        let row = model.and_then(|model| inputs::row(model, env).ok());
        requests.extend(row.map(|row| Request {
            model: name.clone(),
            rows: vec![row],
            offers: Vec::new(),
        }));
    }
    requests
}

/// What one model is asked about offers.
struct Asking<'a> {
    name: &'a Arc<str>,
    rows: Rows<'a>,
    /// What it was asked before, and what it said.
    said: Option<&'a Scored>,
    /// How many of its scores were found.
    n_found: usize,
    /// What it must score.
    missing: Vec<Arc<Inputs>>,
    /// The offers of the missing rows.
    offers: Vec<Arc<str>>,
}

/// What a model sees.
enum Rows<'a> {
    /// There is no such model.
    None,
    /// The same of all offers, or why it sees nothing.
    Shared(Result<Arc<Inputs>, Arc<str>>),
    /// Another row of each offer; nothing is looked up for those whose score is there.
    Each(&'a Model, Option<Sheet<'a>>),
}

impl<'a> Asking<'a> {
    fn new(name: &'a Arc<str>, env: &Env<'a>, said: Option<&'a Scored>) -> Self {
        let asked = said.and_then(|said| said.request.rows.first());
        let rows = match env.bundle.model(name) {
            None => Rows::None,
            Some(model) if model.per_offer => Rows::Each(model, None),
            Some(model) => Rows::Shared(
                asked.map_or_else(|| inputs::row(model, env), |inputs| Ok(inputs.clone())),
            ),
        };
        Self {
            name,
            rows,
            said,
            n_found: 0,
            missing: Vec::new(),
            offers: Vec::new(),
        }
    }

    /// Finds the score of an offer, or notes that it is missing.
    fn about(&mut self, offer: &Offer, env: &Env<'_>) -> Propensity {
        let found = self.said.and_then(|said| self.place(offer, said));
        let inputs = match (&mut self.rows, found.zip(self.said)) {
            (Rows::None, _) => Err("there is no such model".into()),
            (Rows::Shared(inputs), _) => inputs.clone(),
            (Rows::Each(..), Some((idx, said))) => Ok(said.request.rows[idx].clone()),
            (Rows::Each(model, sheet), None) => {
                let sheet = sheet.get_or_insert_with(|| Sheet::new(model, env));
                sheet.row(&env_of(offer, env))
            }
        };
        let inputs = match inputs {
            Ok(inputs) => inputs,
            Err(why) => {
                return Propensity {
                    score: Some(Score::Unavailable(why)),
                    inputs: None,
                };
            }
        };
        if self.said.is_none() {
            self.miss(&inputs, offer);
        }
        let scores = self.said.map_or(&[][..], |said| &said.scores);
        let score = found.and_then(|idx| scores.get(idx)).cloned();
        let none = || Score::Unavailable("the model gave no score".into());
        Propensity {
            score: Some(score.unwrap_or_else(none)),
            inputs: Some(inputs),
        }
    }

    /// Returns which of the scores is that of an offer.
    fn place(&mut self, offer: &Offer, said: &Scored) -> Option<usize> {
        let Rows::Each(..) = self.rows else {
            return Some(0);
        };
        // They are asked for again in the same order.
        let mut offers = said.request.offers[self.n_found..].iter();
        let idx = self.n_found + offers.position(|of| *of == offer.id)?;
        self.n_found = idx + 1;
        Some(idx)
    }

    fn miss(&mut self, inputs: &Arc<Inputs>, offer: &Offer) {
        match self.rows {
            Rows::Each(..) => self.offers.push(offer.id.clone()),
            Rows::None | Rows::Shared(_) if self.missing.is_empty() => {}
            Rows::None | Rows::Shared(_) => return,
        }
        self.missing.push(inputs.clone());
    }

    fn missing(self) -> Option<Request> {
        (!self.missing.is_empty()).then(|| Request {
            model: self.name.clone(),
            rows: self.missing,
            offers: self.offers,
        })
    }
}

/// Returns what a model sees of an offer, its value too: that never depends on a propensity.
fn env_of<'a>(offer: &'a Offer, env: &Env<'a>) -> Env<'a> {
    let env = Env {
        offer: Some((offer, None)),
        ..*env
    };
    let value = eval(&offer.value.root, &env).and_then(|value| value.as_f64());
    Env {
        offer: Some((offer, value)),
        ..env
    }
}
