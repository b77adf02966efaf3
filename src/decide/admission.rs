//! What an entry asks, in the order in which it asks: the one list that entries and their accounts go by.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::eval::{eval, truth};
use crate::decide::explain::detail;
use crate::decide::journeys::Hearing;
use crate::domain::instance::{Instance, shown};
use crate::domain::{Duration, Profile, Timestamp, Value};
use crate::policy::Expr;
use crate::policy::journey::{Enter, Journey, OnRepeat, Reentry};
use crate::policy::mode::Mode;

/// The longest key of a run, in bytes.
const KEY_BYTES_MAX: usize = 256;

/// One thing that an entry asks.
#[derive(Clone, Copy)]
pub enum Check<'a> {
    /// This must be true.
    Where(&'a Expr),
    /// This must be false.
    Unless(&'a Expr),
    /// The event must not be older.
    MaxAge(Duration),
    /// The key must be known.
    Key(&'a Expr),
    /// No run of this key is in progress, or the entry may take its place.
    Repeat,
    /// The last run of this key ended long enough ago.
    Reentry,
    /// There is room for another run.
    Concurrency,
}

/// A reason code and the detail.
pub type Refusal = (&'static str, Arc<str>);

/// A customer at the door of a journey.
pub struct Candidate<'a> {
    /// The journey.
    pub journey: &'a Journey,
    /// What its conditions see.
    pub env: Env<'a>,
    /// The key of the run, once it is asked for.
    pub key: Arc<str>,
    /// The run of this key that is in progress, once it is asked for.
    pub running: Option<&'a Instance>,
}

/// Returns everything that an entry asks, in order.
pub fn checks(enter: &Enter) -> impl Iterator<Item = Check<'_>> {
    let filters = enter.filter.iter().map(Check::Where);
    let unless = enter.unless.iter().map(Check::Unless);
    let age = enter.max_age.map(Check::MaxAge);
    let key = enter.key.as_ref().map(Check::Key);
    let rest = [Check::Repeat, Check::Reentry, Check::Concurrency];
    filters.chain(unless).chain(age).chain(key).chain(rest)
}

impl<'a> Hearing<'a> {
    /// Puts the customer at the door of a journey.
    pub fn candidate(&self, journey: &'a Journey) -> Candidate<'a> {
        Candidate {
            journey,
            env: self.env(None),
            key: Arc::default(),
            running: None,
        }
    }

    /// Asks everything.
    ///
    /// # Errors
    ///
    /// The first thing that keeps the customer out.
    pub fn admit(&self, journey: &'a Journey) -> Result<Candidate<'a>, Refusal> {
        let mut candidate = self.candidate(journey);
        for check in checks(&journey.enter) {
            self.ask(check, &mut candidate)?;
        }
        Ok(candidate)
    }

    /// Asks one thing; what comes of it is noted for those that follow.
    ///
    /// # Errors
    ///
    /// Why the customer stays out.
    pub fn ask(&self, check: Check<'a>, candidate: &mut Candidate<'a>) -> Result<(), Refusal> {
        let env = &candidate.env;
        match check {
            Check::Where(of) if truth(&of.root, env) != Some(true) => {
                Err(("WHERE", detail(of, env)))
            }
            Check::Unless(of) if truth(&of.root, env) != Some(false) => {
                Err(("UNLESS", detail(of, env)))
            }
            Check::Where(_) | Check::Unless(_) => Ok(()),
            Check::MaxAge(max) => self.young_enough(max),
            Check::Key(key) => {
                candidate.key = key_of(key, env).map_err(|detail| ("KEY_UNKNOWN", detail))?;
                Ok(())
            }
            Check::Repeat => self.repeats(candidate),
            // The run that is in progress goes on, or ends for the one that begins.
            Check::Reentry if candidate.running.is_some() => Ok(()),
            Check::Concurrency if candidate.running.is_some() => self.has_room(candidate),
            Check::Reentry => {
                let detail = self.too_early(candidate.journey, &candidate.key);
                detail.map_or(Ok(()), |detail| Err(("REENTRY_GAP", detail)))
            }
            Check::Concurrency => {
                let detail = self.too_many(candidate.journey);
                detail.map_or(Ok(()), |detail| Err(("CONCURRENCY", detail)))?;
                self.has_room(candidate)
            }
        }
    }

    /// Asks for the room of the event that a run would keep.
    fn has_room(&self, candidate: &Candidate<'a>) -> Result<(), Refusal> {
        let Candidate {
            journey, running, ..
        } = candidate;
        let event = self.spark.event.filter(|_| journey.uses_entry);
        let full = event.and_then(|event| self.no_room(journey, event, *running));
        full.map_or(Ok(()), |detail| Err(("CONCURRENCY", detail)))
    }

    fn young_enough(&self, max: Duration) -> Result<(), Refusal> {
        match self.spark.event {
            Some(event) if event.at + max < self.now => {
                Err(("TOO_OLD", format!("happened at {}", event.at).into()))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn repeats(&self, candidate: &mut Candidate<'a>) -> Result<(), Refusal> {
        let journey = candidate.journey;
        candidate.running = self.profile.journeys.iter().find(|run| {
            run.journey == journey.name
                && run.key == candidate.key
                && Mode::of(run.number) == journey.mode
                && !self.left.contains(&run.number)
        });
        match candidate.running {
            Some(run) if journey.enter.on_repeat == OnRepeat::Ignore => {
                Err(("ALREADY_IN", format!("run {}", shown(run.number)).into()))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Returns until when the last run of this journey and key keeps another one out.
    fn too_early(&self, journey: &Journey, key: &str) -> Option<Arc<str>> {
        let gap = match journey.enter.reentry {
            Reentry::Always => return None,
            Reentry::Never => None,
            Reentry::AfterExit(gap) => Some(gap),
        };
        let left_at = self.left_at(journey, key)?;
        match gap {
            None => Some("for ever: re-entry is never".into()),
            Some(gap) if self.now < left_at + gap => {
                Some(format!("until {}", left_at + gap).into())
            }
            Some(_) => None,
        }
    }

    /// Returns when the last run of this journey and key ended, if that is remembered.
    pub fn left_at(&self, journey: &Journey, key: &str) -> Option<Timestamp> {
        let same = |journey_of: &Arc<str>, key_of: &Arc<str>| {
            *journey_of == journey.name && **key_of == *key
        };
        let mut left = self
            .left
            .iter()
            .filter_map(|number| self.profile.run(*number));
        let mode = journey.mode;
        let just_left =
            left.any(|run| same(&run.journey, &run.key) && Mode::of(run.number) == mode);
        let mut past = self.profile.past.iter();
        let past = past
            .find(|past| same(&past.journey, &past.key) && past.shadow == (mode == Mode::Shadow));
        let past = past.map(|past| past.left_at);
        if just_left { Some(self.now) } else { past }
    }

    /// Says how many runs keep another one out, if they do.
    fn too_many(&self, journey: &Journey) -> Option<Arc<str>> {
        let mode = journey.mode;
        let running =
            |run: &&Instance| Mode::of(run.number) == mode && !self.left.contains(&run.number);
        let all = self.profile.journeys.iter().filter(running);
        let n_own = all
            .clone()
            .filter(|run| run.journey == journey.name)
            .count();
        let n_all = all.count() + self.n_begun(mode);
        if let Some(n_max) = journey.enter.concurrent
            && n_own >= n_max as usize
        {
            return Some(format!("{n_own}/{n_max} runs of this journey in progress").into());
        }
        let n_max = Profile::JOURNEYS_MAX;
        (n_all >= n_max).then(|| format!("{n_all}/{n_max} runs in progress").into())
    }
}

/// Returns the key of a run, or why there is none.
pub fn key_of(key: &Expr, env: &Env<'_>) -> Result<Arc<str>, Arc<str>> {
    let value = eval(&key.root, env);
    let unknown = || Arc::from(format!("{} is unknown {}", key.text, key.place));
    let found = value.map(|value| as_key(&value)).ok_or_else(unknown)?;
    let n_bytes = found.len();
    if n_bytes > KEY_BYTES_MAX {
        let (text, place) = (&key.text, &key.place);
        return Err(
            format!("{text} has {n_bytes} bytes, a key at most {KEY_BYTES_MAX} {place}").into(),
        );
    }
    Ok(found)
}

fn as_key(value: &Value) -> Arc<str> {
    match value.as_str() {
        Some(text) => text.into(),
        None => value.to_string().into(),
    }
}
