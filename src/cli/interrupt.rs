//! Ctrl-C as something that long commands look at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The exit code of what a signal has interrupted, as shells give it for Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// Whether somebody wants the command to stop.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Hears Ctrl-C and the wish to terminate from now on; the second one ends the process at once.
    ///
    /// # Errors
    ///
    /// Signals cannot be heard.
    pub fn listen() -> anyhow::Result<Self> {
        let heard = Self::default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (mut interrupt, mut terminate) = runtime.block_on(async {
            let interrupt = signal(SignalKind::interrupt())?;
            anyhow::Ok((interrupt, signal(SignalKind::terminate())?))
        })?;
        let flag = heard.0.clone();
        let wait = async move {
            either(&mut interrupt, &mut terminate).await;
            flag.store(true, Ordering::Relaxed);
            either(&mut interrupt, &mut terminate).await;
            std::process::exit(i32::from(INTERRUPTED));
        };
        thread::spawn(move || runtime.block_on(wait));
        Ok(heard)
    }

    /// Tells if it was heard.
    pub fn is_heard(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}
