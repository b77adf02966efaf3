//! Images are packed with what customers have in common; a node learns that from the images themselves.
//!
//! An image takes less than a third of its room then, on disk and in memory. The first customers train a dictionary,
//! which packs all images after them; others are trained later, and replace it when they pack much better. A dictionary
//! is stored before any image that needs it, and stays.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};

use crate::actors::engine::Engine;
use crate::actors::image::{Error, PACKED, PLAIN, decode, encode};
use crate::domain::{CustomerId, Dice, Profile};
use crate::store::dictionary::{Dictionary, packed_by};
use crate::store::{self, Batch, Durability, Store, Table, envelope};

/// So many customers train the first dictionary.
const FIRST: usize = 32;

/// So many train a later one; twice as many would make images smaller by a hundredth, and take twice as long.
const LATER: usize = 160;

/// One of so many does not train a dictionary, but judges it.
const JUDGES: usize = 5;

/// A longer image is no sample: it is rare, and would fill the dictionary.
const SAMPLE_BYTES_MAX: usize = 16 << 10;

/// Each training comes after so many times the images of the one before, until the longest wait.
const GROWTH: u64 = 16;

/// The longest wait between two trainings, in images.
const WAIT_MAX: u64 = 1 << 20;

/// The most dictionaries of a store; each is at least a tenth better than the one before.
const DICTIONARIES_MAX: usize = 64;

/// The version of a dictionary's row.
const ROW_VERSION: u16 = 1;

/// What the keys of dictionaries begin with; after it comes which one it is, the first is 0.
const PREFIX: &[u8] = b"dictionary/";

/// Seals and opens images.
#[derive(Default)]
pub struct Packing {
    known: RwLock<Known>,
    samples: Mutex<Samples>,
    /// Held while a dictionary is trained: each gets a key of its own.
    training: Mutex<()>,
}

/// The dictionaries that some image may need.
#[derive(Default)]
struct Known {
    by_id: BTreeMap<u32, Arc<Dictionary>>,
    newest: Option<Arc<Dictionary>>,
}

/// Images to train with.
struct Samples {
    /// By customer: what one customer has often is not what many have.
    images: BTreeMap<CustomerId, Vec<u8>>,
    n_wanted: usize,
    /// Of so many images one is taken, about.
    every: u64,
    n_seen: u64,
}

impl Default for Samples {
    fn default() -> Self {
        Self {
            images: BTreeMap::new(),
            n_wanted: FIRST,
            every: 1,
            n_seen: 0,
        }
    }
}

impl Samples {
    fn see(&mut self, customer: &CustomerId, image: &[u8]) {
        self.n_seen += 1;
        // At random: the customers of a checkpoint come in the same order again and again.
        let is_due = Dice::new(self.n_seen).bits().is_multiple_of(self.every);
        let is_taken = is_due && !self.is_enough();
        if is_taken && image.len() <= SAMPLE_BYTES_MAX {
            self.images.insert(customer.clone(), image.to_vec());
        }
    }

    fn is_enough(&self) -> bool {
        self.images.len() >= self.n_wanted
    }

    /// Takes the samples, if they are enough; the next ones are more, of more images.
    fn take(&mut self) -> Option<Vec<Vec<u8>>> {
        if !self.is_enough() {
            return None;
        }
        self.n_wanted = LATER;
        self.every = (self.every * GROWTH).min(WAIT_MAX / LATER as u64);
        Some(std::mem::take(&mut self.images).into_values().collect())
    }
}

impl Packing {
    /// Reads the dictionaries of a store.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or a dictionary is damaged.
    pub fn load(store: &dyn Store) -> Result<Self, store::Error> {
        let to = [PREFIX, &[0xff]].concat();
        let mut known = Known::default();
        for (_, row) in store.scan(Table::Meta, PREFIX..&to, usize::MAX)? {
            let (_, content) = envelope::open(&row, ROW_VERSION)?;
            known.add(Dictionary::new(content.to_vec())?);
        }
        Ok(Self {
            known: RwLock::new(known),
            ..Self::default()
        })
    }

    /// Seals an image: the sequence of the last commit in it, and the profile.
    ///
    /// # Errors
    ///
    /// [`Error::Content`] if the profile cannot be encoded.
    pub fn seal(&self, log_seq: u64, profile: &Profile) -> Result<Vec<u8>, Error> {
        let image = encode(log_seq, profile)?;
        let samples = || self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples().see(&profile.id, &image);
        let packed = self.newest().and_then(|newest| newest.pack(&image));
        Ok(match packed {
            Some(packed) => envelope::seal(PACKED, &packed),
            None => envelope::seal(PLAIN, &image),
        })
    }

    /// Opens an image.
    ///
    /// # Errors
    ///
    /// The row is damaged, newer than this build, or its dictionary is gone.
    pub fn open(&self, row: &[u8]) -> Result<(u64, Profile), Error> {
        let (version, body) = envelope::open(row, PACKED)?;
        if version < PACKED {
            return decode(version, body);
        }
        let image = self.dictionary_of(body)?.unpack(body)?;
        decode(PLAIN, &image)
    }

    /// Tells if it is time to train a dictionary.
    pub fn is_due(&self) -> bool {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.is_enough() && self.training.try_lock().is_ok()
    }

    /// Trains a dictionary if it is time, and keeps it if it is worth it; tells whether it has.
    ///
    /// # Errors
    ///
    /// The store refuses the dictionary.
    pub fn tend(&self, store: &dyn Store, durability: Durability) -> Result<bool, store::Error> {
        let training = self.training.try_lock();
        if matches!(training, Err(TryLockError::WouldBlock)) {
            return Ok(false);
        }
        let samples = || self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(images) = samples().take() else {
            return Ok(false);
        };
        let (judging, training) = images.split_at(images.len() / JUDGES);
        let trained = Dictionary::train(training);
        let worthy = trained.and_then(|of| Some((self.place_of(&of, judging)?, of)));
        let Some((nth, dictionary)) = worthy else {
            return Ok(false);
        };
        let mut batch = Batch::default();
        let row = envelope::seal(ROW_VERSION, dictionary.content());
        batch.put(Table::Meta, [PREFIX, &nth.to_be_bytes()].concat(), row);
        // Whoever finds an image that was packed with it finds the commits before, too.
        store.commit(batch, durability)?;
        tracing::info!(nth, "images are packed with a new dictionary");
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.add(dictionary);
        Ok(true)
    }

    /// Returns which one a dictionary would be, if it packs a tenth better than the newest one.
    fn place_of(&self, trained: &Dictionary, judging: &[Vec<u8>]) -> Option<u16> {
        let newest = self.newest();
        let packed = |with: Option<&Dictionary>| -> usize {
            let of = |row: &Vec<u8>| with.and_then(|with| Some(with.pack(row)?.len()));
            judging.iter().map(|row| of(row).unwrap_or(row.len())).sum()
        };
        let is_better = packed(Some(trained)) * 10 <= packed(newest.as_deref()) * 9;
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let is_new = !known.by_id.contains_key(&trained.id());
        let n = known.by_id.len();
        (is_better && is_new && n < DICTIONARIES_MAX)
            .then(|| u16::try_from(n).ok())
            .flatten()
    }

    fn newest(&self) -> Option<Arc<Dictionary>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.newest.clone()
    }

    fn dictionary_of(&self, packed: &[u8]) -> Result<Arc<Dictionary>, store::Error> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let of = packed_by(packed).and_then(|id| known.by_id.get(&id));
        of.cloned().ok_or_else(|| store::Error::Damaged {
            what: "the dictionary of an image is gone".into(),
        })
    }
}

impl Known {
    fn add(&mut self, dictionary: Dictionary) {
        let dictionary = Arc::new(dictionary);
        self.by_id.insert(dictionary.id(), dictionary.clone());
        self.newest = Some(dictionary);
    }
}

/// Trains a dictionary beside everything else, once there are images enough: those that follow are packed with it.
pub fn train(engine: &Arc<Engine>) {
    if !engine.packing.is_due() {
        return;
    }
    let engine = engine.clone();
    tokio::task::spawn_blocking(move || {
        let durability = engine.limits.checkpoint_durability;
        match engine.packing.tend(engine.store.as_ref(), durability) {
            Ok(true) => engine.crash.pass("after_dictionary"),
            Ok(false) => {}
            // It takes no other commit either: the next checkpoint fails.
            Err(error) => tracing::error!(%error, "the store refuses a dictionary"),
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Fact, Value};
    use crate::store::Memory;

    /// More than enough for a training.
    const N: u64 = 2 * LATER as u64;

    /// Enough for the first one.
    const FEW: u64 = FIRST as u64;

    fn profile(idx: u64) -> Profile {
        let mut profile = Profile::new(CustomerId::parse(&format!("customer-{idx:06}")).unwrap());
        let tier = ["none", "silver", "gold"][usize::try_from(idx % 3).unwrap()];
        for (name, value) in [
            ("loyalty_tier", tier.to_owned()),
            ("user_agent", "Mozilla/5.0 (Windows NT 10.0)".to_owned()),
            (
                "push_token",
                format!("{:032x}", (u128::from(idx) << 64) + 77),
            ),
        ] {
            profile.apply(&Fact::Trait(name.into(), Value::text(&value)));
        }
        profile
    }

    /// Seals images of so many customers, and lets the packing learn as a checkpoint does.
    fn seal(packing: &Packing, store: &Memory, customers: std::ops::Range<u64>) -> Vec<Vec<u8>> {
        let seal = |idx| packing.seal(idx, &profile(idx)).unwrap();
        let rows = customers.map(seal).collect();
        packing.tend(store, Durability::Process).unwrap();
        rows
    }

    #[test]
    fn images_are_packed_once_enough_were_seen_and_those_before_are_read_all_the_same() {
        let (packing, store) = (Packing::default(), Memory::default());
        let plain = seal(&packing, &store, 0..N);
        let packed = seal(&packing, &store, 0..N);
        let size = |rows: &[Vec<u8>]| rows.iter().map(Vec::len).sum::<usize>();
        assert!(size(&packed) * 2 < size(&plain));
        // A process that comes later knows the dictionary from the store.
        let later = Packing::load(&store).unwrap();
        for (rows, packing) in [(&plain, &packing), (&packed, &packing), (&packed, &later)] {
            for (idx, row) in (0..).zip(rows) {
                assert_eq!(packing.open(row).unwrap(), (idx, profile(idx)));
            }
        }
    }

    #[test]
    fn a_new_dictionary_must_be_much_better() {
        let (packing, store) = (Packing::default(), Memory::default());
        // The same customers in the same order: the second training comes all the same.
        while packing.samples.lock().unwrap().every < GROWTH * GROWTH {
            seal(&packing, &store, 0..N);
            assert!(packing.samples.lock().unwrap().n_seen < N * 100);
        }
        assert_eq!(packing.known.read().unwrap().by_id.len(), 1);
    }

    #[test]
    fn partitions_that_train_at_the_same_time_lose_no_dictionary() {
        let (packing, store) = (Packing::default(), Memory::default());
        // What customers have in common changes all the time, so that every dictionary is better than the one before.
        let changed = |idx: u64| {
            let mut profile = profile(idx);
            let word = format!("{:x}", (idx / FEW).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            profile.apply(&Fact::Trait(
                "campaign".into(),
                Value::text(&word.repeat(40)),
            ));
            profile
        };
        let partition = &|nth: u64| {
            let mut rows = Vec::new();
            for era in 0..48 {
                let from = (era * 4 + nth) * FEW;
                let all =
                    (from..from + FEW).map(|idx| (idx, packing.seal(idx, &changed(idx)).unwrap()));
                rows.extend(all);
                let mut samples = packing.samples.lock().unwrap();
                (samples.every, samples.n_wanted) = (1, FIRST);
                drop(samples);
                packing.tend(&store, Durability::Process).unwrap();
            }
            rows
        };
        let rows = std::thread::scope(|scope| {
            let partitions = [0, 1, 2, 3].map(|nth| scope.spawn(move || partition(nth)));
            partitions.map(|of| of.join().unwrap()).concat()
        });
        let later = Packing::load(&store).unwrap();
        assert!(later.known.read().unwrap().by_id.len() > 1);
        for (idx, row) in rows {
            assert_eq!(later.open(&row).unwrap(), (idx, changed(idx)));
        }
    }

    #[test]
    fn one_customer_alone_trains_nothing() {
        let (packing, store) = (Packing::default(), Memory::default());
        for _ in 0..2 * N {
            seal(&packing, &store, 7..8);
        }
        assert!(packing.newest().is_none());
    }

    #[test]
    fn an_image_without_its_dictionary_is_damage() {
        let (packing, store) = (Packing::default(), Memory::default());
        seal(&packing, &store, 0..N);
        let packed = packing.seal(1, &profile(1)).unwrap();
        let error = Packing::default().open(&packed).unwrap_err();
        let Error::Store(error) = error else {
            panic!("{error}");
        };
        let text = error.to_string();
        assert_eq!(
            text,
            "the store is damaged: the dictionary of an image is gone"
        );
    }

    #[test]
    fn a_damaged_dictionary_is_found_at_the_start() {
        for row in [vec![7; 40], envelope::seal(ROW_VERSION, b"no dictionary")] {
            let store = Memory::default();
            let mut batch = Batch::default();
            batch.put(Table::Meta, [PREFIX, &[0, 0]].concat(), row);
            store.commit(batch, Durability::Process).unwrap();
            let error = Packing::load(&store).err().unwrap();
            assert!(matches!(error, store::Error::Damaged { .. }), "{error}");
        }
    }

    #[test]
    fn an_image_of_the_first_version_is_read() {
        let profile = profile(3);
        let image = encode(7, &profile).unwrap();
        let (end, first) = image.split_last().unwrap();
        assert_eq!(*end, 0, "nothing is quiet");
        let packing = Packing::default();
        let old = envelope::seal(1, first);
        assert_eq!(packing.open(&old).unwrap(), (7, profile));
    }
}
