//! From text to tokens.

use std::ops::Range;
use std::sync::Arc;

use crate::policy::expr::problem::Problem;
use crate::policy::expr::quoted;

/// A token and where it stands.
#[derive(Clone, Debug)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Bytes of the expression.
    pub span: Range<usize>,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A finite number.
    Number(f64),
    /// A text without its quotes.
    Text(Arc<str>),
    /// A name or a word of the language.
    Word(Arc<str>),
    /// A sign of the language.
    Sign(&'static str),
    /// Behind the last one.
    End,
}

/// Signs, longer ones first.
const SIGNS: [&str; 24] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",",
    "(", ")", "[", "]", "{", "}",
];

/// Splits an expression.
///
/// # Errors
///
/// The first place that is no token.
pub fn tokens(text: &str) -> Result<Vec<Token>, Problem> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        at = skip(text, at);
        let Some(first) = text[at..].chars().next() else {
            let span = text.len()..text.len();
            let kind = Kind::End;
            tokens.push(Token { kind, span });
            return Ok(tokens);
        };
        let (kind, end) = token(text, at, first)?;
        let span = at..end;
        tokens.push(Token { kind, span });
        at = end;
    }
}

/// Skips white space and comments.
fn skip(text: &str, mut at: usize) -> usize {
    loop {
        let rest = &text[at..];
        at += rest.len() - rest.trim_start().len();
        if !text[at..].starts_with("//") {
            return at;
        }
        at += text[at..].find('\n').unwrap_or(text.len() - at);
    }
}

fn token(text: &str, at: usize, first: char) -> Result<(Kind, usize), Problem> {
    let rest = &text[at..];
    if quoted::begins(rest) {
        let (value, len) = quoted::read(text, at)?;
        return Ok((Kind::Text(value.into()), at + len));
    }
    let fraction = first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit());
    if first.is_ascii_digit() || fraction {
        return number(text, at);
    }
    if first.is_alphabetic() || first == '_' {
        let len = word_len(rest);
        return Ok((Kind::Word(rest[..len].into()), at + len));
    }
    mistaken(rest, at, first)?;
    let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
    match sign {
        Some(sign) => Ok((Kind::Sign(sign), at + sign.len())),
        None => Err(Problem::syntax(
            at..at + first.len_utf8(),
            format!("`{first}` means nothing in an expression"),
        )),
    }
}

/// Recognizes the signs of other languages.
fn mistaken(rest: &str, at: usize, first: char) -> Result<(), Problem> {
    let (wrong, help) = match first {
        '=' if rest.starts_with("===") => ("===", "use `==`"),
        '=' if !rest.starts_with("==") => ("=", "use `==` to compare"),
        '!' if rest.starts_with("!==") => ("!==", "use `!=`"),
        '<' if rest.starts_with("<>") => ("<>", "use `!=`"),
        '&' if !rest.starts_with("&&") => ("&", "use `&&`"),
        '|' if !rest.starts_with("||") => ("|", "use `||`"),
        '“' | '”' | '‘' | '’' | '„' | '`' => {
            (&rest[..first.len_utf8()], "use plain quotes: `'text'`")
        }
        ';' => (";", "an expression is one value: join conditions by `&&`"),
        '$' => ("$", "names have no `$`: write `profile.traits.name`"),
        '#' => ("#", "a comment begins with `//`"),
        _ => return Ok(()),
    };
    let what = if help.starts_with("use plain") {
        "quote"
    } else {
        "operator"
    };
    Err(Problem::syntax(at..at + wrong.len(), format!("`{wrong}` is no {what}")).help(help))
}

fn word_len(rest: &str) -> usize {
    rest.find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len())
}

fn number(text: &str, at: usize) -> Result<(Kind, usize), Problem> {
    let rest = &text[at..];
    let hex = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X"));
    let (value, mut len) = if let Some(digits) = hex {
        let n_digits = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
        (hex_value(&digits[..n_digits]), 2 + n_digits)
    } else {
        let len = decimal_len(rest);
        let value: Option<f64> = rest[..len].parse().ok();
        (value.filter(|value| value.is_finite()), len)
    };
    if rest[len..].starts_with(['u', 'U']) {
        len += 1;
    }
    let tail = word_len(&rest[len..]);
    if tail > 0 {
        let written = &rest[..len + tail];
        return Err(
            Problem::syntax(at..at + len + tail, format!("`{written}` is not a number")).help(
                format!("a length of time is written `duration('{written}')`, a text in quotes"),
            ),
        );
    }
    match value {
        Some(value) => Ok((Kind::Number(value), at + len)),
        None => Err(Problem::syntax(
            at..at + len,
            format!("`{}` is not a number", &rest[..len]),
        )),
    }
}

#[expect(clippy::cast_precision_loss, reason = "one number type: double")]
fn hex_value(digits: &str) -> Option<f64> {
    u64::from_str_radix(digits, 16)
        .ok()
        .map(|value| value as f64)
}

/// Returns the length of `1`, `1.5`, `.5`, `1e3`; a dot without a digit behind it is left for a member.
fn decimal_len(rest: &str) -> usize {
    let digits = |from: usize| {
        let tail = rest.get(from..).unwrap_or_default();
        tail.bytes().take_while(u8::is_ascii_digit).count()
    };
    let mut len = digits(0);
    if rest[len..].starts_with('.') && digits(len + 1) > 0 {
        len += 1 + digits(len + 1);
    }
    if rest[len..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[len + 1..].starts_with(['+', '-']));
        let exponent = digits(len + 1 + sign);
        if exponent > 0 {
            len += 1 + sign + exponent;
        }
    }
    len
}
