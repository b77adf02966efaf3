//! `GET /v1/placements/{name}`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actors::Engine;
use crate::api::Api;
use crate::api::auth::Caller;
use crate::api::budgets::BudgetState;
use crate::api::customer::{Json, json};
use crate::api::decide::no_placement;
use crate::api::problem::Problem;
use crate::clock;
use crate::decide::learn::Posterior;
use crate::decide::learn::lift::{self, Measured};
use crate::decide::learn::posterior::Estimate;
use crate::domain::Timestamp;
use crate::domain::learning::{Arm, Month, Share, Tallies};
use crate::domain::outcome::Kind;
use crate::policy::Bundle;
use crate::policy::learner::{Explore, Kind as Way, Learner};
use crate::policy::offer::Placement;

/// The outcomes whose lift is told.
const OUTCOMES: [Kind; 2] = [Kind::Click, Kind::Conversion];

/// Which arm is compared with which.
const PAIRS: [(Arm, Arm); 3] = [
    (Arm::Champion, Arm::Control),
    (Arm::Champion, Arm::Holdout),
    (Arm::Challenger, Arm::Champion),
];

/// What a placement has learnt, how its arms fare, and how the budgets of its offers stand.
///
/// It is the sum over the partitions of this node, a few milliseconds behind the last commit.
#[utoipa::path(
    get,
    path = "/v1/placements/{name}",
    params(("name" = String, Path, description = "The placement's name")),
    security(("token" = [])),
    responses(
        (status = 200, description = "What is known", body = PlacementState),
        (status = 400, description = "The path cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such placement", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn one(
    _: Caller,
    State(api): State<Arc<Api>>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json, Problem> {
    let name = name?;
    let bundle = api.node.engine.live.get().bundle.clone();
    let Some(placement) = bundle.placements.get(name.as_str()) else {
        return Err(no_placement(&bundle, &name));
    };
    let learnt = api.node.engine.board.whole();
    Ok(json(&PlacementState::of(
        &api.node.engine,
        &bundle,
        placement,
        &learnt,
    )))
}

/// What a placement has learnt, and how its arms fare.
#[derive(Serialize, ToSchema)]
pub struct PlacementState<'a> {
    placement: &'a str,
    /// The live policies.
    bundle: &'a str,
    /// `none`, `thompson`, or the share of choices that are any offer.
    explore: String,
    /// The share of customers in the control.
    control: f64,
    /// The share of customers that are held out.
    holdout: f64,
    /// What is compared with it; `null` without a challenger.
    challenger: Option<ChallengerState<'a>>,
    /// The learners of the champion and of the challenger.
    learners: Vec<LearnerState<'a>>,
    /// The last months, the latest last.
    months: Vec<MonthState>,
    /// Of the offers that have one.
    budgets: Vec<BudgetState<'a>>,
}

/// What is compared with a placement.
#[derive(Serialize, ToSchema)]
struct ChallengerState<'a> {
    /// What it changes.
    changes: &'a str,
    /// The share of customers for whom it decides.
    share: f64,
    /// Whether it is only logged.
    shadow: bool,
}

/// What a learner knows of the offers of a placement.
#[derive(Serialize, ToSchema)]
struct LearnerState<'a> {
    learner: &'a str,
    /// Evidence belongs to a version; a change of what it means begins another one.
    version: String,
    /// `beta`, `linear` or `calibrate`.
    kind: &'static str,
    offers: Vec<OfferState<'a>>,
}

/// What a learner knows of an offer.
#[derive(Serialize, ToSchema)]
struct OfferState<'a> {
    offer: &'a str,
    /// How many decisions with outcomes, each as much as its age leaves of it.
    n: f64,
    /// The sum of their rewards.
    positives: f64,
    /// The best guess of the propensity (of a learner that calibrates: of the shift of the log-odds) with its interval, 95%;
    /// `null` of one that looks at features.
    guess: Option<Range>,
}

/// A number with its interval, 95%.
#[derive(Serialize, ToSchema)]
struct Range {
    value: f64,
    low: f64,
    high: f64,
}

/// How the arms of a placement fared in a month.
#[derive(Serialize, ToSchema)]
struct MonthState {
    /// `2026-01`, in UTC.
    month: String,
    arms: Vec<ArmState>,
    lifts: Vec<Lift>,
}

/// How an arm fared.
#[derive(Serialize, ToSchema)]
struct ArmState {
    /// `champion`, `challenger`, `control` or `holdout`.
    arm: &'static str,
    decisions: u64,
    outcomes: Vec<OutcomeState>,
}

/// How many decisions had an outcome.
#[derive(Serialize, ToSchema)]
struct OutcomeState {
    /// `impression`, `click`, `conversion` or `rejection`.
    outcome: &'static str,
    n: u64,
    /// The share of the decisions; `null` of none.
    rate: Option<Range>,
}

/// How much higher the rate of one arm is than that of another.
#[derive(Serialize, ToSchema)]
struct Lift {
    outcome: &'static str,
    arm: &'static str,
    against: &'static str,
    /// `(rate - rate of the other) / rate of the other`; `null` unless both had such outcomes.
    by: Option<Range>,
}

impl<'a> PlacementState<'a> {
    fn of(
        engine: &Engine,
        bundle: &'a Bundle,
        placement: &'a Placement,
        learnt: &'a Tallies,
    ) -> Self {
        let offers = placement.offers.iter();
        let learning = &placement.learning;
        let challenger = learning.challenger.as_deref();
        let challenging = challenger.map(|of| &of.placement.learning);
        let mut names: Vec<&Arc<str>> = learning.learner.iter().collect();
        names.extend(challenging.and_then(|of| of.learner.as_ref()));
        names.dedup();
        let learners = names.into_iter().filter_map(|name| bundle.learner(name));
        Self {
            placement: &placement.name,
            bundle: &bundle.id,
            explore: explore(learning.explore),
            control: learning.control,
            holdout: learning.holdout,
            challenger: challenger.map(|of| ChallengerState {
                changes: &of.text,
                share: of.share,
                shadow: of.shadow,
            }),
            learners: learners
                .map(|learner| LearnerState::of(placement, learner, learnt))
                .collect(),
            months: months(learnt, &placement.name),
            budgets: offers
                .filter_map(|offer| BudgetState::of(engine, bundle, offer))
                .collect(),
        }
    }
}

fn explore(explore: Explore) -> String {
    match explore {
        Explore::Never => "none".into(),
        Explore::Epsilon(share) => share.to_string(),
        Explore::Thompson => "thompson".into(),
        Explore::Uniform => "1".into(),
    }
}

impl<'a> LearnerState<'a> {
    fn of(placement: &'a Placement, learner: &'a Learner, learnt: &'a Tallies) -> Self {
        let members = || placement.members();
        let posterior = Posterior::new(
            learner,
            &placement.name,
            learnt,
            members(),
            now(learnt, learner, placement),
        );
        let offers = members().map(|(offer, group)| {
            let Estimate { n, rewards, guess } = posterior.estimate(offer, group);
            OfferState {
                offer,
                n,
                positives: rewards,
                guess: guess.map(Range::of),
            }
        });
        Self {
            learner: &learner.name,
            version: format!("{:016x}", learner.version),
            kind: match learner.kind {
                Way::Beta => "beta",
                Way::Linear(_) => "linear",
                Way::Calibrate => "calibrate",
            },
            offers: offers.collect(),
        }
    }
}

/// Evidence ages with the clock of the events: where they are of the past, with the last of them.
fn now(learnt: &Tallies, learner: &Learner, placement: &Placement) -> Timestamp {
    let rows = learnt.offers(learner.version, &placement.name);
    let last = rows.into_iter().flat_map(|rows| rows.values());
    last.map(|row| row.at).max().unwrap_or_else(clock::now)
}

impl Range {
    fn of(of: Measured) -> Self {
        let Measured { value, low, high } = of;
        Self { value, low, high }
    }
}

fn months(learnt: &Tallies, placement: &str) -> Vec<MonthState> {
    let mut months: Vec<Month> = learnt.shares(placement).map(|(month, ..)| month).collect();
    months.dedup();
    let of = |month: Month| {
        let arms = learnt.shares(placement).filter(|(of, ..)| *of == month);
        let arms: Vec<(Arm, Share)> = arms.map(|(_, arm, share)| (arm, *share)).collect();
        MonthState {
            month: month.to_string(),
            arms: arms
                .iter()
                .map(|(arm, share)| arm_state(*arm, share))
                .collect(),
            lifts: lifts(&arms),
        }
    };
    months.into_iter().map(of).collect()
}

fn arm_state(arm: Arm, share: &Share) -> ArmState {
    let outcomes = Kind::ALL.into_iter().map(|kind| OutcomeState {
        outcome: kind.word(),
        n: share.with(kind),
        rate: lift::rate(share.with(kind), share.n).map(Range::of),
    });
    ArmState {
        arm: arm.word(),
        decisions: share.n,
        outcomes: outcomes.collect(),
    }
}

fn lifts(arms: &[(Arm, Share)]) -> Vec<Lift> {
    let share = |arm: Arm| arms.iter().find(|(of, _)| *of == arm).map(|(_, of)| of);
    let mut lifts = Vec::new();
    for (arm, against) in PAIRS {
        let Some((of, other)) = share(arm).zip(share(against)) else {
            continue;
        };
        lifts.extend(OUTCOMES.map(|kind| Lift {
            outcome: kind.word(),
            arm: arm.word(),
            against: against.word(),
            by: lift::lift((of.with(kind), of.n), (other.with(kind), other.n)).map(Range::of),
        }));
    }
    lifts
}
