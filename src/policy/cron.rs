//! Schedules as cron writes them: `0 9 * * mon` is every Monday at nine.
//!
//! Five fields, read against the wall clocks of a zone: minute, hour, day of the month, month, day of the week. A field
//! is `*`, a number, a range `1-5`, a step `*/15` or `8-18/2`, or a list of these; months and days have names. With both
//! days given, a day fits if either does, as in every cron since the first.

use std::fmt;
use std::sync::Arc;

use crate::domain::zone::{Local, WallTime};
use crate::domain::{Timestamp, Zone};

/// How many days ahead a schedule is asked: the 29th of February may be eight years away.
const DAYS_AHEAD_MAX: i32 = 8 * 366 + 1;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct Cron {
    text: Arc<str>,
    times: Vec<WallTime>,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Both days are given: either is enough.
    either: bool,
}

/// One of the five fields.
struct Field {
    name: &'static str,
    range: (u8, u8),
    /// Names of the numbers from the start of the range.
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field {
        name: "minute",
        range: (0, 59),
        names: &[],
    },
    Field {
        name: "hour",
        range: (0, 23),
        names: &[],
    },
    Field {
        name: "day of the month",
        range: (1, 31),
        names: &[],
    },
    Field {
        name: "month",
        range: (1, 12),
        names: &MONTHS,
    },
    Field {
        name: "day of the week",
        range: (0, 7),
        names: &DAYS,
    },
];

impl Cron {
    /// Reads the five fields.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let Ok(fields) = <[String; 5]>::try_from(fields) else {
            let n = text.split_whitespace().count();
            return Err(format!("`{text}` has {n} fields instead of 5"));
        };
        let mut bits = [0_u64; 5];
        for ((bits, text), field) in bits.iter_mut().zip(&fields).zip(&FIELDS) {
            *bits = field.read(text)?;
        }
        let [minutes, hours, days, months, weekdays] = bits;
        let cron = Self {
            text: text.trim().into(),
            times: times(hours, minutes),
            days,
            months,
            // Sunday is 0 and 7.
            weekdays: weekdays | (weekdays & 1) << 7 | weekdays >> 7,
            either: !fields[2].starts_with('*') && !fields[4].starts_with('*'),
        };
        match cron.next(Timestamp::default(), &Zone::UTC) {
            Some(_) => Ok(cron),
            None => Err(format!("`{text}` never comes: no month has such a day")),
        }
    }

    /// Returns the first moment after this one; `None`: beyond the year 9999.
    ///
    /// A time that a clock change leaves out counts as the first moment after the change; of a time that is shown twice
    /// the first one counts.
    pub fn next(&self, after: Timestamp, zone: &Zone) -> Option<Timestamp> {
        zone.next_of(after, &self.times, DAYS_AHEAD_MAX, |day| self.has(day))
    }

    fn has(&self, day: Local) -> bool {
        let of_month = has(self.days, day.day);
        let of_week = has(self.weekdays, day.weekday);
        let fits = if self.either {
            of_month || of_week
        } else {
            of_month && of_week
        };
        fits && has(self.months, day.month)
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Field {
    /// Returns a bit for every number that the text names.
    fn read(&self, text: &str) -> Result<u64, String> {
        let parts: Result<Vec<u64>, String> = text.split(',').map(|part| self.part(part)).collect();
        Ok(parts?.into_iter().fold(0, |all, bits| all | bits))
    }

    fn part(&self, text: &str) -> Result<u64, String> {
        let (range, step) = match text.split_once('/') {
            None => (text, 1),
            Some((range, step)) => (range, self.step(step)?),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => self.range,
            Some((first, last)) => (self.number(first)?, self.number(last)?),
            // `5/10` is from 5 on.
            None if text.contains('/') => (self.number(range)?, self.range.1),
            None => (self.number(range)?, self.number(range)?),
        };
        if first > last {
            return Err(format!("the {} `{range}` runs backwards", self.name));
        }
        let numbers = (first..=last).step_by(step);
        Ok(numbers.fold(0, |bits, number| bits | 1 << number))
    }

    fn step(&self, text: &str) -> Result<usize, String> {
        let step = text.parse::<u8>().ok().filter(|step| *step > 0);
        step.map(usize::from).ok_or_else(|| {
            format!(
                "the step `{text}` of the {} is not a number from 1",
                self.name
            )
        })
    }

    fn number(&self, text: &str) -> Result<u8, String> {
        let (first, last) = self.range;
        let named = (first..).zip(self.names).find(|(_, name)| **name == text);
        let number = named
            .map(|(number, _)| number)
            .or_else(|| text.parse().ok());
        number
            .filter(|number| (first..=last).contains(number))
            .ok_or_else(|| {
                format!(
                    "the {} `{text}` is not between {first} and {last}",
                    self.name
                )
            })
    }
}

fn times(hours: u64, minutes: u64) -> Vec<WallTime> {
    let all = |bits: u64, end: i8| (0..end).filter(move |n| has(bits, *n));
    all(hours, 24)
        .flat_map(|hour| all(minutes, 60).filter_map(move |minute| WallTime::new(hour, minute)))
        .collect()
}

fn has(bits: u64, number: i8) -> bool {
    bits & (1 << number) != 0
}
