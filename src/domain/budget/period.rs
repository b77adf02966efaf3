//! Periods of the calendar, each with a number: it stays the same whatever becomes of clocks and zones.

use std::fmt;

use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

use crate::domain::{Timestamp, Zone};

/// How long a period is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Per {
    /// From midnight.
    Day,
    /// From Monday.
    Week,
    /// From the 1st.
    Month,
    /// It has no end.
    Ever,
}

impl Per {
    /// Those that end, by name.
    pub const ALL: [(&'static str, Self); 3] = [
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
    ];
}

/// ` per day`; of one that does not end nothing.
impl fmt::Display for Per {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::ALL.iter().find(|(_, per)| per == self);
        named.map_or(Ok(()), |(name, _)| write!(f, " per {name}"))
    }
}

/// A period: its kind, and how many of that kind lie between it and that of 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Period {
    /// How long it is.
    pub per: Per,
    /// Its number, negative before 1970.
    pub number: i32,
}

/// A Monday.
const MONDAY: Date = date(1969, 12, 29);
const DAY_0: Date = date(1970, 1, 1);

impl Period {
    /// Returns the period that the calendar of a zone shows at a time.
    pub fn of(per: Per, zone: &Zone, at: Timestamp) -> Self {
        let shown = zone.local(at);
        let day = Date::new(shown.year, shown.month, shown.day).unwrap_or(DAY_0);
        let number = match per {
            Per::Day => days(DAY_0, day),
            Per::Week => days(MONDAY, day).div_euclid(7),
            Per::Month => (i32::from(day.year()) - 1970) * 12 + i32::from(day.month()) - 1,
            Per::Ever => 0,
        };
        Self { per, number }
    }

    /// Returns its first day; `None` if it has none.
    fn first_day(self) -> Option<Date> {
        let after = |day: Date, n_days: i32| {
            let span = jiff::Span::new().try_days(n_days).ok()?;
            day.checked_add(span).ok()
        };
        match self.per {
            Per::Day => after(DAY_0, self.number),
            Per::Week => after(MONDAY, self.number.checked_mul(7)?),
            Per::Month => {
                let year = i16::try_from(1970 + self.number.div_euclid(12)).ok()?;
                let month = i8::try_from(self.number.rem_euclid(12) + 1).ok()?;
                Date::new(year, month, 1).ok()
            }
            Per::Ever => None,
        }
    }

    /// Returns when the next one begins on the clocks of a zone; `None`: never.
    pub fn end(self, zone: &Zone) -> Option<Timestamp> {
        if self.per == Per::Ever {
            return None;
        }
        let number = self.number.checked_add(1)?;
        let next = Self { number, ..self }.first_day()?;
        zone.read(&next.to_string())
    }
}

/// `2026-03-01`, `the week of 2026-03-02`, `2026-03`, `ever`.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.first_day() else {
            return f.write_str("ever");
        };
        match self.per {
            Per::Day | Per::Ever => write!(f, "{first}"),
            Per::Week => write!(f, "the week of {first}"),
            Per::Month => write!(f, "{:04}-{:02}", first.year(), first.month()),
        }
    }
}

fn days(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}
