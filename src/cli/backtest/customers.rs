//! Profiles: the most recent ones in memory, the others on disk until the backtest ends.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::io::{Read, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;

use anyhow::Context;
use foldhash::fast::RandomState;

use crate::cli::backtest::folder::Folder;
use crate::cli::backtest::saved;
use crate::domain::{CustomerId, Profile, Timestamp};
use crate::store::{self, Batch, Durability, Engine, Store, Table};

/// The most images that are written at once.
const IMAGES_MAX: usize = 1_024;

/// Memory for blocks of the store, in bytes.
const CACHE_BYTES: u64 = 64 << 20;

/// Everybody there is.
pub struct Customers {
    residents: HashMap<CustomerId, Box<Resident>, RandomState>,
    max: usize,
    /// Counts every look at a customer, so that the least recent ones can be told.
    ticks: u64,
    n_known: u64,
    spilled: Option<Spilled>,
}

/// A customer in memory.
pub struct Resident {
    /// The profile.
    pub profile: Profile,
    /// When the customer wants to be woken, as the timers know it.
    pub due: Option<Timestamp>,
    used_at: u64,
}

/// Customers on disk.
struct Spilled {
    // INVARIANT: fields are dropped in order, so the store is closed before its folder goes.
    store: Arc<dyn Store>,
    _folder: Folder,
}

impl Customers {
    /// Returns nobody.
    ///
    /// - `max`: so many profiles stay in memory.
    pub fn new(max: NonZeroUsize) -> Self {
        Self {
            residents: HashMap::default(),
            max: max.get(),
            ticks: 0,
            n_known: 0,
            spilled: None,
        }
    }

    /// Returns how many customers there are, on disk or not.
    pub fn n_known(&self) -> u64 {
        self.n_known
    }

    /// Returns a customer, loaded from disk if need be; a new one is made.
    ///
    /// # Errors
    ///
    /// The disk fails.
    pub fn get(&mut self, id: &CustomerId) -> anyhow::Result<&mut Resident> {
        if self.residents.len() >= self.max && !self.residents.contains_key(id) {
            self.spill().context("cannot put customers on disk")?;
        }
        self.ticks += 1;
        let resident = match self.residents.entry(id.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let known = self.spilled.as_ref().map(|spilled| spilled.load(id));
                let known = known
                    .transpose()
                    .context("cannot read a customer from disk")?;
                let profile = known.flatten().unwrap_or_else(|| {
                    self.n_known += 1;
                    Profile::new(id.clone())
                });
                let due = profile.next_due();
                entry.insert(Box::new(Resident {
                    profile,
                    due,
                    used_at: 0,
                }))
            }
        };
        resident.used_at = self.ticks;
        Ok(resident)
    }

    /// Writes everybody.
    ///
    /// # Errors
    ///
    /// The writer or the disk fails.
    pub fn save(&self, to: &mut dyn Write) -> anyhow::Result<()> {
        saved::put(to, &self.n_known)?;
        for resident in self.residents.values() {
            saved::put(to, &resident.profile)?;
        }
        let mut from = Vec::new();
        while let Some(spilled) = &self.spilled {
            let rows = spilled
                .store
                .scan(Table::Customers, &from[..]..&[], IMAGES_MAX)?;
            let Some((last, _)) = rows.last() else { break };
            // The least key that is greater.
            from = [&last[..], &[0]].concat();
            // A resident's own image is right; the store may have an older one.
            for (_, image) in rows.iter().filter(|(key, _)| !self.has(key)) {
                saved::put_bytes(to, image)?;
            }
        }
        Ok(())
    }

    fn has(&self, key: &[u8]) -> bool {
        let id = std::str::from_utf8(key).ok();
        let id = id.and_then(|id| CustomerId::parse(id).ok());
        id.is_some_and(|id| self.residents.contains_key(&id))
    }

    /// Reads everybody; returns who wants to be woken when.
    ///
    /// # Errors
    ///
    /// What was written is damaged, or the disk fails.
    pub fn load(
        &mut self,
        from: &mut dyn Read,
    ) -> anyhow::Result<BTreeSet<(Timestamp, CustomerId)>> {
        let n_known: u64 = saved::get(from)?;
        let mut timers = BTreeSet::new();
        for _ in 0..n_known {
            let profile: Profile = saved::get(from)?;
            let resident = self.get(&profile.id)?;
            resident.due = profile.next_due();
            resident.profile = profile;
            if let Some(due) = resident.due {
                timers.insert((due, resident.profile.id.clone()));
            }
        }
        Ok(timers)
    }

    /// Writes the eighth that was not seen the longest to disk.
    fn spill(&mut self) -> anyhow::Result<()> {
        let n_spilled = (self.max / 8).max(1);
        let ages = self.residents.values();
        let mut ages: Vec<u64> = ages.map(|resident| resident.used_at).collect();
        let (_, youngest, _) = ages.select_nth_unstable(n_spilled - 1);
        let youngest = *youngest;
        let spilled = match &mut self.spilled {
            Some(spilled) => spilled,
            none => none.insert(Spilled::open()?),
        };
        let mut batch = Vec::with_capacity(IMAGES_MAX);
        for (_, resident) in self
            .residents
            .extract_if(|_, resident| resident.used_at <= youngest)
        {
            batch.push(resident.profile);
            if batch.len() == IMAGES_MAX {
                spilled.save(&mut batch)?;
            }
        }
        spilled.save(&mut batch)
    }
}

impl Spilled {
    fn open() -> anyhow::Result<Self> {
        let temp = std::env::temp_dir();
        let made = Folder::make(&temp);
        let folder = made.with_context(|| format!("no folder in `{}`", temp.display()))?;
        let options = store::Options {
            cache_bytes: CACHE_BYTES,
            ..store::Options::default()
        };
        let store = store::open(Engine::Fjall, &folder.path, &options)?;
        Ok(Self {
            store,
            _folder: folder,
        })
    }

    fn load(&self, id: &CustomerId) -> anyhow::Result<Option<Profile>> {
        let image = self.store.get(Table::Customers, id.as_str().as_bytes())?;
        Ok(image
            .map(|image| postcard::from_bytes(&image))
            .transpose()?)
    }

    fn save(&self, profiles: &mut Vec<Profile>) -> anyhow::Result<()> {
        let mut batch = Batch::default();
        for profile in profiles.drain(..) {
            let image = postcard::to_stdvec(&profile)?;
            batch.put(Table::Customers, profile.id.as_str().as_bytes(), image);
        }
        Ok(self.store.commit(batch, Durability::Process)?)
    }
}
