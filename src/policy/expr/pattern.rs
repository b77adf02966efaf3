//! Regular expressions: constant, so that they are compiled once, and matched in linear time.

use std::fmt;

use regex::{Regex, RegexBuilder};

/// The most memory that a compiled pattern takes, in bytes.
const BYTES_MAX: usize = 1 << 18;
/// The deepest nesting of a pattern.
const DEPTH_MAX: u32 = 32;

/// A regular expression in RE2's syntax. Equal texts are equal patterns.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in a few words.
    pub fn new(text: &str) -> Result<Self, String> {
        let built = RegexBuilder::new(text)
            .size_limit(BYTES_MAX)
            .dfa_size_limit(BYTES_MAX)
            .nest_limit(DEPTH_MAX)
            .build();
        built.map(Self).map_err(|error| reason(&error))
    }

    /// Tells if it matches somewhere in a text.
    pub fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// Takes the last line of an explanation that draws the pattern.
fn reason(error: &regex::Error) -> String {
    if matches!(error, regex::Error::CompiledTooBig(_)) {
        return format!("it takes more than {BYTES_MAX} bytes of memory");
    }
    let shown = error.to_string();
    let last = shown.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").trim().to_owned()
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}
