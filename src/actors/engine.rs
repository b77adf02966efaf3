//! What every actor of a node shares.

use std::sync::Arc;
use std::time::Duration;

use crate::actors::board::Board;
use crate::actors::exchange::Exchange;
use crate::actors::live::Live;
use crate::actors::packing::Packing;
use crate::clock::Clock;
use crate::store::{self, Store};
use crate::stream::Streams;
use crate::telemetry::Meters;

/// The parts of a node and its bounds.
pub struct Engine {
    /// The live policies and their models.
    pub live: Live,
    /// NATS.
    pub streams: Arc<dyn Streams>,
    /// Disk.
    pub store: Arc<dyn Store>,
    /// How images are written and read.
    pub packing: Packing,
    /// Whose time it is.
    pub clock: Clock,
    /// The first token of every subject.
    pub prefix: String,
    /// How many partitions the streams were created with.
    pub n_partitions: u16,
    /// Largest message of the server, in bytes.
    pub payload_max: usize,
    /// When the event stream was created: another one has other sequences.
    pub created: i64,
    /// Named maxima.
    pub limits: Limits,
    /// What all partitions have learnt.
    pub board: Board,
    /// Who may give how much of which budget.
    pub exchange: Exchange,
    /// What is counted.
    pub meters: Meters,
    /// Points at which the process kills itself, for tests of what survives.
    pub crash: CrashPoint,
}

/// The maximum of everything that could grow.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Inputs of one batch of a partition.
    pub batch_inputs: usize,
    /// Bytes of event payloads of one batch of a partition.
    pub batch_bytes: usize,
    /// Events read and not yet committed, over all partitions.
    pub in_flight: usize,
    /// Customers resident in memory, over all partitions.
    pub residents: usize,
    /// Bytes of resident profiles, over all partitions.
    pub resident_bytes: usize,
    /// Bytes of one event; a longer one goes to the dead letters.
    pub event_bytes: usize,
    /// Rows of the timer table that a partition holds in memory.
    pub timers: usize,
    /// Images that one checkpoint of a partition writes.
    pub checkpoint_images: usize,
    /// The least time between two checkpoints of a partition.
    pub checkpoint_every: Duration,
    /// What a checkpoint survives.
    pub checkpoint_durability: store::Durability,
    /// Decide calls that wait in one partition.
    pub asks: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_inputs: 1_024,
            batch_bytes: 1 << 20,
            in_flight: 32_768,
            residents: 500_000,
            resident_bytes: 1 << 30,
            event_bytes: 256 << 10,
            timers: 100_000,
            checkpoint_images: 4_096,
            checkpoint_every: Duration::from_secs(1),
            checkpoint_durability: store::Durability::Process,
            asks: 4_096,
        }
    }
}

/// A point of the pipeline at which the process kills itself.
#[derive(Debug, Default)]
pub struct CrashPoint {
    /// Name and how often the point is passed before.
    point: Option<(String, std::sync::atomic::AtomicI64)>,
}

impl CrashPoint {
    /// Reads `NAME` or `NAME:N`: the process kills itself when the point is passed for the N-th time, from 1.
    pub fn parse(text: &str) -> Self {
        let (name, n) = text.split_once(':').unwrap_or((text, "1"));
        let n = n.parse().unwrap_or(1);
        Self {
            point: Some((name.into(), std::sync::atomic::AtomicI64::new(n))),
        }
    }

    /// Kills the process as `kill -9` does, if this is the point.
    pub fn pass(&self, name: &str) {
        let Some((point, left)) = &self.point else {
            return;
        };
        if point == name && left.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) == 1 {
            // `abort` runs no destructor and flushes nothing, like a kill from outside.
            std::process::abort();
        }
    }
}
