//! A line of a log of decisions, as the engine writes it.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::answer::Spread;

/// A line: a decision, or an event in Segment's form.
#[derive(Deserialize)]
pub struct Record<'a> {
    /// Of a decision, its id.
    pub decision_id: Option<String>,
    /// Where.
    pub placement: Option<String>,
    /// What was given, the best first.
    #[serde(default)]
    pub offers: Vec<Chosen>,
    /// Who lost.
    #[serde(default)]
    pub losers: Vec<Lost>,
    /// The learner of the propensities.
    pub learner: Option<By>,
    /// The models that were asked; `None`: the log does not say.
    pub models: Option<Vec<Asked>>,
    /// Whether nothing qualified.
    #[serde(default)]
    pub fallback: bool,
    /// When.
    pub decided_at: Option<String>,
    /// Of an event, its name.
    pub event: Option<String>,
    /// When it happened.
    pub timestamp: Option<String>,
    /// What it says.
    #[serde(borrow)]
    pub properties: Option<&'a RawValue>,
}

/// An offer that was given.
#[derive(Deserialize)]
pub struct Chosen {
    /// Its id.
    pub offer: String,
    /// How likely it was to be chosen for its place.
    pub probability: Option<f64>,
    /// What came of it, if the log itself says so.
    pub reward: Option<f64>,
    /// What it was ranked with.
    #[serde(flatten)]
    pub rated: Rated,
    /// What its priority was made of.
    pub factors: Option<Factors>,
    /// What the model was asked.
    pub inputs: Option<Inputs>,
}

/// What an offer was ranked with.
#[derive(Deserialize)]
pub struct Rated {
    /// P; `None` without a model, or where it was broken.
    pub propensity: Option<f64>,
    /// What the learner believed of it; `None` without one, and in the log of an earlier build.
    pub belief: Option<Spread>,
    /// V.
    pub value: Option<f64>,
}

/// The factors that all offers share.
#[derive(Deserialize)]
pub struct Factors {
    /// C.
    pub c: f64,
}

/// The row that a model was given.
#[derive(Deserialize)]
pub struct Inputs {
    /// The model's name.
    pub model: String,
    /// In the order of its manifest; an unknown number is `null`.
    pub row: Vec<serde_json::Value>,
}

/// An offer that was not given.
#[derive(Deserialize)]
pub struct Lost {
    /// Its id.
    pub offer: String,
    /// Why.
    pub reason: String,
    /// What it was ranked with.
    #[serde(flatten)]
    pub rated: Rated,
}

/// A learner.
#[derive(Deserialize)]
pub struct By {
    /// Its name.
    pub name: String,
    /// The version of its evidence.
    pub version: String,
}

/// A model.
#[derive(Deserialize)]
pub struct Asked {
    /// Its name.
    pub name: String,
    /// The SHA-256 of its file.
    pub version: Option<String>,
}

impl Record<'_> {
    /// Returns what an offer was ranked with.
    pub fn rated(&self, offer: &str) -> Option<&Rated> {
        let given = self.offers.iter().find(|of| of.offer == offer);
        let lost = || self.losers.iter().find(|of| of.offer == offer);
        given
            .map(|of| &of.rated)
            .or_else(|| lost().map(|of| &of.rated))
    }
}
