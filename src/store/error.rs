//! Why the store could not do what it was asked.

use std::io;
use std::path::PathBuf;

use super::{Engine, KEY_BYTES_MAX};

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system failed.
    #[error("cannot read or write the store: {0}")]
    Io(io::Error),
    /// The disk, the quota or the largest allowed file is full.
    #[error("the disk is full")]
    Full(#[source] io::Error),
    /// The engine failed, or panicked, or did not answer.
    #[error("the store engine {engine} failed: {message}")]
    Engine {
        /// Which one.
        engine: Engine,
        /// What it said.
        message: String,
    },
    /// Somebody has the store open.
    #[error("another process uses the store in `{}`", dir.display())]
    Locked {
        /// The directory of the store.
        dir: PathBuf,
    },
    /// Bytes are not what was written.
    #[error("the store is damaged: {what}")]
    Damaged {
        /// Which bytes, and how one can tell.
        what: String,
    },
    /// A newer build wrote the record.
    #[error("record version {0} is newer than this build")]
    Version(u16),
    /// Another engine made the directory.
    #[error("the store in `{}` was made by the engine `{found}`, not by `{wanted}`", dir.display())]
    Foreign {
        /// The directory of the store.
        dir: PathBuf,
        /// What the `ENGINE` file says.
        found: String,
        /// The engine that was asked for.
        wanted: Engine,
    },
    /// Commits are gone that the store had promised to keep.
    #[error("the store in `{}` has lost its last {} commits", dir.display(), promised - stored)]
    LostTail {
        /// The directory of the store.
        dir: PathBuf,
        /// The last commit that is there.
        stored: u64,
        /// The last commit that was promised; greater than `stored`.
        promised: u64,
    },
    /// An earlier failure has stopped the store.
    #[error("the store has stopped after a failure, open it again: {0}")]
    Stopped(String),
    /// The key is too long.
    #[error("a key has {bytes} bytes, at most {KEY_BYTES_MAX} are allowed")]
    Key {
        /// Its length.
        bytes: usize,
    },
    /// No engine has this name.
    #[error("unknown store engine `{0}`, there are `sled`, `fjall` and `memory`")]
    UnknownEngine(String),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        let is_full = matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        );
        if is_full {
            Self::Full(error)
        } else {
            Self::Io(error)
        }
    }
}
