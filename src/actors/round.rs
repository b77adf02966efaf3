//! How far a partition's look at everybody is, and a page of it, as the store has them.

use serde::{Deserialize, Serialize};

use crate::actors::engine::Engine;
use crate::actors::image;
use crate::actors::recover::Error;
use crate::decide::concerns;
use crate::domain::{CustomerId, Partition, Timestamp};
use crate::policy::Bundle;
use crate::store::{Table, envelope};

/// The version of rows that this build writes.
const VERSION: u16 = 1;

/// How many images are read at a time.
const PAGE: usize = 256;

/// Which policies everybody is to follow, and how far that is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Their [`Bundle::standing`]; `None` before the first round.
    pub standing: Option<u64>,
    /// How far.
    pub round: Round,
}

/// How far a round is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Round {
    /// Nobody was looked at.
    #[default]
    Begun,
    /// Everybody was whom the store lacked at the beginning, and whose key is not behind this one.
    Upto(Vec<u8>),
    /// Everybody was.
    Done,
}

/// What a page of images says.
pub struct Page {
    /// Whom it concerns.
    pub concerned: Vec<CustomerId>,
    /// How many images it had.
    pub n: usize,
    /// How far the round is once those whom it concerns are handled.
    pub round: Round,
}

impl Row {
    /// Returns the key of a partition's row.
    pub fn key(id: Partition) -> Vec<u8> {
        [b"round/".as_slice(), &id.0.to_be_bytes()].concat()
    }

    /// Seals the row.
    ///
    /// # Errors
    ///
    /// It cannot be encoded.
    pub fn seal(&self) -> Result<Vec<u8>, image::Error> {
        Ok(envelope::seal(VERSION, &postcard::to_stdvec(self)?))
    }

    /// Reads the row of a partition.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or the row is not what was written.
    pub fn load(engine: &Engine, id: Partition) -> Result<Self, Error> {
        let Some(row) = engine.store.get(Table::Meta, &Self::key(id))? else {
            return Ok(Self::default());
        };
        let (_, body) = envelope::open(&row, VERSION)?;
        Ok(postcard::from_bytes(body).map_err(image::Error::from)?)
    }
}

impl Round {
    /// Returns how far a round is that comes to the first image next.
    pub fn first(id: Partition) -> Self {
        Self::Upto(id.0.to_be_bytes().to_vec())
    }
}

/// Reads the page of images behind a key.
///
/// # Errors
///
/// The store or an image cannot be read.
pub fn page(
    engine: &Engine,
    id: Partition,
    after: &[u8],
    bundle: &Bundle,
    now: Timestamp,
) -> Result<Page, Error> {
    // The least key behind it.
    let (from, end) = ([after, &[0]].concat(), (id.0 + 1).to_be_bytes());
    let rows = engine.store.scan(Table::Customers, &from..&end, PAGE)?;
    let mut concerned = Vec::new();
    for (_, row) in &rows {
        let (_, profile) = engine.packing.open(row)?;
        if concerns(bundle, &profile, now) {
            concerned.push(profile.id);
        }
    }
    let n = rows.len();
    let last = rows.into_iter().last().filter(|_| n == PAGE);
    Ok(Page {
        concerned,
        n,
        round: last.map_or(Round::Done, |(key, _)| Round::Upto(key)),
    })
}
