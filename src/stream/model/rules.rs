//! The rules of the server: what is taken, what is stored, what is answered.

use bytes::Bytes;

use super::journal::{Answer, Journal, Stored};
use super::{Replicas, State};
use crate::domain::Duration;
use crate::stream::append::{Outcome, Record};
use crate::stream::layout::{AFTER, COMMIT, Stream};
use crate::stream::{Durability, Error, Lane, Opened, Outgoing};

impl State {
    pub(super) fn journal(&self, stream: Stream) -> &Journal {
        &self.journals[stream as usize]
    }

    pub(super) fn journal_mut(&mut self, stream: Stream) -> &mut Journal {
        &mut self.journals[stream as usize]
    }

    pub(super) fn check_reachable(&self) -> Result<(), Error> {
        if self.is_reachable {
            return Ok(());
        }
        Err(Error::Unreachable("the connection is cut".into()))
    }

    pub(super) fn check_size(&self, bytes: usize) -> Result<(), Error> {
        let bytes_max = self.payload_max;
        if bytes > bytes_max {
            return Err(Error::TooLarge { bytes, bytes_max });
        }
        Ok(())
    }

    pub(super) fn window(&self) -> Duration {
        let window = self.layout.limits.duplicate_window.as_millis();
        Duration::from_millis(u64::try_from(window).unwrap_or(u64::MAX))
    }

    /// Stores a message in its lane; returns its sequence, or the first one's if it is a duplicate.
    pub(super) fn publish(
        &mut self,
        lane: Lane,
        subject: &str,
        id: Option<String>,
        headers: Vec<(String, String)>,
        payload: Bytes,
    ) -> u64 {
        let subject = match lane {
            Lane::Events => self.layout.stored_subject(subject),
            Lane::Actions | Lane::Decisions | Lane::DeadLetters | Lane::Segments => {
                subject.to_owned()
            }
        };
        let message = Stored {
            seq: 0,
            subject,
            id,
            headers,
            payload,
            stored_at: self.now,
        };
        let (replicas, window) = (self.replicas, self.window());
        let journal = self.journal_mut(lane.into());
        match journal.store(message, None, replicas, window) {
            Answer::Stored(seq) | Answer::Duplicate(seq) => seq,
            Answer::WrongLast => 0,
        }
    }

    pub(super) fn try_append(&mut self, record: &Record) -> Result<Outcome, Error> {
        self.check_size(record.bytes.len())?;
        let unsure = |why: &str| Ok(Outcome::Unsure(why.into()));
        if !self.is_reachable {
            return unsure("the connection is cut");
        }
        if self.faults.clashes > 0 {
            self.faults.clashes -= 1;
            return unsure("10164: another write to the subject is in flight");
        }
        let message = Stored {
            seq: 0,
            subject: self.layout.log(record.partition),
            id: None,
            headers: vec![
                (COMMIT.into(), record.commit.to_string()),
                (AFTER.into(), record.expected.to_string()),
            ],
            payload: record.bytes.clone(),
            stored_at: self.now,
        };
        let (replicas, window) = (self.replicas, self.window());
        let journal = self.journal_mut(Stream::State);
        let answer = journal.store(message, Some(record.expected), replicas, window);
        if self.faults.is_append_lost() {
            return unsure("the answer is lost");
        }
        match answer {
            Answer::Stored(seq) | Answer::Duplicate(seq) => Ok(Outcome::Stands(seq)),
            Answer::WrongLast => unsure("10071: wrong last sequence"),
        }
    }

    pub(super) fn opened(&self) -> Opened {
        Opened {
            server_version: "2.15.1".into(),
            durability: match self.replicas {
                Replicas::One => Durability::Process,
                Replicas::Three => Durability::Machine,
            },
            payload_max: self.payload_max,
            n_partitions: self.layout.n_partitions,
            created: self.created,
        }
    }

    /// Takes what was published; the answer is `None` when it is lost.
    pub(super) fn take(&mut self, out: Outgoing) -> Result<Option<u64>, Error> {
        self.layout.check(&out)?;
        self.check_size(out.payload.len())?;
        if !self.is_reachable {
            return Ok(None);
        }
        let headers = out.headers.into_iter();
        let headers = headers.map(|(name, value)| (name.into(), value)).collect();
        let seq = self.publish(out.lane, &out.subject, Some(out.id), headers, out.payload);
        Ok((!self.faults.is_publish_lost()).then_some(seq))
    }
}
