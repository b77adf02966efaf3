//! Reads the store: images of customers, and timers.

use crate::actors::engine::Engine;
use crate::actors::image::{self, customer_key, read_timer_key, timers_from};
use crate::actors::partition::{Arrival, Error as PartitionError};
use crate::actors::recover::Error;
use crate::domain::budget::Ledger;
use crate::domain::learning::Tallies;
use crate::domain::{CustomerId, Partition, Profile, Timestamp};
use crate::store::{self, Table};

/// Returns a customer of whom nothing is known.
pub fn blank(customer: CustomerId) -> Arrival {
    Arrival {
        profile: Box::new(Profile::new(customer)),
        dirty_since: None,
        stored_due: None,
        stored_spots: Box::default(),
    }
}

/// Reads a customer's image and the sequence of the last commit in it.
///
/// # Errors
///
/// The store or the image cannot be read.
pub fn read(
    engine: &Engine,
    id: Partition,
    customer: &CustomerId,
) -> Result<Option<(u64, Arrival)>, Error> {
    let Some(row) = engine
        .store
        .get(Table::Customers, &customer_key(id, customer))?
    else {
        return Ok(None);
    };
    let (log_seq, profile) = engine.packing.open(&row)?;
    let (stored_due, stored_spots) = (profile.next_due(), profile.spots());
    Ok(Some((
        log_seq,
        Arrival {
            profile: Box::new(profile),
            dirty_since: None,
            stored_due,
            stored_spots,
        },
    )))
}

/// Reads customers that are clean.
///
/// # Errors
///
/// The store cannot be read.
pub fn customers(
    engine: &Engine,
    id: Partition,
    customers: Vec<CustomerId>,
) -> Result<Vec<(CustomerId, Option<Arrival>)>, PartitionError> {
    let read = |customer: CustomerId| {
        let known = read(engine, id, &customer).map_err(|e| PartitionError::Load(e.to_string()))?;
        Ok((customer, known.map(|(_, arrival)| arrival)))
    };
    customers.into_iter().map(read).collect()
}

/// Reads what a partition has learnt, and the sequence of the last commit in it.
///
/// # Errors
///
/// The store or a row cannot be read.
pub fn learnt(engine: &Engine, id: Partition) -> Result<(u64, Tallies), Error> {
    let get = |key: Vec<u8>| engine.store.get(Table::Meta, &key);
    let mut tallies = Tallies::default();
    let Some(seq) = get(image::learnt_seq_key(id))? else {
        return Ok((0, tallies));
    };
    let from = image::learnt_from(id);
    let to = image::learnt_from(Partition(id.0 + 1));
    let rows = engine.store.scan(Table::Meta, &from..&to, usize::MAX)?;
    for (key, row) in rows {
        if let Some(key) = image::read_learnt_key(&key) {
            tallies.restore(key, image::open_value(&row)?);
        }
    }
    if let Some(row) = get(image::shares_key(id))? {
        tallies.restore_shares(image::open_value(&row)?);
    }
    Ok((image::open_value(&seq)?, tallies))
}

/// Reads what a partition has of budgets, as of some commit that its position has.
///
/// # Errors
///
/// The store or a row cannot be read.
pub fn quotas(engine: &Engine, id: Partition) -> Result<Ledger, Error> {
    let from = image::quotas_from(id);
    let to = image::quotas_from(Partition(id.0 + 1));
    let rows = engine.store.scan(Table::Meta, &from..&to, usize::MAX)?;
    let open = |(_, row): (Vec<u8>, Vec<u8>)| Ok(image::open_value(&row)?);
    rows.into_iter().map(open).collect()
}

/// Reads the timers from a time on, as many as a partition keeps in memory.
///
/// Returns the time before which they are complete.
///
/// # Errors
///
/// The store cannot be read.
pub fn timers(
    engine: &Engine,
    id: Partition,
    from: Timestamp,
) -> Result<(Timestamp, Vec<(Timestamp, CustomerId)>), store::Error> {
    let limit = (engine.limits.timers / 2).max(1);
    let start = timers_from(id, from);
    let end = (id.0 + 1).to_be_bytes();
    let rows = engine.store.scan(Table::Timers, &start..&end, limit)?;
    let mut timers: Vec<_> = rows
        .iter()
        .filter_map(|(key, _)| read_timer_key(key))
        .collect();
    if rows.len() < limit {
        return Ok((Timestamp::MAX, timers));
    }
    let horizon = timers.last().map_or(Timestamp::MAX, |(due, _)| *due);
    if timers.first().is_some_and(|(due, _)| *due < horizon) {
        timers.retain(|(due, _)| *due < horizon);
        return Ok((horizon, timers));
    }
    // More timers are due at one and the same time than fit: all of them are read.
    let rows = engine.store.scan(Table::Timers, &start..&end, usize::MAX)?;
    Ok((
        Timestamp::MAX,
        rows.iter()
            .filter_map(|(key, _)| read_timer_key(key))
            .collect(),
    ))
}
