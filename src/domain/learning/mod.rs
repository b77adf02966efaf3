//! What outcomes teach: the evidence of learners, by offer and placement, and how the arms of a placement fare.

mod row;
mod share;
mod tallies;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::outcome::Kind;
use crate::domain::{Duration, Timestamp};

pub use row::{Bin, Row, Seen, Sums};
pub use share::{Month, Share};
pub use tallies::{Key, Rows, Tallies};

/// What a decision keeps of an offer that it gave, so that the outcome can be learnt from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Credit {
    /// Which learner: a hash of its name and of everything that gives its evidence a meaning.
    pub version: u64,
    /// What the learner looked at.
    pub sample: Sample,
}

/// What a learner looks at beside the offer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Sample {
    /// Nothing.
    Plain,
    /// The features of the moment, at most [`Sample::DIMENSIONS_MAX`], the first of them 1.
    Point(Vec<f32>),
    /// What a model said, in `[0, 1]`.
    Scored(f32),
}

impl Sample {
    /// The most dimensions of a point.
    pub const DIMENSIONS_MAX: usize = 32;
}

/// Which part of a placement's customers a decision belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// Those who get what the policies find best.
    #[default]
    Champion,
    /// Those who get what the policies to be compared find best.
    Challenger,
    /// Those who get any offer that they may have, each as likely as any other.
    Control,
    /// Those who get nothing but the fallback.
    Holdout,
}

impl Arm {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Champion,
        Self::Challenger,
        Self::Control,
        Self::Holdout,
    ];

    /// Returns the word for one of them.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Champion => "champion",
            Self::Challenger => "challenger",
            Self::Control => "control",
            Self::Holdout => "holdout",
        }
    }
}

/// One thing to be added to tallies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Update {
    /// An outcome taught a learner something.
    Learnt(Box<Lesson>),
    /// A placement decided for an arm.
    Decided(Arc<str>, Arm, Timestamp),
    /// A decision of that time, for an arm of a placement, had its first outcome of a kind.
    Came(Arc<str>, Arm, Timestamp, Kind),
}

/// What an outcome teaches a learner of one offer in one placement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lesson {
    /// Which learner.
    pub version: u64,
    /// Where.
    pub placement: Arc<str>,
    /// What.
    pub offer: Arc<str>,
    /// When the decision was made: evidence ages from then on.
    pub at: Timestamp,
    /// How long until evidence counts for half; `None`: it does not age.
    pub half_life: Option<Duration>,
    /// Whether this is the first outcome of the offer of this decision.
    pub trial: bool,
    /// How much the reward of the decision grew, in `[0, 1]`.
    pub reward: f64,
    /// What the learner looked at.
    pub sample: Sample,
}
