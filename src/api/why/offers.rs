//! `GET /v1/customers/{id}/why/offers`.

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actors::live::Policies;
use crate::actors::{Engine, past, scorer};
use crate::api::Api;
use crate::api::auth::Caller;
use crate::api::basis::Basis;
use crate::api::customer::{At, Json, json, look, now};
use crate::api::decide::no_placement;
use crate::api::problem::Problem;
use crate::api::timeline::Line;
use crate::api::why::{not_ahead, object, time, turn};
use crate::decide::why::{Choosing, Lost, choosing};
use crate::decide::{Outside, Request};
use crate::domain::budget::{Claim, Purse, Refusal, Status};
use crate::domain::learning::Arm;
use crate::domain::{Choice, Loser, Profile, Timestamp, Value, What};
use crate::policy::offer::Placement;
use crate::policy::{Bundle, hint};

/// Why a customer gets the offers of a placement that they get, and not the others: every offer with the reason and the value that
/// decided, as a call at this moment would be answered, or one at a time of the past. Nothing is taken and nobody is told: it
/// fills no caps, leases no budget, and is not what drift is measured by.
#[utoipa::path(
    get,
    path = "/v1/customers/{id}/why/offers",
    params(
        ("id" = String, Path, description = "The customer's id, percent-encoded"),
        ("placement" = String, Query, description = "The placement"),
        ("context" = Option<String>, Query, description = "JSON object: what a caller would know"),
        ("at" = Option<String>, Query, description = "A time of the past: the customer's events are read from the stream and played again up to it; policies, models, learners and budgets are those of this moment", format = DateTime),
    ),
    security(("token" = [])),
    responses(
        (status = 200, description = "The account", body = WhyOffers),
        (status = 400, description = "The id or the query is not right", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Nothing is known of this customer, or there is no such placement", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not ready: try again in a second", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn offers(
    _: Caller,
    State(api): State<Arc<Api>>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json, Problem> {
    let asked = Asked::read(&query?)?;
    let live = api.node.engine.live.get();
    let Some(placement) = live.bundle.placements.get(asked.placement.as_str()) else {
        return Err(no_placement(&live.bundle, &asked.placement));
    };
    let profile = look(&api, &id?).await?;
    let (seen, at, basis) = match asked.at {
        None => (None, now(&api.node, &profile), Basis::now()),
        Some(at) => then(&api, &live, &profile, at).await?,
    };
    let scoring = |requests: &[Request]| scorer::answers(live.scorer.as_ref(), requests);
    let learnt = api.node.engine.board.view();
    let outside = Outside {
        scoring: &scoring,
        learnt: &learnt,
        purse: &Glance(&api.node.engine),
    };
    let (bundle, name) = (&live.bundle, &placement.name);
    let then = seen.as_ref().unwrap_or(&profile);
    let run = || choosing(bundle, then, name, &asked.context, outside, at);
    let found = tokio::task::block_in_place(run);
    let found = found.ok_or_else(|| no_placement(bundle, name))?;
    let scene = Scene {
        bundle,
        profile: then,
        live: &profile,
        placement,
        at,
    };
    Ok(json(&WhyOffers::of(&scene, &found, basis)))
}

/// Plays the past again: the customer as they were then.
async fn then(
    api: &Api,
    policies: &Policies,
    live: &Profile,
    at: Timestamp,
) -> Result<(Option<Profile>, Timestamp, Basis), Problem> {
    let at = not_ahead(api, live, at)?;
    let _one = turn(api)?;
    let told = past::customer(&api.node.engine, policies, live.id.clone(), at).await;
    let told = told.map_err(|error| Problem::not_ready(error.to_string()))?;
    let basis = Basis::replayed(&told, None);
    Ok((Some(told.what), at, basis))
}

/// Looks at how budgets stand and takes nothing.
struct Glance<'a>(&'a Engine);

impl Purse for Glance<'_> {
    fn look(&self, claims: &[Claim]) -> Vec<Option<Refusal>> {
        let market = self.0.exchange.open();
        let look = |claim: &Claim| {
            let Status { used, leased } = market.status(&claim.key);
            let spent = Refusal::Spent {
                n: used,
                idle: leased.saturating_sub(used),
            };
            (used >= claim.limit).then_some(spent)
        };
        claims.iter().map(look).collect()
    }

    fn take(&self, _: &[Claim]) -> Result<(), Vec<(usize, Refusal)>> {
        Ok(())
    }
}

/// What is asked for.
struct Asked {
    placement: String,
    context: Value,
    at: Option<Timestamp>,
}

impl Asked {
    fn read(query: &[(String, String)]) -> Result<Self, Problem> {
        let (mut placement, mut context, mut at) = (None, Value::Null, None);
        for (name, value) in query {
            match name.as_str() {
                "placement" => placement = Some(value.clone()),
                "context" => context = Value::Map(object("context", value)?),
                "at" => at = Some(time(value)?),
                other => {
                    let hint = hint(other, ["placement", "context", "at"]);
                    let detail = format!("unknown parameter `{other}`{hint}");
                    return Err(Problem::bad_request(detail));
                }
            }
        }
        let missing = || Problem::bad_request("missing parameter `placement`");
        Ok(Self {
            placement: placement.ok_or_else(missing)?,
            context,
            at,
        })
    }
}

/// What an account is about.
struct Scene<'a> {
    bundle: &'a Bundle,
    /// The customer as they were at the time.
    profile: &'a Profile,
    /// The customer as they are, who knows what was decided.
    live: &'a Profile,
    placement: &'a Placement,
    at: Timestamp,
}

/// Why a customer gets the offers of a placement that they get.
#[derive(Serialize, ToSchema)]
pub struct WhyOffers<'a> {
    customer: &'a str,
    placement: &'a str,
    /// Where the placement stands.
    place: String,
    /// The live policies.
    bundle: &'a str,
    /// The time that the account is of.
    at: At,
    /// The last input of the customer that it looks at.
    last_input_at: At,
    /// What the account rests on.
    basis: Basis,
    /// The lines of the last decisions for the placement up to then, the newest first: those among the last 32 lines of the customer.
    last: Vec<Line<'a>>,
    /// Whose part of the customers it is for: `champion`, `challenger`, `control` or `holdout`; `null` where nothing is compared.
    arm: Option<&'static str>,
    /// The learner of the propensities.
    learner: Option<&'a str>,
    /// A model was not available: ranked without its propensity.
    degraded: bool,
    /// Nothing qualifies, and the fallback is given.
    fallback: bool,
    /// What would be given, the best first.
    given: Vec<GivenOffer<'a>>,
    /// Who comes next behind them.
    runner_up: Option<Next<'a>>,
    /// What would not be given.
    lost: Vec<LostOffer<'a>>,
    /// Offers of a large placement that wait for another value, counted by it.
    passed_over: Vec<Passed<'a>>,
}

/// An offer that would be given.
#[derive(Serialize, ToSchema)]
struct GivenOffer<'a> {
    offer: &'a str,
    /// File and line.
    place: Option<String>,
    /// What the model or the learner says; `null` without one.
    propensity: Option<f64>,
    /// P of the priority; `null` of a fallback, as the other factors.
    p: Option<f64>,
    /// C: the context.
    c: Option<f64>,
    /// V: the value.
    v: Option<f64>,
    /// L: the levers.
    l: Option<f64>,
    /// What it is ranked by.
    priority: Option<f64>,
    /// How likely it is to be chosen for its place; a call with another key may draw otherwise.
    probability: f64,
    /// Why, in a sentence.
    text: &'a str,
}

/// Who comes next.
#[derive(Serialize, ToSchema)]
struct Next<'a> {
    offer: &'a str,
    priority: f64,
    /// By how much the last one that is given is better.
    behind: f64,
}

/// An offer that would not be given.
#[derive(Serialize, ToSchema)]
struct LostOffer<'a> {
    offer: &'a str,
    /// File and line of the offer.
    place: Option<String>,
    /// The reason code.
    reason: &'static str,
    /// The rule and the value that decides.
    detail: &'a str,
    /// File and line of the rule, where it has one of its own.
    rule: Option<String>,
    /// What would have to be different; `null` if nothing helps but time or chance.
    remedy: Option<&'a str>,
    /// What it is ranked by, if it came to that.
    priority: Option<f64>,
}

/// Offers that are counted.
#[derive(Serialize, ToSchema)]
struct Passed<'a> {
    reason: &'static str,
    detail: &'a str,
    n: u32,
}

impl<'a> WhyOffers<'a> {
    fn of(scene: &Scene<'a>, found: &'a Choosing, basis: Basis) -> Self {
        let answer = &found.answer;
        let lines = scene.live.timeline.iter().rev();
        let lines = lines.filter(|trace| {
            let is_it = trace.subject == scene.placement.name && trace.at <= scene.at;
            is_it && matches!(trace.what, What::Ranked(..))
        });
        let losers = answer.losers.iter().zip(&found.losers);
        let next = answer.runner_up.as_ref();
        Self {
            customer: scene.profile.id.as_str(),
            placement: &scene.placement.name,
            place: scene.placement.place.to_string(),
            bundle: &scene.bundle.id,
            at: At(scene.at),
            last_input_at: At(scene.profile.now),
            basis,
            last: lines.map(Line::of).collect(),
            arm: answer.arm.map(Arm::word),
            learner: answer.learner.as_ref().map(|by| by.name.as_ref()),
            degraded: answer.degraded,
            fallback: answer.fallback,
            given: answer.offers.iter().map(|of| given(scene, of)).collect(),
            runner_up: next.map(|of| Next {
                offer: &of.offer,
                priority: of.priority,
                behind: of.behind,
            }),
            lost: losers.map(|(of, said)| lost(scene, of, said)).collect(),
            passed_over: answer
                .passed_over
                .iter()
                .map(|of| Passed {
                    reason: of.reason.code(),
                    detail: &of.detail,
                    n: of.n,
                })
                .collect(),
        }
    }
}

fn place(scene: &Scene<'_>, offer: &str) -> Option<String> {
    let offer = scene.bundle.offer(offer);
    offer.map(|offer| offer.place.to_string())
}

fn given<'a>(scene: &Scene<'_>, of: &'a Choice) -> GivenOffer<'a> {
    let factors = of.factors;
    GivenOffer {
        offer: &of.offer,
        place: place(scene, &of.offer),
        propensity: of.propensity,
        p: factors.map(|of| of.p),
        c: factors.map(|of| of.c),
        v: factors.map(|of| of.v),
        l: factors.map(|of| of.l),
        priority: of.priority,
        probability: of.probability,
        text: of.reasons.first().map_or("", AsRef::as_ref),
    }
}

fn lost<'a>(scene: &Scene<'_>, of: &'a Loser, said: &'a Lost) -> LostOffer<'a> {
    LostOffer {
        offer: &of.offer,
        place: place(scene, &of.offer),
        reason: of.reason.code(),
        detail: &of.detail,
        rule: said.rule.as_ref().map(ToString::to_string),
        remedy: said.remedy.as_deref(),
        priority: of.priority,
    }
}
