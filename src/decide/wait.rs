//! Until when a `wait` sleeps, and whose sleep is over.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::eval::eval;
use crate::decide::explain::detail;
use crate::domain::instance::Instance;
use crate::domain::zone::{Chosen, Source, Weekdays};
use crate::domain::{Duration, Profile, Timestamp, Value, Zone};
use crate::policy::Expr;
use crate::policy::journey::{Past, Until};

/// What a `wait` aims at.
pub enum Target {
    /// So long.
    Passed(Duration),
    /// A time, and why this one.
    At(Timestamp, Arc<str>),
    /// The time is past or unknown: what to do, and why.
    Missed(Past, Arc<str>),
}

/// Returns what a `wait` aims at, as seen when its step is entered.
pub fn target(until: &Until, env: &Env<'_>) -> Target {
    match until {
        Until::Passed(length) => Target::Passed(*length),
        Until::Clock { time, days, zone } => {
            let chosen = chosen(zone.as_ref(), env);
            let due = chosen.zone.next(env.now, *time, *days);
            let days = match *days {
                Weekdays::ALL => String::new(),
                some => format!("{some} "),
            };
            let why = format!("{time} {days}in {chosen}");
            Target::At(due.unwrap_or(Timestamp::MAX), why.into())
        }
        Until::Date {
            of,
            offset,
            before,
            past,
            zone,
        } => {
            let chosen = chosen(zone.as_ref(), env);
            let offset_shown = match (offset.as_millis(), before) {
                (0, _) => String::new(),
                (_, true) => format!("-{offset} "),
                (_, false) => format!("+{offset} "),
            };
            let why = format!("{} {offset_shown}in {chosen}", detail(of, env)).into();
            let date = moment(of, &chosen.zone, env);
            let due = date.map(|date| chosen.zone.shift(date, *offset, *before));
            match due.filter(|due| *due >= env.now) {
                Some(due) => Target::At(due, why),
                None => Target::Missed(*past, why),
            }
        }
    }
}

fn chosen(zone: Option<&Zone>, env: &Env<'_>) -> Chosen {
    let Some(zone) = zone else {
        return Zone::of(env.profile, &env.bundle.zone);
    };
    Chosen {
        zone: zone.clone(),
        source: Source::Policy,
        unknown: Vec::new(),
    }
}

/// Reads what an expression gives as a moment.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a large one saturates and is moved to the last moment there is"
)]
fn moment(of: &Expr, zone: &Zone, env: &Env<'_>) -> Option<Timestamp> {
    match &*eval(&of.root, env)? {
        Value::Number(millis) => Some(Timestamp::from_millis(*millis as i64)),
        Value::Text(text) => zone.read(text),
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => None,
    }
}

/// Returns the runs whose sleep is due up to a time, the earliest first; equal ones by number.
pub fn due_upto(profile: &Profile, upto: Timestamp) -> Vec<u32> {
    let due = |run: &Instance| Some((run.wait?.due, run.number));
    let all = profile.journeys.iter().filter_map(due);
    let mut due: Vec<_> = all.filter(|(due, _)| *due <= upto).collect();
    due.sort_unstable();
    due.into_iter().map(|(_, number)| number).collect()
}
