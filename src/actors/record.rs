//! The commit record: what one batch of a partition did, as the state log holds it.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::domain::budget::{Key, Quota};
use crate::domain::learning::Update;
use crate::domain::{Action, Answer, Crossing, CustomerId, EventId, Fact, Timestamp};

/// The version of the record that this build writes.
const VERSION: u8 = 2;

/// The version before: its decisions say nothing of what learners believe.
const WITHOUT_BELIEFS: u8 = 1;

/// Bytes before the payload of a chunk: version, index, number of chunks, checksum.
const HEAD: usize = 1 + 2 + 2 + 8;

/// The room that a commit of a few inputs takes, in bytes.
const BYTES_USUAL: usize = 4_096;

/// One commit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    /// Last sequence of the partition's log before this commit: the chain has no gap.
    pub prev: u64,
    /// Sequence of the last event that is applied, or was found not to concern this partition.
    pub offset: u64,
    /// When the event stream was created.
    pub created: i64,
    /// Everything that leaves because of commits up to this one has left.
    pub emitted: u64,
    /// By lane: the sequence at which something of this partition was last published.
    pub marks: crate::stream::Marks,
    /// Every event up to the offset was stored before this time, or, with the events' clock, happened before it.
    pub watermark: Option<Timestamp>,
    /// What each customer learnt.
    pub facts: Vec<(CustomerId, Vec<Fact>)>,
    /// What leaves for channels.
    pub actions: Vec<Action>,
    /// What was ranked.
    pub answers: Vec<Arc<Answer>>,
    /// Events that could not be handled.
    pub dead: Vec<Dead>,
    /// Events of another partition.
    pub forwards: Vec<Forward>,
    /// Who came into a segment or went out of it.
    pub crossings: Vec<Crossing>,
    /// What is added to the partition's tallies.
    pub updates: Vec<Update>,
    /// The partition's quotas of budgets that have changed, as they are from here on.
    pub quotas: Vec<(Key, Quota)>,
}

/// Where a commit stands in the log of its partition, which it shares with nobody: it may be several messages,
/// and those of other partitions lie between, so one less than its sequence is no place to read on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where the log ended before it.
    pub after: u64,
    /// Where it ends.
    pub end: u64,
}

/// An event that could not be handled; its bytes are in the event stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dead {
    /// Its sequence in the event stream.
    pub seq: u64,
    /// A token of the subject: `undecodable`, `too_large`, `panic`.
    pub reason: String,
    /// What was wrong.
    pub error: String,
}

/// An event that arrived in the wrong partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    /// Its sequence in the event stream.
    pub seq: u64,
    /// The token of its customer.
    pub token: String,
    /// Its id, which it keeps.
    pub event: EventId,
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are not what was written.
    #[error("the commit record is damaged: {0}")]
    Damaged(String),
    /// A newer build wrote it.
    #[error("the commit record has version {0}, this build reads up to {VERSION}")]
    Version(u8),
    /// An earlier build wrote it, and the decisions in it have another form.
    #[error(
        "the commit record has version {0} and holds decisions: the build that wrote it has to emit them"
    )]
    Earlier(u8),
}

impl Commit {
    /// Tells if nothing would be lost without this commit but an offset.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
            && self.actions.is_empty()
            && self.answers.is_empty()
            && self.dead.is_empty()
            && self.forwards.is_empty()
            && self.crossings.is_empty()
            && self.updates.is_empty()
            && self.quotas.is_empty()
    }

    /// Tells if something leaves because of this commit.
    pub fn emits(&self) -> bool {
        !(self.actions.is_empty()
            && self.answers.is_empty()
            && self.dead.is_empty()
            && self.forwards.is_empty()
            && self.crossings.is_empty())
    }

    /// Encodes the commit as messages of at most `chunk_max` bytes; nearly always one.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] if the commit cannot be encoded or needs more than 65,535 messages.
    pub fn encode(&self, chunk_max: usize) -> Result<Vec<Bytes>, Error> {
        // With room for the head, so that a single message is not copied.
        let mut bytes = Vec::with_capacity(BYTES_USUAL);
        bytes.resize(HEAD, 0);
        let mut bytes =
            postcard::to_extend(self, bytes).map_err(|error| Error::Damaged(error.to_string()))?;
        if bytes.len() <= chunk_max.max(HEAD) {
            let head = head(&bytes[HEAD..], 0, 1);
            bytes[..HEAD].copy_from_slice(&head);
            return Ok(vec![bytes.into()]);
        }
        let body = &bytes[HEAD..];
        let size = chunk_max.saturating_sub(HEAD).max(1);
        let n = u16::try_from(body.len().div_ceil(size))
            .map_err(|_| Error::Damaged("too large".into()))?;
        let chunks = body.chunks(size).zip(0_u16..);
        let chunk = |(part, idx)| Bytes::from([&head(part, idx, n)[..], part].concat());
        Ok(chunks.map(chunk).collect())
    }
}

fn head(part: &[u8], idx: u16, n: u16) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[0] = VERSION;
    head[1..3].copy_from_slice(&idx.to_le_bytes());
    head[3..5].copy_from_slice(&n.to_le_bytes());
    head[5..].copy_from_slice(&xxh3_64(part).to_le_bytes());
    head
}

/// Tells if a message is the first one of a commit.
pub fn is_first(message: &[u8]) -> bool {
    message.get(1..3) == Some(&[0, 0])
}

/// Puts the messages of a log together to commits. The chunks of a commit whose writer died half-way are dropped.
#[derive(Debug, Default)]
pub struct Assembler {
    body: Vec<u8>,
    next: u16,
}

impl Assembler {
    /// Takes the next message; returns the commit that it completes.
    ///
    /// # Errors
    ///
    /// The message is not one that this build wrote.
    pub fn take(&mut self, message: &[u8]) -> Result<Option<Commit>, Error> {
        let damaged = |what: &str| Error::Damaged(what.into());
        let (head, part) = message
            .split_at_checked(HEAD)
            .ok_or_else(|| damaged("too short"))?;
        let version = head[0];
        if !(WITHOUT_BELIEFS..=VERSION).contains(&version) {
            return Err(Error::Version(version));
        }
        let idx = u16::from_le_bytes([head[1], head[2]]);
        let n = u16::from_le_bytes([head[3], head[4]]);
        let sum = head[5..]
            .try_into()
            .map(u64::from_le_bytes)
            .map_err(|_| damaged("head"))?;
        if sum != xxh3_64(part) {
            return Err(damaged("the checksum differs"));
        }
        if idx == 0 {
            self.body.clear();
        } else if idx != self.next {
            return Err(damaged("a part is missing"));
        }
        self.body.extend_from_slice(part);
        self.next = idx + 1;
        if self.next < n {
            return Ok(None);
        }
        let commit = postcard::from_bytes::<Commit>(&std::mem::take(&mut self.body));
        match commit {
            Ok(commit) if version == VERSION || commit.answers.is_empty() => Ok(Some(commit)),
            Err(error) if version == VERSION => Err(damaged(&error.to_string())),
            Ok(_) | Err(_) => Err(Error::Earlier(version)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message of a commit, as a build of this version would have written it.
    fn message(version: u8, commit: &Commit) -> Vec<u8> {
        let mut message = commit.encode(usize::MAX).unwrap()[0].to_vec();
        message[0] = version;
        message
    }

    fn nothing() -> Answer {
        Answer {
            decision_id: "d".into(),
            customer: CustomerId::parse("anna").unwrap(),
            placement: "home".into(),
            offers: Vec::new(),
            losers: Vec::new(),
            passed_over: Vec::new(),
            runner_up: None,
            shadow: Vec::new(),
            arm: None,
            learner: None,
            models: Vec::new(),
            bundle: "0".into(),
            degraded: false,
            fallback: false,
            decided_at: Timestamp::from_millis(7),
        }
    }

    fn read(message: &[u8]) -> Result<Option<Commit>, String> {
        let mut assembler = Assembler::default();
        assembler.take(message).map_err(|error| error.to_string())
    }

    #[test]
    fn a_record_of_the_version_before_is_read_unless_it_holds_decisions() {
        let anna = CustomerId::parse("anna").unwrap();
        let seen = Fact::Seen(7, Timestamp::from_millis(7));
        let mut commit = Commit {
            facts: vec![(anna, vec![seen])],
            ..Commit::default()
        };
        assert_eq!(read(&message(1, &commit)), Ok(Some(commit.clone())));
        assert_eq!(read(&message(2, &commit)), Ok(Some(commit.clone())));
        let newer = read(&message(3, &commit)).unwrap_err();
        assert!(newer.contains("version 3"), "{newer}");
        commit.answers = vec![Arc::new(nothing())];
        let earlier = read(&message(1, &commit)).unwrap_err();
        assert!(earlier.contains("holds decisions"), "{earlier}");
    }
}
