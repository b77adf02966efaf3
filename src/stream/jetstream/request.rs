//! Requests to the `JetStream` API, with one kind of failure.

use async_nats::jetstream::context::RequestErrorKind;
use async_nats::jetstream::response::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::Error;
use super::Shared;

/// `stream not found`, `consumer not found`, `no message found`.
const NOT_FOUND: [u64; 3] = [10_059, 10_014, 10_037];
/// `JetStream system temporarily unavailable`.
const UNAVAILABLE: u64 = 10_008;

/// Why a request was not answered with what was asked for.
#[derive(Debug)]
pub(super) enum Failure {
    /// It does not exist.
    NotFound(String),
    /// The server says no.
    Refused(String),
    /// No answer in time.
    Unreachable(String),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotFound(why) | Failure::Refused(why) => Self::Refused(why),
            Failure::Unreachable(why) => Self::Unreachable(why),
        }
    }
}

/// Asks the `JetStream` API.
pub(super) async fn request<T: DeserializeOwned>(
    shared: &Shared,
    subject: String,
    body: &impl Serialize,
) -> Result<T, Failure> {
    let answer = shared.context.request(subject.clone(), body).await;
    match answer {
        Ok(Response::Ok(answer)) => Ok(answer),
        Ok(Response::Err { error }) => {
            let code = error.error_code().0;
            let why = format!("{subject}: {error}");
            if NOT_FOUND.contains(&code) {
                return Err(Failure::NotFound(why));
            }
            if code == UNAVAILABLE {
                return Err(Failure::Unreachable(why));
            }
            Err(Failure::Refused(why))
        }
        Err(error) => Err(match error.kind() {
            RequestErrorKind::NoResponders => {
                Failure::Unreachable("JetStream does not answer; is it enabled?".into())
            }
            RequestErrorKind::TimedOut => Failure::Unreachable(why_silent(shared)),
            RequestErrorKind::InvalidSubject | RequestErrorKind::Other => {
                Failure::Refused(format!("{subject}: {error}"))
            }
        }),
    }
}

fn why_silent(shared: &Shared) -> String {
    let state = shared.link.health(&shared.client);
    state.map_or_else(|why| why, |()| "no answer in time".into())
}
