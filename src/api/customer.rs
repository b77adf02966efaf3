//! `GET /v1/customers/{id}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, HeaderName};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::actors::Node;
use crate::api::Api;
use crate::api::auth::Caller;
use crate::api::problem::Problem;
use crate::clock::{self, Clock};
use crate::decide::feature_value;
use crate::domain::contact::Contact;
use crate::domain::instance::{self, Instance, Past};
use crate::domain::suppression::{Scope, Suppression};
use crate::domain::{CustomerId, Map, Profile, Timestamp, Value};
use crate::policy::Bundle;

/// JSON that a handler answers.
pub type Json = ([(HeaderName, &'static str); 1], Vec<u8>);

/// What is known of a customer.
#[utoipa::path(
    get,
    path = "/v1/customers/{id}",
    params(("id" = String, Path, description = "The customer's id, percent-encoded")),
    security(("token" = [])),
    responses(
        (status = 200, description = "What is known", body = Customer),
        (status = 400, description = "This is not the id of a customer", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Nothing is known of this customer", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not ready: try again in a second", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn customer(
    _: Caller,
    State(api): State<Arc<Api>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json, Problem> {
    let profile = look(&api, &id?).await?;
    let now = now(&api.node, &profile);
    let live = api.node.engine.live.get();
    Ok(json(&Customer::of(&live.bundle, &profile, now)))
}

/// Finds a customer.
///
/// # Errors
///
/// The id is none, nothing is known, or the partition is not up.
pub async fn look(api: &Api, id: &str) -> Result<Box<Profile>, Problem> {
    let id = CustomerId::parse(id).map_err(Problem::bad_request)?;
    let found = api.node.look(id.clone()).await?;
    found.ok_or_else(|| Problem::unknown_customer(id.as_str()))
}

/// Answers with JSON.
pub fn json(body: &impl Serialize) -> Json {
    // Every key is text and the writer is memory: this does not fail.
    let body = serde_json::to_vec(body).unwrap_or_default();
    ([(CONTENT_TYPE, "application/json")], body)
}

/// The time at which a decide call of this customer would be handled.
pub fn now(node: &Node, profile: &Profile) -> Timestamp {
    match node.engine.clock {
        Clock::Stream => clock::now().max(profile.now),
        Clock::Event => profile.now,
    }
}

/// A point in time, shown as RFC 3339.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct At(pub Timestamp);

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// What is known of a customer.
#[derive(Serialize, ToSchema)]
pub struct Customer<'a> {
    /// The customer's id.
    id: &'a str,
    /// What is told of the customer.
    #[schema(value_type = Object)]
    traits: &'a Map,
    /// The cart.
    cart: Cart<'a>,
    /// The running or last session; `null` before the first event.
    session: Option<Session>,
    /// Declared features by name, at this moment; one that is unknown is left out.
    #[schema(value_type = Object)]
    features: BTreeMap<&'a str, Value>,
    /// Runs of journeys in progress.
    journeys: Vec<Run<'a>>,
    /// When the first of them wants to go on.
    next_timer: Option<At>,
    /// The last ended run of each journey and key, the latest last.
    past: Vec<Ended<'a>>,
    /// When capped offers were given, by offer.
    offers_given: BTreeMap<&'a str, Vec<At>>,
    /// What the customer said, by channel and purpose; `null` where nobody can read it.
    consent: BTreeMap<&'a str, BTreeMap<&'a str, Option<&'static str>>>,
    /// What is not to be sent to.
    suppressions: Vec<Suppressed<'a>>,
    /// When sends left that count against caps, by channel.
    contacts: BTreeMap<&'a str, Vec<At>>,
    /// Logical time of the last input.
    last_input_at: At,
}

/// An entry of the suppression list.
#[derive(Serialize, ToSchema)]
struct Suppressed<'a> {
    /// One channel; `null` with `address` `null`: everything.
    channel: Option<&'a str>,
    /// One address.
    address: Option<&'a str>,
    /// Until when; `null`: for ever.
    until: Option<At>,
    reason: &'a str,
}

/// A cart.
#[derive(Serialize, ToSchema)]
struct Cart<'a> {
    items: Vec<Item<'a>>,
    /// The sum of price times quantity; `null` while a price is unknown.
    value: Option<f64>,
    /// ISO 4217.
    currency: Option<&'a str>,
    /// The sum of the quantities.
    item_count: f64,
    updated_at: Option<At>,
}

/// A line of a cart.
#[derive(Serialize, ToSchema)]
struct Item<'a> {
    product_id: &'a str,
    name: Option<&'a str>,
    category: Option<&'a str>,
    price: Option<f64>,
    quantity: f64,
}

/// A visit.
#[derive(Serialize, ToSchema)]
struct Session {
    /// Which one it is, from 1.
    index: u32,
    started_at: At,
    last_at: At,
    n_events: u32,
    /// Whether the 30 minutes of silence that end it have not passed.
    running: bool,
}

/// A run of a journey in progress.
#[derive(Serialize, ToSchema)]
struct Run<'a> {
    journey: &'a str,
    /// Which run of this customer it is, over all journeys, from 1.
    instance: u32,
    /// It only says what it would do (`mode: shadow`); such runs are counted apart.
    shadow: bool,
    /// The value of the journey's key; empty without one.
    key: &'a str,
    /// Where it stands.
    step: &'a str,
    entered_at: At,
    waits_until: Option<At>,
    /// Results of earlier steps.
    #[schema(value_type = Object)]
    locals: BTreeMap<&'a str, &'a Value>,
}

/// A run of a journey that ended.
#[derive(Serialize, ToSchema)]
struct Ended<'a> {
    journey: &'a str,
    key: &'a str,
    left_at: At,
    reason: &'a str,
    /// It only said what it would do.
    shadow: bool,
}

impl<'a> Customer<'a> {
    /// Shows a customer as of a time.
    pub fn of(bundle: &'a Bundle, profile: &'a Profile, now: Timestamp) -> Self {
        let given = profile.given.iter().map(|(offer, times)| {
            let times = times.iter().copied().map(At).collect();
            (offer.as_ref(), times)
        });
        Self {
            id: profile.id.as_str(),
            traits: &profile.traits,
            cart: Cart::of(&profile.cart),
            session: Session::of(profile, now),
            features: features(bundle, profile, now),
            journeys: profile.journeys.iter().map(Run::of).collect(),
            next_timer: profile.next_due().map(At),
            past: profile.past.iter().map(Ended::of).collect(),
            offers_given: given.collect(),
            consent: consent(profile),
            suppressions: profile.suppressed.iter().map(Suppressed::of).collect(),
            contacts: contacts(profile),
            last_input_at: At(profile.now),
        }
    }
}

fn consent(profile: &Profile) -> BTreeMap<&str, BTreeMap<&str, Option<&'static str>>> {
    let mut shown: BTreeMap<&str, BTreeMap<&str, _>> = BTreeMap::new();
    for said in profile.consent.iter() {
        let purposes = shown.entry(&said.channel).or_default();
        purposes.insert(&said.purpose, said.status.as_str());
    }
    shown
}

fn contacts(profile: &Profile) -> BTreeMap<&str, Vec<At>> {
    let times = |contacts: &[Contact]| contacts.iter().map(|contact| At(contact.at)).collect();
    let all = profile.contacts.iter();
    all.map(|(channel, contacts)| (channel, times(contacts)))
        .collect()
}

impl<'a> Suppressed<'a> {
    fn of(entry: &'a Suppression) -> Self {
        let (channel, address) = match &entry.scope {
            Scope::All => (None, None),
            Scope::Channel(channel) => (Some(channel.as_ref()), None),
            Scope::Address(address) => (None, Some(address.as_ref())),
        };
        Self {
            channel,
            address,
            until: entry.until.map(At),
            reason: &entry.by,
        }
    }
}

fn features<'a>(bundle: &'a Bundle, profile: &Profile, now: Timestamp) -> BTreeMap<&'a str, Value> {
    let named = |feature: &'a crate::policy::feature::Feature| {
        let name = feature.name.as_deref()?;
        Some((name, feature_value(feature, None, profile, now)?))
    };
    bundle.features.iter().filter_map(named).collect()
}

impl<'a> Cart<'a> {
    fn of(cart: &'a crate::domain::cart::Cart) -> Self {
        let item = |item: &'a crate::domain::cart::Item| Item {
            product_id: &item.product_id,
            name: item.name.as_deref(),
            category: item.category.as_deref(),
            price: item.price,
            quantity: item.quantity,
        };
        Self {
            items: cart.items.iter().map(item).collect(),
            value: cart.value(),
            currency: cart.currency.as_deref(),
            item_count: cart.item_count(),
            updated_at: cart.updated_at.map(At),
        }
    }
}

impl Session {
    fn of(profile: &Profile, now: Timestamp) -> Option<Self> {
        let session = profile.session;
        (session.index > 0).then(|| Self {
            index: session.index,
            started_at: At(session.started_at),
            last_at: At(session.last_at),
            n_events: session.n_events,
            running: profile.in_session(now),
        })
    }
}

impl<'a> Run<'a> {
    fn of(run: &'a Instance) -> Self {
        let locals = run.locals.iter();
        Self {
            journey: &run.journey,
            instance: instance::shown(run.number),
            shadow: run.is_shadow(),
            key: &run.key,
            step: &run.step,
            entered_at: At(run.entered_at),
            waits_until: run.wait.map(|wait| At(wait.due)),
            locals: locals.map(|(name, value)| (name.as_ref(), value)).collect(),
        }
    }
}

impl<'a> Ended<'a> {
    fn of(past: &'a Past) -> Self {
        Self {
            journey: &past.journey,
            key: &past.key,
            left_at: At(past.left_at),
            reason: &past.reason,
            shadow: past.shadow,
        }
    }
}
