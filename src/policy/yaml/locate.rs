//! From a byte of a scalar's value back to the byte of the file.

use crate::policy::yaml::{Scalar, Style};

/// Returns the byte of `slice`, the scalar as it stands in the file, where byte `at` of its value was written.
///
/// Both are walked side by side: quotes, indents and folded lines are passed over, an escape counts as its character.
pub fn locate(slice: &str, scalar: &Scalar, at: usize) -> usize {
    let mut place = start(scalar.style);
    for (idx, wanted) in scalar.text.char_indices() {
        place = seek(slice, place, wanted, scalar.style);
        if idx >= at {
            return place.min(slice.len());
        }
        place += width(slice, place, scalar.style);
    }
    place.min(slice.len())
}

/// Returns where the value begins; the span of a block begins below its header.
fn start(style: Style) -> usize {
    match style {
        Style::Plain | Style::Block => 0,
        Style::Single | Style::Double => 1,
    }
}

/// Skips what has no counterpart in the value.
fn seek(slice: &str, from: usize, wanted: char, style: Style) -> usize {
    let Some(rest) = slice.get(from..) else {
        return slice.len();
    };
    if style == Style::Double && rest.starts_with('\\') {
        return from;
    }
    let same = |found: char| found == wanted || (found.is_whitespace() && wanted.is_whitespace());
    rest.find(same).map_or(from, |skipped| from + skipped)
}

/// Returns how many bytes the character at `from` takes in the file, with the indent that follows a line break.
fn width(slice: &str, from: usize, style: Style) -> usize {
    let Some(rest) = slice.get(from..) else {
        return 0;
    };
    let mut chars = rest.chars();
    let Some(first) = chars.next() else { return 0 };
    match (style, first, chars.next()) {
        (Style::Single, '\'', Some('\'')) => 2,
        (Style::Double, '\\', Some('x')) => 4,
        (Style::Double, '\\', Some('u')) => 6,
        (Style::Double, '\\', Some('U')) => 10,
        (Style::Double, '\\', Some(escaped)) => 1 + escaped.len_utf8(),
        (_, '\n', _) => 1 + rest[1..].len() - rest[1..].trim_start_matches([' ', '\t']).len(),
        (_, first, _) => first.len_utf8(),
    }
}
