//! Reading again what was published, for people who take it elsewhere.

use bytes::Bytes;

use super::JetStream;
use super::history::seq_at;
use super::read::each;
use super::reader::Reader;
use super::session::What;
use super::setup::info;
use crate::domain::Timestamp;
use crate::stream::{Error, Lane, Reading};

/// Part of a lane.
pub struct Kept {
    /// How many messages there are at most.
    pub n_max: u64,
    /// Sequence and payload, in order.
    pub messages: Reading<(u64, Bytes)>,
}

impl JetStream {
    /// Reads the messages of a lane that were stored at a time or later, to the lane's end as of the call.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] or [`Error::Refused`], also when there is no such stream.
    pub async fn kept(&self, lane: Lane, since: Timestamp) -> Result<Kept, Error> {
        let name = self.shared.name(lane.into());
        let state = info(&self.shared, &name).await?.state;
        let (first, upto) = (state.first_sequence, state.last_sequence);
        let after = seq_at(&self.shared, lane.into(), since).await?.max(first);
        let after = after.saturating_sub(1).min(upto);
        let what = What {
            stream: name,
            filter: None,
            headers_only: false,
        };
        let reader = Reader::new(&self.shared, what, after, Some(upto));
        let batches = reader
            .start()
            .await?
            .into_batches(|message, place| Ok((place.seq, message.payload)));
        Ok(Kept {
            n_max: upto - after,
            messages: each(batches),
        })
    }
}
