//! Lines that are no events: the first ones are shown, all are counted.

use std::io::Write;

use crate::cli::backtest::feed::Item;

/// So many are shown.
const SHOWN_MAX: u64 = 10;

/// Shows what is wrong.
pub struct Problems<'a> {
    out: &'a mut dyn Write,
    unit: &'static str,
    n_shown: u64,
}

impl<'a> Problems<'a> {
    /// Starts with none shown.
    ///
    /// - `unit`: what a place is called.
    pub fn new(out: &'a mut dyn Write, unit: &'static str) -> Self {
        Self {
            out,
            unit,
            n_shown: 0,
        }
    }

    /// Shows what is wrong with these.
    ///
    /// # Errors
    ///
    /// The writer fails.
    pub fn show(&mut self, items: &[Item]) -> std::io::Result<()> {
        let wrong = items.iter().filter_map(|item| {
            let why = item.event.as_ref().err()?;
            Some((item.place, why))
        });
        for (place, why) in wrong {
            if self.n_shown == SHOWN_MAX {
                return Ok(());
            }
            self.n_shown += 1;
            writeln!(self.out, "{} {place}: {why}", self.unit)?;
        }
        Ok(())
    }
}
