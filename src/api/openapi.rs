//! `GET /openapi.json`: the API, described.

use std::sync::OnceLock;

use axum::http::header::{CONTENT_TYPE, HeaderName};
use utoipa::openapi::OpenApi as Description;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

use crate::api::{
    customer, customers, decide, eval, health, journeys, models, placements, policies, problem,
    timeline, why,
};

/// This description: `OpenAPI` 3.1.
#[utoipa::path(get, path = "/openapi.json", responses((status = 200, description = "The description", body = Object)))]
pub async fn openapi() -> ([(HeaderName, &'static str); 1], &'static str) {
    static TEXT: OnceLock<String> = OnceLock::new();
    // The description is data: to write it does not fail.
    let text = TEXT.get_or_init(|| description().to_json().unwrap_or_default());
    ([(CONTENT_TYPE, "application/json")], text)
}

/// Returns the description of every route.
pub fn description() -> Description {
    Described::openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Attune",
        description = "Decides, for every customer, what to do next."
    ),
    paths(
        decide::decide,
        eval::eval,
        customers::customers,
        customer::customer,
        timeline::timeline,
        why::why,
        why::offers::offers,
        placements::one,
        journeys::list,
        journeys::one,
        models::list,
        models::one,
        policies::list,
        policies::one,
        policies::apply,
        policies::roll_back,
        health::livez,
        health::readyz,
        health::metrics,
        openapi
    ),
    components(schemas(problem::Problem)),
    modifiers(&Token)
)]
struct Described;

/// The token of closed routes.
struct Token;

impl Modify for Token {
    fn modify(&self, described: &mut Description) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("needed when the server is configured with a token"));
        let components = described.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme.build()));
    }
}

/// A decide call. Fields that are not named here are refused.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what the reader takes")]
pub struct DecideRequest {
    /// The customer's id: 1 to 512 bytes; without one, somebody of whom nothing is known.
    #[schema(max_length = 512, min_length = 1)]
    customer: Option<String>,
    /// The placement to fill.
    placement: String,
    /// What expressions see as `context`.
    #[schema(value_type = Option<Object>)]
    context: Option<()>,
    /// At most so many offers, if fewer than the placement allows.
    #[schema(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// Calls with the same customer, placement and key have the same `decision_id`: give a retry the key of the first try.
    #[schema(max_length = 256, min_length = 1)]
    decision_key: Option<String>,
    /// Whether to answer with the offers that lost, and why.
    explain: Option<bool>,
}

/// A ranked choice.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what the domain writes")]
pub struct DecideAnswer {
    /// Equal for the same question.
    decision_id: String,
    /// For whom.
    customer: String,
    /// Where.
    placement: String,
    /// The best first.
    offers: Vec<OfferChosen>,
    /// Who came next behind the chosen ones, if anybody did; only with `explain`.
    #[schema(nullable = false)]
    runner_up: Option<OfferNext>,
    /// Who lost and why; only with `explain`.
    #[schema(nullable = false)]
    losers: Option<Vec<OfferLost>>,
    /// Who lost in great numbers for one reason; none of them is in `losers`; only with `explain`.
    #[schema(nullable = false)]
    passed_over: Option<Vec<OffersPassedOver>>,
    /// What the challenger would have given, where it decides in the shadow.
    #[schema(nullable = false)]
    shadow: Option<Vec<OfferShadowed>>,
    /// `champion`, `challenger`, `control` or `holdout`, where parts of the customers are compared or something is learnt.
    #[schema(nullable = false)]
    arm: Option<String>,
    /// The learner of the propensities, if there is one.
    #[schema(nullable = false)]
    learner: Option<LearnerOfAnswer>,
    /// The models that were asked for propensities, by name; only with `explain`.
    #[schema(nullable = false)]
    models: Option<Vec<ModelAsked>>,
    /// The policies that it was decided by: the hash of their content; only with `explain`.
    #[schema(nullable = false)]
    bundle: Option<String>,
    /// A model was not available: ranked without its propensity.
    degraded: bool,
    /// Nothing qualified and the placement's fallback was given.
    fallback: bool,
    /// When it was decided.
    #[schema(format = DateTime)]
    decided_at: String,
}

/// An offer that was chosen.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what the domain writes")]
pub struct OfferChosen {
    /// Its id.
    offer: String,
    /// What the model says, in `[0, 1]`; `null` without a model or when it is not available.
    #[schema(required)]
    propensity: Option<f64>,
    /// What it was ranked by; `null` for a fallback.
    #[schema(required)]
    priority: Option<f64>,
    /// How likely it was to be chosen for its place, given the places before, in `(0, 1]`.
    probability: f64,
    /// Whether it was tried although another one is better as far as anybody knows.
    explored: bool,
    /// What the learner believes of the propensity, if there is one; only with `explain`.
    #[schema(nullable = false)]
    belief: Option<BeliefOfOffer>,
    /// What it is worth when accepted, whether that counts or not; not of a fallback; only with `explain`.
    #[schema(nullable = false)]
    value: Option<f64>,
    /// What the priority is made of; not of a fallback; only with `explain`.
    #[schema(nullable = false)]
    factors: Option<OfferFactors>,
    /// What the model was asked, if there is one; only with `explain`.
    #[schema(nullable = false)]
    inputs: Option<ModelInputs>,
    /// What the policy gives with it: any JSON.
    #[schema(value_type = utoipa::openapi::schema::Value, required)]
    data: (),
    /// Why, one sentence each.
    reasons: Vec<String>,
}

/// What a challenger in the shadow would have given.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what the domain writes")]
pub struct OfferShadowed {
    /// Its id.
    offer: String,
    /// How likely the challenger believes it is accepted.
    #[schema(required)]
    propensity: Option<f64>,
    /// What it was ranked by; `null` for a fallback.
    #[schema(required)]
    priority: Option<f64>,
    /// How likely the challenger was to choose it for its place.
    probability: f64,
}

/// The learner of a decision.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what the domain writes")]
pub struct LearnerOfAnswer {
    /// Its name.
    name: String,
    /// The version that its evidence belongs to.
    version: String,
}

/// A model that was asked.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what the domain writes")]
pub struct ModelAsked {
    /// Its name.
    name: String,
    /// The SHA-256 of the file that was loaded for it; `null` where none was.
    #[schema(required)]
    version: Option<String>,
}

/// What a learner believes of a propensity: one of these.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it describes what the domain writes")]
pub enum BeliefOfOffer {
    /// It is known.
    Point(f64),
    /// A Beta distribution: successes and failures, with those of the prior.
    Beta([f64; 2]),
    /// A normal distribution: mean and standard deviation.
    Normal([f64; 2]),
    /// The logit is normal: its mean and standard deviation.
    Logit([f64; 2]),
}

/// The factors of a priority; one that does not count is 1.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what the domain writes")]
pub struct OfferFactors {
    /// The propensity, smoothed where the placement says so; 1 without one.
    p: f64,
    /// The weights of the context.
    c: f64,
    /// The value.
    v: f64,
    /// The levers of the offer and its group.
    l: f64,
}

/// The row that a model was given.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what the domain writes")]
pub struct ModelInputs {
    /// The model's name.
    model: String,
    /// Numbers and texts in the order of the manifest; an unknown number is `null`.
    #[schema(value_type = Vec<utoipa::openapi::schema::Value>)]
    row: Vec<()>,
}

/// Who came next behind the chosen ones.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what the domain writes")]
pub struct OfferNext {
    /// The offer's id.
    offer: String,
    /// What it was ranked by.
    priority: f64,
    /// By how much the last of the chosen ones was better; below 0 if that one was chosen for its group.
    behind: f64,
}

/// Offers that were not chosen, all for one reason.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what the domain writes")]
pub struct OffersPassedOver {
    /// As of `losers`.
    reason: String,
    /// The rule and the value that decided.
    detail: String,
    /// How many they are.
    n: u32,
}

/// An offer that was not chosen.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what the domain writes")]
pub struct OfferLost {
    /// Its id.
    offer: String,
    /// `NO_CONSENT`, `SUPPRESSED`, `INELIGIBLE`, `NOT_APPLICABLE`, `UNSUITABLE`, `CONTACT_LIMIT`, `CAP`, `BUDGET`, `HOLDOUT` or `OUTRANKED`.
    reason: String,
    /// The rule and the value that failed, or who was better.
    detail: String,
    /// What it was ranked by; `null` when it did not come to that.
    priority: Option<f64>,
    /// What the model says; of what was ranked, where there is one.
    #[schema(nullable = false)]
    propensity: Option<f64>,
    /// What the learner believes of the propensity; of what was ranked, where there is one.
    #[schema(nullable = false)]
    belief: Option<BeliefOfOffer>,
    /// What it is worth when accepted; of what was ranked.
    #[schema(nullable = false)]
    value: Option<f64>,
}

/// How the server is.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a constant")]
pub struct Status {
    /// `alive` or `ready`.
    status: String,
}
