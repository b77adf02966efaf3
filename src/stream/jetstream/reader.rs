//! A reader that heals itself: it knows what it has seen, and starts again from there.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Message;
use futures::stream;

use super::super::{Error, Reading};
use super::Shared;
use super::session::{Got, Session, What};
use super::setup::info;
use super::token::Place;

/// The wait before the second session that comes to nothing; it doubles.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest wait between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Reads one stream in order.
pub(super) struct Reader {
    shared: Arc<Shared>,
    what: What,
    session: Option<Session>,
    /// The last sequence that was yielded, or the one to start after.
    seen: u64,
    /// The number of the last message of this session's consumer.
    nth: u64,
    /// Where to end; `None` is never.
    upto: Option<u64>,
    batch_max: usize,
    /// What to say after what was read before it.
    failed: Option<Error>,
    is_done: bool,
    /// The wait before the next session; it doubles while sessions come to nothing.
    pause: Duration,
}

impl Reader {
    /// Makes a reader of what comes after `after`, up to `upto` if it is given.
    pub(super) fn new(shared: &Arc<Shared>, what: What, after: u64, upto: Option<u64>) -> Self {
        Self {
            shared: Arc::clone(shared),
            what,
            session: None,
            seen: after,
            nth: 0,
            is_done: upto.is_some_and(|upto| upto <= after),
            upto,
            batch_max: shared.options.batch_max.max(1),
            failed: None,
            pause: Duration::ZERO,
        }
    }

    /// Starts the first session, so that what cannot work fails at the call.
    pub(super) async fn start(mut self) -> Result<Self, Error> {
        if !self.is_done {
            self.begin().await?;
        }
        Ok(self)
    }

    /// Yields batches of what `take` makes of each message; `take` fails on what is not ours.
    pub(super) fn into_batches<T, F>(self, take: F) -> Reading<Vec<T>>
    where
        T: Send + 'static,
        F: FnMut(Message, Place) -> Result<T, Error> + Send + 'static,
    {
        let step = |(mut reader, mut take): (Self, F)| async move {
            let batch = reader.batch(&mut take).await?;
            reader.is_done |= batch.is_err();
            Some((batch, (reader, take)))
        };
        Box::pin(stream::unfold((self, take), step))
    }

    /// Returns the next batch, at least one message; `None` at the end.
    async fn batch<T>(
        &mut self,
        take: &mut impl FnMut(Message, Place) -> Result<T, Error>,
    ) -> Option<Result<Vec<T>, Error>> {
        loop {
            if let Some(error) = self.failed.take() {
                return Some(Err(error));
            }
            if self.is_done {
                return None;
            }
            if let Err(error) = self.ensure().await {
                return Some(Err(error));
            }
            let mut batch = Vec::new();
            self.collect(&mut batch, take).await;
            if !batch.is_empty() {
                return Some(Ok(batch));
            }
        }
    }

    /// Waits for one message, then takes what else is there.
    async fn collect<T>(
        &mut self,
        batch: &mut Vec<T>,
        take: &mut impl FnMut(Message, Place) -> Result<T, Error>,
    ) {
        let Some(session) = &mut self.session else {
            return;
        };
        session.ask().await;
        // The budget of the runtime would end a batch after 128 messages.
        let got = match tokio::task::coop::unconstrained(async { session.ready() }).await {
            Some(got) => got,
            None => session.wait().await,
        };
        tokio::task::coop::unconstrained(async { self.fill(got, batch, take) }).await;
    }

    /// Takes one message, then what else is there.
    fn fill<T>(
        &mut self,
        mut got: Got,
        batch: &mut Vec<T>,
        take: &mut impl FnMut(Message, Place) -> Result<T, Error>,
    ) {
        loop {
            self.handle(got, batch, take);
            if self.is_over() || batch.len() >= self.batch_max {
                return;
            }
            match self.session.as_mut().and_then(Session::ready) {
                Some(next) => got = next,
                None => return,
            }
        }
    }

    fn is_over(&self) -> bool {
        self.is_done || self.failed.is_some()
    }

    /// Takes one message into the batch, or notes what is wrong.
    fn handle<T>(
        &mut self,
        got: Got,
        batch: &mut Vec<T>,
        take: &mut impl FnMut(Message, Place) -> Result<T, Error>,
    ) {
        let message = match got {
            Got::Message(message) => message,
            Got::Nothing => return,
            Got::Lost(why) => return self.lost(&why),
        };
        let place = message.reply.as_deref().and_then(Place::parse);
        let Some(place) = place.filter(|place| place.nth == self.nth + 1) else {
            return self.lost("a message is missing");
        };
        self.nth = place.nth;
        self.pause = Duration::ZERO;
        if place.seq <= self.seen {
            return;
        }
        if self.upto.is_some_and(|upto| place.seq > upto) {
            self.is_done = true;
            return;
        }
        let is_dense = self.what.filter.is_none() && self.upto.is_none();
        if is_dense && place.seq != self.seen + 1 {
            self.failed = Some(self.deleted(place.seq));
            return;
        }
        match take(message, place) {
            Ok(item) => batch.push(item),
            Err(error) => self.failed = Some(error),
        }
        self.seen = place.seq;
        self.is_done = self
            .upto
            .is_some_and(|upto| place.seq >= upto || place.pending == 0);
    }

    fn lost(&mut self, why: &str) {
        tracing::debug!(
            stream = self.what.stream,
            seen = self.seen,
            why,
            "reader starts again"
        );
        self.session = None;
    }

    fn deleted(&self, first: u64) -> Error {
        Error::Deleted {
            stream: self.what.stream.clone(),
            after: self.seen,
            first,
        }
    }

    /// Makes a session if there is none, as often as it takes.
    async fn ensure(&mut self) -> Result<(), Error> {
        while self.session.is_none() && !self.is_done {
            tokio::time::sleep(self.pause).await;
            self.pause = (self.pause * 2).clamp(PAUSE, PAUSE_MAX);
            match self.begin().await {
                Ok(()) => {}
                Err(Error::Unreachable(why)) => {
                    tracing::debug!(stream = self.what.stream, why, "reader waits for NATS");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Makes a session from what was seen; looks first if that is possible.
    async fn begin(&mut self) -> Result<(), Error> {
        if self.upto.is_none() {
            self.check_extent().await?;
        }
        let session = Session::start(&self.shared, &self.what, self.seen).await?;
        self.is_done = self.upto.is_some() && session.pending == 0;
        self.session = Some(session);
        self.nth = 0;
        Ok(())
    }

    /// Fails when the stream does not hold what comes next.
    async fn check_extent(&self) -> Result<(), Error> {
        let state = info(&self.shared, &self.what.stream).await?.state;
        if state.last_sequence < self.seen {
            return Err(Error::Behind {
                stream: self.what.stream.clone(),
                after: self.seen,
                last: state.last_sequence,
            });
        }
        if state.first_sequence > self.seen + 1 {
            return Err(self.deleted(state.first_sequence));
        }
        Ok(())
    }
}
