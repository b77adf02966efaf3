//! By whose means a decision is made: the placement's, those of its challenger, chance, or none.

use crate::decide::draw::draw;
use crate::decide::env::Env;
use crate::decide::learn::{Chance, Explore};
use crate::domain::learning::{Arm, Month};
use crate::policy::learner::Learning;
use crate::policy::offer::Placement;

/// Where a decision stands.
pub struct Seat<'a> {
    /// Whose part of the customers it is for; `None` where parts are not compared and nothing is learnt.
    pub arm: Option<Arm>,
    /// The means.
    pub placement: &'a Placement,
    /// How the choice is made.
    pub explore: Explore,
    /// What every draw of the decision comes from: the customer and the decision's id.
    pub chance: Chance,
}

impl<'a> Seat<'a> {
    /// Finds the seat of a decision.
    pub fn of(placement: &'a Placement, env: &Env<'_>, decision: &str) -> Self {
        let arm = arm(placement, env);
        let challenger = placement.learning.challenger.as_deref();
        let means = match arm {
            Arm::Challenger => challenger.map_or(placement, |of| &of.placement),
            Arm::Champion | Arm::Control | Arm::Holdout => placement,
        };
        let explore = match arm {
            Arm::Control => Explore::Uniform,
            Arm::Champion | Arm::Challenger | Arm::Holdout => means.learning.explore,
        };
        Self {
            arm: placement.learning.counts().then_some(arm),
            placement: means,
            explore,
            chance: Chance::of(&[env.profile.id.as_str(), decision]),
        }
    }

    /// Returns the seat of the challenger in the shadow of this one.
    pub fn shadow(&self) -> Option<Self> {
        let challenger = self.placement.learning.challenger.as_deref();
        let challenger = challenger.filter(|of| of.shadow)?;
        Some(Self {
            arm: Some(Arm::Challenger),
            placement: &challenger.placement,
            explore: challenger.placement.learning.explore,
            chance: self.chance.branch("shadow"),
        })
    }
}

/// Every draw is sticky: the holdout and the challenger's part by customer and placement, the control by customer and month.
fn arm(placement: &Placement, env: &Env<'_>) -> Arm {
    let Learning {
        control,
        holdout,
        challenger,
        ..
    } = &placement.learning;
    let (customer, name) = (env.profile.id.as_str(), placement.name.as_ref());
    if *holdout > 0.0 && draw(&[customer, name, "holdout"]) < *holdout {
        return Arm::Holdout;
    }
    if *control > 0.0 {
        let month = Month::of(env.now).to_string();
        if draw(&[customer, &month, "control"]) < *control {
            return Arm::Control;
        }
    }
    let share = challenger.as_ref().map_or(0.0, |of| of.share);
    if share > 0.0 && draw(&[customer, name, "challenger"]) < share {
        return Arm::Challenger;
    }
    Arm::Champion
}
