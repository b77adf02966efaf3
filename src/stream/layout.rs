//! Where things lie in NATS: stream names, subjects, headers and limits.

use std::time::Duration;

use super::{Error, Lane, Outgoing, POLICIES};
use crate::domain::Partition;

/// The header that the server drops duplicates by.
pub const MESSAGE_ID: &str = "Nats-Msg-Id";
/// The header that keeps the id of a forwarded event.
pub const EVENT_ID: &str = "Attune-Event-Id";
/// The header of a W3C trace context.
pub const TRACE_PARENT: &str = "traceparent";
/// The header that names a commit.
pub(super) const COMMIT: &str = "Attune-Commit";
/// The header of a record that holds the sequence of the record before it.
pub(super) const AFTER: &str = "Attune-After";

const DAY: Duration = Duration::from_hours(24);

/// How long things are kept. `None` is forever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The age at which events are deleted; must exceed the longest outage, what is unread is lost.
    pub events_age: Option<Duration>,
    /// The size of the event stream in bytes; above it publishers are refused, nothing is deleted.
    pub events_bytes: Option<u64>,
    /// The age at which actions and changes of segments are deleted.
    pub actions_age: Option<Duration>,
    /// The age at which decisions are deleted.
    pub decisions_age: Option<Duration>,
    /// The age at which dead letters are deleted.
    pub dead_letters_age: Option<Duration>,
    /// How long the server remembers message ids; each costs it about 200 bytes.
    pub duplicate_window: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            events_age: Some(7 * DAY),
            events_bytes: None,
            actions_age: Some(7 * DAY),
            decisions_age: Some(DAY),
            dead_letters_age: Some(30 * DAY),
            duplicate_window: Duration::from_mins(2),
        }
    }
}

/// Where things lie in NATS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// What every subject starts with, and, in capitals, every stream name.
    prefix: String,
    /// The number of partitions; fixed when the streams are created.
    pub n_partitions: u16,
    /// Copies of each stream: 1, 3 or 5.
    pub replicas: usize,
    /// How long things are kept.
    pub limits: Limits,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            prefix: "attune".into(),
            n_partitions: 16,
            replicas: 1,
            limits: Limits::default(),
        }
    }
}

/// The six streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Events,
    State,
    Actions,
    Decisions,
    DeadLetters,
    Segments,
}

impl Stream {
    pub(super) const ALL: [Self; 6] = [
        Self::Events,
        Self::State,
        Self::Actions,
        Self::Decisions,
        Self::DeadLetters,
        Self::Segments,
    ];

    /// Returns the word in the stream's subjects and, in capitals, in its name.
    fn word(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::State => "state",
            Self::Actions => "actions",
            Self::Decisions => "decisions",
            Self::DeadLetters => "dlq",
            Self::Segments => "segments",
        }
    }
}

impl From<Lane> for Stream {
    fn from(lane: Lane) -> Self {
        match lane {
            Lane::Actions => Self::Actions,
            Lane::Decisions => Self::Decisions,
            Lane::DeadLetters => Self::DeadLetters,
            Lane::Events => Self::Events,
            Lane::Segments => Self::Segments,
        }
    }
}

impl Layout {
    /// Takes a prefix and a number of partitions; the rest is the default.
    ///
    /// # Errors
    ///
    /// [`Error::Setup`] when the prefix is not 1 to 32 of `a-z 0-9 -`, or there is no partition.
    pub fn new(prefix: &str, n_partitions: u16) -> Result<Self, Error> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if prefix.is_empty() || prefix.len() > 32 || !prefix.chars().all(allowed) {
            return Err(Error::Setup(format!(
                "prefix `{prefix}` must be 1 to 32 of `a-z`, `0-9` and `-`"
            )));
        }
        if n_partitions == 0 {
            return Err(Error::Setup("there must be at least one partition".into()));
        }
        if n_partitions == POLICIES.0 {
            return Err(Error::Setup(format!(
                "there must be fewer than {n_partitions} partitions"
            )));
        }
        Ok(Self {
            prefix: prefix.into(),
            n_partitions,
            ..Self::default()
        })
    }

    /// Returns the full subject of a message: the lane's prefix, then `tail`.
    pub fn subject(&self, lane: Lane, tail: &str) -> String {
        format!("{}.{}.{tail}", self.prefix, Stream::from(lane).word())
    }

    /// Refuses a message that the server would not take, or would take elsewhere.
    pub(super) fn check(&self, out: &Outgoing) -> Result<(), Error> {
        if !self.is_in(out.lane, &out.subject) {
            let subject = &out.subject;
            return Err(Error::Refused(format!(
                "subject `{subject}` is not one of this lane"
            )));
        }
        let values = out.headers.iter().map(|(_, value)| value);
        let is_broken = |value: &&String| value.contains(['\r', '\n']);
        if let Some(value) = values.chain([&out.id]).find(is_broken) {
            return Err(Error::Refused(format!(
                "`{}` cannot be the value of a header",
                value.escape_debug()
            )));
        }
        Ok(())
    }

    /// Tells if a subject belongs to a lane and can be published to.
    fn is_in(&self, lane: Lane, subject: &str) -> bool {
        subject
            .strip_prefix(self.prefix.as_str())
            .and_then(|rest| rest.strip_prefix('.'))
            .and_then(|rest| rest.strip_prefix(Stream::from(lane).word()))
            .and_then(|rest| rest.strip_prefix('.'))
            .is_some_and(|tail| tail.split('.').all(is_token))
    }

    /// Returns the name of a stream.
    pub(super) fn name(&self, stream: Stream) -> String {
        format!("{}_{}", self.prefix, stream.word()).to_ascii_uppercase()
    }

    /// Returns the subjects that a stream takes in.
    pub(super) fn takes(&self, stream: Stream) -> String {
        let tail = match stream {
            Stream::Events | Stream::State => "*",
            Stream::Actions | Stream::Decisions | Stream::DeadLetters | Stream::Segments => ">",
        };
        format!("{}.{}.{tail}", self.prefix, stream.word())
    }

    /// Returns what the subject of an event becomes when it is stored.
    pub(super) fn stored_as(&self) -> String {
        format!(
            "{}.p.{{{{partition({},1)}}}}",
            self.prefix, self.n_partitions
        )
    }

    /// Returns the subject under which an event is stored, as the server's transform makes it.
    pub(super) fn stored_subject(&self, subject: &str) -> String {
        let token = subject.rsplit('.').next().unwrap_or_default();
        self.stored(Partition::of_token(token, self.n_partitions))
    }

    /// Returns the subject under which the events of a partition are stored.
    pub(super) fn stored(&self, partition: Partition) -> String {
        format!("{}.p.{partition}", self.prefix)
    }

    /// Returns the subject of a partition's log, or of that of the policies.
    pub(super) fn log(&self, partition: Partition) -> String {
        if partition == POLICIES {
            return format!("{}.state.policies", self.prefix);
        }
        format!("{}.state.{partition}", self.prefix)
    }

    /// Returns the age at which a stream's messages are deleted.
    pub(super) fn age(&self, stream: Stream) -> Option<Duration> {
        match stream {
            Stream::Events => self.limits.events_age,
            Stream::State => None,
            Stream::Actions | Stream::Segments => self.limits.actions_age,
            Stream::Decisions => self.limits.decisions_age,
            Stream::DeadLetters => self.limits.dead_letters_age,
        }
    }
}

fn is_token(text: &str) -> bool {
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || c == '*' || c == '>';
    !text.is_empty() && !text.contains(forbidden)
}

/// Reads the partition of a stored event from its subject, `<prefix>.p.<partition>`.
pub(super) fn partition_of(subject: &str) -> Option<Partition> {
    let (_, partition) = subject.rsplit_once(".p.")?;
    partition.parse().ok().map(Partition)
}
