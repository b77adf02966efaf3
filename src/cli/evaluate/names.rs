//! Names as numbers, in the order in which they come.

use std::collections::BTreeMap;

/// So many different names are kept.
pub const NAMES_MAX: usize = 100_000;

/// Names of one kind.
#[derive(Debug)]
pub struct Names {
    what: &'static str,
    numbers: BTreeMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
}

impl Names {
    /// Returns none yet.
    ///
    /// - `what`: what they name, for people: `actions`.
    pub fn of(what: &'static str) -> Self {
        Self {
            what,
            numbers: BTreeMap::new(),
            texts: Vec::new(),
        }
    }

    /// Returns the number of a name; a new one is given the next.
    ///
    /// # Errors
    ///
    /// There are more than [`NAMES_MAX`].
    pub fn take(&mut self, name: &str) -> anyhow::Result<u32> {
        if let Some(number) = self.numbers.get(name) {
            return Ok(*number);
        }
        anyhow::ensure!(
            self.texts.len() < NAMES_MAX,
            "more than {NAMES_MAX} different {}: is it the right column?",
            self.what
        );
        let number = u32::try_from(self.texts.len())?;
        self.numbers.insert(name.into(), number);
        self.texts.push(name.into());
        Ok(number)
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Returns the name of a number.
    pub fn name(&self, number: u32) -> &str {
        let idx = usize::try_from(number).ok();
        idx.and_then(|idx| self.texts.get(idx))
            .map_or("", AsRef::as_ref)
    }

    /// Returns the number of a name that is known.
    pub fn find(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// Returns all of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(AsRef::as_ref)
    }
}
