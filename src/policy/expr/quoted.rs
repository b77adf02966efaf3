//! Texts in quotes: single, double, triple, raw, with CEL's escapes.

use crate::policy::expr::problem::Problem;

/// Tells if a quoted text begins here.
pub fn begins(rest: &str) -> bool {
    let (prefix, _) = prefix(rest);
    rest[prefix..].starts_with(['\'', '"'])
}

/// Reads the quoted text at `at`; returns its value and its length in bytes with prefix and quotes.
///
/// # Errors
///
/// A text that does not end, an escape that does not exist, and bytes, which no field holds.
pub fn read(text: &str, at: usize) -> Result<(String, usize), Problem> {
    let rest = &text[at..];
    let (prefix, raw) = prefix(rest);
    if rest[..prefix].contains(['b', 'B']) {
        let problem = Problem::syntax(at..at + prefix, "bytes are not supported");
        return Err(problem.help("leave out the `b`: write `'text'`"));
    }
    let body = &rest[prefix..];
    let quote = quote(body);
    let mut value = String::new();
    let mut place = prefix + quote.len();
    loop {
        let tail = &rest[place..];
        if tail.starts_with(quote) {
            return Ok((value, place + quote.len()));
        }
        let ends = quote.len() == 1 && tail.starts_with(['\n', '\r']);
        let Some(letter) = tail.chars().next().filter(|_| !ends) else {
            let problem = Problem::syntax(
                at..at + place,
                format!("the text is not closed by `{quote}`"),
            );
            return Err(problem.help(format!("add a `{quote}` where the text ends")));
        };
        if letter == '\\' && !raw {
            let (escaped, len) = escape(tail).ok_or_else(|| unknown_escape(tail, at + place))?;
            value.push(escaped);
            place += len;
        } else {
            value.push(letter);
            place += letter.len_utf8();
        }
    }
}

/// Returns the length of `r`, `b`, `br`, and whether the text is raw.
fn prefix(rest: &str) -> (usize, bool) {
    let len = rest
        .bytes()
        .take(2)
        .take_while(|byte| b"rRbB".contains(byte))
        .count();
    (len, rest[..len].contains(['r', 'R']))
}

fn quote(body: &str) -> &'static str {
    let quotes = ["'''", "\"\"\"", "'", "\""];
    quotes
        .into_iter()
        .find(|quote| body.starts_with(quote))
        .unwrap_or("'")
}

/// Returns the character of an escape and its length with the backslash.
fn escape(tail: &str) -> Option<(char, usize)> {
    let sign = tail[1..].chars().next()?;
    let simple = match sign {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' | '?' | '"' | '\'' | '`' => sign,
        'x' | 'X' => return coded(tail, 2, 2, 16),
        'u' => return coded(tail, 2, 4, 16),
        'U' => return coded(tail, 2, 8, 16),
        '0'..='3' => return coded(tail, 1, 3, 8),
        _ => return None,
    };
    Some((simple, 2))
}

fn coded(tail: &str, from: usize, n_digits: usize, radix: u32) -> Option<(char, usize)> {
    let digits = tail.get(from..from + n_digits)?;
    if digits.starts_with('+') {
        return None;
    }
    let code = u32::from_str_radix(digits, radix).ok()?;
    Some((char::from_u32(code)?, from + n_digits))
}

fn unknown_escape(tail: &str, at: usize) -> Problem {
    let written: String = tail.chars().take(2).collect();
    Problem::syntax(at..at + written.len(), format!("`{written}` is no escape"))
        .help("a backslash itself is written `\\\\`, or the text begins with `r`: `r'a\\b'`")
}
