//! Collects the answers of many customers into one message to their partition.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Waits for a number of answers; the last one calls `done` with all of them in order.
///
/// An answer that never comes (its actor died) is `None`: the slot says so when it is dropped.
pub struct Gather<T> {
    left: AtomicUsize,
    answers: Mutex<Vec<Option<T>>>,
    done: Box<dyn Fn(Vec<Option<T>>) + Send + Sync>,
}

/// The place of one answer.
pub struct Slot<T> {
    gather: Option<Arc<Gather<T>>>,
    idx: usize,
}

/// Returns `n` slots, at least one; when all are filled or dropped, `done` is called.
pub fn gather<T>(n: usize, done: impl Fn(Vec<Option<T>>) + Send + Sync + 'static) -> Vec<Slot<T>> {
    let answers = Mutex::new((0..n).map(|_| None).collect());
    let gather = Arc::new(Gather {
        left: AtomicUsize::new(n),
        answers,
        done: Box::new(done),
    });
    (0..n)
        .map(|idx| Slot {
            gather: Some(gather.clone()),
            idx,
        })
        .collect()
}

impl<T> Slot<T> {
    /// Fills the slot.
    pub fn fill(mut self, answer: T) {
        self.close(Some(answer));
    }

    fn close(&mut self, answer: Option<T>) {
        let Some(gather) = self.gather.take() else {
            return;
        };
        if answer.is_some() {
            gather
                .answers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)[self.idx] = answer;
        }
        if gather.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            let mut answers = gather
                .answers
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            (gather.done)(std::mem::take(&mut *answers));
        }
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        self.close(None);
    }
}
