//! Dictionaries: what rows have in common, so that each is kept without it.
//!
//! A row of one kilobyte is too short to be compressed alone: it says its names once. With a dictionary that was
//! trained on rows like it (RFC 8878 §5) less than a third is left of a profile.

mod shared;

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use zstd_safe::{CCtx, CDict, DCtx, DDict, ErrorCode};

use super::Error;

/// The largest dictionary, in bytes: twice as much makes rows smaller by a fiftieth.
const BYTES_MAX: usize = 16 << 10;

/// The fastest of the ordinary levels; with a dictionary the slower ones make rows smaller by a fiftieth.
const LEVEL: i32 = 1;

/// The largest row that is packed, in bytes; it bounds what a damaged length can ask for.
const ROW_BYTES_MAX: usize = 16 << 20;

/// What rows have in common.
pub struct Dictionary {
    id: NonZeroU32,
    content: Vec<u8>,
    packing: CDict<'static>,
    unpacking: DDict<'static>,
    packers: Pool<CCtx<'static>>,
    unpackers: Pool<DCtx<'static>>,
}

/// Working memory that nobody uses at the moment: as much as there ever were users at the same time.
struct Pool<T>(Mutex<Vec<T>>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Pool<T> {
    fn with<R>(&self, make: impl FnOnce() -> T, work: impl FnOnce(&mut T) -> R) -> R {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = lock().pop();
        let mut memory = idle.unwrap_or_else(make);
        let done = work(&mut memory);
        lock().push(memory);
        done
    }
}

impl Dictionary {
    /// Trains a dictionary; `None` when the rows are too few or have nothing in common.
    ///
    /// It holds nothing that fewer than eight of the rows have.
    pub fn train(rows: &[Vec<u8>]) -> Option<Self> {
        let rows = shared::shared(rows);
        let sizes: Vec<usize> = rows.iter().map(Vec::len).collect();
        let mut content = Vec::with_capacity(BYTES_MAX);
        zstd_safe::train_from_buffer(&mut content, &rows.concat(), &sizes).ok()?;
        Self::new(content).ok()
    }

    /// Reads a dictionary.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] when it is none.
    pub fn new(content: Vec<u8>) -> Result<Self, Error> {
        let parts = || {
            let id = zstd_safe::get_dict_id_from_dict(&content)?;
            let packing = CDict::try_create(&content, LEVEL)?;
            Some((id, packing, DDict::try_create(&content)?))
        };
        let (id, packing, unpacking) = parts().ok_or_else(|| damaged("a dictionary is none"))?;
        Ok(Self {
            id,
            content,
            packing,
            unpacking,
            packers: Pool::default(),
            unpackers: Pool::default(),
        })
    }

    /// Returns what tells it from others; every row that it packed says it.
    pub fn id(&self) -> u32 {
        self.id.get()
    }

    /// Returns its bytes.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// Packs a row; `None` when it does not become smaller, or is larger than 16 MB.
    pub fn pack(&self, row: &[u8]) -> Option<Vec<u8>> {
        if row.len() > ROW_BYTES_MAX {
            return None;
        }
        let mut packed = Vec::with_capacity(zstd_safe::compress_bound(row.len()));
        let pack = |with: &mut CCtx<'_>| with.compress_using_cdict(&mut packed, row, &self.packing);
        self.packers.with(CCtx::create, pack).ok()?;
        (packed.len() < row.len()).then_some(packed)
    }

    /// Unpacks a row that it packed.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] when the row is not what was packed.
    pub fn unpack(&self, packed: &[u8]) -> Result<Vec<u8>, Error> {
        let n = zstd_safe::get_frame_content_size(packed).ok().flatten();
        let n = n.and_then(|n| usize::try_from(n).ok());
        let n = n.filter(|n| *n <= ROW_BYTES_MAX);
        let mut row = Vec::with_capacity(n.ok_or_else(|| damaged("a packed row has no length"))?);
        let unpack =
            |with: &mut DCtx<'_>| with.decompress_using_ddict(&mut row, packed, &self.unpacking);
        let unpacked = self.unpackers.with(DCtx::create, unpack);
        unpacked.map_err(|code: ErrorCode| damaged(zstd_safe::get_error_name(code)))?;
        Ok(row)
    }
}

/// Returns the [`Dictionary::id`] of the dictionary that packed a row.
pub fn packed_by(packed: &[u8]) -> Option<u32> {
    zstd_safe::get_dict_id_from_frame(packed).map(NonZeroU32::get)
}

fn damaged(what: &str) -> Error {
    Error::Damaged { what: what.into() }
}
