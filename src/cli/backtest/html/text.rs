//! Words and numbers of the page.

use std::fmt;

use super::Pair;

/// A text from outside, safe in content and in quoted attributes.
pub struct Escaped<'a>(&'a str);

/// Makes a text from outside safe.
pub fn escape(text: &str) -> Escaped<'_> {
    Escaped(text)
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|sign| match sign {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            sign => fmt::Write::write_char(f, sign),
        })
    }
}

/// Writes a number with a thin space after each three digits.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Writes the difference to before, if there is a before.
pub fn delta(Pair { before, after }: Pair) -> String {
    let Some(before) = before else {
        return String::new();
    };
    let n = thousands(after.abs_diff(before));
    let share = share(before, after.abs_diff(before));
    match after.cmp(&before) {
        std::cmp::Ordering::Less => format!("<span class=\"delta less\">−{n}{share}</span>"),
        std::cmp::Ordering::Equal => "<span class=\"delta\">no change</span>".into(),
        std::cmp::Ordering::Greater => format!("<span class=\"delta more\">+{n}{share}</span>"),
    }
}

/// Writes a part of a whole in percent; nothing of nothing.
fn share(whole: u64, part: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    format!(" ({})", percent(part, whole))
}

/// Writes a part of a whole in percent.
#[expect(clippy::cast_precision_loss, reason = "counts are fewer than 2^52")]
pub fn percent(part: u64, whole: u64) -> String {
    let percent = 100.0 * part as f64 / whole.max(1) as f64;
    if percent < 10.0 {
        return format!("{percent:.1} %");
    }
    format!("{percent:.0} %")
}
