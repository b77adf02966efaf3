//! The door before the node is there: alive, but not ready.

use std::convert::Infallible;
use std::future::Ready;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::future::RouteFuture;
use futures::future::Either;
use tower_service::Service;

use crate::api::problem::Problem;

/// Says that the server is not ready until it is opened, then leads to the routes.
#[derive(Default)]
pub struct Gate {
    routes: OnceLock<Router>,
    why: Mutex<String>,
}

impl Gate {
    /// Lets everyone through; the first call counts.
    pub fn open(&self, routes: Router) {
        let _open_before = self.routes.set(routes);
    }

    /// Says what the server waits for.
    pub fn wait_for(&self, why: &str) {
        why.clone_into(&mut self.why.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn closed(&self, path: &str) -> Response {
        if path == "/livez" {
            return super::health::ALIVE.into_response();
        }
        let why = self.why.lock().unwrap_or_else(PoisonError::into_inner);
        let why = if why.is_empty() {
            "the server is starting".to_owned()
        } else {
            format!("the server is starting: {why}")
        };
        Problem::not_ready(why).into_response()
    }
}

/// Returns the service behind a gate.
pub fn gated(gate: Arc<Gate>) -> Gated {
    Gated(gate)
}

/// The service behind a gate.
#[derive(Clone)]
pub struct Gated(Arc<Gate>);

impl Service<Request> for Gated {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<RouteFuture<Infallible>, Ready<Result<Response, Infallible>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match self.0.routes.get() {
            // A clone of a router is a clone of an `Arc`.
            Some(routes) => Either::Left(routes.clone().call(request)),
            None => Either::Right(std::future::ready(Ok(self.0.closed(request.uri().path())))),
        }
    }
}
