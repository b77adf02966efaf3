//! The sessions of one model, one a thread.

use std::cell::Cell as ThreadCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use ort::session::{HasSelectedOutputs, OutputSelector, RunOptions, Session, SessionInputValue};
use ort::value::{DynTensor, Outlet, ValueType};

use super::Cell;
use super::error::said;
use super::output::Output;
use super::probe::Shape;
use super::rows::Feed;
use super::signature::Signature;

/// The sessions of one model. A session runs for one caller at a time.
pub(super) struct Pool {
    seats: Vec<Mutex<Seat>>,
}

/// A session and what its runs use again.
pub(super) struct Seat {
    session: Session,
    options: RunOptions<HasSelectedOutputs>,
    /// The input tensors of one row.
    single: Vec<DynTensor>,
}

impl Pool {
    /// Makes a pool of one session.
    ///
    /// # Errors
    ///
    /// ONNX Runtime has no memory.
    pub(super) fn new(session: Session, signature: &Signature) -> ort::Result<Self> {
        let seat = Seat::new(session, signature)?;
        Ok(Self {
            seats: vec![Mutex::new(seat)],
        })
    }

    /// Adds a session of the same file.
    ///
    /// # Errors
    ///
    /// ONNX Runtime has no memory.
    pub(super) fn add(&mut self, session: Session, signature: &Signature) -> ort::Result<()> {
        self.seats.push(Mutex::new(Seat::new(session, signature)?));
        Ok(())
    }

    /// Takes a free session, or waits for the own one.
    ///
    /// A thread comes back to the same session, so its trees stay in the cache of its core.
    pub(super) fn take(&self) -> MutexGuard<'_, Seat> {
        let own = own_seat();
        for offset in 0..self.seats.len() {
            match self.seats[(own + offset) % self.seats.len()].try_lock() {
                Ok(seat) => return seat,
                // A run that panicked left nothing half done that the next one reads.
                Err(TryLockError::Poisoned(seat)) => return seat.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let seat = self.seats[own % self.seats.len()].lock();
        seat.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    fn new(session: Session, signature: &Signature) -> ort::Result<Self> {
        let selected = OutputSelector::no_default().with(&signature.output.name);
        Ok(Self {
            session,
            options: RunOptions::new()?.with_outputs(selected),
            single: tensors(&signature.feeds, 1)?,
        })
    }

    /// Runs rows together; one score for each, finite or not.
    pub(super) fn run(
        &mut self,
        signature: &Signature,
        rows: &[&[Cell]],
        scores: &mut [f64],
    ) -> Result<(), String> {
        let Signature { feeds, output, .. } = signature;
        let mut several;
        let tensors = if rows.len() == 1 {
            &mut self.single
        } else {
            several = tensors(feeds, rows.len()).map_err(|error| said(&error))?;
            &mut several
        };
        for (feed, tensor) in feeds.iter().zip(tensors.iter_mut()) {
            feed.fill(tensor, rows).map_err(|error| said(&error))?;
        }
        run(&mut self.session, &self.options, tensors, output, scores)
    }
}

impl Seat {
    /// Runs rows together, and returns the name, the declared and the real shape of every output that is a tensor.
    pub(super) fn shapes(
        &mut self,
        signature: &Signature,
        rows: &[&[Cell]],
    ) -> ort::Result<Vec<Shape>> {
        let mut tensors = tensors(&signature.feeds, rows.len())?;
        for (feed, tensor) in signature.feeds.iter().zip(tensors.iter_mut()) {
            feed.fill(tensor, rows)?;
        }
        let declared: Vec<_> = self.session.outputs().iter().map(dims).collect();
        let inputs: Vec<SessionInputValue<'_>> = tensors.iter().map(Into::into).collect();
        let outputs = self.session.run(inputs.as_slice())?;
        let mut shapes = Vec::new();
        for ((name, value), declared) in outputs.iter().zip(declared) {
            if let (Some(declared), ValueType::Tensor { shape, .. }) = (declared, value.dtype()) {
                shapes.push(Shape {
                    output: name.to_owned(),
                    declared,
                    real: shape.to_vec(),
                });
            }
        }
        Ok(shapes)
    }
}

fn dims(outlet: &Outlet) -> Option<Vec<i64>> {
    match outlet.dtype() {
        ValueType::Tensor { shape, .. } => Some(shape.to_vec()),
        ValueType::Sequence(_) | ValueType::Map { .. } | ValueType::Optional(_) => None,
    }
}

fn run(
    session: &mut Session,
    options: &RunOptions<HasSelectedOutputs>,
    tensors: &[DynTensor],
    output: &Output,
    scores: &mut [f64],
) -> Result<(), String> {
    let inputs: Vec<SessionInputValue<'_>> = tensors.iter().map(Into::into).collect();
    let outputs = session
        .run_with_options(inputs.as_slice(), options)
        .map_err(|error| said(&error))?;
    output.read(&outputs[0], scores)
}

fn tensors(feeds: &[Feed], n_rows: usize) -> ort::Result<Vec<DynTensor>> {
    feeds.iter().map(|feed| feed.tensor(n_rows)).collect()
}

/// Returns a number that stays the same for a thread and differs among the first ones.
fn own_seat() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: ThreadCell<Option<usize>> = const { ThreadCell::new(None) };
    }
    OWN.with(|own| {
        own.get().unwrap_or_else(|| {
            let seat = NEXT.fetch_add(1, Ordering::Relaxed);
            own.set(Some(seat));
            seat
        })
    })
}
