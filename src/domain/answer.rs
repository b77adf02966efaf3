//! What leaves for those who ask: ranked offers, and why these.

mod json;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::learning::Arm;
use crate::domain::{Cell, CustomerId, Timestamp, Value};

/// A ranked choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Equal for the same question.
    pub decision_id: Arc<str>,
    /// For whom.
    pub customer: CustomerId,
    /// Where.
    pub placement: Arc<str>,
    /// The best first.
    pub offers: Vec<Choice>,
    /// Who lost and why.
    pub losers: Vec<Loser>,
    /// Who lost in great numbers for one reason; none of them is in `losers`.
    pub passed_over: Vec<PassedOver>,
    /// Who came next behind the chosen ones.
    pub runner_up: Option<RunnerUp>,
    /// What the challenger would have given where it decides in the shadow, the best first.
    pub shadow: Vec<Shadowed>,
    /// Whose part of the customers it was for; absent where parts are not compared and nothing is learnt.
    pub arm: Option<Arm>,
    /// The learner of the propensities.
    pub learner: Option<By>,
    /// The models that were asked for propensities, by name.
    pub models: Vec<Asked>,
    /// The policies that it was decided by: the hash of their content, 16 hex digits.
    pub bundle: Arc<str>,
    /// A model was not available: ranked without its propensity.
    pub degraded: bool,
    /// Nothing qualified and the fallback was given.
    pub fallback: bool,
    /// When it was decided.
    pub decided_at: Timestamp,
}

impl Answer {
    /// Returns why an offer of the placement is not in the answer; `None` if it is.
    pub fn lost(&self, offer: &str) -> Option<Reason> {
        if let Some(loser) = self.losers.iter().find(|loser| &*loser.offer == offer) {
            return Some(loser.reason);
        }
        let given = self.offers.iter().any(|given| &*given.offer == offer);
        let over = self.passed_over.first().filter(|_| !given);
        over.map(|over| over.reason)
    }
}

/// An offer that was chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Its id.
    pub offer: Arc<str>,
    /// What the model says, in `[0, 1]`; absent without a model or when it is not available.
    pub propensity: Option<f64>,
    /// What the learner believes of the propensity, of which that is the best guess; absent without one.
    pub belief: Option<Spread>,
    /// What it was ranked by; absent for a fallback.
    pub priority: Option<f64>,
    /// What it is worth when accepted: V, whether it counts or not; absent for a fallback.
    pub value: Option<f64>,
    /// How likely it was to be chosen for its place, given the places before, in `(0, 1]`.
    pub probability: f64,
    /// Whether it was tried although another one is better as far as anybody knows.
    pub explored: bool,
    /// What the priority is made of; absent for a fallback.
    pub factors: Option<Factors>,
    /// What the model was asked; absent without one.
    pub inputs: Option<Arc<Inputs>>,
    /// What the receiver gets with it.
    pub data: Value,
    /// Why, one sentence each.
    pub reasons: Vec<Arc<str>>,
}

/// The factors of a priority; one that does not count is 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Factors {
    /// P: the propensity, smoothed where the placement says so; 1 without one.
    pub p: f64,
    /// C: the weights of the context.
    pub c: f64,
    /// V: the value.
    pub v: f64,
    /// L: the levers of the offer and its group.
    pub l: f64,
}

impl Factors {
    /// Returns P × C × V × L.
    pub fn priority(self) -> f64 {
        self.p * self.c * self.v * self.l
    }
}

/// What a learner believes of a propensity, in single precision; the parts of a pair as they are named.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// It is known.
    Point(f32),
    /// A Beta distribution: successes and failures, with those of the prior.
    Beta(f32, f32),
    /// A normal distribution: mean and standard deviation.
    Normal(f32, f32),
    /// The logit is normal: its mean and standard deviation.
    Logit(f32, f32),
}

/// What a challenger in the shadow would have given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shadowed {
    /// The offer's id.
    pub offer: Arc<str>,
    /// How likely the challenger believes it is accepted.
    pub propensity: Option<f64>,
    /// What it was ranked by; absent for a fallback.
    pub priority: Option<f64>,
    /// How likely the challenger was to choose it for its place.
    pub probability: f64,
}

impl Shadowed {
    /// Takes a choice that nobody gets.
    pub fn of(choice: Choice) -> Self {
        Self {
            offer: choice.offer,
            propensity: choice.propensity,
            priority: choice.priority,
            probability: choice.probability,
        }
    }
}

/// The learner of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// Its name.
    pub name: Arc<str>,
    /// The version that its evidence belongs to, 16 hex digits.
    pub version: Arc<str>,
}

/// A model that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Its name.
    pub name: Arc<str>,
    /// The SHA-256 of the file that was loaded for it, 64 hex digits; `None` where none was.
    pub version: Option<Arc<str>>,
}

/// The row that a model was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// The model's name.
    pub model: Arc<str>,
    /// In the order of the manifest; an unknown number is NaN, in JSON `null`.
    pub row: Vec<Cell>,
}

/// Who came next behind the chosen ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunnerUp {
    /// The offer's id.
    pub offer: Arc<str>,
    /// What it was ranked by.
    pub priority: f64,
    /// By how much the last of the chosen ones was better; below 0 if it was chosen for its group, or to explore.
    pub behind: f64,
}

/// An offer that was not chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loser {
    /// Its id.
    pub offer: Arc<str>,
    /// The rule that kept it out.
    pub reason: Reason,
    /// The rule and the value that failed, or who was better.
    pub detail: Arc<str>,
    /// What it was ranked by; absent when it did not come to that.
    pub priority: Option<f64>,
    /// What it was ranked with; absent when it did not come to that.
    pub rated: Option<Rated>,
}

/// What is known of an offer that was ranked and outranked, so that another ranking can be tried on the log.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rated {
    /// As of [`Choice::propensity`].
    pub propensity: Option<f64>,
    /// As of [`Choice::belief`].
    pub belief: Option<Spread>,
    /// As of [`Choice::value`].
    pub value: f64,
}

/// Offers that were not chosen, all for one reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassedOver {
    /// The rule that kept them out.
    pub reason: Reason,
    /// The rule and the value that decided.
    pub detail: Arc<str>,
    /// How many they are.
    pub n: u32,
}

/// The reason code of an offer that was not chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// The customer did not agree to the channel and the purpose of the placement.
    NoConsent,
    /// The channel of the placement, or the address, is on the customer's suppression list.
    Suppressed,
    /// The customer may not have it.
    Ineligible,
    /// It makes no sense now.
    NotApplicable,
    /// It is not in the customer's interest, or its value or rank is not known.
    Unsuitable,
    /// The customer has seen, clicked or refused enough.
    ContactLimit,
    /// The customer has had it as often as may be.
    Cap,
    /// Everybody together has had it as often as may be.
    Budget,
    /// The customer is of the share that gets nothing but the fallback.
    Holdout,
    /// Others were better.
    Outranked,
}

impl Reason {
    /// All of them, in the order in which offers are dropped.
    pub const ALL: [Self; 10] = [
        Self::NoConsent,
        Self::Suppressed,
        Self::Ineligible,
        Self::NotApplicable,
        Self::Unsuitable,
        Self::ContactLimit,
        Self::Cap,
        Self::Budget,
        Self::Holdout,
        Self::Outranked,
    ];

    /// Returns the code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoConsent => "NO_CONSENT",
            Self::Suppressed => "SUPPRESSED",
            Self::Ineligible => "INELIGIBLE",
            Self::NotApplicable => "NOT_APPLICABLE",
            Self::Unsuitable => "UNSUITABLE",
            Self::ContactLimit => "CONTACT_LIMIT",
            Self::Cap => "CAP",
            Self::Budget => "BUDGET",
            Self::Holdout => "HOLDOUT",
            Self::Outranked => "OUTRANKED",
        }
    }
}
