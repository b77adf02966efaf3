//! `limits:` and `channels:`: how often, when and to whom anything is sent at all.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::domain::zone::{WallTime, Weekdays};
use crate::domain::{Duration, Zone};
use crate::policy::bundle::Place;

/// The name under `limits:` that counts every channel.
pub const ALL: &str = "all";

/// What holds for the sends of all journeys.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Frequency caps by channel, or [`ALL`]; a channel without any is unlimited.
    pub caps: BTreeMap<Arc<str>, Vec<Limit>>,
    /// Quiet hours of journeys and sends that say nothing of their own.
    pub quiet: Option<Quiet>,
    /// Channels that are declared.
    pub channels: BTreeMap<Arc<str>, Channel>,
}

/// `3 per 7d`: a frequency cap.
#[derive(Clone, Debug)]
pub struct Limit {
    /// How many; 0 means none.
    pub n: u32,
    /// In which time.
    pub window: Window,
    /// As it was written.
    pub text: Arc<str>,
    /// Where it stands.
    pub place: Place,
}

/// The time in which a cap counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Any window of this length.
    Sliding(Duration),
    /// The running day, week or month in the customer's zone.
    Calendar(Unit),
}

/// A period of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// From midnight.
    Day,
    /// From Monday.
    Week,
    /// From the 1st.
    Month,
}

impl Window {
    /// Returns how long a send can matter to it; a calendar's period with room for every clock change.
    pub fn longest(self) -> Duration {
        const DAY: u64 = 86_400;
        match self {
            Self::Sliding(length) => length,
            Self::Calendar(Unit::Day) => Duration::from_secs(2 * DAY),
            Self::Calendar(Unit::Week) => Duration::from_secs(8 * DAY),
            Self::Calendar(Unit::Month) => Duration::from_secs(32 * DAY),
        }
    }
}

/// When nothing is sent.
#[derive(Clone, Debug)]
pub struct Quiet {
    /// Begins when the clocks show this.
    pub from: WallTime,
    /// Is over when the clocks show this: of the same day, or of the next if it is not later than `from`.
    pub to: WallTime,
    /// The days on which it begins.
    pub days: Weekdays,
    /// Whose clocks count.
    pub clocks: Clocks,
    /// What becomes of a send in it.
    pub then: Then,
    /// Held sends are spread over so long behind its end.
    pub jitter: Duration,
    /// As it was written.
    pub text: Arc<str>,
    /// Where it stands.
    pub place: Place,
}

/// Whose clocks count.
#[derive(Clone, Debug, PartialEq)]
pub enum Clocks {
    /// The customer's.
    Customer,
    /// Those of this zone.
    Of(Zone),
}

/// What becomes of a send in quiet hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It waits for their end; then every guard is asked again.
    Hold,
    /// It is blocked.
    Drop,
}

/// What a journey or a send says of quiet hours.
#[derive(Clone, Debug)]
pub enum OwnQuiet {
    /// There are none, whatever holds for all.
    None,
    /// These.
    Some(Box<Quiet>),
}

/// What a channel needs.
#[derive(Clone, Debug)]
pub struct Channel {
    /// The trait that holds the address, as a path below `profile.traits`; empty: none is needed.
    pub address: Vec<Arc<str>>,
    /// Whether marketing needs a yes; `false` where the channel itself knows who allowed it.
    pub asks_consent: bool,
    /// What its author says of it, such as who asked the customers.
    pub about: Option<Arc<str>>,
}

impl Limits {
    /// The channels whose address is known without a word, with its trait.
    pub const ADDRESSES: [(&str, &str); 3] = [
        ("email", "email"),
        ("sms", "phone"),
        ("push", "device_token"),
    ];

    /// Returns what a channel needs.
    pub fn channel(&self, name: &str) -> Channel {
        let declared = self.channels.get(name).cloned();
        declared.unwrap_or_else(|| Channel::of(name))
    }

    /// Returns the caps that count a channel, its own first, each with its name.
    pub fn of<'a>(
        &'a self,
        channel: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Limit)> + Clone {
        let named = move |name: &'a str| {
            let limits = self.caps.get(name).map_or(&[][..], Vec::as_slice);
            limits.iter().map(move |limit| (name, limit))
        };
        named(channel).chain(named(ALL))
    }

    /// Returns how long a send on a channel is remembered: as long as the longest window that counts it.
    pub fn keep(&self, channel: &str) -> Option<Duration> {
        self.of(channel)
            .map(|(_, limit)| limit.window.longest())
            .max()
    }
}

impl Channel {
    /// Returns what a channel needs of which nothing is declared.
    pub fn of(name: &str) -> Self {
        let known = Limits::ADDRESSES
            .iter()
            .find(|(channel, _)| *channel == name);
        Self {
            address: known
                .map(|(_, path)| Arc::from(*path))
                .into_iter()
                .collect(),
            asks_consent: true,
            about: None,
        }
    }
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.text, self.place)
    }
}
