//! From evidence to beliefs: every offer begins at what the other offers of its group showed, and those at the prior.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::decide::learn::belief::Belief;
use crate::decide::learn::lift::Measured;
use crate::decide::learn::{linear, shift};
use crate::domain::Timestamp;
use crate::domain::learning::{Bin, Row, Rows, Sample, Seen, Sums, Tallies};
use crate::policy::learner::{Kind, Learner, Prior};

/// What a learner knows of the offers of a placement at a time.
pub struct Posterior<'a> {
    learner: &'a Learner,
    prior: Prior,
    now: Timestamp,
    rows: Option<&'a Rows>,
    /// The evidence of all offers of each group.
    groups: BTreeMap<&'a str, Evidence>,
}

/// Evidence as of now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// How many decisions with outcomes.
    pub n: f64,
    /// The sum of their rewards.
    pub rewards: f64,
    sums: Option<Sums>,
    bins: BTreeMap<i8, Bin>,
}

impl<'a> Posterior<'a> {
    /// Looks at what is known.
    ///
    /// - `members`: the offers of the placement with their groups.
    pub fn new(
        learner: &'a Learner,
        placement: &Arc<str>,
        tallies: &'a Tallies,
        members: impl Iterator<Item = (&'a str, Option<&'a str>)>,
        now: Timestamp,
    ) -> Self {
        let rows = tallies.offers(learner.version, placement);
        let mut groups = BTreeMap::<&str, Evidence>::new();
        for (offer, group) in members {
            let row = rows.and_then(|rows| rows.get(offer));
            if let Some((group, row)) = group.zip(row) {
                groups.entry(group).or_default().add(row, row.left(now));
            }
        }
        Self {
            learner,
            prior: learner.prior,
            now,
            rows,
            groups,
        }
    }

    /// Begins at another prior than the learner's.
    #[must_use]
    pub fn starting_at(self, prior: Prior) -> Self {
        // Without any evidence nothing would be believed.
        let evidence = prior.evidence.max(1e-3);
        let prior = Prior { evidence, ..prior };
        Self { prior, ..self }
    }

    /// Returns the evidence about an offer.
    pub fn evidence(&self, offer: &str) -> Evidence {
        let mut own = Evidence::default();
        if let Some(row) = self.rows.and_then(|rows| rows.get(offer)) {
            own.add(row, row.left(self.now));
        }
        own
    }

    /// Returns what is believed of an offer's propensity.
    ///
    /// - `sample`: what the learner looks at beside the offer.
    pub fn belief(&self, offer: &str, group: Option<&str>, sample: &Sample) -> Belief {
        let row = self.rows.and_then(|rows| rows.get(offer));
        let own = self.evidence(offer);
        let mut others = group
            .and_then(|group| self.groups.get(group))
            .cloned()
            .unwrap_or_default();
        if let Some(row) = row.filter(|_| group.is_some()) {
            others.add(row, -row.left(self.now));
        }
        match (&self.learner.kind, sample) {
            (Kind::Linear(_), Sample::Point(x)) => linear_belief(self.prior, &others, &own, x),
            (Kind::Calibrate, Sample::Scored(score)) => {
                let (around, _) = shift::fit(0.0, &others.bins());
                shift::belief(around, &own.bins(), f64::from(*score))
            }
            (Kind::Beta | Kind::Linear(_) | Kind::Calibrate, _) => {
                beta_belief(self.prior, &others, &own)
            }
        }
    }
}

impl Evidence {
    /// Adds a row, each number times a weight.
    fn add(&mut self, row: &Row, weight: f64) {
        self.n += weight * row.n;
        self.rewards += weight * row.rewards;
        match &row.seen {
            Seen::Plain => {}
            Seen::Points(sums) => {
                let own = self.sums.get_or_insert_with(|| Sums::new(sums.xy.len()));
                own.add(sums, weight);
            }
            Seen::Scores(bins) => {
                for (at, bin) in bins {
                    self.bins.entry(*at).or_default().add(bin, weight);
                }
            }
        }
    }

    fn bins(&self) -> Vec<Bin> {
        let bins = self.bins.values().copied();
        bins.filter(|bin| bin.n > 1e-9).collect()
    }
}

/// Returns Beta(SE·G + r, SE·(1 - G) + 1 + n - r), whose mean is `(SE·G + r) / (SE + n + 1)`: the smoothing of young
/// propensities. G is `(SE·SP + r) / (SE + n)` over the other offers of the group, and SP where there are none.
fn beta_belief(prior: Prior, others: &Evidence, own: &Evidence) -> Belief {
    let Prior {
        propensity,
        evidence,
    } = prior;
    let start = (evidence * propensity + others.rewards.max(0.0)) / (evidence + others.n.max(0.0));
    let start = start.clamp(0.0, 1.0);
    Belief::beta(
        evidence * start + own.rewards,
        evidence * (1.0 - start) + 1.0 + (own.n - own.rewards).max(0.0),
    )
}

/// The prior of the weights is the starting propensity whatever the features are; that of an offer is the group's.
fn linear_belief(prior: Prior, others: &Evidence, own: &Evidence, x: &[f32]) -> Belief {
    let x: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
    let mut flat = vec![0.0; x.len()];
    if let Some(first) = flat.first_mut() {
        *first = prior.propensity;
    }
    let fits = |sums: &&Sums| sums.xy.len() == x.len();
    let others = others.sums.as_ref().filter(fits);
    let around = linear::weights(&flat, prior.evidence, others);
    let own = own.sums.as_ref().filter(fits);
    linear::belief(&around, prior.evidence, own, &x)
}

/// What a learner says of an offer to people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// How many decisions with outcomes, each as much as its age leaves of it.
    pub n: f64,
    /// The sum of their rewards.
    pub rewards: f64,
    /// The best guess and its interval, 95%: of the propensity, and of a learner that calibrates the shift of the log-odds; `None`
    /// of one that looks at features.
    pub guess: Option<Measured>,
}

impl Posterior<'_> {
    /// Returns what is known of an offer, with an interval.
    pub fn estimate(&self, offer: &str, group: Option<&str>) -> Estimate {
        let own = self.evidence(offer);
        let measured = |value, (low, high)| Measured { value, low, high };
        let guess = match &self.learner.kind {
            Kind::Beta => {
                let belief = self.belief(offer, group, &Sample::Plain);
                Some(measured(belief.guess(), belief.interval(0.95)))
            }
            // At a score of a half, whose log-odd is nothing, the log-odd is the shift.
            Kind::Calibrate => match self.belief(offer, group, &Sample::Scored(0.5)) {
                Belief::Logit { mean, sd } => {
                    Some(measured(mean, (mean - 1.96 * sd, mean + 1.96 * sd)))
                }
                Belief::Point(_) | Belief::Beta { .. } | Belief::Normal { .. } => None,
            },
            Kind::Linear(_) => None,
        };
        Estimate {
            n: own.n,
            rewards: own.rewards,
            guess,
        }
    }
}
