//! Which engine keeps the rows, and how much memory it may take.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Error;

/// Which library keeps the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// sled 0.34, a log-structured tree.
    #[default]
    Sled,
    /// fjall 3, a log-structured merge tree.
    Fjall,
    /// A map in memory; nothing survives.
    Memory,
}

impl Engine {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sled, Self::Fjall, Self::Memory];

    /// Returns the name in configuration and in the `ENGINE` file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sled => "sled",
            Self::Fjall => "fjall",
            Self::Memory => "memory",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Engine {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|engine| engine.name() == text)
            .ok_or_else(|| Error::UnknownEngine(text.into()))
    }
}

/// How a store is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Memory for pages or blocks that were read, in bytes. The process takes more: with 256 MB and a million
    /// rows of 1 KB, about 450 MB with sled and 400 MB with fjall.
    pub cache_bytes: u64,
    /// Reads every row at the start to see that none is missing or old, and the row that a write replaces. What
    /// was written without it is taken as it is by the next start that verifies, which says so. A million rows of 1 KB took 6 s with
    /// sled and 20 s with fjall, on two busy cores.
    pub verify: bool,
    /// Goes on with what is left of a store that has lost rows or commits, as an operator may decide.
    pub accept_loss: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 256 * 1024 * 1024,
            verify: true,
            accept_loss: false,
        }
    }
}
