//! What an answer about a customer rests on.

use serde::Serialize;
use utoipa::ToSchema;

use crate::actors::past::Told;
use crate::api::customer::At;
use crate::domain::Timestamp;

/// What an answer rests on.
#[derive(Serialize, ToSchema)]
pub struct Basis {
    /// `now`: the customer as they are at this moment; `replay`: their events, played again up to `at` without decide calls, with
    /// the models of today; `ahead`: the customer as they are at this moment, with the clock put forward to `at`; `file`: what
    /// a file says.
    what: &'static str,
    /// How many events were played.
    n_events: Option<u64>,
    /// When the first of them was handled.
    since: Option<At>,
    /// Whether the event stream still holds everything that came before; decide calls are never played.
    complete: Option<bool>,
    /// Whether the customer's timeline says the same of the last decision up to then; `null` if it does not go back so far.
    agrees: Option<bool>,
    /// The revisions of the policies that events were played by, in order; the last one decides at `at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    policies: Option<Vec<Reign>>,
    /// Whether each of them was live at its time; else some stand for others that are not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    policies_complete: Option<bool>,
}

/// A revision of the policies.
#[derive(Serialize, ToSchema)]
struct Reign {
    /// Its number.
    revision: u64,
    /// When it became live; `null` if it is taken for all times before the next one.
    since: Option<At>,
}

impl Basis {
    /// The customer as they are.
    pub fn now() -> Self {
        Self::of("now")
    }

    /// The customer as they are, at a time to come.
    pub fn ahead() -> Self {
        Self::of("ahead")
    }

    /// A customer of whom a file tells.
    pub fn file(n_events: u64) -> Self {
        Self {
            n_events: Some(n_events),
            ..Self::of("file")
        }
    }

    /// The customer's events, played again.
    ///
    /// - `agrees`: as of the field.
    pub fn replayed<T>(told: &Told<T>, agrees: Option<bool>) -> Self {
        Self {
            n_events: Some(told.n_events),
            since: told.since.map(At),
            complete: Some(told.complete),
            agrees,
            policies: Some(told.revisions.iter().map(Reign::of).collect()),
            policies_complete: Some(told.exact_revisions),
            ..Self::of("replay")
        }
    }

    const fn of(what: &'static str) -> Self {
        Self {
            what,
            n_events: None,
            since: None,
            complete: None,
            agrees: None,
            policies: None,
            policies_complete: None,
        }
    }
}

impl Reign {
    fn of((revision, since): &(u64, Timestamp)) -> Self {
        Self {
            revision: *revision,
            since: Some(*since).filter(|at| *at > Timestamp::MIN).map(At),
        }
    }
}
