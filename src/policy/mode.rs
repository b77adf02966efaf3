//! The mode of a journey: it acts, or only says what it would do.

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
}
