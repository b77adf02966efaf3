//! What a backtest counts: for people a table, for programs JSON.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::decide::drive::Outcome;
use crate::domain::instance::is_shadow;
use crate::domain::{Fact, Timestamp, Trace, What};
use crate::policy::Bundle;

/// How often, by a name.
pub type Counts = BTreeMap<Arc<str>, u64>;

/// A day of UTC: days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub i64);

impl Day {
    /// The length of a day, in milliseconds.
    const MILLIS: i64 = 86_400_000;

    /// Returns the day of a moment.
    pub fn of(at: Timestamp) -> Self {
        Self(at.as_millis().div_euclid(Self::MILLIS))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let midnight = Timestamp::from_millis(self.0 * Self::MILLIS).to_string();
        f.write_str(midnight.split('T').next().unwrap_or_default())
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let date = String::deserialize(deserializer)?;
        parse(&format!("{date}T00:00:00Z")).map(Self::of)
    }
}

/// Everything that was counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Events that were read, duplicates included.
    pub events: u64,
    /// Events whose id was among the recent ones of their customer; nothing followed.
    pub duplicates: u64,
    /// Lines that are no events.
    pub undecodable: u64,
    /// Events with an earlier time than one before; they were handled at the time of the clock.
    pub out_of_order: u64,
    /// Different customers.
    pub customers: u64,
    /// Time of the first event; absent without one.
    #[serde(serialize_with = "time_if_known", deserialize_with = "known_time")]
    pub from: Option<Timestamp>,
    /// Where the clock stands: at the latest event, or where it was told to go on to.
    #[serde(serialize_with = "time", deserialize_with = "read_time")]
    pub clock: Timestamp,
    /// By journey.
    pub journeys: BTreeMap<Arc<str>, Journey>,
    /// Actions by day (UTC) and channel.
    pub days: BTreeMap<Day, Counts>,
    /// Offers that were chosen within journeys, by their id.
    pub offers: Counts,
    /// How long it took, in seconds of real time.
    pub seconds: f64,
    /// Events by second of real time.
    pub events_per_second: f64,
}

/// What was counted of one journey.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Journey {
    /// Runs that began.
    pub entries: u64,
    /// Runs that have not ended.
    pub open: u64,
    /// Actions by channel.
    pub actions: Counts,
    /// Actions that shadows would have sent, by channel.
    pub shadow_actions: Counts,
    /// Runs that ended, by reason.
    pub exits: Counts,
    /// Events that did not enter, by reason code.
    pub refused: Counts,
    /// Actions that were held back, by reason code.
    pub blocked: Counts,
}

impl Summary {
    /// Returns zeros, with a line for every journey.
    pub fn new(bundle: &Bundle) -> Self {
        let names = bundle.journeys.iter().map(|journey| journey.name.clone());
        Self {
            events: 0,
            duplicates: 0,
            undecodable: 0,
            out_of_order: 0,
            customers: 0,
            from: None,
            clock: Timestamp::MIN,
            journeys: names.map(|name| (name, Journey::default())).collect(),
            days: BTreeMap::new(),
            offers: Counts::new(),
            seconds: 0.0,
            events_per_second: 0.0,
        }
    }

    /// Counts an event that happened at this time.
    pub fn saw_event(&mut self, at: Timestamp) {
        self.events += 1;
        self.from.get_or_insert(at);
        self.out_of_order += u64::from(at < self.clock);
    }

    /// Counts what one input led to.
    pub fn learn(&mut self, outcome: &Outcome) {
        self.duplicates += u64::from(outcome.duplicate);
        for fact in &outcome.facts {
            if let Fact::Traced(trace) = fact {
                self.trace(trace);
            }
        }
    }

    /// Returns what is counted of all journeys together.
    pub fn total(&self) -> Journey {
        let mut total = Journey::default();
        for journey in self.journeys.values() {
            total.entries += journey.entries;
            total.open += journey.open;
            add(&mut total.actions, &journey.actions);
            add(&mut total.shadow_actions, &journey.shadow_actions);
            add(&mut total.exits, &journey.exits);
            add(&mut total.refused, &journey.refused);
            add(&mut total.blocked, &journey.blocked);
        }
        total
    }

    /// Says what was read, in lines.
    pub fn head(&self) -> String {
        let mut head = String::new();
        // INVARIANT: writing to a string does not fail.
        if let Some(from) = self.from {
            let _ = writeln!(head, "{from} to {}", self.clock);
        }
        let Self {
            events,
            customers,
            seconds,
            events_per_second,
            ..
        } = self;
        let _ = writeln!(
            head,
            "{events} events of {customers} customers in {seconds:.2} s: {events_per_second} events/s"
        );
        let doubts = [
            ("duplicates", self.duplicates),
            ("undecodable", self.undecodable),
            ("out of order", self.out_of_order),
        ];
        for (name, n) in doubts.into_iter().filter(|(_, n)| *n > 0) {
            let _ = writeln!(head, "{n:>10} {name}");
        }
        head
    }

    /// Notes how long it took.
    #[expect(clippy::cast_precision_loss, reason = "events are fewer than 2^52")]
    pub fn took(&mut self, length: std::time::Duration) {
        self.seconds = length.as_secs_f64();
        self.events_per_second = (self.events as f64 / self.seconds.max(1e-9)).round();
    }

    fn trace(&mut self, trace: &Trace) {
        let Some(journey) = self.journeys.get_mut(&trace.subject) else {
            return;
        };
        match &trace.what {
            What::Entered => {
                journey.entries += 1;
                journey.open += 1;
            }
            What::Left(reason) => {
                journey.open -= 1;
                count(&mut journey.exits, reason);
            }
            What::Sent(_, channel, _) => {
                count(&mut journey.actions, channel);
                let day = self.days.entry(Day::of(trace.at)).or_default();
                count(day, channel);
            }
            // Offers of shadows are given to nobody.
            What::Ranked(..) if is_shadow(trace.instance) => {}
            What::Ranked(chosen, _) => {
                for offer in chosen {
                    count(&mut self.offers, offer);
                }
            }
            What::WouldSend(channel, _) => count(&mut journey.shadow_actions, channel),
            What::Refused(code, _) => count(&mut journey.refused, code),
            What::Blocked(code, _) => count(&mut journey.blocked, code),
            What::Waits(_)
            | What::Woke
            | What::Scored(..)
            | What::Took(..)
            | What::Set(_)
            | What::WouldSet(_)
            | What::Crossed(..)
            | What::Aimed(..)
            | What::Missed(..)
            | What::Met(..)
            | What::Dealt(..)
            | What::Migrated(..)
            | What::Told(..)
            | What::Untold(..)
            | What::Unkept(..) => {}
        }
    }
}

fn add(to: &mut Counts, from: &Counts) {
    for (name, n) in from {
        *to.entry(name.clone()).or_default() += n;
    }
}

fn count(counts: &mut Counts, name: &Arc<str>) {
    if let Some(n) = counts.get_mut(name) {
        *n += 1;
    } else {
        counts.insert(name.clone(), 1);
    }
}

fn time<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

fn time_if_known<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.serialize_some(&at.to_string()),
        None => serializer.serialize_none(),
    }
}

fn read_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    parse(&String::deserialize(deserializer)?)
}

fn known_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.as_deref().map(parse).transpose()
}

fn parse<E: serde::de::Error>(text: &str) -> Result<Timestamp, E> {
    Timestamp::parse(text).ok_or_else(|| E::custom(format!("`{text}` is not a time")))
}

/// The table.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.head())?;
        for (name, journey) in &self.journeys {
            write!(f, "\n{name}\n{}", journey.table())?;
        }
        Ok(())
    }
}

impl Journey {
    fn table(&self) -> String {
        let mut table = String::new();
        let mut row = |n: u64, what: &str, of: &str| {
            // INVARIANT: writing to a string does not fail.
            let _ = writeln!(table, "{n:>10} {what:<8} {of}");
        };
        row(self.entries, "entered", "");
        let groups = [
            ("sent", &self.actions),
            ("shadow", &self.shadow_actions),
            ("held", &self.blocked),
            ("left", &self.exits),
            ("refused", &self.refused),
        ];
        for (what, counts) in groups {
            for (name, n) in counts {
                row(*n, what, name);
            }
        }
        row(self.open, "open", "");
        table
            .lines()
            .fold(String::new(), |text, line| text + line.trim_end() + "\n")
    }
}
