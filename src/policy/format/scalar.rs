//! One scalar on one line, with quotes only where they are needed.

use std::fmt::Write;

use crate::policy::yaml::{Scalar, Style, is_word};

/// Writes a scalar.
///
/// - `in_flow`: whether it stands inside `{ }` or `[ ]`, where commas and brackets need quotes.
pub fn scalar(scalar: &Scalar, in_flow: bool) -> String {
    let text = scalar.text.as_ref();
    if scalar.style == Style::Plain || is_bare(text, in_flow) {
        return text.to_owned();
    }
    if text.chars().any(is_hidden) {
        return escaped(text);
    }
    if text.contains(['"', '\\']) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    format!("\"{text}\"")
}

/// Tells if a text is read as it is without quotes, by every tool.
fn is_bare(text: &str, in_flow: bool) -> bool {
    let signs = text.contains(": ") || text.contains(" #") || text.ends_with([':', ' ']);
    let cut = in_flow && text.contains([',', '[', ']', '{', '}', '?']);
    is_word(text) && !signs && !cut && !text.chars().any(is_hidden)
}

/// Tells if a character is not seen, or ends a line.
fn is_hidden(letter: char) -> bool {
    letter.is_control() || ['\u{85}', '\u{2028}', '\u{2029}', '\u{feff}'].contains(&letter)
}

fn escaped(text: &str) -> String {
    let mut out = String::from('"');
    for letter in text.chars() {
        match letter {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '"' | '\\' => out.extend(['\\', letter]),
            letter if is_hidden(letter) => {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}
