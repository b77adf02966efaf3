//! A thread of its own for what may hang: whoever waits for it gives up in time.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What the thread is to do; it must not panic.
type Job = Box<dyn FnOnce() + Send>;

/// The thread; when this goes it has ended, unless somebody has given it up.
pub(super) struct Worker {
    jobs: Sender<Job>,
    thread: Option<JoinHandle<()>>,
    /// It may never end.
    hangs: AtomicBool,
}

impl Worker {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// There is no thread to be had.
    pub fn start(name: &str) -> io::Result<Self> {
        // INVARIANT: bounded by those who wait for an answer.
        let (jobs, todo) = channel::<Job>();
        let work = move || todo.into_iter().for_each(|job| job());
        let thread = thread::Builder::new().name(name.into()).spawn(work)?;
        Ok(Self {
            jobs,
            thread: Some(thread),
            hangs: AtomicBool::new(false),
        })
    }

    /// Has it do something, after all before it, and returns what came of it.
    ///
    /// # Errors
    ///
    /// Why there is no answer; it may be still at work.
    pub fn run<T: Send + 'static>(
        &self,
        within: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, String> {
        let gone = || "its thread ended".to_owned();
        let (answer, answered) = sync_channel(1);
        let job = Box::new(move || drop(answer.send(work())));
        self.jobs.send(job).map_err(|_| gone())?;
        answered.recv_timeout(within).map_err(|error| match error {
            RecvTimeoutError::Timeout => {
                self.hangs.store(true, Relaxed);
                format!("no answer within {within:?}")
            }
            RecvTimeoutError::Disconnected => gone(),
        })
    }
}

impl Drop for Worker {
    /// What libraries keep by thread is let go only when the thread has ended, such as the lock on sled's files.
    fn drop(&mut self) {
        self.jobs = channel().0;
        let thread = self.thread.take();
        let ended = thread.filter(|_| !self.hangs.load(Relaxed));
        drop(ended.map(JoinHandle::join));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn one_thread_does_everything_in_order() {
        let worker = Worker::start("worker").unwrap();
        let who = || thread::current().id();
        let first = worker.run(LONG, who).unwrap();
        assert_eq!(worker.run(LONG, who), Ok(first));
        assert_ne!(first, who());
    }

    #[test]
    fn who_hangs_or_dies_gives_no_answer() {
        let worker = Worker::start("worker").unwrap();
        let (free, held) = channel::<()>();
        let hang = worker.run(Duration::from_millis(10), move || held.recv().is_err());
        assert_eq!(hang, Err("no answer within 10ms".into()));
        drop(free);
        assert_eq!(worker.run(LONG, || 7), Ok(7));
        let die = || panic::<u8>();
        assert_eq!(worker.run(LONG, die), Err("its thread ended".into()));
        assert_eq!(worker.run(LONG, || 7), Err("its thread ended".into()));
    }

    #[test]
    fn who_goes_waits_for_the_end_of_the_thread_unless_it_hangs() {
        thread_local!(static LAST: std::cell::RefCell<Option<Sender<()>>> = const { std::cell::RefCell::new(None) });
        let worker = Worker::start("worker").unwrap();
        let (last, ended) = channel();
        worker.run(LONG, move || LAST.set(Some(last))).unwrap();
        drop(worker);
        let gone = std::sync::mpsc::TryRecvError::Disconnected;
        assert_eq!(ended.try_recv(), Err(gone));

        let worker = Worker::start("worker").unwrap();
        let (free, held) = channel::<()>();
        let hang = worker.run(Duration::from_millis(10), move || held.recv().is_err());
        assert!(hang.is_err());
        drop(worker);
        drop(free);
    }

    fn panic<T>() -> T {
        std::panic::panic_any("a test")
    }
}
