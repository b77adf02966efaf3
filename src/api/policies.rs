//! `/v1/policies`: what is live, what was, and the way to change it.

use std::sync::Arc;

use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::auth::Caller;
use crate::api::customer::{At, Json, json};
use crate::api::journeys;
use crate::api::problem::Problem;
use crate::policy::Source;
use crate::release::{Ledger, Origin, Set};

/// The largest body of policies, in bytes.
pub const BODY_BYTES_MAX: usize = 16 << 20;

/// The live policies, and every revision that is kept.
#[utoipa::path(
    get,
    path = "/v1/policies",
    security(("token" = [])),
    responses(
        (status = 200, description = "What is live and what was, the newest first", body = Policies),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not ready: try again in a second", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(_: Caller, State(api): State<Arc<Api>>) -> Result<Json, Problem> {
    let ledger = api.releases.ledger().await?;
    let (live, state) = (api.releases.live(), api.releases.state());
    // Where they are is not known while a partition is not up.
    let headcount = api.node.headcount().await.ok();
    let people = headcount.map(|of| journeys::by_set(&ledger, &of.people));
    let people = |set: &Set| Some(*people.as_ref()?.get(&set.revision)?);
    Ok(json(&Policies {
        live: live.revision,
        bundle: &live.bundle.id,
        since: state.since.map(At),
        rejected: state.rejected.map(|rejected| Rejected {
            at: At(rejected.at),
            why: rejected.summary,
            shown: rejected.detail,
        }),
        revisions: ledger
            .sets
            .iter()
            .rev()
            .map(|set| Kept::of(set, people(set)))
            .collect(),
    }))
}

/// One revision, with the text of every file.
#[utoipa::path(
    get,
    path = "/v1/policies/{revision}",
    params(("revision" = u64, Path, description = "The number of the revision")),
    security(("token" = [])),
    responses(
        (status = 200, description = "The revision", body = Whole),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "It is not kept", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not ready: try again in a second", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn one(
    _: Caller,
    State(api): State<Arc<Api>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json, Problem> {
    let Path(written) = path?;
    let number = written.parse::<u64>();
    let number = number.map_err(|_| Problem::unknown_revision(&written))?;
    let ledger = api.releases.ledger().await?;
    let unknown = || Problem::unknown_revision(&written);
    let set = ledger.set(number).ok_or_else(unknown)?;
    let sources = ledger.sources(set).ok_or_else(unknown)?;
    let sources = sources.into_iter().map(File::of).collect();
    let headcount = api.node.headcount().await.ok();
    let people = headcount.map(|of| journeys::by_set(&ledger, &of.people));
    let set = Kept::of(set, people.and_then(|of| of.get(&number).copied()));
    Ok(json(&Whole { set, sources }))
}

/// Makes policies live.
///
/// They are checked and their models loaded first; then they replace the live ones as a whole. Refused if another
/// revision is live than the one they were made against.
#[utoipa::path(
    post,
    path = "/v1/policies",
    request_body = Apply,
    security(("token" = [])),
    responses(
        (status = 200, description = "They are live", body = Applied),
        (status = 400, description = "The body is not right", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another revision is live than was expected", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is longer than 16 MB", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The policies are not right, or a model cannot be loaded", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not ready: try again in a second", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn apply(
    _: Caller,
    State(api): State<Arc<Api>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json, Problem> {
    let Apply { expected, sources } = read(&whole(body)?)?;
    let sources = sources.iter().map(|it| Source::new(&it.name, &it.text));
    let before = api.releases.ledger().await?;
    api.releases.apply(sources.collect(), expected).await?;
    applied(&api, &before).await
}

/// Makes an earlier revision live again, as a revision of its own.
#[utoipa::path(
    post,
    path = "/v1/policies/rollback",
    request_body = RollBack,
    security(("token" = [])),
    responses(
        (status = 200, description = "It is live", body = Applied),
        (status = 400, description = "The body is not right", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The revision is not kept", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another revision is live than was expected", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "It is not right for this build, or a model cannot be loaded", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not ready: try again in a second", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn roll_back(
    _: Caller,
    State(api): State<Arc<Api>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json, Problem> {
    let RollBack { to, expected } = read(&body?)?;
    let before = api.releases.ledger().await?;
    api.releases.roll_back(to, expected).await?;
    applied(&api, &before).await
}

fn whole(body: Result<Bytes, BytesRejection>) -> Result<Bytes, Problem> {
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(BODY_BYTES_MAX),
        _ => rejection.into(),
    })
}

fn read<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::bad_request(error.to_string()))
}

/// Says what is live after a change, and what has changed.
async fn applied(api: &Api, before: &Ledger) -> Result<Json, Problem> {
    let ledger = api.releases.ledger().await?;
    let Some(set) = ledger.live() else {
        return Err(Problem::not_ready("nothing is live"));
    };
    let none = std::collections::BTreeMap::new();
    let old = before.live().map_or(&none, |set| &set.journeys);
    let is_in = |name: &Arc<str>, set: &Set| set.journeys.contains_key(name);
    let names = |filter: &dyn Fn(&Arc<str>) -> bool| {
        let names = old.keys().chain(set.journeys.keys());
        let names: std::collections::BTreeSet<_> = names.filter(|name| filter(name)).collect();
        names.into_iter().cloned().collect()
    };
    let changed = |name: &Arc<str>| {
        let (was, is) = (old.get(name), set.journeys.get(name));
        was.is_some() && is.is_some() && was != is
    };
    Ok(json(&Applied {
        revision: set.revision,
        bundle: &set.bundle,
        previous: before.live().map_or(0, |set| set.revision),
        added: names(&|name| !old.contains_key(name)),
        changed: names(&changed),
        removed: names(&|name| !is_in(name, set)),
    }))
}

/// What is live and what was.
#[derive(Serialize, ToSchema)]
pub struct Policies<'a> {
    /// The live revision.
    live: u64,
    /// Hash of its content.
    bundle: &'a str,
    /// When it became live in this process.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<At>,
    /// What is in the folder and cannot be live.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<Rejected>,
    /// The newest first.
    revisions: Vec<Kept<'a>>,
}

/// Policies that were rejected.
#[derive(Serialize, ToSchema)]
struct Rejected {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: At,
    /// Why, in one line.
    why: String,
    /// Why, underlined for a terminal.
    shown: String,
}

/// One revision.
#[derive(Serialize, ToSchema)]
struct Kept<'a> {
    /// Its number.
    revision: u64,
    /// Hash of its content.
    bundle: &'a str,
    /// When it became live.
    #[schema(value_type = String, format = DateTime)]
    at: At,
    /// Where it came from: `folder`, `apply` or `rollback`.
    origin: &'static str,
    /// The revision that was made live again.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<u64>,
    /// The revisions of its journeys.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    journeys: &'a std::collections::BTreeMap<Arc<str>, crate::release::ledger::Revision>,
    /// How many are in these revisions of journeys (those that a newer revision shares are counted there alone); `null`
    /// while the server is not ready.
    people: Option<u64>,
}

impl<'a> Kept<'a> {
    fn of(set: &'a Set, people: Option<u64>) -> Self {
        let (origin, of) = match set.origin {
            Origin::Folder => ("folder", None),
            Origin::Apply => ("apply", None),
            Origin::Rollback(of) => ("rollback", Some(of)),
        };
        Self {
            revision: set.revision,
            bundle: &set.bundle,
            at: At(set.at),
            origin,
            of,
            journeys: &set.journeys,
            people,
        }
    }
}

/// A revision with its files.
#[derive(Serialize, ToSchema)]
pub struct Whole<'a> {
    #[serde(flatten)]
    set: Kept<'a>,
    /// The files, model manifests included.
    sources: Vec<File>,
}

/// A policy file.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct File {
    /// Its name: what messages call it.
    #[schema(value_type = String)]
    name: Arc<str>,
    /// Its text.
    #[schema(value_type = String)]
    text: Arc<str>,
}

impl File {
    fn of(source: Source) -> Self {
        let Source { name, text } = source;
        Self { name, text }
    }
}

/// Policies that are to be live.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// The live revision that they were made against.
    expected: u64,
    /// All files. Without any model manifest (`model.yaml`) those of the server are used.
    sources: Vec<File>,
}

/// A revision that is to be live again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollBack {
    /// Its number.
    to: u64,
    /// Refused if another revision than this is live.
    expected: Option<u64>,
}

/// What has changed.
#[derive(Serialize, ToSchema)]
pub struct Applied<'a> {
    /// The live revision.
    revision: u64,
    /// Hash of its content.
    bundle: &'a str,
    /// What was live before.
    previous: u64,
    /// Journeys that were not there before.
    #[schema(value_type = Vec<String>)]
    added: Vec<Arc<str>>,
    /// Journeys whose text has changed.
    #[schema(value_type = Vec<String>)]
    changed: Vec<Arc<str>>,
    /// Journeys that are not there any more.
    #[schema(value_type = Vec<String>)]
    removed: Vec<Arc<str>>,
}
