//! Customers a page at a time, from the store: nobody is woken up, no partition notices.

use std::ops::Range;

use crate::actors::engine::Engine;
use crate::actors::image;
use crate::domain::{CustomerId, Partition, Profile};
use crate::store::{self, Table};

/// The most customers of a page.
pub const LIMIT_MAX: usize = 500;

/// How much the customers of a page take in the store, in bytes: one more may begin below it.
pub const BYTES_MAX: usize = 4 << 20;

/// So many customers are read at once.
const CHUNK: usize = 16;

/// Some customers.
#[derive(Debug)]
pub struct Page {
    /// By partition, then by id.
    pub profiles: Vec<Profile>,
    /// Whether there may be others after them.
    pub has_more: bool,
}

/// Why a page cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store fails.
    #[error("the store cannot be read")]
    Store(#[from] store::Error),
    /// A row of it is damaged.
    #[error("a customer cannot be read")]
    Image(#[from] image::Error),
}

/// Reads the customers that follow one, as the last checkpoint of their partition has them.
///
/// Whoever is new since the last checkpoint (`limits.checkpoint_every`) is not there yet.
///
/// - `limit`: at most [`LIMIT_MAX`]; large customers make a shorter page.
///
/// # Errors
///
/// The store fails, or a row of it is damaged.
pub fn customers(engine: &Engine, after: Option<&CustomerId>, limit: usize) -> Result<Page, Error> {
    let (mut id, mut from) = match after {
        Some(after) => {
            let id = after.partition(engine.n_partitions);
            (id.0, after_key(image::customer_key(id, after)))
        }
        None => (0, 0_u16.to_be_bytes().to_vec()),
    };
    let limit = limit.clamp(1, LIMIT_MAX);
    let (mut profiles, mut n_bytes) = (Vec::new(), 0);
    while id < engine.n_partitions {
        let to = (id + 1).to_be_bytes();
        let n_max = CHUNK.min(limit - profiles.len());
        let range: Range<&[u8]> = &from..&to;
        let rows = engine.store.scan(Table::Customers, range, n_max)?;
        let is_over = rows.len() < n_max;
        for (key, row) in rows {
            profiles.push(engine.packing.open(&row)?.1);
            n_bytes += row.len();
            from = after_key(key);
            if profiles.len() == limit || n_bytes >= BYTES_MAX {
                return Ok(Page {
                    profiles,
                    has_more: true,
                });
            }
        }
        if is_over {
            id += 1;
            from = Partition(id).0.to_be_bytes().to_vec();
        }
    }
    Ok(Page {
        profiles,
        has_more: false,
    })
}

/// Returns the least key that is greater.
fn after_key(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}
