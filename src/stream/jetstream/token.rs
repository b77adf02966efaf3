//! The reply subject of a delivered message: where it stands in its stream and its consumer.

use crate::domain::Timestamp;

/// Where a delivered message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stream) struct Place {
    /// Its sequence in the stream.
    pub seq: u64,
    /// Its number in the consumer: 1, 2, 3, … without gaps.
    pub nth: u64,
    /// When it was stored.
    pub stored_at: Timestamp,
    /// Messages after it that the consumer will deliver.
    pub pending: u64,
}

impl Place {
    /// Reads `$JS.ACK.<stream>.<consumer>.<delivered>.<seq>.<nth>.<nanoseconds>.<pending>`, and the
    /// longer form with a domain and an account hash after `ACK` and a random token at the end.
    pub(in crate::stream) fn parse(reply: &str) -> Option<Self> {
        let rest = reply.strip_prefix("$JS.ACK.")?;
        let n_tokens = 1 + rest.bytes().filter(|&byte| byte == b'.').count();
        // What stands before the sequence.
        let n_before = match n_tokens {
            7 => 3,
            9.. => 5,
            _ => return None,
        };
        let mut numbers = rest.split('.').skip(n_before).map(number);
        let mut next = || numbers.next().flatten();
        let (seq, nth, nanos, pending) = (next()?, next()?, next()?, next()?);
        let stored_at = Timestamp::from_millis(i64::try_from(nanos / 1_000_000).ok()?);
        Some(Self {
            seq,
            nth,
            stored_at,
            pending,
        })
    }
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}
