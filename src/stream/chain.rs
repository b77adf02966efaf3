//! The chain of a log: each record names the one before it, so a hole cannot pass for an end.

use futures::{Stream, StreamExt, stream};

use super::{Error, LogRecord, Reading};

/// One record, and the sequence of the record before it.
pub(super) struct Link {
    pub after: u64,
    pub record: LogRecord,
}

/// Passes the records of `(after, upto]` on; fails where one is missing.
pub(super) fn checked(
    stream: String,
    after: u64,
    upto: u64,
    links: impl Stream<Item = Result<Link, Error>> + Send + 'static,
) -> Reading<LogRecord> {
    let missing = move |after, first| Error::Deleted {
        stream: stream.clone(),
        after,
        first,
    };
    let step = move |state: Option<(_, u64)>| {
        let missing = missing.clone();
        async move {
            let (mut links, last) = state?;
            let next: Option<Result<Link, Error>> = StreamExt::next(&mut links).await;
            match next {
                Some(Ok(link)) if link.after == last => {
                    let seq = link.record.seq;
                    Some((Ok(link.record), Some((links, seq))))
                }
                Some(Ok(link)) => Some((Err(missing(last, link.record.seq)), None)),
                Some(Err(error)) => Some((Err(error), None)),
                None if last < upto => Some((Err(missing(last, upto)), None)),
                None => None,
            }
        }
    };
    Box::pin(stream::unfold(Some((links.boxed(), after)), step))
}
