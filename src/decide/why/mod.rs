//! The account of a decision: every condition with its values, what became of it, and what would have to be different.
//!
//! It comes from the very checks that decide: `decide::admission` for entries, `decide::guards` for
//! sends.

mod choice;
mod entry;
mod remedy;
mod replay;
mod run;
mod send;

use crate::decide::step::Spur;
use crate::domain::instance::Instance;
use crate::domain::{Event, Profile, Timestamp};
use crate::policy::journey::Journey;
use crate::policy::{Bundle, Place};

pub use choice::{Choosing, Lost, choosing};
pub use entry::Verdict;
pub use replay::{Course, Replay, Replayed};
pub use run::Standing;
pub use send::Outgoing;

/// How a condition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It lets the customer through.
    Met,
    /// It does not.
    Missed,
    /// It holds nobody back, or cannot be told without what is not at hand.
    Open,
}

/// One condition of a decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Where it stands in the policy: `where[0]`, `unless`, `quiet_hours`.
    pub part: String,
    /// What it asks, as the author wrote it or in words.
    pub text: String,
    /// The values of what it compares, or why it does not hold.
    pub values: String,
    /// How it stands.
    pub mark: Mark,
    /// The reason code that a timeline gives if this is what decides.
    pub code: Option<&'static str>,
    /// Where in the policy files.
    pub place: Option<Place>,
    /// What would have to be different: `profile.consent.email were 'granted'`.
    pub remedy: Option<String>,
}

/// How a customer and a journey stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// What an entry would become of.
    pub verdict: Verdict,
    /// What the entry asks, in order.
    pub entry: Vec<Condition>,
    /// The runs in progress.
    pub runs: Vec<Standing>,
    /// What each kind of send asks, in order.
    pub sends: Vec<Outgoing>,
}

impl Account {
    /// Says what would have to be different for the customer to enter; `None` if nothing would, or nothing helps.
    pub fn remedy(&self) -> Option<String> {
        remedies(&self.entry)
    }
}

/// Joins what would have to be different; `None` if nothing is missed, or something that nothing helps.
fn remedies(conditions: &[Condition]) -> Option<String> {
    let missed = |of: &&Condition| of.mark == Mark::Missed;
    let missed = conditions.iter().filter(missed);
    let remedies: Option<Vec<&str>> = missed.map(|of| of.remedy.as_deref()).collect();
    remedies
        .filter(|all| !all.is_empty())
        .map(|all| all.join(" and "))
}

/// Gives an account of a customer and a journey.
///
/// - `profile`: the customer after the event was learnt.
/// - `event`: what enters; without one what depends on it stays open.
/// - `now`: when the decision is, or would be.
pub fn why(
    bundle: &Bundle,
    profile: &Profile,
    journey: &Journey,
    event: Option<&Event>,
    now: Timestamp,
) -> Account {
    let (verdict, entry) = entry::account(bundle, profile, journey, event, now);
    let own = profile.journeys.iter();
    let own = own.filter(|run| run.journey == journey.name);
    // Who is in a run goes on as the revision says that the run entered with.
    let walked = |run: &Instance| bundle.journey_of(run).unwrap_or(journey);
    let spur = Spur { event, due: None };
    Account {
        verdict,
        entry,
        sends: send::accounts(
            bundle,
            profile,
            own.clone().next().map_or(journey, walked),
            now,
        ),
        runs: own
            .map(|run| run::account(bundle, profile, walked(run), run, spur, now))
            .collect(),
    }
}
