//! Time zones: which one is the customer's, and what its wall clocks show.

use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::domain::{Duration, Profile, Timestamp, Value};

/// The longest name of a zone that is remembered, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// How many days ahead a wall clock is asked: two weeks hold every weekday, also beside a day that a zone left out.
const DAYS_AHEAD_MAX: i32 = 14;

/// A time zone of the tzdata that is built in; the machine's own is never asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone(TimeZone);

/// A moment as the clocks and calendars of a zone show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// The year.
    pub year: i16,
    /// 1-12.
    pub month: i8,
    /// 1-31.
    pub day: i8,
    /// 0-23.
    pub hour: i8,
    /// 0-59.
    pub minute: i8,
    /// 1 (Monday) to 7 (Sunday).
    pub weekday: i8,
}

/// What a wall clock shows; policies name it to the minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime(Time);

/// Days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weekdays(u8);

/// The customer's zone and how it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// The zone.
    pub zone: Zone,
    /// Who named it.
    pub source: Source,
    /// Who named one that does not exist, with the name; in the order of the search.
    pub unknown: Vec<(Source, String)>,
}

/// Who names the customer's zone; the first one that does wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The policy itself.
    Policy,
    /// `profile.traits.timezone`.
    Traits,
    /// `context.timezone` of the last event that had one.
    Context,
    /// The default of the workspace: UTC if nobody sets it.
    Workspace,
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

/// Returns the day after a date that has no time: of `2026-02-28` it is `2026-03-01`; `None` of everything else.
pub fn day_after(text: &str) -> Option<String> {
    let text = text.trim();
    let day: Date = text
        .parse()
        .ok()
        .filter(|_| !text.contains([':', 'T', 't']))?;
    Some(day.tomorrow().ok()?.to_string())
}

impl Zone {
    /// Universal time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// Finds a zone by its tzdata name, such as `Europe/Berlin`.
    pub fn parse(name: &str) -> Option<Self> {
        let zone = TimeZone::get(name).ok()?;
        // tzdata's own word for "nobody knows" is a zone for it, and none for us.
        (!zone.is_unknown()).then_some(Self(zone))
    }

    /// Returns every tzdata name.
    pub fn names() -> Vec<String> {
        let names = jiff::tz::db().available();
        names.map(|name| name.to_string()).collect()
    }

    /// Returns the tzdata name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// Finds the zone of a customer: the traits, the last event's context, the workspace.
    ///
    /// - `workspace`: the zone of customers who told none.
    pub fn of(profile: &Profile, workspace: &Self) -> Chosen {
        let told = profile.traits.get("timezone").and_then(Value::as_str);
        let named = [
            (Source::Traits, told),
            (Source::Context, profile.zone.as_deref()),
        ];
        let mut unknown = Vec::new();
        for (source, name) in named {
            let Some(name) = name else { continue };
            if let Some(zone) = Self::parse(name) {
                return Chosen {
                    zone,
                    source,
                    unknown,
                };
            }
            unknown.push((source, name.chars().take(NAME_BYTES_MAX).collect()));
        }
        Chosen {
            zone: workspace.clone(),
            source: Source::Workspace,
            unknown,
        }
    }

    /// Returns what clocks and calendars show.
    pub fn local(&self, at: Timestamp) -> Local {
        local(self.shown(at))
    }

    /// Returns what the clocks show, to the second.
    pub fn clock(&self, at: Timestamp) -> WallTime {
        WallTime(self.shown(at).time())
    }

    /// Returns the first moment of the local day that `at` is in.
    pub fn start_of_day(&self, at: Timestamp) -> Timestamp {
        self.moment(self.shown(at).date().to_datetime(Time::midnight()))
    }

    /// Returns the first moment, `at` or later, at which the clocks show `time` on one of these days.
    ///
    /// A time that a clock change leaves out counts as the first moment after the change; of a time that is shown twice the
    /// first one counts; a day that does not exist has no times. `None`: beyond the year 9999.
    pub fn next(&self, at: Timestamp, time: WallTime, days: Weekdays) -> Option<Timestamp> {
        let today = self.shown(at).date();
        // Yesterday's time may be the first moment of today.
        (-1..=DAYS_AHEAD_MAX)
            .filter_map(|n| today.checked_add(jiff::Span::new().days(n)).ok())
            .filter(|day| days.has(day.weekday().to_monday_one_offset()) && self.exists(*day))
            .map(|day| self.moment(day.to_datetime(time.0)))
            .find(|moment| *moment >= at)
    }

    /// Returns the first moment after `after` at which the clocks show one of `times` on a day that fits.
    ///
    /// Clock changes count as in [`Zone::next`].
    ///
    /// - `times`: sorted.
    /// - `n_days`: how many days are asked; `None` if no moment of them fits.
    pub fn next_of(
        &self,
        after: Timestamp,
        times: &[WallTime],
        n_days: i32,
        fits: impl Fn(Local) -> bool,
    ) -> Option<Timestamp> {
        let today = self.shown(after).date();
        (-1..=n_days)
            .filter_map(|n| today.checked_add(jiff::Span::new().days(n)).ok())
            .filter(|day| self.exists(*day) && fits(local(day.to_datetime(Time::midnight()))))
            .flat_map(|day| times.iter().map(move |time| day.to_datetime(time.0)))
            .map(|shown| self.moment(shown))
            .find(|moment| *moment > after)
    }

    /// Moves a moment: whole days by the calendar, so that the clocks show the same, and the rest by the length of time.
    pub fn shift(&self, at: Timestamp, length: Duration, back: bool) -> Timestamp {
        const DAY: u64 = 86_400_000;
        let n_days = i32::try_from(length.as_millis() / DAY).unwrap_or(i32::MAX);
        let rest = Duration::from_millis(length.as_millis() % DAY);
        let span = jiff::Span::new().try_days(if back { -n_days } else { n_days });
        let moved = span.and_then(|span| self.shown(at).checked_add(span));
        let moved = match moved {
            _ if n_days == 0 => at,
            Ok(moved) => self.moment(moved),
            Err(_) if back => Timestamp::MIN,
            Err(_) => Timestamp::MAX,
        };
        if back { moved - rest } else { moved + rest }
    }

    /// Reads RFC 3339, or what the clocks and calendars of this zone show: `2026-01-31`, `2026-01-31T10:00`.
    pub fn read(&self, text: &str) -> Option<Timestamp> {
        Timestamp::parse(text).or_else(|| text.trim().parse().ok().map(|shown| self.moment(shown)))
    }

    fn shown(&self, at: Timestamp) -> DateTime {
        jiff::Timestamp::from_millisecond(at.as_millis())
            .map_or(DateTime::MIN, |at| self.0.to_datetime(at))
    }

    fn exists(&self, day: Date) -> bool {
        let first = self.moment(day.to_datetime(Time::midnight()));
        self.shown(first).date() == day
    }

    /// Returns when the clocks show this: of two moments the first, in a gap the first moment after it.
    fn moment(&self, shown: DateTime) -> Timestamp {
        match self.0.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => at_offset(shown, offset),
            AmbiguousOffset::Fold { before, .. } => at_offset(shown, before),
            AmbiguousOffset::Gap { before, after } => {
                let latest = at_offset(shown, before);
                self.change_before(latest, after).unwrap_or(latest)
            }
        }
    }

    /// Returns the last moment, at most `latest`, at which the clocks changed to this offset.
    fn change_before(&self, latest: Timestamp, offset: Offset) -> Option<Timestamp> {
        let behind = jiff::Timestamp::from_millisecond(latest.as_millis() + 1).ok()?;
        let change = self
            .0
            .preceding(behind)
            .find(|change| change.offset() == offset)?;
        Some(Timestamp::from_millis(change.timestamp().as_millisecond()))
    }
}

fn local(shown: DateTime) -> Local {
    Local {
        year: shown.year(),
        month: shown.month(),
        day: shown.day(),
        hour: shown.hour(),
        minute: shown.minute(),
        weekday: shown.weekday().to_monday_one_offset(),
    }
}

fn at_offset(shown: DateTime, offset: Offset) -> Timestamp {
    match offset.to_timestamp(shown) {
        Ok(at) => Timestamp::from_millis(at.as_millisecond()),
        Err(_) if shown.year() > 0 => Timestamp::MAX,
        Err(_) => Timestamp::MIN,
    }
}

impl WallTime {
    /// The first moment of a day.
    pub const MIDNIGHT: Self = Self(Time::midnight());

    /// Reads `09:00` or `9:00`, at most `23:59`.
    pub fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.trim().split_once(':')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(hour) || !digits(minute) || minute.len() != 2 || hour.len() > 2 {
            return None;
        }
        Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0)
            .ok()
            .map(Self)
    }
}

impl WallTime {
    /// Makes a time of hours and minutes.
    pub fn new(hour: i8, minute: i8) -> Option<Self> {
        Time::new(hour, minute, 0, 0).ok().map(Self)
    }
}

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

impl Weekdays {
    /// Every day.
    pub const ALL: Self = Self(0b1111_1110);
    /// No day.
    pub const NONE: Self = Self(0);
    /// The names, Monday first.
    pub const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    /// Reads `mon` or `mon..fri`; a range may go over Sunday.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |name: &str| Self::NAMES.iter().position(|known| *known == name.trim());
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let (first, last) = (number(first)?, number(last)?);
        let n_days = (last + 7 - first) % 7;
        let bit = |n: usize| 1_u8 << ((first + n) % 7 + 1);
        Some(Self((0..=n_days).fold(0, |days, n| days | bit(n))))
    }

    /// Returns the days of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Tells if a day is among them: 1 (Monday) to 7 (Sunday).
    pub const fn has(self, weekday: i8) -> bool {
        self.0 & (1 << weekday) != 0
    }
}

impl fmt::Display for Weekdays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = (1..).zip(Self::NAMES).filter(|(n, _)| self.has(*n));
        let days: Vec<&str> = days.map(|(_, name)| name).collect();
        f.write_str(&days.join(" "))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Policy => "policy",
            Self::Traits => "profile.traits.timezone",
            Self::Context => "context.timezone",
            Self::Workspace => "workspace default",
        })
    }
}

/// What the timeline says: `Europe/Berlin by profile.traits.timezone`.
impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", self.zone.name(), self.source)?;
        for (source, name) in &self.unknown {
            write!(f, "; {source} `{name}` is no zone")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
