//! Frequency caps: how many marketing sends a customer gets in any window, or in a period of the calendar.

use crate::decide::guards::{Asked, Block};
use crate::domain::zone::{Local, WallTime, Weekdays};
use crate::domain::{Duration, Timestamp, Zone};
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

fn exceeded(asked: &Asked<'_>, name: &str, limit: &Limit) -> Option<Block> {
    let now = asked.env.now;
    let zone = || Zone::of(asked.env.profile, &asked.env.bundle.zone).zone;
    let edge = match limit.window {
        Window::Sliding(length) => now - length,
        Window::Calendar(unit) => began(unit, &zone(), now) - Duration::from_millis(1),
    };
    let channel = (name != ALL).then_some(name);
    let times = asked.env.profile.contacts.after(edge, channel);
    // As many of the oldest must leave the window as are too many in it.
    let n_over = times.len().checked_sub(limit.n as usize)?;
    let frees_at = match limit.window {
        _ if limit.n == 0 => None,
        Window::Sliding(length) => times.get(n_over).map(|oldest| *oldest + length),
        Window::Calendar(unit) => Some(ends(unit, &zone(), now)),
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
