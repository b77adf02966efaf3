//! One line of the table.

use std::fmt;

/// The head of the table.
pub const HEAD: &str =
    "| what | figure | reference | ratio | goal | ok? |\n|---|---|---|---|---|---|";

/// One line of the table.
pub struct Row {
    /// What was measured.
    pub what: String,
    /// What came out.
    pub figure: String,
    /// What the least there is to do takes, in the same run.
    pub reference: String,
    /// The figure over the reference.
    pub ratio: Option<f64>,
    /// What is to be reached.
    pub goal: String,
    /// Whether it is.
    pub ok: bool,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            figure,
            reference,
            goal,
            ..
        } = self;
        let ratio = self
            .ratio
            .map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        let ok = if self.ok { "yes" } else { "no" };
        write!(
            f,
            "| {what} | {figure} | {reference} | {ratio} | {goal} | {ok} |"
        )
    }
}

/// Writes a rate for people.
pub fn per_second(rate: f64) -> String {
    format!("{:.1} thousand/s", rate / 1_000.0)
}
