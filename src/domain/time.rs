//! Points in time and lengths of time, in whole milliseconds.

use std::fmt;
use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, in `[MIN, MAX]`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The year -9999: before everything.
    pub const MIN: Self = Self(-377_705_023_201_000);
    /// The end of the year 9999: after everything.
    pub const MAX: Self = Self(253_402_207_200_999);

    /// Takes milliseconds since the epoch; what is outside of `[MIN, MAX]` is moved to the edge.
    pub const fn from_millis(millis: i64) -> Self {
        if millis < Self::MIN.0 {
            return Self::MIN;
        }
        if millis > Self::MAX.0 {
            return Self::MAX;
        }
        Self(millis)
    }

    /// Reads RFC 3339 (`2026-01-31T10:00:00Z`, any offset); the fraction is cut to milliseconds.
    pub fn parse(text: &str) -> Option<Self> {
        let parsed: jiff::Timestamp = text.trim().parse().ok()?;
        Some(Self::from_millis(parsed.as_millisecond()))
    }

    /// Returns milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns the time since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{at:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, length: Duration) -> Self {
        let millis = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, length: Duration) -> Self {
        let millis = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_sub(millis))
    }
}

/// A length of time in milliseconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Duration(u64);

impl Duration {
    /// The longest length a policy may name: 100 years.
    pub const MAX: Self = Self(100 * 366 * 86_400_000);

    /// Takes milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Takes seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000))
    }

    /// Returns milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Returns seconds, with their fraction.
    #[expect(
        clippy::cast_precision_loss,
        reason = "100 years of milliseconds fit in 52 bits"
    )]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1_000.0
    }

    /// Reads `45m`, `1h30m`, `20h`, `3d`, `2w`, `500ms`; units `ms s m h d w`, each number whole.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err("a duration is empty, write for example `45m` or `3d`".into());
        }
        let mut millis: u64 = 0;
        while !rest.is_empty() {
            let (part, tail) = part_of(rest).ok_or_else(|| {
                format!("`{text}` is not a duration, write for example `45m`, `1h30m` or `3d`")
            })?;
            millis = millis.checked_add(part).ok_or_else(|| too_long(text))?;
            rest = tail;
        }
        if millis > Self::MAX.0 {
            return Err(too_long(text));
        }
        Ok(Self(millis))
    }
}

fn too_long(text: &str) -> String {
    format!("`{text}` is longer than 100 years")
}

/// Reads one number and its unit; returns milliseconds and the rest.
fn part_of(text: &str) -> Option<(u64, &str)> {
    let n_digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text.get(..n_digits)?.parse().ok()?;
    let rest = &text[n_digits..];
    let n_letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    let unit = match &rest[..n_letters] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        _ => return None,
    };
    Some((number.checked_mul(unit)?, rest[n_letters..].trim_start()))
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(&str, u64); 6] = [
            ("w", 604_800_000),
            ("d", 86_400_000),
            ("h", 3_600_000),
            ("m", 60_000),
            ("s", 1_000),
            ("ms", 1),
        ];
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut left = self.0;
        for (unit, size) in UNITS {
            if left >= size && (unit != "w" || left.is_multiple_of(size)) {
                write!(f, "{}{unit}", left / size)?;
                left %= size;
            }
        }
        Ok(())
    }
}
