//! Customers a page at a time, from the store: nobody is woken up, no partition notices.

use std::ops::Range;

use crate::actors::engine::Engine;
use crate::actors::image;
use crate::domain::{CustomerId, Partition, Profile};
use crate::store::{self, Table};

/// The most customers of a page.
pub const LIMIT_MAX: usize = 500;

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

/// Reads the customers that follow one, as the last checkpoint of their partition has them: by partition, then by id.
/// An empty page is the end.
///
/// Whoever is new since the last checkpoint (`limits.checkpoint_every`) is not there yet.
///
/// - `limit`: at most [`LIMIT_MAX`].
///
/// # Errors
///
/// The store fails, or a row of it is damaged.
pub fn customers(
    engine: &Engine,
    after: Option<&CustomerId>,
    limit: usize,
) -> Result<Vec<Profile>, Error> {
    let (mut id, mut from) = match after {
        Some(after) => {
            let id = after.partition(engine.n_partitions);
            // The least key that is greater.
            let key = [&image::customer_key(id, after)[..], &[0]].concat();
            (id.0, key)
        }
        None => (0, 0_u16.to_be_bytes().to_vec()),
    };
    let limit = limit.clamp(1, LIMIT_MAX);
    let mut page = Vec::new();
    while id < engine.n_partitions && page.len() < limit {
        let to = (id + 1).to_be_bytes();
        let range: Range<&[u8]> = &from..&to;
        for (_, row) in engine
            .store
            .scan(Table::Customers, range, limit - page.len())?
        {
            page.push(image::open(&row)?.1);
        }
        id += 1;
        from = Partition(id).0.to_be_bytes().to_vec();
    }
    Ok(page)
}
