//! Frequency caps: how many marketing sends a customer gets in any window, or in a period of the calendar.

use crate::decide::guards::{Asked, Block};
use crate::domain::zone::{Local, WallTime, Weekdays};
use crate::domain::{Duration, Timestamp, Zone};
use crate::policy::Place;
use crate::policy::journey::Class;
use crate::policy::limits::{ALL, Limit, Unit, Window};

/// Blocks a send that would be one too many.
pub fn check(asked: &Asked<'_>) -> Option<Block> {
    if asked.class() != Class::Marketing {
        return None;
    }
    let limits = &asked.env.bundle.limits;
    limits
        .of(&asked.send.channel)
        .find_map(|(name, limit)| exceeded(asked, name, limit))
}

/// Writes how many sends every cap counts: `limits.email 1 per 7d [0/1]`.
pub fn values(asked: &Asked<'_>) -> String {
    if asked.class() != Class::Marketing {
        return String::new();
    }
    let limits = asked.env.bundle.limits.of(&asked.send.channel);
    let said = limits.map(|(name, limit)| {
        let n = counted(asked, name, limit).len();
        format!("limits.{name} {} [{n}/{}]", limit.text, limit.n)
    });
    said.collect::<Vec<_>>().join("; ")
}

/// Returns where the cap stands that blocks, else the first one.
pub fn place(asked: &Asked<'_>) -> Option<Place> {
    if asked.class() != Class::Marketing {
        return None;
    }
    let mut limits = asked.env.bundle.limits.of(&asked.send.channel);
    let first = limits.clone().next();
    let blocks = limits.find(|(name, limit)| exceeded(asked, name, limit).is_some());
    blocks.or(first).map(|(_, limit)| limit.place.clone())
}

/// Returns when the sends were decided that a cap counts, in order.
fn counted(asked: &Asked<'_>, name: &str, limit: &Limit) -> Vec<Timestamp> {
    let now = asked.env.now;
    let edge = match limit.window {
        Window::Sliding(length) => now - length,
        Window::Calendar(unit) => began(unit, &zone(asked), now) - Duration::from_millis(1),
    };
    let channel = (name != ALL).then_some(name);
    let profile = asked.env.profile;
    let mut times = profile.contacts.after(edge, channel);
    let ghosts = profile.ghosts.get(&asked.journey.name);
    if let Some(ghosts) = ghosts.filter(|_| asked.shadow) {
        times.extend(ghosts.after(edge, channel));
        times.sort_unstable();
    }
    times
}

fn zone(asked: &Asked<'_>) -> Zone {
    Zone::of(asked.env.profile, &asked.env.bundle.zone).zone
}

fn exceeded(asked: &Asked<'_>, name: &str, limit: &Limit) -> Option<Block> {
    let now = asked.env.now;
    let times = counted(asked, name, limit);
    // As many of the oldest must leave the window as are too many in it.
    let n_over = times.len().checked_sub(limit.n as usize)?;
    let frees_at = match limit.window {
        _ if limit.n == 0 => None,
        Window::Sliding(length) => times.get(n_over).map(|oldest| *oldest + length),
        Window::Calendar(unit) => Some(ends(unit, &zone(asked), now)),
    };
    let free = frees_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    let (n, most) = (times.len(), limit.n);
    let detail = format!(
        "limits.{name} {} {} [{n}/{most}, frees at {free}]",
        limit.text, limit.place
    );
    Some(Block::new("CONTACT_LIMIT", detail, frees_at))
}

/// Returns the first moment of the period of the calendar that a moment is in.
pub fn began(unit: Unit, zone: &Zone, now: Timestamp) -> Timestamp {
    let mut first = zone.start_of_day(now);
    loop {
        let before = zone.start_of_day(first - Duration::from_millis(1));
        if before >= first || !continues(unit, zone.local(before), zone.local(first)) {
            return first;
        }
        first = before;
    }
}

/// Returns the first moment of the next period.
pub fn ends(unit: Unit, zone: &Zone, now: Timestamp) -> Timestamp {
    let mut day = zone.start_of_day(now);
    loop {
        let midnight = zone.next(
            day + Duration::from_millis(1),
            WallTime::MIDNIGHT,
            Weekdays::ALL,
        );
        let Some(next) = midnight.filter(|next| *next > day) else {
            return Timestamp::MAX;
        };
        if !continues(unit, zone.local(day), zone.local(next)) {
            return next;
        }
        day = next;
    }
}

/// Tells if a day is in the same period as the day before.
fn continues(unit: Unit, before: Local, day: Local) -> bool {
    match unit {
        Unit::Day => false,
        Unit::Week => before.weekday < day.weekday,
        Unit::Month => before.month == day.month,
    }
}
