//! Runs tests again whenever a file has changed.

use std::time::Duration;

use xxhash_rust::xxh3::Xxh3;

use crate::cli::test::{Args, once};
use crate::{app, cli};

/// How often files are looked at.
const EVERY: Duration = Duration::from_millis(200);

/// Runs tests now and after every change of a file, until the process is stopped.
pub fn watch(args: &Args) -> ! {
    let mut known = None;
    loop {
        let found = state(args);
        if known != Some(found) {
            known = Some(found);
            if let Err(error) = once(args) {
                cli::say_error(&format!("error: {error:#}"));
            }
            cli::say("waiting for a change; Ctrl-C ends\n");
        }
        std::thread::sleep(EVERY);
    }
}

/// Hashes the contents of all files; what cannot be read counts as one of them.
fn state(args: &Args) -> u64 {
    let mut hash = Xxh3::new();
    match app::sources(&args.paths, &args.models) {
        Ok(sources) => {
            for source in sources {
                hash.update(source.name.as_bytes());
                hash.update(source.text.as_bytes());
            }
        }
        Err(error) => hash.update(error.to_string().as_bytes()),
    }
    hash.digest()
}
