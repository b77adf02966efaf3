//! `/v1/journeys`: where people are, revision by revision and step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::auth::Caller;
use crate::api::customer::{Json, json};
use crate::api::problem::Problem;
use crate::domain::{People, Spot};
use crate::policy::explain;
use crate::policy::journey::Journey;
use crate::policy::{Bundle, hint};
use crate::release::Ledger;
use crate::release::ledger::Revision;
use crate::telemetry::Traffic;

/// Every journey that is live or that somebody is in.
#[utoipa::path(
    get,
    path = "/v1/journeys",
    security(("token" = [])),
    responses(
        (status = 200, description = "The journeys, by name", body = AllJourneys),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not ready: try again in a second", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(_: Caller, State(api): State<Arc<Api>>) -> Result<Json, Problem> {
    let ledger = api.releases.ledger().await?;
    let seen = Seen::of(&api, &ledger).await?;
    let names = seen.names();
    let journeys = names.iter().map(|name| seen.journey(&api, name));
    let journeys = journeys.collect();
    Ok(json(&AllJourneys { journeys }))
}

/// One journey: how many are in it, and where.
#[utoipa::path(
    get,
    path = "/v1/journeys/{name}",
    params(("name" = String, Path, description = "The name of the journey")),
    security(("token" = [])),
    responses(
        (status = 200, description = "The journey", body = InJourney),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "It is not live, and nobody is in it", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not ready: try again in a second", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn one(
    _: Caller,
    State(api): State<Arc<Api>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json, Problem> {
    let Path(name) = path?;
    let ledger = api.releases.ledger().await?;
    let seen = Seen::of(&api, &ledger).await?;
    let names = seen.names();
    if !names.contains(name.as_str()) {
        let hint = hint(&name, names);
        let detail = format!("no journey `{name}` is live, and nobody is in one{hint}");
        return Err(Problem::unknown_journey(detail));
    }
    Ok(json(&seen.journey(&api, &name)))
}

/// What an answer is made of.
struct Seen<'a> {
    bundle: Arc<Bundle>,
    people: People,
    ledger: &'a Ledger,
}

impl<'a> Seen<'a> {
    async fn of(api: &Api, ledger: &'a Ledger) -> Result<Self, Problem> {
        let people = api.node.headcount().await?.people;
        let bundle = api.releases.live().bundle.clone();
        Ok(Self {
            bundle,
            people,
            ledger,
        })
    }

    fn names(&self) -> BTreeSet<&str> {
        let live = self.bundle.journeys.iter().map(|it| it.name.as_ref());
        let inhabited = self.people.iter().map(|(spot, _)| spot.journey.as_ref());
        live.chain(inhabited).collect()
    }

    fn journey(&self, api: &Api, name: &str) -> InJourney {
        let live = self.bundle.journey(name);
        let Traffic { entered, left } = api.node.engine.meters.journeys.traffic(name);
        let own = self.people.iter();
        let own: Vec<_> = own.filter(|(spot, _)| *spot.journey == *name).collect();
        let mut revisions: BTreeSet<u64> = own.iter().map(|(spot, _)| spot.revision).collect();
        revisions.extend(live.map(|journey| journey.revision));
        let mut revisions: Vec<_> = revisions
            .into_iter()
            .map(|revision| self.revision(name, revision, &own))
            .collect();
        // The newest first; a revision that is not kept is older than all that are.
        revisions.sort_by_key(|of| std::cmp::Reverse((of.live, of.policies.last().copied())));
        InJourney {
            journey: name.to_owned(),
            revision: live.map(|journey| Revision(journey.revision).to_string()),
            mode: live.map(|journey| journey.mode.as_str()),
            people: own.iter().map(|(_, n)| n).sum(),
            revisions,
            entered,
            left: left
                .into_iter()
                .map(|(why, n)| (why.to_string(), n))
                .collect(),
        }
    }

    fn revision(&self, name: &str, revision: u64, own: &[(&Spot, u64)]) -> InRevision {
        let live = self.bundle.journey(name);
        let is_live = live.is_some_and(|live| live.revision == revision);
        let kept = self.bundle.archive.journeys.iter();
        let mut texts = live.into_iter().chain(kept);
        let text = texts.find(|it| *it.name == *name && it.revision == revision);
        let has = Some(&Revision(revision));
        let sets = self.ledger.sets.iter();
        let sets = sets.filter(|set| set.journeys.get(name) == has);
        let here = own.iter().filter(|(spot, _)| spot.revision == revision);
        let steps: Vec<_> = here.map(|(spot, n)| at(spot, *n, text)).collect();
        InRevision {
            revision: Revision(revision).to_string(),
            live: is_live,
            mode: text.map(|journey| journey.mode.as_str()),
            policies: sets.map(|set| set.revision).collect(),
            people: steps.iter().map(|step| step.people).sum(),
            steps,
        }
    }
}

fn at(spot: &Spot, people: u64, journey: Option<&Journey>) -> AtStep {
    let mut steps = journey.into_iter().flat_map(|journey| &journey.flow);
    let step = steps.find(|step| step.label == spot.step);
    AtStep {
        step: spot.step.to_string(),
        does: step.map(|step| explain::act(&step.act)),
        people,
    }
}

/// Returns how many are in each set's revisions of its journeys; those that several sets share count for the newest.
pub fn by_set(ledger: &Ledger, people: &People) -> BTreeMap<u64, u64> {
    let mut counted = BTreeSet::new();
    let mut by_set = BTreeMap::new();
    for set in ledger.sets.iter().rev() {
        let own = set.journeys.iter();
        let own = own.filter(|(name, of)| counted.insert(((*name).clone(), **of)));
        let n = own.map(|(name, Revision(of))| people.n_in(name, *of)).sum();
        by_set.insert(set.revision, n);
    }
    by_set
}

/// Every journey.
#[derive(Serialize, ToSchema)]
pub struct AllJourneys {
    /// By name.
    journeys: Vec<InJourney>,
}

/// How a journey stands.
#[derive(Serialize, ToSchema)]
pub struct InJourney {
    /// Its name.
    journey: String,
    /// The live revision, 16 hex digits; `null` if it is not live any more.
    revision: Option<String>,
    /// `live` or `shadow`; `null` if it is not live any more.
    mode: Option<&'static str>,
    /// Runs in progress, in all revisions; a customer may have several where there is a `key`.
    people: u64,
    /// Every revision that somebody is in, and the live one; the newest first.
    revisions: Vec<InRevision>,
    /// Runs that began since this process did.
    entered: u64,
    /// Runs that ended since this process began, by reason.
    left: BTreeMap<String, u64>,
}

/// A revision of a journey.
#[derive(Serialize, ToSchema)]
struct InRevision {
    /// Hash of its text, 16 hex digits, as `migrate: { from: [..] }` takes it.
    revision: String,
    /// Whether it is the live one.
    live: bool,
    /// `live` or `shadow`; `null` if its text is not kept.
    mode: Option<&'static str>,
    /// The revisions of the policies that have it, of those that are kept.
    policies: Vec<u64>,
    /// Runs in progress.
    people: u64,
    /// Where they are.
    steps: Vec<AtStep>,
}

/// A step where somebody is.
#[derive(Serialize, ToSchema)]
struct AtStep {
    /// Its label.
    step: String,
    /// What it does, in words; `null` if the text of the revision is not kept.
    does: Option<String>,
    /// Runs in progress.
    people: u64,
}
