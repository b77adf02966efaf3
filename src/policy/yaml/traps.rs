//! Where YAML reads something else than the author wrote.

use std::ops::Range;

use serde_saphyr::granit_parser::{ErrorKind, Event, ScanError, Span};

use crate::policy::diagnostic::{Diagnostic, Severity, Source};
use crate::policy::yaml::build::{DEPTH_MAX, bytes, stopped_at};
use crate::policy::yaml::{Content, Style, Yaml};

const QUOTE: &str = "put the whole expression in double quotes, or below a `>-` line; a condition without its `!` also fits `unless:`";

/// Finds tags, anchors and aliases: signs of expressions to the author, and deleted by YAML.
pub fn node(source: &Source, event: &Event<'_>, span: &Span) -> Option<Diagnostic> {
    let value = bytes(source, span);
    if matches!(event, Event::Alias(_) | Event::UnresolvedAlias(_)) {
        let message = format!("YAML reads `{}` as an alias", &source.text[value.clone()]);
        return Some(
            Diagnostic::new(source, "yaml_alias", value, message)
                .label("a leading `*`")
                .help("policies have no aliases: write the value out, or put the text in double quotes"),
        );
    }
    if event.tag().is_some() {
        let tag = span
            .tag_span()
            .map_or(value.clone(), |tag| bytes(source, &tag));
        let message = format!(
            "YAML reads `{}` as a tag and deletes it",
            &source.text[tag.clone()]
        );
        return Some(
            Diagnostic::new(
                source,
                "yaml_tag",
                tag.start..value.end.max(tag.end),
                message,
            )
            .label("a leading `!`")
            .help(QUOTE),
        );
    }
    if event.anchor_id().is_some_and(|id| id > 0) && !matches!(event, Event::Alias(_)) {
        let start = source.text[..value.start].rfind('&').unwrap_or(value.start);
        return Some(
            Diagnostic::new(
                source,
                "yaml_anchor",
                start..value.start,
                "YAML reads a leading `&` as an anchor and deletes it",
            )
            .label("a leading `&`")
            .help("policies have no anchors: remove it, or put the whole text in double quotes"),
        );
    }
    None
}

/// Finds plain texts whose value is not what stands in the file: YAML ate a part of them.
pub fn eaten(source: &Source, text: &str, span: Range<usize>) -> Option<Diagnostic> {
    let solid = |text: &str| -> String { text.chars().filter(|c| !c.is_whitespace()).collect() };
    if solid(&source.text[span.clone()]) == solid(text) {
        return None;
    }
    let message = format!("YAML reads only `{text}` of this");
    Some(Diagnostic::new(source, "yaml_eaten", span, message).help(QUOTE))
}

/// Finds plain texts that other tools read otherwise: `on` and `yes` as true, `10:00` as 600, `0123` without its zero.
pub fn ambiguous(
    source: &Source,
    text: &str,
    span: Range<usize>,
    is_key: bool,
) -> Option<Diagnostic> {
    let truths = ["yes", "no", "on", "off"];
    let is_truth = truths.iter().any(|truth| truth.eq_ignore_ascii_case(text));
    let is_clock = is_key && is_clock(text);
    let has_zero = !is_key && text.len() > 1 && text.starts_with('0') && is_digits(text);
    let (message, help) = if is_truth {
        (
            format!("`{text}` is a text here, and true or false to older tools"),
            "write `true` or `false`, or put the text in quotes",
        )
    } else if is_clock {
        (
            format!("`{text}` is a text here, and a number of minutes to older tools"),
            "put the key in quotes",
        )
    } else if has_zero {
        (
            format!("YAML reads `{text}` as a number without its zero"),
            "put it in quotes if it is a text, such as a postal code",
        )
    } else {
        return None;
    };
    let mut problem = Diagnostic::new(source, "yaml_ambiguous", span, message).help(help);
    problem.severity = Severity::Warning;
    Some(problem)
}

fn is_clock(text: &str) -> bool {
    let mut parts = text.split(':');
    let short = |part: &str| (1..=2).contains(&part.len()) && is_digits(part);
    text.contains(':') && parts.all(short)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Counts the brackets that a plain text opens and does not close: in a flow collection YAML cut it at a comma.
pub fn opens(value: &Yaml) -> i32 {
    let Content::Scalar(scalar) = &value.content else {
        return 0;
    };
    if scalar.style != Style::Plain {
        return 0;
    }
    open_brackets(&scalar.text)
}

/// Counts brackets outside of quotes: opened less closed.
fn open_brackets(text: &str) -> i32 {
    let mut depth = 0;
    let mut quote = None;
    for letter in text.chars() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (None, '\'' | '"') => quote = Some(letter),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (Some(_) | None, _) => {}
        }
    }
    depth
}

/// A text in a flow collection that YAML cut at a comma.
pub fn comma(source: &Source, value: &Yaml) -> Diagnostic {
    let message = "YAML cuts this text at the comma";
    Diagnostic::new(source, "yaml_comma", value.span.clone(), message)
        .label("only this much is left of it")
        .help("inside `{ }` and `[ ]` put the whole expression in double quotes")
}

/// Tells if an entry of a flow map has a key and no colon: the tail of a text that YAML cut at a comma.
pub fn is_tail(source: &Source, key: &Yaml, value: &Yaml) -> bool {
    let rest = source.text.get(key.span.end..).unwrap_or_default();
    value.is_nothing()
        && value.text().is_some_and(|text| text.is_empty())
        && !rest.trim_start().starts_with(':')
}

/// The tail of a text in a flow map that YAML cut at a comma.
pub fn tail(source: &Source, key: &Yaml) -> Diagnostic {
    let text = key.text().map_or("", AsRef::as_ref);
    let message = format!("`{text}` has no value: inside `{{ }}` a comma ends a text");
    Diagnostic::new(source, "yaml_comma", key.span.clone(), message)
        .label("YAML takes this for a key")
        .help("put the whole text in double quotes, or write `key: value`")
}

/// Tells if a comment cut an expression: a `#` after a space stands behind a plain text.
pub fn is_cut_by_comment(source: &Source, value: &Yaml) -> bool {
    let Content::Scalar(scalar) = &value.content else {
        return false;
    };
    let rest = source.text.get(value.span.end..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    scalar.style == Style::Plain
        && line.starts_with([' ', '\t'])
        && line.trim_start().starts_with('#')
}

/// A key that is no scalar.
pub fn odd_key(source: &Source, key: &Yaml) -> Option<Diagnostic> {
    if key.is_broken() {
        return None;
    }
    let problem = Diagnostic::new(
        source,
        "wrong_type",
        key.span.clone(),
        "a key must be a text",
    );
    Some(problem.help("write `key: value`; put an expression with `{` or `[` in double quotes"))
}

/// A key that stands twice in a map.
pub fn second_key(source: &Source, key: &Yaml, text: &str, line: u32) -> Diagnostic {
    let message = format!("`{text}` is written twice");
    Diagnostic::new(source, "duplicate_key", key.span.clone(), message)
        .label(format!("first in line {line}"))
        .help("keep one of them; a list holds several conditions: `where: [a, b]`")
}

/// Says why the parser gave up, and what authors of expressions most likely meant.
pub fn syntax(source: &Source, error: &ScanError) -> Diagnostic {
    let at = stopped_at(source, error);
    let info = error.info();
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        return Diagnostic::new(
            source,
            "yaml_too_large",
            at..at + 1,
            "the file is nested too deep",
        )
        .help(format!(
            "a policy file is nested at most {DEPTH_MAX} levels deep"
        ));
    }
    let line = line_before(source, at);
    let trailing = matches!(
        error.kind(),
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar
    );
    if trailing && line.matches('(').count() > line.matches(')').count() {
        let message = "YAML cuts this text at the comma";
        return Diagnostic::new(source, "yaml_comma", at..at + 1, message)
            .label("YAML stops here")
            .help("inside `{ }` and `[ ]` put the whole expression in double quotes");
    }
    Diagnostic::new(
        source,
        "yaml_syntax",
        at..at + 1,
        format!("this is not YAML: {info}"),
    )
    .label("YAML stops here")
    .help(advice(source, error, at))
}

/// Returns the line up to a byte.
fn line_before(source: &Source, at: usize) -> &str {
    let before = source.text.get(..at).unwrap_or_default();
    before.lines().last().unwrap_or_default()
}

fn advice(source: &Source, error: &ScanError, at: usize) -> &'static str {
    let at = at.min(source.text.len());
    let line_start = source.text[..at].rfind('\n').map_or(0, |idx| idx + 1);
    let line = source.text[line_start..].lines().next().unwrap_or_default();
    if matches!(
        error.kind(),
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar
    ) {
        return "a text that begins with a quote ends at the next one: put the whole expression in the other quotes, \
                or below a `>-` line";
    }
    if source.text[line_start..at].chars().all(char::is_whitespace)
        && source.text[line_start..at].contains('\t')
    {
        return "indent with spaces";
    }
    if matches!(error.kind(), ErrorKind::MissingAnchorOrAliasName) {
        return "a leading `&` or `*` is a sign of YAML: put the whole expression in double quotes";
    }
    if matches!(
        error.kind(),
        ErrorKind::UndeclaredTagHandle | ErrorKind::InvalidTagTerminator
    ) {
        return QUOTE;
    }
    let begins = line.contains(": [") || line.contains(": {");
    if begins && matches!(error.kind(), ErrorKind::ExpectedBlockMappingKey) {
        return "an expression that begins with `[` or `{` is put in double quotes";
    }
    if line.contains(" ? ") && line.contains(" : ") {
        return "`: ` is a sign of YAML: put an expression with `? :` in double quotes, or below a `>-` line";
    }
    if line.matches(": ").count() > 1 {
        return "`: ` is a sign of YAML: put a text that has one in double quotes";
    }
    "check indents, quotes and brackets around this line"
}
