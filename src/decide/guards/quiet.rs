//! Quiet hours: by what the clocks show, so that a clock change cannot let anything slip through.

use xxhash_rust::xxh3::xxh3_64;

use crate::decide::guards::{Asked, Block};
use crate::domain::zone::{Chosen, Source, Weekdays};
use crate::domain::{Duration, Timestamp, Zone};
use crate::policy::Place;
use crate::policy::limits::{Clocks, OwnQuiet, Quiet, Then};

const MINUTE: Duration = Duration::from_secs(60);
/// How far ahead the end is looked for minute by minute: three days, so beside every clock change.
const MINUTES_MAX: u64 = 3 * 24 * 60;

/// Blocks a send in quiet hours, or holds it until they are over and a while longer, so that not all held sends leave at once.
pub fn check(asked: &Asked<'_>) -> Option<Block> {
    let quiet = hours(asked)?;
    let now = asked.env.now;
    let chosen = zone(quiet, asked);
    let until = until(quiet, &chosen.zone, now)?;
    let clock = chosen.zone.clock(now);
    let detail = format!("{quiet} [{clock} in {chosen}, until {until}]");
    let spread = xxh3_64(asked.action_id.as_bytes()) % quiet.jitter.as_millis().max(1);
    let release = until + Duration::from_millis(spread);
    let block = Block::new("QUIET_HOURS", detail, Some(release));
    let holds = quiet.then == Then::Hold;
    Some(Block { holds, ..block })
}

/// Returns the quiet hours that a send keeps: its own, else its journey's, else those of all.
fn hours<'a>(asked: &'a Asked<'_>) -> Option<&'a Quiet> {
    let own = asked.send.quiet.as_ref().or(asked.journey.quiet.as_ref());
    match own {
        Some(OwnQuiet::None) => None,
        Some(OwnQuiet::Some(quiet)) => Some(quiet.as_ref()),
        None => asked.env.bundle.limits.quiet.as_ref(),
    }
}

/// Writes what the clocks show, and whose they are.
pub fn values(asked: &Asked<'_>) -> String {
    let shown = |quiet: &Quiet| {
        let chosen = zone(quiet, asked);
        format!("{} in {chosen}", chosen.zone.clock(asked.env.now))
    };
    hours(asked).map_or_else(String::new, shown)
}

/// Returns where the quiet hours stand.
pub fn place(asked: &Asked<'_>) -> Option<Place> {
    hours(asked).map(|quiet| quiet.place.clone())
}

fn zone(quiet: &Quiet, asked: &Asked<'_>) -> Chosen {
    match &quiet.clocks {
        Clocks::Customer => Zone::of(asked.env.profile, &asked.env.bundle.zone),
        Clocks::Of(zone) => Chosen {
            zone: zone.clone(),
            source: Source::Policy,
            unknown: Vec::new(),
        },
    }
}

/// Returns when the quiet hours that a moment is in are over; `None`: it is in none.
pub fn until(quiet: &Quiet, zone: &Zone, now: Timestamp) -> Option<Timestamp> {
    if !is_quiet(quiet, zone, now) {
        return None;
    }
    let loud = |at: &Timestamp| !is_quiet(quiet, zone, *at);
    // Longer than a day: the clocks were set back over the end and show it once more before.
    let day = |at: &Timestamp| at.since(now) <= Duration::from_secs(86_400);
    let regular = zone.next(now, quiet.to, Weekdays::ALL);
    let regular = regular.filter(|at| day(at) && loud(at));
    let whole = now - Duration::from_millis(now.as_millis().rem_euclid(60_000).unsigned_abs());
    let minutes =
        || (1..=MINUTES_MAX).map(|n| whole + Duration::from_millis(n * MINUTE.as_millis()));
    regular
        .or_else(|| minutes().find(loud))
        .or(Some(Timestamp::MAX))
}

/// Tells if the clocks show a quiet time. One after midnight belongs to the day before, on which the quiet hours began.
fn is_quiet(quiet: &Quiet, zone: &Zone, at: Timestamp) -> bool {
    let clock = zone.clock(at);
    let today = || quiet.days.has(zone.local(at).weekday);
    let yesterday = || {
        let last = zone.start_of_day(at) - Duration::from_millis(1);
        quiet.days.has(zone.local(last).weekday)
    };
    if quiet.from < quiet.to {
        return quiet.from <= clock && clock < quiet.to && today();
    }
    (quiet.from <= clock && today()) || (clock < quiet.to && yesterday())
}
