//! What went wrong, as problem details (RFC 9457).

use std::sync::Arc;

use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actors::AskError;
use crate::policy::{Diagnostic, Diagnostics};
use crate::release;

/// Why a request has no answer.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of problem: `urn:attune:problem:` and a word that never changes.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The kind in words.
    title: &'static str,
    /// The status code of HTTP.
    status: u16,
    /// What is wrong with this request.
    detail: String,
    /// What is wrong with an expression or with policies, mistake by mistake.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<Mistake>,
    /// The mistakes, underlined for a terminal.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    shown: String,
}

/// One mistake in an expression or a policy file.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
struct Mistake {
    /// The policy file, or `expression`.
    #[schema(value_type = String)]
    file: Arc<str>,
    /// Its kind, a word that never changes.
    code: &'static str,
    message: String,
    /// From 1.
    line: u32,
    /// From 1, in characters.
    column: u32,
    /// What to write instead.
    help: Option<String>,
}

impl Problem {
    /// The request cannot be understood.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(
            "urn:attune:problem:bad-request",
            "the request is not right",
            StatusCode::BAD_REQUEST,
            detail,
        )
    }

    /// An expression is not right.
    pub fn wrong_expression(wrong: &Diagnostics) -> Self {
        let mistake = |of: &Diagnostic| {
            let (line, column) = of.source.position(of.span.start);
            Mistake {
                file: of.source.name.clone(),
                code: of.code,
                message: of.message.clone(),
                line,
                column,
                help: of.help.clone(),
            }
        };
        let first = wrong.0.first().map(|of| of.message.clone());
        Self {
            errors: wrong.0.iter().map(mistake).collect(),
            shown: wrong.render(false),
            ..Self::new(
                "urn:attune:problem:wrong-expression",
                "the expression is not right",
                StatusCode::BAD_REQUEST,
                first.unwrap_or_default(),
            )
        }
    }

    /// Policies are not right.
    fn wrong_policies(wrong: &Diagnostics, summary: String) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
            kind: "urn:attune:problem:wrong-policies",
            title: "the policies are not right",
            detail: summary,
            ..Self::wrong_expression(wrong)
        }
    }

    /// No such revision is kept.
    pub fn unknown_revision(written: &str) -> Self {
        Self::new(
            "urn:attune:problem:unknown-revision",
            "there is no such revision",
            StatusCode::NOT_FOUND,
            format!("revision `{written}` is not kept; `GET /v1/policies` lists those that are"),
        )
    }

    /// No such model is live.
    ///
    /// - `hint`: what may have been meant.
    pub fn unknown_model(written: &str, hint: &str) -> Self {
        let end = if hint.is_empty() { ";" } else { "" };
        Self::new(
            "urn:attune:problem:unknown-model",
            "there is no such model",
            StatusCode::NOT_FOUND,
            format!(
                "unknown model `{written}`{hint}{end} `GET /v1/models` lists those that are live"
            ),
        )
    }

    /// The body is longer than it may be.
    pub fn too_large(max: usize) -> Self {
        Self::new(
            "urn:attune:problem:too-large",
            "the request is too large",
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("a body has at most {max} bytes"),
        )
    }

    /// There is no such placement.
    pub fn unknown_placement(detail: impl Into<String>) -> Self {
        Self::new(
            "urn:attune:problem:unknown-placement",
            "there is no such placement",
            StatusCode::NOT_FOUND,
            detail,
        )
    }

    /// There is no such journey.
    pub fn unknown_journey(detail: impl Into<String>) -> Self {
        Self::new(
            "urn:attune:problem:unknown-journey",
            "there is no such journey",
            StatusCode::NOT_FOUND,
            detail,
        )
    }

    /// Nothing is known of a customer.
    pub fn unknown_customer(id: &str) -> Self {
        Self::new(
            "urn:attune:problem:unknown-customer",
            "the customer is not known",
            StatusCode::NOT_FOUND,
            format!("nothing is known of customer `{id}`"),
        )
    }

    /// The caller did not show the token.
    pub fn unauthorized(detail: &str) -> Self {
        Self::new(
            "urn:attune:problem:unauthorized",
            "a token is needed",
            StatusCode::UNAUTHORIZED,
            detail,
        )
    }

    /// The node cannot answer yet.
    pub fn not_ready(detail: impl Into<String>) -> Self {
        Self::new(
            "urn:attune:problem:not-ready",
            "the server is not ready",
            StatusCode::SERVICE_UNAVAILABLE,
            detail,
        )
    }

    /// The node has too much to do.
    pub fn overloaded(detail: impl Into<String>) -> Self {
        Self::new(
            "urn:attune:problem:overloaded",
            "the server has too much to do",
            StatusCode::SERVICE_UNAVAILABLE,
            detail,
        )
    }

    /// Returns the status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the kind in words.
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// Writes the problem as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        // Four texts and numbers: this does not fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn new(
        kind: &'static str,
        title: &'static str,
        status: StatusCode,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            title,
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            shown: String::new(),
        }
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        let detail = error.to_string();
        match error {
            AskError::NotReady => Self::not_ready(detail),
            AskError::Overloaded => Self::overloaded(detail),
            AskError::Failed => Self::new(
                "urn:attune:problem:failed",
                "the decision failed",
                StatusCode::INTERNAL_SERVER_ERROR,
                "the decision failed; the server's log says why",
            ),
        }
    }
}

impl From<release::Error> for Problem {
    fn from(error: release::Error) -> Self {
        use release::Error;
        let detail = error.to_string();
        match error {
            Error::Wrong(wrong) => Self::wrong_policies(&wrong, detail),
            Error::Folder(_) | Error::Models(_) | Error::TooLarge { .. } => Self::new(
                "urn:attune:problem:unusable-policies",
                "the policies cannot be used",
                StatusCode::UNPROCESSABLE_ENTITY,
                detail,
            ),
            Error::Moved { .. } | Error::Busy | Error::Outdated { .. } => Self::new(
                "urn:attune:problem:moved",
                "the live policies are others",
                StatusCode::CONFLICT,
                detail,
            ),
            Error::Unknown(revision) => Self::unknown_revision(&revision.to_string()),
            Error::Stream(_) | Error::Ledger(_) => Self::not_ready(detail),
        }
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::too_large(crate::api::BODY_BYTES_MAX);
        }
        Self::bad_request("the body ended too early")
    }
}

impl From<PathRejection> for Problem {
    fn from(_: PathRejection) -> Self {
        Self::bad_request("the path is not UTF-8")
    }
}

impl From<QueryRejection> for Problem {
    fn from(_: QueryRejection) -> Self {
        Self::bad_request("the query cannot be read")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = (status, self.to_json()).into_response();
        let headers = response.headers_mut();
        let mut set = |name, value| {
            headers.insert(name, HeaderValue::from_static(value));
        };
        set(CONTENT_TYPE, "application/problem+json");
        if status == StatusCode::SERVICE_UNAVAILABLE {
            set(RETRY_AFTER, "1");
        }
        if status == StatusCode::UNAUTHORIZED {
            set(WWW_AUTHENTICATE, "Bearer realm=\"attune\"");
        }
        response
    }
}

/// Answers a path that no route has.
pub async fn no_route(uri: Uri) -> Problem {
    Problem::new(
        "urn:attune:problem:no-route",
        "there is nothing here",
        StatusCode::NOT_FOUND,
        format!(
            "`{}` is not a path of this API; `/openapi.json` has all",
            uri.path()
        ),
    )
}

/// Answers a method that a route does not have.
pub async fn no_method(method: Method, uri: Uri) -> Problem {
    Problem::new(
        "urn:attune:problem:no-method",
        "the method is not right",
        StatusCode::METHOD_NOT_ALLOWED,
        format!(
            "`{}` does not take {method}; the header `Allow` says what it takes",
            uri.path()
        ),
    )
}
