//! Writes what there is in the place of what was expected: values alone, comments and layout stay.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use crate::cli::test::suite::{Failure, Report};
use crate::cli::test::yaml;

/// The text of a file with what did not hold replaced.
pub struct Updated {
    /// The file.
    pub file: Arc<str>,
    /// Its text.
    pub text: String,
    /// How many values were replaced.
    pub n_values: usize,
}

/// Returns the files in which something does not hold, with what there is.
pub fn updated(reports: &[Report<'_>]) -> Vec<Updated> {
    type Edits = BTreeMap<usize, (Range<usize>, String)>;
    let mut files: BTreeMap<Arc<str>, (Arc<str>, Edits)> = BTreeMap::new();
    for report in reports {
        let source = &report.test.source;
        for failure in &report.failures {
            let edit = edit(&source.text, failure);
            let file = files.entry(source.name.clone());
            let (_, edits) = file.or_insert_with(|| (source.text.clone(), Edits::new()));
            edits.insert(edit.0.start, edit);
        }
    }
    let update = |(file, (text, edits)): (Arc<str>, (Arc<str>, Edits))| {
        let mut text = text.to_string();
        let n_values = edits.len();
        // From the end, so that the places before stay where they are.
        for (span, value) in edits.into_values().rev() {
            text.replace_range(span, &value);
        }
        Updated {
            file,
            text,
            n_values,
        }
    };
    files.into_iter().map(update).collect()
}

/// Returns which bytes become what.
fn edit(text: &str, failure: &Failure<'_>) -> (Range<usize>, String) {
    let span = failure.check.place.span.clone();
    let value = yaml::value(&failure.got);
    // A list may begin below its key, and no further in: what takes its place stands behind the key.
    let before = text[..span.start].trim_end();
    let before = before.strip_suffix('-').map_or(before, str::trim_end);
    let is_below = text[before.len()..span.start].contains('\n');
    if is_below && before.ends_with(':') {
        return (before.len()..span.end, format!(" {value}"));
    }
    (span, value)
}

/// Writes files; returns a line about each.
///
/// # Errors
///
/// A file cannot be written.
pub fn write(files: &[Updated]) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    for Updated {
        file,
        text,
        n_values,
    } in files
    {
        std::fs::write(Path::new(file.as_ref()), text)
            .with_context(|| format!("cannot write `{file}`"))?;
        let s = if *n_values == 1 { "" } else { "s" };
        lines.push(format!("updated {n_values} expectation{s} in {file}"));
    }
    Ok(lines)
}
