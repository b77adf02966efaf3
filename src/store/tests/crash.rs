//! Processes that are killed and disks that are full.
//!
//! The writer runs in a child: this very test binary, told by the environment what to do. It commits batches
//! 1, 2, 3, … and says so after each commit. Batch `n` replaces all customers, adds timer `n`, drops timer
//! `n - N_TIMERS` and notes `n`, so a lost, torn or doubled batch shows. Ballast is for filling disks.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{ON_DISK, Place, Random, files, options, rows};
use crate::store::{Batch, Durability, Engine, Error, Store, Table, envelope, open};

const DIR: &str = "ATTUNE_CRASH_DIR";
const ENGINE: &str = "ATTUNE_CRASH_ENGINE";
const BALLAST_BYTES: &str = "ATTUNE_CRASH_BALLAST_BYTES";

const N_CUSTOMERS: u64 = 20;
const N_TIMERS: u64 = 10;

#[test]
fn a_killed_writer_loses_nothing_that_was_acknowledged() {
    let n_crashes = std::env::var("ATTUNE_CRASHES").map_or(12, |n| n.parse().unwrap());
    let mut random = Random::from_env("crash");
    for engine in ON_DISK {
        let place = Place::new(engine);
        let mut last = 0;
        for crash in 0..n_crashes {
            let delay = Duration::from_micros(random.below(80_000));
            let writer = Writer::spawn(&mut writer_command(), &place, 0);
            if crash % 3 > 0 {
                writer.wait_for_a_commit();
            }
            std::thread::sleep(delay);
            let said = writer.kill();
            let acked = said.acked.unwrap_or(last);
            let found = check(&*place.open());
            assert!(
                found == acked || found == acked + 1,
                "{engine}, crash {crash} after {delay:?}: acknowledged {acked}, found {found}"
            );
            assert_eq!(said.failed, None, "{engine}, crash {crash}");
            last = found;
        }
        println!("{engine}: {n_crashes} crashes, {last} batches");
        assert!(last > 0, "{engine}: no writer ever came to commit");
    }
}

#[test]
fn a_store_that_was_not_made_to_the_end_is_made_again() {
    for engine in ON_DISK {
        let place = Place::new(engine);
        drop(place.open());
        let draft = place.dir().join("rows.new");
        std::fs::rename(place.dir().join("rows"), &draft).unwrap();
        for file in files(&draft) {
            std::fs::write(file, "").unwrap();
        }
        commit(&*place.open(), 1, 0).unwrap();
        assert_eq!(check(&*place.open()), 1, "{engine}");
        assert!(!draft.exists(), "{engine}");
    }
}

#[test]
fn a_full_disk_is_an_error_and_loses_nothing_that_was_acknowledged() {
    for engine in ON_DISK {
        let place = Place::new(engine);
        commit(&*place.open(), 1, 0).unwrap();
        let mut command = Command::new("sh");
        let limited = "trap '' XFSZ; ulimit -f 16384; exec \"$0\" \"$@\"";
        command
            .arg("-c")
            .arg(limited)
            .arg(std::env::current_exe().unwrap());
        let said = Writer::spawn(&mut command, &place, 100_000).wait();
        let acked = said.acked.expect("no commit before the disk was full");
        assert_eq!(said.failed.as_deref(), Some("the disk is full"), "{engine}");
        let found = check(&*place.open());
        assert!(
            found == acked || found == acked + 1,
            "{engine}: {acked} {found}"
        );
        commit(&*place.open(), found + 1, 0).unwrap();
        assert_eq!(check(&*place.open()), found + 1, "{engine}");
    }
}

#[test]
fn child_writer() {
    let Ok(dir) = std::env::var(DIR) else {
        return writer_counts_what_it_commits();
    };
    let engine = std::env::var(ENGINE).unwrap().parse().unwrap();
    let ballast_bytes = std::env::var(BALLAST_BYTES).unwrap().parse().unwrap();
    let store = open(engine, Path::new(&dir), &options()).unwrap();
    let error = write_until_it_fails(&*store, ballast_bytes, u64::MAX).unwrap_err();
    println!("\nfailed {error}");
    assert!(matches!(
        store.get(Table::Meta, b"n"),
        Err(Error::Stopped(_))
    ));
    assert!(matches!(commit(&*store, 1, 0), Err(Error::Stopped(_))));
}

/// What the child does, without the child.
fn writer_counts_what_it_commits() {
    for engine in Engine::ALL {
        let place = Place::new(engine);
        for n in [5, 25] {
            write_until_it_fails(&*place.open(), 100, n).unwrap();
            assert_eq!(check(&*place.open()), n, "{engine}");
        }
    }
}

fn write_until_it_fails(store: &dyn Store, ballast_bytes: usize, last: u64) -> Result<(), Error> {
    let first = check(store) + 1;
    for n in first..=last {
        commit(store, n, ballast_bytes)?;
        println!("\nacked {n}");
    }
    Ok(())
}

fn commit(store: &dyn Store, n: u64, ballast_bytes: usize) -> Result<(), Error> {
    let mut batch = Batch::default();
    for customer in 0..N_CUSTOMERS {
        batch.put(Table::Customers, customer.to_be_bytes(), value(n, customer));
    }
    batch.put(Table::Timers, n.to_be_bytes(), "");
    if n > N_TIMERS {
        batch.delete(Table::Timers, (n - N_TIMERS).to_be_bytes());
    }
    batch.put(Table::Meta, "n", n.to_be_bytes());
    if ballast_bytes > 0 {
        batch.put(
            Table::Meta,
            n.to_be_bytes(),
            Random::new(n).bytes(ballast_bytes),
        );
    }
    store.commit(batch, Durability::Process)
}

fn value(n: u64, customer: u64) -> Vec<u8> {
    let mut payload = n.to_be_bytes().to_vec();
    payload.extend(Random::new(n * N_CUSTOMERS + customer).bytes(1000));
    envelope::seal(1, &payload)
}

/// Checks that exactly the batches up to some number are there, and returns it.
fn check(store: &dyn Store) -> u64 {
    let n = store.get(Table::Meta, b"n").unwrap();
    let n = n.map_or(0, |n| u64::from_be_bytes(n.try_into().unwrap()));
    let customers = rows(store, Table::Customers).unwrap();
    assert_eq!(customers.len() as u64, if n == 0 { 0 } else { N_CUSTOMERS });
    for (customer, (key, sealed)) in (0..).zip(customers) {
        assert_eq!(key, u64::to_be_bytes(customer));
        assert!(
            sealed == value(n, customer),
            "customer {customer} is not of batch {n}"
        );
    }
    let timers: Vec<_> = rows(store, Table::Timers)
        .unwrap()
        .into_iter()
        .map(|row| row.0)
        .collect();
    let expected = (n.saturating_sub(N_TIMERS) + 1)..=n;
    assert_eq!(
        timers,
        expected
            .map(|n| n.to_be_bytes().to_vec())
            .collect::<Vec<_>>()
    );
    n
}

/// A child that writes; it dies with its guard.
struct Writer {
    child: Child,
    said: Option<JoinHandle<Said>>,
    /// Gives a word when the child has acknowledged its first commit.
    started: Receiver<()>,
}

#[derive(Debug, Default)]
struct Said {
    acked: Option<u64>,
    failed: Option<String>,
}

fn writer_command() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

impl Writer {
    fn spawn(command: &mut Command, place: &Place, ballast_bytes: usize) -> Self {
        let command = command
            .args([
                "--exact",
                "store::tests::crash::child_writer",
                "--nocapture",
            ])
            .env(DIR, place.dir())
            .env(ENGINE, place.engine.name())
            .env(BALLAST_BYTES, ballast_bytes.to_string())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = child.stdout.take().unwrap();
        let (start, started) = channel();
        let said = Some(std::thread::spawn(move || said(out, &start)));
        Self {
            child,
            said,
            started,
        }
    }

    /// Waits until recovery is over; a kill before it is a crash of the recovery.
    fn wait_for_a_commit(&self) {
        let started = self.started.recv_timeout(Duration::from_mins(1));
        started.expect("the writer never committed");
    }

    /// Kills the child without warning.
    fn kill(mut self) -> Said {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.said.take().unwrap().join().unwrap()
    }

    /// Waits for the child to end by itself, within a minute and with success.
    fn wait(mut self) -> Said {
        let start = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < Duration::from_mins(1), "the writer hangs");
            std::thread::sleep(Duration::from_millis(5));
        }
        let status = self.child.wait().unwrap();
        let said = self.said.take().unwrap().join().unwrap();
        assert!(status.success(), "{status}: {said:?}");
        said
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Reads what a writer has said; a last line without an end counts for nothing.
fn said(out: impl Read, start: &Sender<()>) -> Said {
    let mut said = Said::default();
    let (mut out, mut line) = (BufReader::new(out), String::new());
    while out.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
        match line.trim_end().split_once(' ') {
            Some(("acked", n)) => {
                said.acked = Some(n.parse().unwrap());
                start.send(()).ok();
            }
            Some(("failed", error)) => said.failed = Some(error.into()),
            Some(_) | None => {}
        }
        line.clear();
    }
    said
}
