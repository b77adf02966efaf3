//! Tests of policies: who is given, what happens to them, and what is expected.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::{CustomerId, Duration, Event, Map, Timestamp, Value};
use crate::policy::bundle::Place;
use crate::policy::diagnostic::Source;
use crate::policy::journey::{Act, Journey, Step};

/// One `test:` document. It decides nothing, so it is no part of the bundle.
#[derive(Clone, Debug)]
pub struct Test {
    /// Unique among tests.
    pub name: Arc<str>,
    /// The journey whose sends, runs and reasons are expected where an expectation names none.
    pub journey: Option<Arc<str>>,
    /// What the timeline counts from.
    pub start: Timestamp,
    /// Who it happens to.
    pub customer: Customer,
    /// Whether the customer is in the holdout of the journey; of every journey, if the test names none.
    pub held_out: bool,
    /// The arms of splits that do not depend on the draw: label of the step, name of the arm.
    pub dealt: Vec<(Arc<str>, Arc<str>)>,
    /// What models say; one that is not here says nothing.
    pub models: BTreeMap<Arc<str>, Script>,
    /// What happens, in the order of time.
    pub timeline: Vec<Entry>,
    /// The file.
    pub source: Source,
    /// Where it stands.
    pub place: Place,
}

/// Who a test is about, as known before its start.
#[derive(Clone, Debug)]
pub struct Customer {
    /// Splits are drawn by it.
    pub id: CustomerId,
    /// `profile.traits`
    pub traits: Map,
    /// What was said, in the form of the trait `consent`; `Null`: nothing.
    pub consent: Value,
    /// On which channels there is an address besides those of `traits`; `None`: on all of them.
    pub reachable: Option<Vec<Arc<str>>>,
}

/// What a model says in a test.
#[derive(Clone, Debug, PartialEq)]
pub enum Script {
    /// The same to every question.
    Score(f64),
    /// That it is not available.
    Unknown,
    /// What it says by offer; of other offers nothing.
    Offers(BTreeMap<Arc<str>, f64>),
    /// What the model itself says.
    Real,
}

/// One line of a timeline.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Since the start.
    pub at: Duration,
    /// What happens; `None`: time passes.
    pub what: Option<Happening>,
    /// What holds then, with everything that was due up to and including this time.
    pub expect: Vec<Check>,
    /// Where it stands.
    pub place: Place,
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// The customer does something.
    Event(Box<Event>),
    /// Somebody asks for offers.
    Ask {
        /// What tells it apart from other calls of the test.
        id: Arc<str>,
        /// What later lines call its decision.
        name: Option<Arc<str>>,
        /// The placement to fill.
        placement: Arc<str>,
        /// What the caller knows.
        context: Value,
        /// At most so many.
        limit: Option<u32>,
    },
}

/// One thing that is expected.
#[derive(Clone, Debug)]
pub struct Check {
    /// Which journey it is about; `None`: all.
    pub journey: Option<Arc<str>>,
    /// What is expected.
    pub wanted: Wanted,
    /// Where the value stands.
    pub place: Place,
}

/// What is expected, or what there is: in the same words, so that one can be put in the place of the other.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// `sent`: what left since the last expectation of it, in order.
    Sent(Vec<Sent>),
    /// `would_send`: what shadows would have sent since the last expectation of it, in order.
    WouldSend(Vec<Sent>),
    /// `state`: of the latest run.
    State(State),
    /// `at_step`: where the latest run stands: the label or the word of the step; `none` if none runs.
    AtStep(Arc<str>),
    /// `reason`: why the latest run ended; `none` if it has not.
    Reason(Arc<str>),
    /// `runs`: how many began since the start.
    Runs(usize),
    /// `blocked`: the codes of the sends that were held back since the last expectation of it.
    Blocked(BTreeSet<Arc<str>>),
    /// `refused`: the codes of the entries that were refused since the last expectation of it.
    Refused(BTreeSet<Arc<str>>),
    /// `offer`: the best of the last answer.
    Offer(Option<Arc<str>>),
    /// `offers`: all of the last answer, the best first.
    Offers(Vec<Arc<str>>),
    /// `lost`: the reason codes of offers that were not in the last answer.
    Lost(BTreeMap<Arc<str>, Arc<str>>),
    /// `segments`: in which the customer is, and in which not.
    Segments(BTreeSet<Arc<str>>, BTreeSet<Arc<str>>),
    /// `traits`: the value at a path; `Null`: none.
    Trait(Arc<str>, Value),
    /// `next`: when the next timer is due, since the start.
    Next(Option<Duration>),
}

/// A send.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// The template's name.
    pub template: Arc<str>,
    /// The channel, if it matters.
    pub channel: Option<Arc<str>>,
    /// Values that go with it, by path, if they matter.
    pub with: Option<Vec<(Arc<str>, Value)>>,
}

/// Where a customer is with a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It never began.
    None,
    /// In progress.
    Running,
    /// Ended by its goal.
    Converted,
    /// Ended behind its last step.
    Completed,
    /// Ended otherwise: by an exit, a `stop`, or a send that was blocked.
    Exited,
}

impl State {
    /// All of them by name.
    pub const ALL: [(&'static str, Self); 5] = [
        ("none", Self::None),
        ("running", Self::Running),
        ("converted", Self::Converted),
        ("completed", Self::Completed),
        ("exited", Self::Exited),
    ];

    /// Returns the state of a run that ended by this reason.
    pub fn ended(reason: &str) -> Self {
        match reason {
            "converted" => Self::Converted,
            "completed" => Self::Completed,
            _ => Self::Exited,
        }
    }

    /// Returns the word of the policy.
    pub fn as_str(self) -> &'static str {
        let same = |(_, state): &&(&str, Self)| *state == self;
        Self::ALL.iter().find(same).map_or("", |(word, _)| word)
    }
}

impl Wanted {
    /// Returns the key that it is written behind.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Sent(_) => "sent",
            Self::WouldSend(_) => "would_send",
            Self::State(_) => "state",
            Self::AtStep(_) => "at_step",
            Self::Reason(_) => "reason",
            Self::Runs(_) => "runs",
            Self::Blocked(_) => "blocked",
            Self::Refused(_) => "refused",
            Self::Offer(_) => "offer",
            Self::Offers(_) => "offers",
            Self::Lost(_) => "lost",
            Self::Segments(..) => "segments",
            Self::Trait(..) => "traits",
            Self::Next(_) => "next",
        }
    }
}

/// Returns the word that a step is written with.
pub fn word(act: &Act) -> &'static str {
    match act {
        Act::Wait(_) => "wait",
        Act::WaitFor { .. } => "wait_for",
        Act::HoldUntil { .. } => "hold_until",
        Act::Score { .. } => "score",
        Act::Branch { .. } => "branch",
        Act::Split { .. } => "split",
        Act::Offer { .. } => "offer",
        Act::Send(_) => "send",
        Act::Set(_) => "set",
        Act::Stop { .. } => "stop",
    }
}

/// Tells if a step is the one that a test names by its label or its word.
pub fn is_named(step: &Step, name: &str) -> bool {
    step.label.as_ref() == name || word(&step.act) == name
}

/// Returns the channels that journeys send on, sorted, each once.
pub fn channels(journeys: &[Journey]) -> BTreeSet<&Arc<str>> {
    sends(journeys).map(|send| &send.channel).collect()
}

/// Returns every send of journeys.
pub fn sends(journeys: &[Journey]) -> impl Iterator<Item = &crate::policy::journey::Send> + Clone {
    let steps = journeys.iter().flat_map(|journey| &journey.flow);
    steps.filter_map(|step| {
        if let Act::Send(send) = &step.act {
            Some(send.as_ref())
        } else {
            None
        }
    })
}
