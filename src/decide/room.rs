//! Room in a customer's state. What does not fit is unknown from then on, never an older value, and it is said.

use std::sync::Arc;

use crate::decide::journeys::Hearing;
use crate::domain::instance::Instance;
use crate::domain::value::entry_bytes;
use crate::domain::{Event, Fact, Profile, Timer, Timestamp, Trace, Value, What};
use crate::policy::journey::Journey;
use crate::policy::mode::Mode;

/// The longest value that a feature keeps one of, in bytes.
const VALUE_BYTES_MAX: usize = 16 * 1024;
/// The longest value that a feature keeps many of, in bytes.
const ONE_OF_MANY_BYTES_MAX: usize = 1024;
/// So many traits without room are named.
const NAMED_MAX: usize = 4;
/// So much of a name is told.
const NAME_CHARS_MAX: usize = 64;

/// The code of a line about what is not kept.
const CODE: &str = "STATE_FULL";

/// Traits that are told at once, as far as there is room.
#[derive(Default)]
pub struct Traits {
    /// What the profile learns, in order.
    pub facts: Vec<Fact>,
    /// The names of those that have room.
    pub kept: Vec<Arc<str>>,
    /// The names of those that have none.
    unkept: Vec<Arc<str>>,
}

impl Traits {
    /// Takes traits by their paths.
    pub fn of(profile: &Profile, told: impl IntoIterator<Item = (Arc<str>, Value)>) -> Self {
        let mut traits = Self::default();
        let mut n_bytes = profile.traits.n_bytes();
        for (path, value) in told {
            let before = at_path(profile, &path);
            let old = before.map_or(0, |old| entry_bytes(&path, old));
            let new = entry_bytes(&path, &value);
            if new <= old || n_bytes - old.min(n_bytes) + new <= Profile::TRAITS_BYTES_MAX {
                n_bytes = n_bytes - old.min(n_bytes) + new;
                traits.facts.push(Fact::Trait(path.clone(), value));
                traits.kept.push(path);
                continue;
            }
            if before.is_some() {
                n_bytes -= old.min(n_bytes);
                traits.facts.push(Fact::Trait(path.clone(), Value::Null));
            }
            traits.unkept.push(path);
        }
        traits
    }

    /// Says which have no room.
    pub fn said(&self) -> Option<What> {
        let (all, max) = (named("traits.", &self.unkept)?, Profile::TRAITS_BYTES_MAX);
        let text = format!("{all}: unknown, for all traits have at most {max} bytes");
        Some(What::Unkept(CODE.into(), text.into()))
    }

    /// Writes the line of the timeline, if there is one.
    pub fn line(&self, event: &Event, now: Timestamp) -> Option<Fact> {
        Some(line(self.said()?, event, now))
    }
}

/// Writes the line of the timeline about features that an event gave values too long to keep, if there are any.
///
/// - `features`: what they are called.
pub fn too_long(features: &[Arc<str>], event: &Event, now: Timestamp) -> Option<Fact> {
    let all = named("", features)?;
    let text = format!(
        "{all}: unknown, for a value that is kept has at most {VALUE_BYTES_MAX} bytes, one of many {ONE_OF_MANY_BYTES_MAX}"
    );
    Some(line(What::Unkept(CODE.into(), text.into()), event, now))
}

fn line(what: What, event: &Event, now: Timestamp) -> Fact {
    Fact::Traced(Trace {
        at: now,
        event: Some(event.id.clone()),
        subject: "profile".into(),
        instance: 0,
        step: "".into(),
        what,
        times: 1,
    })
}

/// Names the first few of what is not kept, if there is anything.
fn named(prefix: &str, unkept: &[Arc<str>]) -> Option<String> {
    let first = unkept.iter().take(NAMED_MAX);
    let first: Vec<String> = first.map(|of| format!("{prefix}{}", short(of))).collect();
    let all = first.join(", ");
    match unkept.len().checked_sub(NAMED_MAX) {
        Some(n_more) if n_more > 0 => Some(format!("{all} and {n_more} more")),
        Some(_) | None => (!all.is_empty()).then_some(all),
    }
}

/// Returns the beginning of a name.
fn short(name: &str) -> String {
    name.chars().take(NAME_CHARS_MAX).collect()
}

/// Returns a trait by its path.
fn at_path<'a>(profile: &'a Profile, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('.');
    let first = profile.traits.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.as_map()?.get(part))
}

/// Returns what a feature keeps of a value.
///
/// - `many`: whether it keeps many.
pub fn small(value: Value, many: bool) -> Value {
    let max = if many {
        ONE_OF_MANY_BYTES_MAX
    } else {
        VALUE_BYTES_MAX
    };
    if value.n_bytes() > max {
        return Value::Null;
    }
    value
}

impl Hearing<'_> {
    /// Says why the event that is heard cannot be kept with another run or absence of a journey, if it cannot; shadows have a
    /// room of their own.
    ///
    /// - `instead_of`: the run whose place the other one takes.
    pub fn no_room(
        &self,
        journey: &Journey,
        event: &Event,
        instead_of: Option<&Instance>,
    ) -> Option<Arc<str>> {
        let n_kept = self.n_kept(journey.mode, instead_of);
        // What this began is not in the profile yet, and keeps the same event.
        let n_all = n_kept + event.n_bytes() * (self.n_keeping(journey.mode) + 1);
        let n_max = Profile::EVENTS_BYTES_MAX;
        (n_all > n_max).then(|| format!("{n_all}/{n_max} bytes of events kept with runs").into())
    }

    /// Returns how many bytes of events are kept already, but for what goes because of this one.
    fn n_kept(&self, mode: Mode, instead_of: Option<&Instance>) -> usize {
        let goes = |run: &Instance| {
            self.left.contains(&run.number)
                || instead_of.is_some_and(|of| of.number == run.number)
                || self.follows(|fact| {
                    matches!(fact, Fact::Left(of, ..) | Fact::Refreshed(of, _) if *of == run.number)
                })
        };
        let ends = |timer: &Timer| {
            self.follows(|fact| matches!(fact, Fact::Armed(of, None) if of == timer))
        };
        let runs = self.profile.journeys.iter();
        let runs = runs.filter(|run| Mode::of(run.number) == mode && !goes(run));
        let runs = runs.filter_map(|run| run.entry.as_deref());
        let timers = self.profile.timers.iter();
        let timers = timers.filter(|(timer, _)| self.waits(timer, mode) && !ends(timer));
        let timers = timers.filter_map(|(_, armed)| armed.event.as_deref());
        runs.chain(timers).map(Event::n_bytes).sum()
    }

    fn follows(&self, is_it: impl Fn(&Fact) -> bool) -> bool {
        self.effects.facts.iter().any(is_it)
    }

    /// Returns how many runs and absences will keep the event.
    fn n_keeping(&self, mode: Mode) -> usize {
        let keeps = |run: &Instance| run.entry.is_some() && Mode::of(run.number) == mode;
        let keeping = |fact: &&Fact| {
            matches!(fact, Fact::Entered(run) | Fact::Refreshed(_, run) if keeps(run))
                || matches!(fact, Fact::Armed(timer, Some(_)) if self.waits(timer, mode))
        };
        self.effects.facts.iter().filter(keeping).count()
    }

    /// Tells if a timer is an absence that a journey of this mode waits for.
    fn waits(&self, timer: &Timer, mode: Mode) -> bool {
        match timer {
            Timer::Absence(name, _) => {
                let journey = self.bundle.journey(name);
                journey.map_or(Mode::Live, |of| of.mode) == mode
            }
            Timer::Edge(_) | Timer::Schedule(_) | Timer::Run(_) => false,
        }
    }
}
