//! The checkpoint: images of dirty customers go to the store, so that the log can be trimmed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{debug, warn};

use super::input::Message;
use super::{Error, Phase, State};
use crate::actors::customer::{self, Imaged};
use crate::actors::engine::Engine;
use crate::actors::gather::gather;
use crate::actors::image::{Position, customer_key, timer_key};
use crate::actors::packing;
use crate::actors::round;
use crate::domain::{CustomerId, Partition, Spot, Timestamp};
use crate::store::{Batch, Durability, Table};

/// A checkpoint that is much work is followed by a pause this many times as long for each partition, so
/// that all of them together cannot eat the machine.
const PAUSE: u32 = 3;

/// How long an offset alone may wait for a checkpoint; what was read longer ago may be deleted from the stream.
const OFFSET_EVERY: Duration = Duration::from_mins(1);

/// The longest pause: what a checkpoint lacks is folded again at the next start.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// After how many of the least times between two checkpoints the log is trimmed: while the server removes what is
/// between the commits of other partitions, it takes no commit.
const TRIM_EVERY: u32 = 30;

/// The size that a customer's image should not exceed: a larger one is written all the same, and counted.
const IMAGE_BYTES_MAX: usize = 256 * 1_024;

/// How many images one commit of the store holds: while it is applied, nobody can be loaded.
const COMMIT_IMAGES: usize = 16;

/// How many customers are asked for images at a time, at least: whoever wants a decision waits for so many.
const GROUP_MIN: usize = 16;

/// In how many groups the customers of a checkpoint are asked, at most: a batch is handled between two of them.
const GROUPS_MAX: usize = 16;

/// Whose image is written, with the timer and the places of runs that the store then has.
type Saved = (CustomerId, Option<Timestamp>, Box<[Spot]>);

/// When the next checkpoint is due.
pub struct Pace {
    /// Log sequence that every image reaches.
    done: u64,
    /// A commit was appended since the last checkpoint.
    fresh: bool,
    /// One is being taken or written; how much work it was so far.
    running: Option<Duration>,
    /// When the last group of customers was asked.
    asked: Instant,
    next: Option<Instant>,
    /// The offset that the log or the store has, and since when.
    kept: (u64, Instant),
    trim_next: Instant,
    /// Who is yet to be asked for an image, a group at a time, the last first.
    asking: Vec<Vec<CustomerId>>,
    /// The next group comes before the next batch.
    has_turn: bool,
    /// Images that are to be written.
    taken: Vec<Batch>,
    /// Whose images are being written.
    saving: Vec<Saved>,
    /// Whose were written while they were being loaded again after a panic.
    late: Vec<Saved>,
}

impl Pace {
    /// Starts after a checkpoint up to this log sequence, with this offset.
    ///
    /// - `wait`: how long the next one waits at least.
    pub fn new(done: u64, offset: u64, wait: Duration) -> Self {
        Self {
            done,
            fresh: false,
            running: None,
            asked: Instant::now(),
            next: Some(Instant::now() + wait),
            kept: (offset, Instant::now()),
            trim_next: Instant::now() + wait * TRIM_EVERY,
            asking: Vec::new(),
            has_turn: false,
            taken: Vec::new(),
            saving: Vec::new(),
            late: Vec::new(),
        }
    }

    /// Notes a commit with this offset.
    pub fn appended(&mut self, offset: u64) {
        self.fresh = true;
        self.kept = (offset, Instant::now());
    }

    /// Tells if an offset is neither in the log nor in the store.
    pub fn lacks(&self, offset: u64) -> bool {
        self.kept.0 < offset
    }

    /// Asks for a checkpoint when the next one may be.
    pub fn touch(&mut self) {
        self.fresh = true;
    }

    /// Asks for a checkpoint as soon as possible.
    pub fn hurry(&mut self) {
        self.fresh = true;
        self.next = None;
    }

    /// Tells if images are being taken or written.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Tells if the next group of customers is to be asked before the next batch.
    pub fn has_turn(&self) -> bool {
        self.has_turn && !self.asking.is_empty()
    }

    /// Tells if customers are yet to be asked.
    pub fn is_asking(&self) -> bool {
        !self.asking.is_empty()
    }

    /// Adds to the work of the checkpoint that is going on.
    fn worked(&mut self, work: Duration) {
        self.running = self.running.map(|so_far| so_far + work);
    }

    /// Lets the next group of customers come before the next batch.
    pub fn batched(&mut self) {
        self.has_turn = true;
    }
}

/// Removes what every image has and what has left from the log; it is tried again with the next checkpoint.
async fn trim(engine: Arc<Engine>, id: Partition, keep: u64) {
    let start = Instant::now();
    if let Err(error) = engine.streams.trim(id, keep).await {
        tracing::warn!(%error, partition = id.0, "cannot trim the state log");
    }
    engine.meters.trim.since(start);
}

/// Returns how long the first checkpoint of a partition waits: their writes shall not all come at once.
pub fn first_wait(engine: &Engine, id: Partition) -> Duration {
    engine.limits.checkpoint_every * (u32::from(id.0) + 1) / u32::from(engine.n_partitions.max(1))
}

/// Writes commits in order; the last one keeps those before it, too. Returns how much work it was.
///
/// - `gently`: rests after each as long as it took, so that decisions find a processor.
fn write_all(
    engine: &Engine,
    batches: Vec<Batch>,
    gently: bool,
) -> Result<Duration, crate::store::Error> {
    let durability = engine.limits.checkpoint_durability;
    let n = batches.len();
    let (mut rest, mut worked) = (Duration::ZERO, Duration::ZERO);
    for (idx, batch) in batches.into_iter().enumerate() {
        std::thread::sleep(rest);
        let start = Instant::now();
        engine.crash.pass("in_checkpoint");
        let is_last = idx + 1 == n;
        let durability = if is_last {
            durability
        } else {
            Durability::Buffered
        };
        engine.store.commit(batch, durability)?;
        engine.meters.checkpoint.since(start);
        let took = start.elapsed();
        worked += took;
        rest = if gently { took } else { Duration::ZERO };
    }
    Ok(worked)
}

impl State {
    pub(super) fn checkpoint_is_due(&self, now: Instant) -> bool {
        let pace = &self.checkpoint;
        let is_old = pace.lacks(self.offset) && now - pace.kept.1 > OFFSET_EVERY;
        let is_time = pace.next.is_none_or(|next| next <= now);
        (pace.fresh || is_old) && pace.running.is_none() && is_time
    }

    /// Begins with the customers that have been dirty for longest.
    pub(super) fn begin_checkpoint(&mut self) -> Result<(), Error> {
        self.checkpoint.fresh = false;
        self.checkpoint.running = Some(Duration::ZERO);
        let mut dirty: Vec<_> = self
            .residents
            .iter()
            .filter_map(|(customer, of)| Some((of.dirty_since?, customer.clone())))
            .collect();
        let n_max = self.engine.limits.checkpoint_images;
        if dirty.len() > n_max {
            dirty.select_nth_unstable(n_max);
            dirty.truncate(n_max);
            self.checkpoint.fresh = true;
        }
        let dirty: Vec<CustomerId> = dirty.into_iter().map(|(_, customer)| customer).collect();
        let n_group = GROUP_MIN.max(dirty.len().div_ceil(GROUPS_MAX));
        self.checkpoint.asking = dirty.chunks(n_group).map(<[_]>::to_vec).collect();
        self.ask_for_images()
    }

    /// Asks the next group of customers for their images; after the last one all of them are written.
    pub(super) fn ask_for_images(&mut self) -> Result<(), Error> {
        self.checkpoint.has_turn = false;
        let Some(group) = self.checkpoint.asking.pop() else {
            return self.write();
        };
        let mut asked = Vec::with_capacity(group.len());
        for customer in group {
            // Who was loaded again meanwhile may be clean.
            let Some(resident) = self.residents.get_mut(&customer) else {
                continue;
            };
            if resident.dirty_since.take().is_some() {
                resident.saving = true;
                asked.push(resident.actor.clone());
            }
        }
        if asked.is_empty() {
            return self.ask_for_images();
        }
        let myself = self.myself.clone();
        let slots = gather(asked.len(), move |images| {
            let _gone = myself.cast(Message::Imaged(images));
        });
        self.phase = Phase::Imaging;
        self.checkpoint.asked = Instant::now();
        for (actor, slot) in asked.into_iter().zip(slots) {
            let _gone = actor.cast(customer::Message::Image(self.log_end, slot));
        }
        Ok(())
    }

    /// Takes the images of a group.
    pub(super) fn imaged(&mut self, images: Vec<Option<Imaged>>) -> Result<(), Error> {
        let start = Instant::now();
        self.phase = Phase::Idle;
        let mut batch = Batch::default();
        for (idx, image) in images.into_iter().enumerate() {
            if idx > 0 && idx.is_multiple_of(COMMIT_IMAGES) {
                self.checkpoint.taken.push(std::mem::take(&mut batch));
            }
            self.put(&mut batch, image.ok_or(Error::CustomerDied)?)?;
        }
        self.checkpoint.taken.push(batch);
        packing::train(&self.engine);
        self.checkpoint.worked(self.checkpoint.asked.elapsed());
        self.engine.meters.checkpoint.since(start);
        if self.checkpoint.is_asking() {
            return Ok(());
        }
        self.write()
    }

    fn put(&mut self, batch: &mut Batch, image: Imaged) -> Result<(), Error> {
        let Imaged {
            customer,
            row,
            due,
            spots,
        } = image;
        let row = row.map_err(|error| Error::Encoding(error.to_string()))?;
        let (n_bytes, budget) = (row.len(), IMAGE_BYTES_MAX);
        if self.engine.meters.image(n_bytes, budget) {
            // Nothing is dropped; whoever sends so much should know. Who it is stays with the customer's own log line.
            warn!(
                n_bytes,
                budget, "the state of a customer is above its budget"
            );
            debug!(customer = customer.as_str(), n_bytes, "above the budget");
        }
        batch.put(Table::Customers, customer_key(self.id, &customer), row);
        let resident = self.residents.get_mut(&customer);
        let old_spots = resident.as_ref().map_or(&[][..], |of| &of.stored_spots);
        self.census
            .save(batch, self.id, old_spots, &spots)
            .map_err(|error| Error::Encoding(error.to_string()))?;
        let stored = resident.and_then(|of| of.stored_due);
        let key = |due| timer_key(self.id, due, &customer);
        if let Some(old) = stored.filter(|_| stored != due) {
            batch.delete(Table::Timers, key(old));
        }
        if let Some(new) = due.filter(|_| stored != due) {
            batch.put(Table::Timers, key(new), Vec::new());
        }
        self.checkpoint.saving.push((customer, due, spots));
        Ok(())
    }

    fn position(&self) -> Position {
        let log_seq = self.residents.first_dirty().unwrap_or(self.log_end);
        Position {
            log_seq: log_seq.max(self.checkpoint.done),
            offset: self.offset,
            emitted: self.emitted_through(),
            marks: self.marks,
            created: self.engine.created,
            watermark: Some(self.reached),
        }
    }

    /// Writes commits of images in the background, the one with the position last: an image says itself which
    /// commits of the log are in it, so those that are newer than the position do no harm.
    fn write(&mut self) -> Result<(), Error> {
        let position = self.position();
        let row = position
            .seal()
            .map_err(|error| Error::Encoding(error.to_string()))?;
        let mut batches = std::mem::take(&mut self.checkpoint.taken);
        let mut last = batches.pop().unwrap_or_default();
        last.put(Table::Meta, Position::key(self.id), row);
        self.write_learnt(&mut last)?;
        self.write_quotas(&mut last)?;
        if let Some(row) = self.rounds.take_unsaved() {
            let sealed = row.seal();
            let sealed = sealed.map_err(|error| Error::Encoding(error.to_string()))?;
            last.put(Table::Meta, round::Row::key(self.id), sealed);
        }
        batches.push(last);
        let n_images = self.checkpoint.saving.len() as u64;
        self.engine.meters.images.add(n_images);
        let (engine, myself) = (self.engine.clone(), self.myself.clone());
        let gently = self.stopping.is_none();
        let writing = tokio::task::spawn_blocking(move || {
            let done = write_all(&engine, batches, gently);
            engine.crash.pass("after_checkpoint");
            let _gone = myself.cast(Message::Checkpointed(
                done.map(|worked| (position, worked)).map_err(Error::from),
            ));
        });
        self.table.writes(self.id, writing);
        Ok(())
    }

    /// Notes what the store has of those whose images were written while they were being loaded again.
    pub(super) fn note_late(&mut self) {
        let late = std::mem::take(&mut self.checkpoint.late);
        self.note_stored(late);
    }

    fn note_stored(&mut self, all: Vec<Saved>) {
        for (customer, due, spots) in all {
            let Some(resident) = self.residents.get_mut(&customer) else {
                // The image that is being read may be the one before: without this it would be taken for what is stored.
                self.checkpoint.late.push((customer, due, spots));
                continue;
            };
            resident.saving = false;
            resident.stored_due = due;
            resident.stored_spots = spots;
        }
    }

    pub(super) fn checkpointed(&mut self, position: Position, written: Duration) {
        let pace = &mut self.checkpoint;
        let now = Instant::now();
        pace.worked(written);
        let worked = pace.running.take().unwrap_or_default();
        let pause = (worked * PAUSE * u32::from(self.engine.n_partitions)).min(PAUSE_MAX);
        pace.next = Some(now + self.engine.limits.checkpoint_every.max(pause));
        pace.done = pace.done.max(position.log_seq);
        pace.kept = (pace.kept.0.max(position.offset), now);
        let saved = std::mem::take(&mut pace.saving);
        self.note_stored(saved);
        // What has left since is not known to who reads this checkpoint.
        let keep = position.log_seq.min(position.emitted);
        let pace = &mut self.checkpoint;
        if keep > 0 && now >= pace.trim_next {
            pace.trim_next = now + self.engine.limits.checkpoint_every * TRIM_EVERY;
            tokio::spawn(trim(self.engine.clone(), self.id, keep));
        }
    }
}
