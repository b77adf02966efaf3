//! `GET /v1/customers`: everybody, a page at a time.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actors::page;
use crate::api::Api;
use crate::api::auth::Caller;
use crate::api::customer::{Customer, Json, json, now};
use crate::api::problem::Problem;
use crate::domain::{CustomerId, Timestamp};
use crate::policy::feature::Fold;
use crate::policy::{Bundle, hint};

const PARAMETERS: [&str; 3] = ["after", "limit", "at"];

/// How many customers a page has unless it is said.
const LIMIT: usize = 100;

/// Customers as the last checkpoint has them, in a fixed order that is not that of time.
///
/// Ask again with `after` as `next` says; a page whose `next` is `null` is the last one. Whoever is new since the last
/// checkpoint is not there yet, and each page is of its own moment.
#[utoipa::path(
    get,
    path = "/v1/customers",
    params(
        ("after" = Option<String>, Query, description = "Those that follow this customer"),
        ("limit" = Option<u32>, Query, description = "At most so many: 1 to 500, else 100; fewer if they are large: `next` says whether there are more", minimum = 1, maximum = 500),
        ("at" = Option<String>, Query, description = "Features as of this time (RFC 3339), not before a customer's last input; else now"),
    ),
    security(("token" = [])),
    responses(
        (status = 200, description = "A page", body = Page),
        (status = 400, description = "The query is not right", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store cannot be read", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn customers(
    _: Caller,
    State(api): State<Arc<Api>>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json, Problem> {
    let wanted = Wanted::read(&query?)?;
    let engine = api.node.engine.clone();
    let (after, limit) = (wanted.after.clone(), wanted.limit);
    let read = move || page::customers(&engine, after.as_ref(), limit);
    let read = tokio::task::spawn_blocking(read).await;
    let page = read
        .map_err(|_| Problem::not_ready("the store is being closed"))?
        .map_err(|error| Problem::not_ready(error.to_string()))?;
    let live = api.node.engine.live.get();
    let shown = page.profiles.iter().map(|profile| {
        let now = now(&api.node, profile);
        let at = wanted.at.map_or(now, |at| at.max(profile.now));
        Customer::of(&live.bundle, profile, at)
    });
    let last = page.profiles.last().filter(|_| page.has_more);
    Ok(json(&Page {
        customers: shown.collect(),
        next: last.map(|profile| profile.id.as_str()),
        features: declared(&live.bundle),
    }))
}

struct Wanted {
    after: Option<CustomerId>,
    limit: usize,
    at: Option<Timestamp>,
}

impl Wanted {
    fn read(query: &[(String, String)]) -> Result<Self, Problem> {
        let mut wanted = Self {
            after: None,
            limit: LIMIT,
            at: None,
        };
        for (name, value) in query {
            match name.as_str() {
                "after" => {
                    let id = CustomerId::parse(value).map_err(Problem::bad_request)?;
                    wanted.after = Some(id);
                }
                "limit" => wanted.limit = limit_of(value)?,
                "at" => wanted.at = Some(time_of(value)?),
                other => {
                    let hint = hint(other, PARAMETERS);
                    let detail = format!("unknown parameter `{other}`{hint}");
                    return Err(Problem::bad_request(detail));
                }
            }
        }
        Ok(wanted)
    }
}

fn limit_of(text: &str) -> Result<usize, Problem> {
    let limit = text.parse().ok();
    let limit = limit.filter(|limit| (1..=page::LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| {
        Problem::bad_request(format!(
            "`limit` is `{text}`, a whole number from 1 to {} is expected",
            page::LIMIT_MAX
        ))
    })
}

fn time_of(text: &str) -> Result<Timestamp, Problem> {
    Timestamp::parse(text).ok_or_else(|| {
        Problem::bad_request(format!(
            "`at` is `{text}`, a time such as 2026-01-31T10:00:00Z is expected"
        ))
    })
}

/// Customers, some of all.
#[derive(Serialize, ToSchema)]
#[schema(as = Customers)]
pub struct Page<'a> {
    /// In a fixed order.
    customers: Vec<Customer<'a>>,
    /// Where the next page begins: `after`; `null` at the end.
    next: Option<&'a str>,
    /// The features that the live policies declare.
    features: Vec<Declared<'a>>,
}

/// A feature that policies declare.
#[derive(Serialize, ToSchema)]
pub struct Declared<'a> {
    name: &'a str,
    /// Whether it can be nothing but a number.
    number: bool,
}

fn declared(bundle: &Bundle) -> Vec<Declared<'_>> {
    bundle
        .features
        .iter()
        .filter_map(|feature| {
            Some(Declared {
                name: feature.name.as_deref()?,
                number: is_number(&feature.fold),
            })
        })
        .collect()
}

fn is_number(fold: &Fold) -> bool {
    match fold {
        Fold::Count
        | Fold::Sum(_)
        | Fold::Distinct(_)
        | Fold::Dwell
        | Fold::Recency
        | Fold::Average(_) => true,
        Fold::First(_) | Fold::Last(_) | Fold::Least(_) | Fold::Most(_) | Fold::Mode(_) => false,
    }
}
