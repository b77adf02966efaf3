//! The high-water mark: what a store has promised, kept outside its engine.
//!
//! Two slots of 40 bytes, written in turn, so that a torn write leaves the other one:
//!
//! ```text
//! turn u64 | commit kept by the process u64 | commit kept on disk u64 | boot u64 | checksum u64     all LE
//! ```

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::{Durability, Error};

const SLOT_BYTES: usize = 40;

/// The file `HIGH_WATER`, open.
pub(super) struct Mark {
    file: File,
    slot: Slot,
    boot: u64,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    turn: u64,
    process: u64,
    power: u64,
    boot: u64,
}

impl Mark {
    /// Opens the mark, or makes one that promises nothing.
    ///
    /// - `must_exist`: the engine has files already, so the mark must be there too.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] when it is missing but must exist, or no slot is whole.
    pub fn open(path: &Path, must_exist: bool) -> Result<Self, Error> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(!must_exist)
            .truncate(false);
        let mut file = options.open(path).map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                damaged("is missing")
            } else {
                error.into()
            }
        })?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let slot = bytes
            .chunks(SLOT_BYTES)
            .filter_map(Slot::decode)
            .max_by_key(|slot| slot.turn);
        match slot {
            None if must_exist || !bytes.is_empty() => Err(damaged("has no whole slot")),
            None => Self::create(path, file),
            Some(slot) => Ok(Self {
                file,
                slot,
                boot: boot(),
            }),
        }
    }

    /// Returns the last commit that must be there.
    ///
    /// After a reboot it is the last one that was synced; until then the last one the system was given.
    pub fn promised(&self) -> u64 {
        let same_boot = self.slot.boot == self.boot && self.boot != 0;
        if same_boot {
            self.slot.process
        } else {
            self.slot.power
        }
    }

    /// Writes that the commit `counter` is kept; the engine must have it by then.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] or [`Error::Full`]; the earlier promise stands.
    pub fn promise(&mut self, counter: u64, durability: Durability) -> Result<(), Error> {
        match durability {
            Durability::Buffered => Ok(()),
            Durability::Process => self.write(counter, self.slot.power),
            Durability::Power => {
                self.write(counter, counter)?;
                Ok(self.file.sync_data()?)
            }
        }
    }

    /// Takes back all promises after `counter`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] or [`Error::Full`].
    pub fn accept(&mut self, counter: u64) -> Result<(), Error> {
        self.write(counter, self.slot.power.min(counter))?;
        Ok(self.file.sync_data()?)
    }

    fn create(path: &Path, file: File) -> Result<Self, Error> {
        let mut mark = Self {
            file,
            slot: Slot::default(),
            boot: boot(),
        };
        mark.write(0, 0)?;
        mark.file.sync_all()?;
        if let Some(dir) = path.parent() {
            File::open(dir)?.sync_all()?;
        }
        Ok(mark)
    }

    fn write(&mut self, process: u64, power: u64) -> Result<(), Error> {
        let slot = Slot {
            turn: self.slot.turn + 1,
            process,
            power,
            boot: self.boot,
        };
        let place = (slot.turn % 2) * SLOT_BYTES as u64;
        self.file.seek(SeekFrom::Start(place))?;
        self.file.write_all(&slot.encode())?;
        self.slot = slot;
        Ok(())
    }
}

impl Slot {
    fn encode(self) -> Vec<u8> {
        let fields = [self.turn, self.process, self.power, self.boot];
        let mut bytes: Vec<u8> = fields.into_iter().flat_map(u64::to_le_bytes).collect();
        bytes.extend(xxh3_64(&bytes).to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (fields, checksum) = bytes.split_at_checked(SLOT_BYTES - 8)?;
        let whole = xxh3_64(fields).to_le_bytes() == checksum;
        let field = |idx: usize| {
            fields
                .get(idx * 8..idx * 8 + 8)?
                .try_into()
                .ok()
                .map(u64::from_le_bytes)
        };
        let slot = Self {
            turn: field(0)?,
            process: field(1)?,
            power: field(2)?,
            boot: field(3)?,
        };
        whole.then_some(slot)
    }
}

fn damaged(how: &str) -> Error {
    Error::Damaged {
        what: format!("its file `HIGH_WATER` {how}"),
    }
}

/// Returns what names this run of the operating system, 0 where it does not tell.
fn boot() -> u64 {
    std::fs::read("/proc/sys/kernel/random/boot_id").map_or(0, |id| xxh3_64(&id))
}
