//! A file of events: each line decoded, at its own time.

use crate::cli::backtest::feed::{BATCH, Item, Sender};
use crate::cli::backtest::lines::{LINE_BYTES_MAX, Line, Lines};
use crate::domain::segment::{Decoded, Received, decode};
use crate::domain::{CustomerId, Timestamp};
use crate::policy::wanted::Wanted;

/// Reads a file.
pub struct File {
    /// Which events somebody looks into.
    pub wanted: Wanted,
    /// The latest time of an event so far: an event without a time of its own happened then.
    pub clock: Timestamp,
    /// Later events are left out.
    pub until: Option<Timestamp>,
    /// Whose events; `None` is everybody's.
    pub customer: Option<CustomerId>,
}

impl File {
    /// Sends all events, until nobody waits for them.
    ///
    /// # Errors
    ///
    /// The file cannot be read further.
    pub fn read(mut self, mut lines: Lines, sender: &Sender) -> anyhow::Result<()> {
        let mut batch = Vec::with_capacity(BATCH);
        while let Some(line) = lines.take_next()? {
            let event = self.decode(&line);
            if event.as_ref().is_ok_and(|decoded| !self.is_in(decoded)) {
                continue;
            }
            if let Ok(decoded) = &event {
                self.clock = self.clock.max(decoded.event.at);
            }
            let now = event
                .as_ref()
                .map_or(self.clock, |decoded| decoded.event.at);
            batch.push(Item::new(line.number, now, event));
            if batch.len() < BATCH {
                continue;
            }
            let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
            if sender.send(Ok(full)).is_err() {
                return Ok(());
            }
        }
        let _gone = sender.send(Ok(batch));
        Ok(())
    }

    fn is_in(&self, decoded: &Decoded) -> bool {
        self.until.is_none_or(|until| decoded.event.at < until)
            && self
                .customer
                .as_ref()
                .is_none_or(|customer| *customer == decoded.customer)
    }

    fn decode(&self, line: &Line<'_>) -> Result<Decoded, String> {
        if line.bytes.len() > LINE_BYTES_MAX {
            return Err(format!("more than {LINE_BYTES_MAX} bytes"));
        }
        let received = Received {
            at: self.clock,
            real: false,
            fallback_id: &|| format!("line-{}", line.number),
        };
        let decoded = decode(line.bytes, &received, |name| self.wanted.depth(name))?;
        if decoded.event.at == Timestamp::MIN {
            return Err("no `timestamp`, and no event before that has one".into());
        }
        Ok(decoded)
    }
}
