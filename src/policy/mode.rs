//! The mode of a journey: it acts, or only says what it would do.

use crate::domain::instance::{SHADOW, is_shadow};

/// Whether a journey acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It does.
    #[default]
    Live,
    /// It runs as a live one would, and says what it would do: nothing that others can see follows.
    Shadow,
}

impl Mode {
    /// The modes by name.
    pub const ALL: [(&str, Self); 2] = [("live", Self::Live), ("shadow", Self::Shadow)];

    /// Returns the word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Shadow => "shadow",
        }
    }

    /// Returns the mode in which the run with this number began. Runs of different modes are not in each other's way.
    pub const fn of(number: u32) -> Self {
        if is_shadow(number) {
            Self::Shadow
        } else {
            Self::Live
        }
    }

    /// Returns the number that comes before those of all runs.
    pub const fn first(self) -> u32 {
        match self {
            Self::Live => 0,
            Self::Shadow => SHADOW,
        }
    }
}
