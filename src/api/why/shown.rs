//! An account as JSON.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::basis::Basis;
use crate::api::customer::At;
use crate::api::timeline::Line;
use crate::decide::why::{Account, Condition, Mark, Outgoing, Standing, Verdict};
use crate::domain::{Event, Profile, Timestamp, Trace, What, instance};
use crate::policy::Bundle;
use crate::policy::journey::Journey;

/// What an account is about.
pub struct Scene<'a> {
    /// The policies.
    pub bundle: &'a Bundle,
    /// The number of their revision.
    pub revision: u64,
    /// The customer.
    pub profile: &'a Profile,
    /// The journey.
    pub journey: &'a Journey,
    /// What the entry is judged by, and when.
    pub event: Option<(&'a Event, Timestamp)>,
    /// The time that it is of.
    pub at: Timestamp,
}

/// Tells if the customer's timeline says the same of the last decision up to a time; `None` if it does not go back so far.
pub fn agrees(scene: &Scene<'_>, live: &Profile) -> Option<bool> {
    let up_to = |trace: &&Trace| trace.at <= scene.at;
    let oldest = live.timeline.front().map(|trace| trace.at);
    let known = oldest.is_some_and(|oldest| oldest <= scene.at);
    let live = live.timeline.iter().rev().filter(up_to);
    let live = live.clone().find(|trace| tells(trace, scene.journey));
    let again = last(scene.profile, scene.journey);
    let same = |live: &Trace| again.is_some_and(|again| again.what == live.what);
    live.filter(|_| known).map(same)
}

/// How a customer and a journey stand.
#[derive(Serialize, ToSchema)]
pub struct Why<'a> {
    customer: &'a str,
    journey: &'a str,
    /// Where the journey stands.
    place: String,
    /// The policies: those that are live, or were then.
    bundle: &'a str,
    /// The number of their revision; 0 where no history is kept.
    revision: u64,
    /// The time that the account is of.
    at: At,
    /// The last input of the customer that it looks at.
    last_input_at: At,
    /// What it rests on.
    basis: Basis,
    /// All of it in one sentence.
    text: String,
    /// The newest line of the timeline that begins, refuses or ends a run, or holds a send back or lets it go; `null` if
    /// there is none among the last 32.
    last: Option<Line<'a>>,
    /// The event that the entry is judged by; `null` if none is at hand. A real one is judged at the time it was handled, by
    /// the customer that the account is of.
    event: Option<Trigger<'a>>,
    /// What would become of an entry: `enters`, `repeats`, `refused`, or `open` if that depends on an event.
    verdict: &'static str,
    /// The code of a refusal.
    reason: Option<&'a str>,
    /// What would have to be different for the customer to enter.
    remedy: Option<String>,
    /// What the entry asks, in order.
    entry: Vec<Shown<'a>>,
    /// The runs in progress.
    runs: Vec<InProgress<'a>>,
    /// What each kind of send of the journey asks, in order, as if it were to leave at this moment.
    sends: Vec<Sending<'a>>,
}

/// An event.
#[derive(Serialize, ToSchema)]
struct Trigger<'a> {
    name: &'a str,
    id: &'a str,
    /// When it happened.
    at: At,
    /// When it is handled.
    handled_at: At,
}

/// One condition.
#[derive(Serialize, ToSchema)]
struct Shown<'a> {
    /// Where it stands in the policy.
    part: &'a str,
    /// What it asks.
    text: &'a str,
    /// The values of what it compares, or why it does not hold.
    values: &'a str,
    /// `met`, `missed`, or `open`: it holds nobody back, or depends on what is not at hand.
    mark: &'static str,
    /// The code of a refusal, if this is what decides.
    reason: Option<&'static str>,
    /// File and line.
    place: Option<String>,
    /// What would have to be different.
    remedy: Option<&'a str>,
}

/// A run in progress.
#[derive(Serialize, ToSchema)]
struct InProgress<'a> {
    instance: u32,
    /// It only says what it would do (`mode: shadow`); such runs are counted apart.
    shadow: bool,
    key: &'a str,
    entered_at: At,
    /// The step where it stands.
    step: &'a str,
    /// What the step does.
    does: &'a str,
    place: Option<String>,
    waits_since: Option<At>,
    waits_until: Option<At>,
    /// The events that may end the wait before.
    listens: &'a [String],
    /// What would end it at once: the goal, then the exits; `met` ends it with the next event or at the wake-up.
    ends: Vec<Shown<'a>>,
}

/// A kind of send.
#[derive(Serialize, ToSchema)]
struct Sending<'a> {
    step: &'a str,
    channel: &'a str,
    template: &'a str,
    /// File and line.
    place: String,
    guards: Vec<Shown<'a>>,
    /// What would have to be different for it to leave.
    remedy: Option<String>,
}

impl<'a> Why<'a> {
    /// Shows an account.
    pub fn of(scene: &Scene<'a>, account: &'a Account, basis: Basis) -> Self {
        let (verdict, reason) = match &account.verdict {
            Verdict::Enters => ("enters", None),
            Verdict::Repeats(_) => ("repeats", None),
            Verdict::Refused(code, _) => ("refused", Some(*code)),
            Verdict::Open => ("open", None),
        };
        let last = last(scene.profile, scene.journey);
        Self {
            customer: scene.profile.id.as_str(),
            journey: &scene.journey.name,
            place: scene.journey.place.to_string(),
            bundle: &scene.bundle.id,
            revision: scene.revision,
            at: At(scene.at),
            last_input_at: At(scene.profile.now),
            basis,
            text: headline(scene, account, last),
            last: last.map(Line::of),
            event: scene.event.map(|(event, now)| Trigger {
                name: &event.name,
                id: event.id.as_str(),
                at: At(event.at),
                handled_at: At(now),
            }),
            verdict,
            reason,
            remedy: account.remedy(),
            entry: account.entry.iter().map(Shown::of).collect(),
            runs: account.runs.iter().map(InProgress::of).collect(),
            sends: account.sends.iter().map(Sending::of).collect(),
        }
    }
}

/// Returns the newest line that says how a customer and a journey stand.
pub fn last<'p>(profile: &'p Profile, journey: &Journey) -> Option<&'p Trace> {
    let mut lines = profile.timeline.iter().rev();
    lines.find(|trace| tells(trace, journey))
}

/// Tells if a line says how a customer and a journey stand.
fn tells(trace: &Trace, journey: &Journey) -> bool {
    let stands = match &trace.what {
        What::Entered
        | What::Refused(..)
        | What::Left(_)
        | What::Sent(..)
        | What::WouldSend(..)
        | What::Blocked(..) => true,
        What::Waits(_)
        | What::Woke
        | What::Scored(..)
        | What::Took(..)
        | What::Ranked(..)
        | What::Set(_)
        | What::WouldSet(_)
        | What::Aimed(..)
        | What::Missed(..)
        | What::Met(..)
        | What::Dealt(..)
        | What::Migrated(_)
        | What::Told(..)
        | What::Untold(..)
        | What::Unkept(..)
        | What::Crossed(..) => false,
    };
    stands && trace.subject == journey.name
}

fn headline(scene: &Scene<'_>, account: &Account, last: Option<&Trace>) -> String {
    let (customer, journey) = (scene.profile.id.as_str(), &scene.journey.name);
    if let Some(run) = account.runs.last() {
        let since = run.entered_at;
        return format!("{customer} is in {journey} since {since}");
    }
    let Some(last) = last else {
        return format!("of {customer} and {journey} nothing was decided lately");
    };
    let at = last.at;
    match &last.what {
        What::Refused(code, _) => format!("{customer} did not enter {journey} at {at} ({code})"),
        What::Left(reason) => format!("{customer} left {journey} at {at} ({reason})"),
        What::Entered
        | What::Sent(..)
        | What::WouldSend(..)
        | What::Blocked(..)
        | What::Waits(_)
        | What::Woke
        | What::Scored(..)
        | What::Took(..)
        | What::Ranked(..)
        | What::Set(_)
        | What::WouldSet(_)
        | What::Aimed(..)
        | What::Missed(..)
        | What::Met(..)
        | What::Dealt(..)
        | What::Migrated(_)
        | What::Told(..)
        | What::Untold(..)
        | What::Unkept(..)
        | What::Crossed(..) => {
            format!("{customer} was in {journey} at {at}")
        }
    }
}

impl<'a> Shown<'a> {
    fn of(condition: &'a Condition) -> Self {
        Self {
            part: &condition.part,
            text: &condition.text,
            values: &condition.values,
            mark: match condition.mark {
                Mark::Met => "met",
                Mark::Missed => "missed",
                Mark::Open => "open",
            },
            reason: condition.code,
            place: condition.place.as_ref().map(ToString::to_string),
            remedy: condition.remedy.as_deref(),
        }
    }
}

impl<'a> InProgress<'a> {
    fn of(run: &'a Standing) -> Self {
        Self {
            instance: instance::shown(run.number),
            shadow: instance::is_shadow(run.number),
            key: &run.key,
            entered_at: At(run.entered_at),
            step: &run.step,
            does: &run.does,
            place: run.place.as_ref().map(ToString::to_string),
            waits_since: run.since.map(At),
            waits_until: run.until.map(At),
            listens: &run.listens,
            ends: run.ends.iter().map(Shown::of).collect(),
        }
    }
}

impl<'a> Sending<'a> {
    fn of(send: &'a Outgoing) -> Self {
        Self {
            step: &send.step,
            channel: &send.channel,
            template: &send.template,
            place: send.place.to_string(),
            guards: send.guards.iter().map(Shown::of).collect(),
            remedy: send.remedy(),
        }
    }
}
