//! What a customer did: what is recorded, and how much of what came before goes with it.

use crate::domain::event::Kind;
use crate::domain::{CustomerId, Event, Timestamp, consent};
use crate::policy::Bundle;

/// The most events of before that are written into a test; of earlier ones only what was told goes with it.
pub const BEFORE_MAX: usize = 500;

/// An event, and when it was handled.
pub type Handled = (Timestamp, Event);

/// What a customer did.
pub struct Past {
    /// Who.
    pub customer: CustomerId,
    /// Before the recording, in order.
    pub before: Vec<Handled>,
    /// What is recorded.
    pub events: Vec<Handled>,
    /// The end of the recording.
    pub until: Timestamp,
}

impl Past {
    /// Returns what was only told before anything was done: it becomes the `customer:` of a test.
    pub fn told(&self) -> &[Handled] {
        &self.before[..self.n_told()]
    }

    /// Returns what was done before: without it nobody knows the cart, the features and the runs in progress.
    pub fn done(&self) -> &[Handled] {
        &self.before[self.n_told()..]
    }

    /// Returns how many events of before, that did more than to tell, are too many.
    pub fn n_left_out(&self) -> usize {
        self.told().iter().filter(|it| !is_told(it)).count()
    }

    fn n_told(&self) -> usize {
        let first = self.before.iter().position(|it| !is_told(it));
        let first = first.unwrap_or(self.before.len());
        first.max(self.before.len().saturating_sub(BEFORE_MAX))
    }

    /// Says in comments what a recorded test does not hold, and what it holds besides.
    pub fn notes(&self, bundle: &Bundle) -> String {
        let mut notes = Vec::new();
        let n_done = self.done().len();
        if n_done > 0 {
            notes.push(format!(
                "# The first {n_done} events came before: they say where the customer stood."
            ));
        }
        let n_left_out = self.n_left_out();
        if n_left_out > 0 {
            notes.push(format!(
                "# Not exact: {n_left_out} events before that are left out, and what followed from them."
            ));
        }
        if !bundle.placements.is_empty() {
            notes.push(
                "# Decide calls are not in the event stream: what they gave fills no caps here."
                    .into(),
            );
        }
        notes.into_iter().map(|note| note + "\n").collect()
    }
}

/// Tells if an event does no more than to tell something of the customer.
fn is_told((_, event): &Handled) -> bool {
    match event.kind {
        Kind::Identify | Kind::Group | Kind::Alias => true,
        Kind::Track => event.name.as_ref() == consent::CHANGED,
        Kind::Page | Kind::Screen => false,
    }
}
