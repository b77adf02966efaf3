//! What is wrong with a policy: where, why, and what to write instead.

use std::fmt::{self, Write};
use std::ops::Range;
use std::sync::Arc;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource};

use crate::domain::Value;
use crate::domain::value::Map;

/// A policy file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name as the author knows it.
    pub name: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
}

impl Source {
    /// Takes a file.
    pub fn new(name: &str, text: &str) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }

    /// Returns line and column of a byte, both from 1; columns count characters.
    pub fn position(&self, at: usize) -> (u32, u32) {
        let before = &self.text[..floor(&self.text, at)];
        let line = before.bytes().filter(|byte| *byte == b'\n').count();
        let start = before.rfind('\n').map_or(0, |idx| idx + 1);
        let column = before[start..].chars().count();
        let from_one = |n: usize| u32::try_from(n + 1).unwrap_or(u32::MAX);
        (from_one(line), from_one(column))
    }
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Severity {
    /// No bundle comes of it.
    #[default]
    Error,
    /// It is most likely not what the author meant.
    Warning,
}

impl Severity {
    /// Returns the word for tools: `error` or `warning`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Its kind, stable for tools: `unknown_key`.
    pub code: &'static str,
    /// What is wrong: lower case, no full stop, the author's words in backticks.
    pub message: String,
    /// The file.
    pub source: Source,
    /// Bytes of the file.
    pub span: Range<usize>,
    /// What stands below the underlined text.
    pub label: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Diagnostic {
    /// The longest line that is drawn, in bytes.
    const LINE_MAX: usize = 4_096;
    /// The longest message, in bytes: it may quote what somebody wrote.
    const MESSAGE_MAX: usize = 1_000;

    /// Names a problem at a place; a span outside of the text is moved into it.
    pub fn new(
        source: &Source,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        let start = floor(&source.text, span.start);
        let end = floor(&source.text, span.end.max(start));
        let mut message = message.into();
        if message.len() > Self::MESSAGE_MAX {
            message.truncate(floor(&message, Self::MESSAGE_MAX));
            message.push('…');
        }
        Self {
            severity: Severity::Error,
            code,
            message,
            source: source.clone(),
            span: start..end,
            label: "here".into(),
            help: None,
        }
    }

    /// Sets the words below the underlined text.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn to_miette(&self) -> MietteDiagnostic {
        let label = LabeledSpan::at(self.span.clone(), self.label.clone());
        let label = (!self.is_wide()).then_some(label);
        let severity = match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        };
        let shown = MietteDiagnostic::new(self.message.clone())
            .with_severity(severity)
            .with_code(format!("attune::{}", self.code))
            .with_labels(label);
        match &self.help {
            Some(help) => shown.with_help(help.clone()),
            None => shown,
        }
    }

    /// Tells if a line around the place is too long to be drawn.
    fn is_wide(&self) -> bool {
        let (before, behind) = (
            &self.source.text[..self.span.start],
            &self.source.text[self.span.end..],
        );
        let above = before.rmatch_indices('\n').nth(1);
        let from = above.map_or(0, |(at, _)| at + 1);
        let below = behind.match_indices('\n').nth(1);
        let to = below.map_or(behind.len(), |(at, _)| at) + self.span.end;
        let mut lines = self.source.text[from..to].lines();
        lines.any(|line| line.len() > Self::LINE_MAX)
    }

    fn to_value(&self) -> Value {
        let (line, column) = self.source.position(self.span.start);
        let help = self.help.as_deref().map_or(Value::Null, Value::text);
        let fields: Map = [
            ("severity", Value::text(self.severity.as_str())),
            ("code", Value::text(self.code)),
            ("message", Value::text(&self.message)),
            ("file", Value::text(&self.source.name)),
            ("line", Value::Number(f64::from(line))),
            ("column", Value::Number(f64::from(column))),
            ("help", help),
        ]
        .into_iter()
        .map(|(key, value)| (Arc::from(key), value))
        .collect();
        Value::Map(fields)
    }
}

/// Everything that is wrong, sorted by file and position; never empty when it is returned as an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// The most problems that are shown; the rest is counted.
    pub const SHOWN_MAX: usize = 100;
    /// The most problems that are written as JSON.
    pub const WRITTEN_MAX: usize = 1_000;

    /// Sorts by file and position and drops what is said twice.
    pub fn sort(&mut self) {
        let key = |it: &Diagnostic| (it.source.name.clone(), it.span.start, it.span.end, it.code);
        self.0.sort_by_key(key);
        self.0.dedup();
    }

    /// Counts the errors; the rest are warnings.
    pub fn n_errors(&self) -> usize {
        let is_error = |it: &&Diagnostic| it.severity == Severity::Error;
        self.0.iter().filter(is_error).count()
    }

    /// Returns the errors without the warnings.
    #[must_use]
    pub fn errors(mut self) -> Self {
        self.0.retain(|it| it.severity == Severity::Error);
        self
    }

    /// Draws the problems for a terminal.
    pub fn render(&self, color: bool) -> String {
        let theme = if color {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(100)
            .with_links(false)
            .without_syntax_highlighting();
        let mut out = String::new();
        for (idx, diagnostic) in self.0.iter().take(Self::SHOWN_MAX).enumerate() {
            out.push_str(if idx == 0 { "" } else { "\n" });
            let source = &diagnostic.source;
            let file = NamedSource::new(source.name.as_ref(), source.text.clone());
            let report = miette::Report::new(diagnostic.to_miette()).with_source_code(file);
            // INVARIANT: writing to a string does not fail; a span inside of its text can be drawn.
            if handler.render_report(&mut out, report.as_ref()).is_err() {
                let _ = writeln!(out, "{}: {}", source.name, diagnostic.message);
            }
            if diagnostic.is_wide() {
                let (line, column) = source.position(diagnostic.span.start);
                let _ = writeln!(out, "  in {}:{line}:{column}", source.name);
            }
        }
        if self.0.len() > Self::SHOWN_MAX {
            let _ = writeln!(out, "... and {} more", self.0.len() - Self::SHOWN_MAX);
        }
        out
    }

    /// Returns how many there are: `2 errors, 1 warning`.
    pub fn tally(&self) -> String {
        let n_errors = self.n_errors();
        let counts = [(n_errors, "error"), (self.0.len() - n_errors, "warning")];
        let some = counts.into_iter().filter(|(n, _)| *n > 0);
        let words = some.map(|(n, word)| format!("{n} {word}{}", if n == 1 { "" } else { "s" }));
        words.collect::<Vec<String>>().join(", ")
    }

    /// Returns the first problems as JSON: a list of `{severity, code, message, file, line, column, help}`.
    pub fn to_json(&self) -> String {
        let written = self.0.iter().take(Self::WRITTEN_MAX);
        Value::List(written.map(Diagnostic::to_value).collect()).to_string()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// Returns the nearest start of a character at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
