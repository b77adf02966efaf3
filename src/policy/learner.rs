//! Learners: what outcomes teach about the propensity of offers.

use std::sync::Arc;

use crate::domain::Duration;
use crate::domain::outcome::Kind as Outcome;
use crate::policy::bundle::Place;
use crate::policy::expr::Expr;
use crate::policy::offer::Placement;

/// Something that learns how likely offers are accepted.
#[derive(Clone, Debug)]
pub struct Learner {
    /// Unique among learners.
    pub name: Arc<str>,
    /// A hash of the name and of all that gives evidence its meaning: another version begins from nothing.
    pub version: u64,
    /// How it learns.
    pub kind: Kind,
    /// What it believes before anything was seen.
    pub prior: Prior,
    /// How long until evidence counts for half; `None`: it does not age.
    pub half_life: Option<Duration>,
    /// What each outcome is worth, in `[0, 1]`, in the order of [`Outcome::ALL`]; `None`: it is not looked at.
    pub rewards: [Option<f64>; 4],
    /// Outcomes later than this after the decision teach nothing; `None`: the placement's attribution alone counts.
    pub within: Option<Duration>,
    /// Where it stands.
    pub place: Place,
}

/// How a learner learns.
#[derive(Clone, Debug)]
pub enum Kind {
    /// One rate for each offer and placement: Beta and Bernoulli.
    Beta,
    /// A line over features: Bayesian linear regression.
    Linear(Vec<Feature>),
    /// A shift of a model's log-odds for each offer and placement.
    Calibrate,
}

/// What a linear learner looks at.
#[derive(Clone, Debug)]
pub struct Feature {
    /// Its name.
    pub name: Arc<str>,
    /// Its value; about 1 in size. Unknown has a weight of its own.
    pub of: Expr,
}

/// What is believed before anything was seen: an offer is accepted so often, as if that had been seen so many times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior {
    /// Starting propensity, in `[0, 1]`: SP.
    pub propensity: f64,
    /// Starting evidence, positive: SE.
    pub evidence: f64,
}

impl Default for Prior {
    /// Beta(1, 1): every rate is as likely as any other.
    fn default() -> Self {
        Self {
            propensity: 1.0,
            evidence: 1.0,
        }
    }
}

impl Learner {
    /// The most features of a linear learner: each has a weight for its value and one for being unknown.
    pub const FEATURES_MAX: usize = 15;

    /// Returns the reward of a decision whose offer had these outcomes: that of the best of them, `None` without one that is
    /// looked at.
    ///
    /// - `has`: tells if there was an outcome of a kind.
    pub fn reward(&self, has: impl Fn(Outcome) -> bool) -> Option<f64> {
        let all = Outcome::ALL.into_iter().zip(self.rewards);
        let had = all.filter(|(kind, _)| has(*kind));
        had.filter_map(|(_, reward)| reward).reduce(f64::max)
    }
}

/// How a choice weighs what is known against what could be learnt.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Explore {
    /// The highest score wins.
    #[default]
    Never,
    /// With this probability any contender, else the highest score.
    Epsilon(f64),
    /// Every score is drawn from what is believed; the highest wins (Thompson 1933).
    Thompson,
    /// Any contender: what the control gets.
    Uniform,
}

/// What a placement says of learning and of being compared.
#[derive(Clone, Debug, Default)]
pub struct Learning {
    /// The learner of the propensity.
    pub learner: Option<Arc<str>>,
    /// How it explores.
    pub explore: Explore,
    /// The share of the customers, another one each month, that get any offer that they may have, in `[0, 1]`.
    pub control: f64,
    /// The share of the customers that get nothing but the fallback, in `[0, 1)`.
    pub holdout: f64,
    /// What is compared with it.
    pub challenger: Option<Box<Challenger>>,
    /// Where the words stand, for messages.
    pub places: Places,
}

/// Where the words of a placement stand.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// `learner`.
    pub learner: Place,
    /// `explore`.
    pub explore: Place,
    /// `model`.
    pub model: Place,
    /// `smoothing`.
    pub smoothing: Place,
}

/// Means of a decision that are compared with those of the placement.
#[derive(Clone, Debug)]
pub struct Challenger {
    /// The share of the customers, always the same ones, for whom it decides, in `[0, 1]`; 0 for a shadow.
    pub share: f64,
    /// Whether it decides for everybody beside the champion, and only its choice is logged.
    pub shadow: bool,
    /// What it changes, in words.
    pub text: Arc<str>,
    /// The placement with what it changes.
    pub placement: Placement,
}

impl Learning {
    /// The control's share where a placement learns or explores and says nothing.
    pub const CONTROL: f64 = 0.02;

    /// Gives every customer what the placement finds best: nobody is in the control or held out, nobody gets a challenger's.
    pub fn undivided(&mut self) {
        (self.control, self.holdout) = (0.0, 0.0);
        if let Some(challenger) = &mut self.challenger {
            challenger.share = 0.0;
        }
    }

    /// Tells if anything of the placement is compared or learnt, so that its decisions are counted.
    pub fn counts(&self) -> bool {
        self.learner.is_some()
            || self.explore != Explore::Never
            || self.control > 0.0
            || self.holdout > 0.0
            || self.challenger.is_some()
    }
}
