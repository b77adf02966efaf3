//! Journeys: an entry, a goal, exits, and steps laid flat.

use std::sync::Arc;

use crate::domain::crossing::Way;
use crate::domain::zone::{WallTime, Weekdays};
use crate::domain::{Duration, Zone};
use crate::policy::bundle::Place;
use crate::policy::cron::Cron;
use crate::policy::expr::Expr;
use crate::policy::limits::OwnQuiet;
use crate::policy::migration::Migration;
use crate::policy::mode::Mode;

/// One journey.
#[derive(Clone, Debug)]
pub struct Journey {
    /// Unique among journeys; letters, digits, `-` and `_` (it is a token of NATS subjects).
    pub name: Arc<str>,
    /// What it is for.
    pub about: Arc<str>,
    /// Whether it acts.
    pub mode: Mode,
    /// How the guards of a send treat it.
    pub class: Class,
    /// What its sends weigh against those of other journeys at the same moment; without it 0. Unknown weighs less than any number.
    pub priority: Option<Expr>,
    /// When its sends are held back, if it says so itself.
    pub quiet: Option<OwnQuiet>,
    /// Who comes in.
    pub enter: Enter,
    /// When it was worth it: leaves at once, from any step, as converted.
    pub goal: Option<Goal>,
    /// Leaves at once, from any step.
    pub exits: Vec<Exit>,
    /// Share of customers that are kept out for comparison, in `[0, 1)`.
    pub holdout: f64,
    /// The steps, laid flat; an instance starts at 0.
    pub flow: Vec<Step>,
    /// Which runs of earlier revisions go on in this one; the first that concerns a run counts.
    pub migrate: Vec<Migration>,
    /// Hash of the journey's content: an instance keeps the revision it entered with.
    pub revision: u64,
    /// Whether any expression looks at `entry`, so that an instance must keep its entry event.
    pub uses_entry: bool,
    /// Where it stands.
    pub place: Place,
}

impl Journey {
    /// Tells if later entries depend on when a run ended.
    pub fn remembers(&self) -> bool {
        self.enter.reentry != Reentry::Always
    }
}

/// How the guards of a send treat a journey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Class {
    /// All guards.
    #[default]
    Marketing,
    /// Not capped; needs no yes, but respects a no to its purpose.
    Transactional,
    /// As transactional, and not arbitrated.
    Mandatory,
}

impl Class {
    /// Returns the word of the policy; it is also the purpose of a send that names none.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::Transactional => "transactional",
            Self::Mandatory => "mandatory",
        }
    }
}

/// The entry of a journey.
#[derive(Clone, Debug)]
pub struct Enter {
    /// What may enter.
    pub on: On,
    /// All must be true; unknown counts as false.
    pub filter: Vec<Expr>,
    /// None may be true; unknown blocks.
    pub unless: Vec<Expr>,
    /// One instance per (customer, journey, key); without it one per customer.
    pub key: Option<Expr>,
    /// After an instance has ended.
    pub reentry: Reentry,
    /// At most so many instances of one customer at a time, over all keys.
    pub concurrent: Option<u32>,
    /// While an instance of the same key runs.
    pub on_repeat: OnRepeat,
    /// Older events change state but do not enter.
    pub max_age: Option<Duration>,
}

/// What may enter a journey.
#[derive(Clone, Debug)]
pub enum On {
    /// An event of this name.
    Event(Arc<str>),
    /// The customer crosses the edge of this segment.
    Crossing(Arc<str>, Way),
    /// A time comes.
    Schedule(Schedule),
    /// Something does not happen.
    Absence(Absence),
}

/// Times at which a customer may enter.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The times.
    pub cron: Cron,
    /// Whose clocks they are read from; `None`: the customer's.
    pub zone: Option<Zone>,
    /// Only while in this segment.
    pub members: Option<Arc<str>>,
}

/// Something that does not happen for so long after something else.
#[derive(Clone, Debug)]
pub struct Absence {
    /// What does not happen.
    pub event: Trigger,
    /// For how long.
    pub length: Duration,
    /// What it counts from; the event that enters. What happens again in the meantime does not move the end.
    pub after: Trigger,
}

impl On {
    /// Returns the name of the event that enters, if it can only be one.
    pub fn event(&self) -> Option<&Arc<str>> {
        match self {
            Self::Event(event) => Some(event),
            Self::Absence(absence) => Some(&absence.after.event),
            Self::Crossing(..) | Self::Schedule(_) => None,
        }
    }
}

impl Enter {
    /// Returns the names of the events that the entry listens to.
    pub fn events(&self) -> Vec<&Arc<str>> {
        match &self.on {
            On::Event(event) => vec![event],
            On::Crossing(..) | On::Schedule(_) => Vec::new(),
            On::Absence(absence) => vec![&absence.event.event, &absence.after.event],
        }
    }
}

/// Whether an ended instance may be followed by another one of the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reentry {
    /// Once in a life.
    Never,
    /// At once.
    Always,
    /// Once the last one ended so long ago.
    AfterExit(Duration),
}

/// What a new entry event does to a running instance of the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRepeat {
    /// Nothing.
    Ignore,
    /// Ends it and starts again at the first step.
    Restart,
    /// Replaces its entry event; it stays where it is.
    Refresh,
}

/// The goal of a journey.
#[derive(Clone, Debug)]
pub struct Goal {
    /// The event that reaches it.
    pub event: Arc<str>,
    /// All must be true.
    pub filter: Vec<Expr>,
    /// Counted from the entry; later events do not convert. Without it: as long as the instance lives.
    pub within: Option<Duration>,
}

/// A way out.
#[derive(Clone, Debug)]
pub struct Exit {
    /// Only on this event; without it on every event and at every wake-up.
    pub event: Option<Arc<str>>,
    /// All must be true.
    pub when: Vec<Expr>,
    /// What the trace says.
    pub reason: Arc<str>,
}

/// A step and where it leads.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its place in the tree: `0`, `2.branch.0.1`, stable while the policy text is.
    pub label: Arc<str>,
    /// What it does.
    pub act: Act,
    /// Index of the next step; `None`: the journey is completed.
    pub next: Option<usize>,
    /// Where it stands.
    pub place: Place,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Act {
    /// Sleeps.
    Wait(Until),
    /// Sleeps until so long nothing of `of` has happened, at most `max`.
    HoldUntil {
        /// The silence that ends it.
        quiet: Duration,
        /// What breaks the silence.
        of: Vec<Trigger>,
        /// Bounds the total hold.
        max: Option<Duration>,
    },
    /// Runs a model and binds its score.
    Score {
        /// Its name.
        model: Arc<str>,
        /// The local name.
        bind: Arc<str>,
    },
    /// Goes on at the first arm that is true, else at `otherwise`.
    Branch {
        /// Condition and first step of each arm (`None`: the step after the branch).
        arms: Vec<(Expr, Option<usize>)>,
        /// First step if no arm is true (`None`: the step after the branch, that is `next`).
        otherwise: Option<usize>,
    },
    /// Ranks a placement's offers and binds the best, or nothing.
    Offer {
        /// The placement's name.
        placement: Arc<str>,
        /// The local name.
        bind: Arc<str>,
    },
    /// An action leaves, if every guard passes.
    Send(Box<Send>),
    /// Sleeps until one of several events happens.
    WaitFor {
        /// The highest-ranked first.
        arms: Vec<Awaited>,
        /// How long it sleeps at most.
        within: Duration,
        /// Whether everybody sleeps to the end and the highest-ranked arm that was met wins; else the first event decides.
        rank: bool,
        /// First step if no arm was met (`None`: the step after).
        otherwise: Option<usize>,
    },
    /// Deals customers out to arms, always the same customer to the same arm, and binds the arm's name.
    Split {
        /// Another one deals anew.
        salt: Arc<str>,
        /// In the order they are written; never empty.
        arms: Vec<Share>,
        /// The local name.
        bind: Arc<str>,
    },
    /// Writes traits of the profile: path below `profile.traits`, value.
    Set(Vec<(Arc<str>, Expr)>),
    /// Leaves.
    Stop {
        /// What the trace says; `stopped` by default.
        reason: Arc<str>,
    },
}

impl Act {
    /// Returns the events that it listens to while it sleeps.
    pub fn triggers(&self) -> impl Iterator<Item = &Trigger> {
        let held = if let Self::HoldUntil { of, .. } = self {
            of.as_slice()
        } else {
            &[]
        };
        let awaited = if let Self::WaitFor { arms, .. } = self {
            arms.as_slice()
        } else {
            &[]
        };
        held.iter().chain(awaited.iter().map(|arm| &arm.trigger))
    }
}

/// Until when a `wait` sleeps. Without a zone it is the customer's.
#[derive(Clone, Debug)]
pub enum Until {
    /// So long.
    Passed(Duration),
    /// The clocks show a time.
    Clock {
        /// Which.
        time: WallTime,
        /// On which days of the week.
        days: Weekdays,
        /// Whose clocks.
        zone: Option<Zone>,
    },
    /// A date has come, or is so far away.
    Date {
        /// A number of milliseconds since the epoch, RFC 3339, or a date and time as the zone's clocks show it.
        of: Expr,
        /// Whole days count by the calendar of the zone.
        offset: Duration,
        /// Whether the offset goes back in time.
        before: bool,
        /// What to do if the date is past or unknown.
        past: Past,
        /// Whose calendar.
        zone: Option<Zone>,
    },
}

/// What a `wait` does with a date that is past or unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Past {
    /// Goes on at once.
    Now,
    /// Goes on at once behind the step that follows, with all its arms: what was to happen on that date is left out, the rest
    /// of the journey is not.
    Skip,
    /// Leaves with the reason `past_date`.
    Exit,
}

/// An arm of a `wait_for`.
#[derive(Clone, Debug)]
pub struct Awaited {
    /// What meets it.
    pub trigger: Trigger,
    /// Its first step (`None`: the step after).
    pub first: Option<usize>,
}

/// An arm of a `split`.
#[derive(Clone, Debug)]
pub struct Share {
    /// Its name.
    pub name: Arc<str>,
    /// Where its part of `[0, 1)` ends, and the next arm's begins.
    pub end: f64,
    /// Its first step (`None`: the step after).
    pub first: Option<usize>,
}

/// What leaves, and what may hold it back.
#[derive(Clone, Debug)]
pub struct Send {
    /// The channel: a token of NATS subjects.
    pub channel: Arc<str>,
    /// The template's name.
    pub template: Arc<str>,
    /// What goes with it.
    pub with: Vec<(Arc<str>, Expr)>,
    /// How guards treat it; `None`: as the journey.
    pub class: Option<Class>,
    /// What consent it needs; `None`: that of its class.
    pub purpose: Option<Arc<str>>,
    /// When it is held back, if it says so itself.
    pub quiet: Option<OwnQuiet>,
    /// What follows when a guard blocks it.
    pub on_block: OnBlock,
}

/// What follows when a guard blocks a send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnBlock {
    /// The next step.
    #[default]
    Next,
    /// The run leaves.
    Exit,
    /// It sleeps until the guard lets go, and every guard is asked again; the next step, if nobody knows when that is.
    Retry,
}

/// An event and a filter.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// The event.
    pub event: Arc<str>,
    /// All must be true.
    pub filter: Vec<Expr>,
}
