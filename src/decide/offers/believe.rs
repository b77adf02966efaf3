//! What a placement's learner believes of its offers.

use std::collections::BTreeSet;

use crate::decide::env::Env;
use crate::decide::eval::eval;
use crate::decide::learn::{Belief, Posterior};
use crate::domain::answer::By;
use crate::domain::learning::{Credit, Sample, Tallies};
use crate::policy::learner::{Feature, Kind, Learner, Prior};
use crate::policy::offer::{Offer, Placement};

/// A learner with what it knows of the offers of a placement.
pub struct Believer<'a> {
    learner: &'a Learner,
    posterior: Posterior<'a>,
    env: Env<'a>,
}

/// What is believed of an offer, and what its outcome will be credited to.
pub struct Believed {
    /// The belief about its propensity.
    pub belief: Belief,
    /// What the learner makes of the outcome.
    pub credit: Credit,
}

impl<'a> Believer<'a> {
    /// Returns the learner of a placement, if it has one.
    ///
    /// - `offers`: those that something must be believed of.
    pub fn of(
        placement: &'a Placement,
        offers: &[&'a Offer],
        env: &Env<'a>,
        learnt: &'a Tallies,
    ) -> Option<Self> {
        let name = placement.learning.learner.as_ref()?;
        let learner = env.bundle.learner(name)?;
        let groups = offers.iter().filter_map(|offer| offer.groups.first());
        let groups: BTreeSet<&str> = groups.map(AsRef::as_ref).collect();
        // Of the groups that nobody is in nothing is asked.
        let members = (!groups.is_empty()).then(|| placement.members());
        let members = members.into_iter().flatten();
        let members = members.filter(|(_, group)| group.is_some_and(|of| groups.contains(of)));
        let posterior = Posterior::new(learner, &placement.name, learnt, members, env.now);
        // Where the placement says how young propensities are smoothed, that is what is believed at first.
        let smoothing = placement.smoothing.map(|of| Prior {
            propensity: of.propensity,
            evidence: of.evidence,
        });
        let posterior = match smoothing {
            Some(prior) => posterior.starting_at(prior),
            None => posterior,
        };
        Some(Self {
            learner,
            posterior,
            env: *env,
        })
    }

    /// Returns the name of the learner and its version.
    pub fn by(&self) -> By {
        By {
            name: self.learner.name.clone(),
            version: format!("{:016x}", self.learner.version).into(),
        }
    }

    /// Returns what is believed of an offer; `None` where a model must be corrected that says nothing.
    ///
    /// - `score`: what the model says.
    pub fn believe(&self, offer: &'a Offer, score: Option<f64>) -> Option<Believed> {
        let sample = match &self.learner.kind {
            Kind::Beta => Sample::Plain,
            Kind::Linear(features) => Sample::Point(self.point(features, offer)),
            Kind::Calibrate => Sample::Scored(single(score?)),
        };
        let group = offer.groups.first().map(AsRef::as_ref);
        let belief = self.posterior.belief(&offer.id, group, &sample);
        let version = self.learner.version;
        let credit = Credit { version, sample };
        Some(Believed { belief, credit })
    }

    /// Returns 1, then for each feature its value and 0, or 0 and 1 if it is unknown.
    fn point(&self, features: &'a [Feature], offer: &'a Offer) -> Vec<f32> {
        let env = Env {
            offer: Some((offer, None)),
            ..self.env
        };
        let values = features.iter().flat_map(|feature| {
            let value = eval(&feature.of.root, &env).and_then(|value| value.as_f64());
            let known = value.map(single).filter(|value| value.is_finite());
            known.map_or([0.0, 1.0], |value| [value, 0.0])
        });
        std::iter::once(1.0).chain(values).collect()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "what a learner looks at is remembered in single precision"
)]
fn single(number: f64) -> f32 {
    number as f32
}
