//! The census of a partition: where its people are, exactly, without looking at each of them.
//!
//! What the images of the store add up to lies beside them, one row a step: it is written in the same commits, so that
//! after a kill both fit together, and recovery adds what the log says of those whom it folds.

use serde::{Deserialize, Serialize};

use crate::actors::image;
use crate::actors::packing::Packing;
use crate::actors::recover::Error;
use crate::domain::{Partition, People, Spot};
use crate::store::{Batch, Durability, Row, Store, Table, envelope};

/// The version of rows that this build writes.
const VERSION: u16 = 1;

/// How many images are read at a time when there are no rows yet.
const PAGE: usize = 256;

/// Where people are.
#[derive(Debug, Default)]
pub struct Census {
    /// As of the last commit.
    now: People,
    /// As the images in the store say, or will once what is on its way is written.
    stored: People,
}

/// A row: a step and how many are there.
#[derive(Serialize, Deserialize)]
struct Counted {
    spot: Spot,
    n: u64,
}

impl Census {
    /// Begins with what the images add up to.
    pub fn new(stored: People) -> Self {
        let now = stored.clone();
        Self { now, stored }
    }

    /// Returns where people are as of the last commit.
    pub fn now(&self) -> &People {
        &self.now
    }

    /// Notes a commit by which a customer's runs moved.
    pub fn moved(&mut self, from: &[Spot], to: &[Spot]) {
        self.now.moved(from, to);
    }

    /// Adds to a commit of the store what an image in it changes.
    ///
    /// - `from`: where the customer's runs are in the image that it replaces.
    ///
    /// # Errors
    ///
    /// A row cannot be encoded.
    pub fn save(
        &mut self,
        batch: &mut Batch,
        id: Partition,
        from: &[Spot],
        to: &[Spot],
    ) -> Result<(), image::Error> {
        if from == to {
            return Ok(());
        }
        self.stored.moved(from, to);
        for spot in from.iter().chain(to) {
            put(batch, id, spot, self.stored.at(spot))?;
        }
        Ok(())
    }
}

/// Reads what the images of a partition add up to; a store of an earlier build is counted once.
///
/// # Errors
///
/// The store cannot be read or written.
pub fn load(store: &dyn Store, packing: &Packing, id: Partition) -> Result<People, Error> {
    let (from, to) = (prefix(id), prefix(Partition(id.0 + 1)));
    let mut rows = store.scan(Table::Meta, &from..&to, usize::MAX)?;
    // The first one has no step: it says that there are rows.
    if rows.first().is_none_or(|(key, _)| *key != from) {
        let people = count(store, packing, id)?;
        return write(store, id, people);
    }
    let mut people = People::default();
    for (_, row) in rows.split_off(1) {
        let (_, body) = envelope::open(&row, VERSION)?;
        let Counted { spot, n } = postcard::from_bytes(body).map_err(image::Error::from)?;
        people.add(spot, n);
    }
    Ok(people)
}

/// Counts the images one by one.
///
/// # Errors
///
/// The store or an image cannot be read.
pub fn count(store: &dyn Store, packing: &Packing, id: Partition) -> Result<People, Error> {
    let mut people = People::default();
    let end = (id.0 + 1).to_be_bytes();
    let mut next = id.0.to_be_bytes().to_vec();
    loop {
        let rows: Vec<Row> = store.scan(Table::Customers, &next..&end, PAGE)?;
        for (_, row) in &rows {
            people.moved(&[], &packing.open(row)?.1.spots());
        }
        let Some((last, _)) = rows.last().filter(|_| rows.len() == PAGE) else {
            return Ok(people);
        };
        // The least key behind the last one.
        next = [last.as_slice(), &[0]].concat();
    }
}

fn write(store: &dyn Store, id: Partition, people: People) -> Result<People, Error> {
    let mut batch = Batch::default();
    batch.put(Table::Meta, prefix(id), envelope::seal(VERSION, &[]));
    for (spot, n) in people.iter() {
        put(&mut batch, id, spot, n)?;
    }
    store.commit(batch, Durability::Process)?;
    Ok(people)
}

fn put(batch: &mut Batch, id: Partition, spot: &Spot, n: u64) -> Result<(), image::Error> {
    let key = [prefix(id), postcard::to_stdvec(spot)?].concat();
    if n == 0 {
        batch.delete(Table::Meta, key);
        return Ok(());
    }
    let spot = spot.clone();
    let row = postcard::to_stdvec(&Counted { spot, n })?;
    batch.put(Table::Meta, key, envelope::seal(VERSION, &row));
    Ok(())
}

/// Returns what the keys of a partition's rows begin with.
fn prefix(id: Partition) -> Vec<u8> {
    [b"people/".as_slice(), &id.0.to_be_bytes()].concat()
}
