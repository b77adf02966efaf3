//! Who may call.

use std::fmt;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use subtle::ConstantTimeEq;

use crate::api::Api;
use crate::api::problem::Problem;

/// A text that is never shown.
pub struct Secret(Box<str>);

impl Secret {
    /// Takes a text.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Compares in a time that depends on the lengths alone.
    fn is(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Somebody who showed the token, if there is one to show; an argument of every closed route.
pub struct Caller;

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let Some(token) = &api.token else {
            return Ok(Self);
        };
        let shown = parts.headers.get(AUTHORIZATION);
        let shown = shown.and_then(|value| value.to_str().ok()).and_then(bearer);
        match shown {
            Some(shown) if token.is(shown) => Ok(Self),
            Some(_) => Err(Problem::unauthorized("the token is not the right one")),
            None => Err(Problem::unauthorized(
                "a header `Authorization: Bearer <token>` is needed",
            )),
        }
    }
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_start())
}
