//! The API: HTTP and NATS requests in, answers out.
//!
//! ```text
//! POST /v1/decide                    the next best offers       decide
//! POST /v1/eval                      what an expression is      eval
//! GET  /v1/customers                 everybody, page by page    customers
//! GET  /v1/customers/{id}            what is known              customer
//! GET  /v1/customers/{id}/timeline   why, and why not           timeline
//! GET  /v1/customers/{id}/why        how they and a journey stand   why
//! GET  /v1/customers/{id}/why/offers how they and a placement stand why::offers
//! GET  /v1/placements/{name}         what is learnt, who fares how   placements
//! GET  /v1/journeys /{name}          where people are           journeys
//! GET  /v1/models /{name}            a card for every model         models
//! GET  /v1/policies /{revision}      what is live, and was      policies
//! POST /v1/policies /rollback        changes it                 policies
//! GET  /livez /readyz /metrics       for operators              health
//! GET  /openapi.json                 all of this, described     openapi
//! ```

mod auth;
pub mod basis;
mod budgets;
mod customer;
mod customers;
mod decide;
pub mod eval;
mod gate;
mod health;
mod journeys;
mod models;
mod openapi;
mod placements;
mod policies;
mod problem;
pub mod requests;
mod timeline;
mod why;

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::Method;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use axum::{Router, ServiceExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower_service::Service;

pub use gate::{Gate, gated};

use crate::actors::Node;
use crate::release::Releases;
use auth::Secret;

/// The largest body of a request, in bytes.
const BODY_BYTES_MAX: usize = 64 << 10;

/// What the routes share.
pub struct Api {
    node: Arc<Node>,
    releases: Arc<Releases>,
    token: Option<Secret>,
    /// Differs from process to process, so that no two calls without a key are the same decision.
    nonce: String,
    n_calls: AtomicU64,
    /// Replays of the past read much: one at a time.
    replays: Semaphore,
}

impl Api {
    /// Opens the API of a node.
    ///
    /// - `token`: what callers of `/v1` and `/metrics` must show; `None` lets everyone in.
    pub fn new(node: Arc<Node>, releases: Arc<Releases>, token: Option<&str>) -> Self {
        let random = RandomState::new();
        let nonce = format!("{:016x}{:016x}", random.hash_one(0), random.hash_one(1));
        Self {
            node,
            releases,
            token: token.map(Secret::new),
            nonce,
            n_calls: AtomicU64::new(0),
            replays: Semaphore::new(1),
        }
    }

    /// Returns what no other call has, in this process or another.
    fn unique(&self) -> Arc<str> {
        let n = self.n_calls.fetch_add(1, Ordering::Relaxed);
        format!("{}-{n}", self.nonce).into()
    }
}

/// Builds the routes of an API.
pub fn router(api: Arc<Api>) -> Router {
    let routes = routes()
        .into_iter()
        .fold(Router::new(), |router, (_, path, route)| {
            router.route(path, route)
        });
    routes
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::no_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(api)
}

/// Serves until `shutdown`, then finishes the requests that are on their way.
///
/// # Errors
///
/// The listener failed.
pub async fn serve<S>(
    listener: TcpListener,
    service: S,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    axum::serve(listener, ServiceExt::<Request>::into_make_service(service))
        .with_graceful_shutdown(shutdown)
        .await
}

/// Every route, once: the router is made of it and the description is held against it.
fn routes() -> Vec<(Method, &'static str, MethodRouter<Arc<Api>>)> {
    vec![
        (Method::POST, "/v1/decide", post(decide::decide)),
        (Method::POST, "/v1/eval", post(eval::eval)),
        (Method::GET, "/v1/customers", get(customers::customers)),
        (Method::GET, "/v1/customers/{id}", get(customer::customer)),
        (
            Method::GET,
            "/v1/customers/{id}/timeline",
            get(timeline::timeline),
        ),
        (Method::GET, "/v1/customers/{id}/why", get(why::why)),
        (
            Method::GET,
            "/v1/customers/{id}/why/offers",
            get(why::offers::offers),
        ),
        (Method::GET, "/v1/placements/{name}", get(placements::one)),
        (Method::GET, "/v1/journeys", get(journeys::list)),
        (Method::GET, "/v1/journeys/{name}", get(journeys::one)),
        (Method::GET, "/v1/models", get(models::list)),
        (Method::GET, "/v1/models/{name}", get(models::one)),
        (Method::GET, "/v1/policies", get(policies::list)),
        (
            Method::POST,
            "/v1/policies",
            post(policies::apply).layer(DefaultBodyLimit::max(policies::BODY_BYTES_MAX)),
        ),
        (
            Method::POST,
            "/v1/policies/rollback",
            post(policies::roll_back),
        ),
        (Method::GET, "/v1/policies/{revision}", get(policies::one)),
        (Method::GET, "/livez", get(health::livez)),
        (Method::GET, "/readyz", get(health::readyz)),
        (Method::GET, "/metrics", get(health::metrics)),
        (Method::GET, "/openapi.json", get(openapi::openapi)),
    ]
}
