//! Where the store is read for a batch.

use std::time::{Duration, Instant};

/// So many customers are read at once, at most: what comes out of a cache takes some microseconds each.
const FEW: usize = 8;

/// A read that takes longer waits for the disk, or for a checkpoint.
const SLOW: Duration = Duration::from_millis(2);

/// For how long nothing is read at once after a slow read.
const REST: Duration = Duration::from_secs(1);

/// Knows whether the store answers quickly enough to be asked by the partition itself: a thread of its own takes two
/// wakes, which is more than most reads, but a slow read would hold up everybody who shares the worker.
#[derive(Default)]
pub struct Reads {
    slow: Option<Instant>,
}

impl Reads {
    /// Tells if so many customers may be read at once.
    pub fn may_be_at_once(&self, n: usize) -> bool {
        n <= FEW && self.slow.is_none_or(|slow| slow.elapsed() >= REST)
    }

    /// Notes how long such a read took.
    pub fn took(&mut self, long: Duration) {
        if long >= SLOW {
            self.slow = Some(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_slow_read_nothing_is_read_at_once_for_a_while() {
        let mut reads = Reads::default();
        assert!(reads.may_be_at_once(FEW));
        assert!(!reads.may_be_at_once(FEW + 1));
        reads.took(SLOW / 2);
        assert!(reads.may_be_at_once(1));
        reads.took(SLOW);
        assert!(!reads.may_be_at_once(1));
        reads.slow = reads.slow.and_then(|slow| slow.checked_sub(REST));
        assert!(reads.may_be_at_once(1));
    }
}
